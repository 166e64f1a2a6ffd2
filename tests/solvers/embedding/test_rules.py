"""Ranks of nodes, and rules that embed by them."""

import numpy as np
import pytest
from skybound.instances.embedding import Links, Request, RequestNodes, Substrate, SubstrateNodes
from skybound.instances.embedding.ranked import embed_by_resources, resource_rank
from skybound.instances.embedding.residual import Residual
from skybound.instances.problems import generate
from skybound.solvers.embedding.rules import embed_greedily, global_capacity, outwards, random_walk
from skybound.solvers.embedding.vine import shares
from skybound.solvers.solve import solve

# A path of three nodes with bandwidth 2 and 6.
PATH = Links([0, 1], [1, 2], [2.0, 6.0])
RESOURCES = np.array([1.0, 2.0, 1.0])


def test_resources_times_bandwidth():
    assert resource_rank(RESOURCES, RESOURCES, PATH, PATH.bandwidth).tolist() == [4.0, 32.0, 12.0]


def test_global_capacity_solves_its_equation():
    """M shares a neighbour's capacity by bandwidth: all of an end's goes to the middle, a quarter of its to node 0."""
    share = np.array([[0, 1 / 4, 0], [1, 0, 1], [0, 3 / 4, 0]])
    own = RESOURCES / 4
    known = np.linalg.solve(np.eye(3) - 0.85 * share, 0.15 * own)
    assert global_capacity(RESOURCES, PATH, PATH.bandwidth) == pytest.approx(known, abs=1e-4)


def test_the_random_walk_is_where_it_stays():
    """Weights 2, 16, 6: from the middle a walk steps to node 2 three times as often as to node 0."""
    step = np.array([[0, 1, 0], [1 / 4, 0, 3 / 4], [0, 1, 0]])
    jump = np.array([2, 16, 6]) / 24
    known = np.linalg.solve((np.eye(3) - 0.85 * step).T, 0.15 * jump)
    assert random_walk(RESOURCES, PATH, PATH.bandwidth) == pytest.approx(known, abs=1e-4)
    assert known.sum() == pytest.approx(1)


def test_nodes_are_placed_outwards_from_the_one_with_most_links():
    for request in generate("embedding", "paper:requests=20", 0).requests:
        order, links = outwards(request), request.links
        assert sorted(order) == list(range(len(request.nodes)))
        for at, node in enumerate(order[1:], 1):
            near = {*links.target[links.source == node].tolist(), *links.source[links.target == node].tolist()}
            assert near & set(order[:at])


def test_greedy_pays_for_fewer_hops_than_rules_that_rank():
    instance = generate("embedding", "paper:requests=20", 0)
    residual = Residual(instance.substrate)
    found = [
        [rule(residual, request, colocate=False) for request in instance.requests]
        for rule in (embed_greedily, embed_by_resources)
    ]
    both = [k for k in range(20) if all(embeddings[k] is not None for embeddings in found)]
    assert len(both) >= 15
    greedy, nrm = (sum(instance.requests[k].cost(embeddings[k].hops) for k in both) for embeddings in found)
    assert greedy < 0.9 * nrm


def test_shares_of_vine_place_every_node_once(worked_embedding):
    """All nodes are placed, on hosts that can have them, and no host more than once."""
    for instance in (worked_embedding, generate("embedding", "paper:requests=5", 0)):
        for request in instance.requests:
            residual = Residual(instance.substrate)
            share = shares(residual, request, colocate=False)
            assert share.sum(1) == pytest.approx(np.ones(len(request.nodes)))
            assert share.sum(0).max() <= 1 + 1e-6
            assert (share[~residual.hosts(request)] == 0).all()


def over_air(*bandwidth):
    """Ground and air nodes in pairs, linked by so much, and a request of one node in each domain."""
    pairs = len(bandwidth)
    nodes = SubstrateNodes([2, 1] * pairs, [5.0] * 2 * pairs, [5.0] * 2 * pairs)
    links = Links(np.arange(pairs) * 2, np.arange(pairs) * 2 + 1, bandwidth)
    wanted = RequestNodes(np.eye(3, dtype=bool)[[2, 1]], [1.0, 1.0], [0.0, 0.0])
    return Residual(Substrate(nodes, links)), Request(0.0, None, wanted, Links([0], [1], [2.0]))


def test_vine_places_a_pair_where_bandwidth_is_plenty():
    """One over what is left decides; half of the demand fits into the first pair, and none of it goes there."""
    residual, request = over_air(2.0, 9.0)
    assert shares(residual, request, colocate=False) == pytest.approx(np.array([[0, 0, 1, 0], [0, 0, 0, 1]]))


def test_vine_rejects_what_its_program_does_not_hold():
    for bandwidth, fits in ((2.0, True), (1.5, False)):
        assert (shares(*over_air(bandwidth), colocate=False) is not None) is fits


def test_r_vine_draws_by_its_seed():
    instance = generate("embedding", "paper:requests=15", 0)
    found = [solve(instance, "r-vine", seed=seed).decision for seed in (0, 0, 1)]
    assert found[0] == found[1]
    assert found[0] != found[2]
