"""Whole traces: the aggregated bound, insertion, large neighbourhoods, and all of them as one solver."""

from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.embedding.referee import judge
from skybound.instances.embedding import (
    Embedding,
    EmbeddingDecision,
    Links,
    Request,
    RequestNodes,
    Substrate,
    SubstrateNodes,
    VirtualNetworks,
)
from skybound.instances.problems import generate
from skybound.solvers.embedding.aggregate import aggregate
from skybound.solvers.embedding.insertion import _move, room
from skybound.solvers.embedding.neighbourhoods import Aim, build, improve
from skybound.solvers.embedding.network import Network
from skybound.solvers.embedding.trace import Ground, Ledger, Trace
from skybound.solvers.solve import solve


@pytest.mark.parametrize("seed", range(40))
def test_the_bound_holds_and_small_traces_are_proven(seed, random_embedding):
    instance = random_embedding(seed)
    known, found = solve(instance, "enumeration"), solve(instance, "clairvoyant")
    assert bound_of(instance) >= known.objective - 1e-6
    assert found.status == "optimal"
    assert found.objective == pytest.approx(known.objective, abs=1e-6)


def bound_of(instance):
    return aggregate(instance, Trace.of(instance)).bound


def pair(arrival, cpu, *, bandwidth=2.0, domains=(2, 2), duration=2.0):
    """Two linked nodes."""
    domain = np.eye(3, dtype=bool)[list(domains)]
    return Request(arrival, duration, RequestNodes(domain, [cpu, cpu], [0.0, 0.0]), Links([0], [1], [bandwidth]))


def path(*requests, **changes):
    """Ground, air and ground nodes in a row, and requests."""
    nodes = SubstrateNodes([2, 1, 2], [4.0, 1.0, 4.0], [1.0, 1.0, 1.0])
    links = Links([0, 1], [1, 2], [5.0, 5.0])
    settings = {"cost_weight": 0.0, "colocate": False, "horizon": None} | changes
    return VirtualNetworks(substrate=Substrate(nodes, links), requests=requests, name="path", **settings)


def test_the_bound_of_two_requests_for_one_moment():
    """Each wants 6 of the ground's 8 units of CPU and brings 8: one and a third of them fit."""
    assert bound_of(path(pair(0.0, 3.0), pair(1.0, 3.0))) == pytest.approx(8 * 4 / 3)
    assert bound_of(path(pair(0.0, 3.0), pair(2.0, 3.0))) == pytest.approx(16)


def test_the_bound_knows_that_links_between_ground_nodes_cross_the_air():
    """Two hops of 5, so that both requests take 12 of the 10 units between ground and air, and bring 5 each."""
    requests = pair(0.0, 1.0, bandwidth=3.0), pair(0.0, 1.0, bandwidth=3.0)
    assert bound_of(path(*requests)) == pytest.approx(10 * 5 / 6)
    assert bound_of(path(*requests, colocate=True)) == pytest.approx(10)
    assert bound_of(path(*requests, cost_weight=0.5)) == pytest.approx((10 / 6) * (5 - 0.5 * 8))


def test_a_request_that_no_domain_can_host_is_worth_nothing():
    assert bound_of(path(pair(0.0, 5.0), pair(0.0, 1.0, bandwidth=6.0))) == pytest.approx(0)


def whole(instance):
    """A trace as the compiled code has it, with nothing embedded."""
    trace, ground = Trace.of(instance), Ground.of(instance)
    revenue = np.array([request.revenue for request in instance.requests])
    return trace, ground, Ledger.empty(trace, ground), Aim(revenue, revenue, 0.0, 0.1, float(revenue.mean()))


@pytest.mark.parametrize("colocate", [False, True])
@pytest.mark.parametrize("preset", ["paper:requests=60", "paper-any:requests=60", "small"])
def test_neighbourhoods_keep_to_capacities_and_gain(preset, colocate):
    instance = replace(generate("embedding", preset, 0), colocate=colocate)
    trace, ground, ledger, aim = whole(instance)
    rng = np.random.default_rng(0)
    build(np.arange(len(aim.worth)), trace, ground, ledger, aim, colocate, rng)
    first = judge(instance, EmbeddingDecision(ledger.embeddings(instance, trace)))
    assert not first.violations
    for _ in range(5):
        improve(200, 1.0, trace, ground, ledger, aim, colocate, rng)
    last = judge(instance, EmbeddingDecision(ledger.embeddings(instance, trace)))
    assert not last.violations
    assert last.objective >= first.objective
    assert last.objective == pytest.approx(aim.worth[ledger.accepted].sum())
    left = ledger.left.copy()
    ledger.settle(trace, ground)
    assert left == pytest.approx(ledger.left, abs=1e-9)
    again = Ledger.empty(trace, ground)
    again.load(instance, trace, ground, EmbeddingDecision(ledger.embeddings(instance, trace)))
    assert again.accepted.tolist() == ledger.accepted.tolist()
    assert again.left == pytest.approx(ledger.left)
    assert again.hops_cost[again.accepted] == pytest.approx(ledger.hops_cost[ledger.accepted])


def test_the_same_seed_finds_the_same_and_a_start_is_not_lost():
    instance = generate("embedding", "paper:requests=20", 0)
    greedy = solve(instance, "greedy")
    found, again = (solve(instance, "clairvoyant", seed=3, start=greedy.decision) for _ in range(2))
    assert found.objective == again.objective
    assert found.objective >= greedy.objective
    assert found.bound >= found.objective
    assert [point.incumbent for point in found.trace] == sorted(point.incumbent for point in found.trace)


def test_nothing_to_decide():
    instance = path()
    found = solve(instance, "clairvoyant")
    assert found.decision == EmbeddingDecision(())
    assert found.objective == found.bound == 0


def in_a_row(*bandwidth):
    """Hosts in a row with so much between them, and two linked nodes, with nothing embedded."""
    hosts = len(bandwidth) + 1
    nodes = SubstrateNodes([2] * hosts, [4.0] * hosts, [0.0] * hosts)
    substrate = Substrate(nodes, Links(np.arange(hosts - 1), np.arange(1, hosts), bandwidth))
    instance = replace(path(pair(0.0, 3.0)), substrate=substrate)
    return instance, *whole(instance)[:3]


def moved(instance, trace, ground, ledger, embedding, node):
    """The change of cost when a node of the embedded request may move."""
    ledger.load(instance, trace, ground, EmbeddingDecision((embedding,)))
    scratch, nodes = room(trace, ground), len(ground.domain)
    scratch.least[:] = ledger.left[0]
    network = Network(ground.first, ground.neighbour, ground.link, scratch.least[2 * nodes :], scratch.none)
    taken = np.isin(np.arange(nodes), embedding.nodes)
    change = _move(0, node, trace, ground, network, ledger, taken, False, np.empty(nodes), scratch)
    ledger.hops_cost[0] += change
    left = scratch.least.copy()
    ledger.settle(trace, ground)
    assert left == pytest.approx(ledger.left[0])
    assert np.flatnonzero(taken).tolist() == sorted(ledger.host.tolist())
    assert not judge(instance, EmbeddingDecision(ledger.embeddings(instance, trace))).violations
    return change


def test_a_node_moves_to_where_its_links_cost_least():
    """From three hops away to one, either end."""
    for node, hosts in ((0, [2, 3]), (1, [0, 1])):
        embedding = Embedding(np.array([0, 3]), (np.array([0, 1, 2, 3]),))
        instance, *rest = in_a_row(9.0, 9.0, 9.0)
        assert moved(instance, *rest, embedding, node) == -4
        assert rest[2].host.tolist() == hosts
        assert rest[2].hops_cost[0] == 2


def test_a_node_stays_where_nothing_costs_less():
    instance, *rest = in_a_row(9.0, 9.0)
    assert moved(instance, *rest, Embedding(np.array([1, 2]), (np.array([1, 2]),)), 0) == 0
    assert rest[2].host.tolist() == [1, 2]


def test_a_move_whose_paths_do_not_fit_together_is_taken_back():
    """Two neighbours on one side of a narrow link: each alone would fit through it, both do not."""
    instance, *_ = in_a_row(9.0, 9.0, 3.0, 9.0)
    domain = np.eye(3, dtype=bool)[[2, 2, 2]]
    star = Request(0.0, None, RequestNodes(domain, [4.0, 1.0, 1.0], [0.0] * 3), Links([0, 0], [1, 2], [2.0, 2.0]))
    nodes = SubstrateNodes([2] * 6, [1.0, 1.0, 3.0, 4.0, 3.0, 4.0], [0.0] * 6)
    ends = np.array([(0, 1), (1, 2), (2, 3), (0, 4), (1, 4), (4, 5)])
    links = Links(ends[:, 0], ends[:, 1], [9.0, 9.0, 3.0, 9.0, 9.0, 9.0])
    instance = replace(instance, substrate=Substrate(nodes, links), requests=(star,))
    far = Embedding(np.array([5, 1, 2]), (np.array([5, 4, 1]), np.array([5, 4, 1, 2])))
    rest = whole(instance)[:3]
    assert moved(instance, *rest, far, 0) == 0
    assert rest[2].host.tolist() == [5, 1, 2]
    assert rest[2].hops.tolist() == [2, 3]
