"""Placements built user by user, many at once."""

import networkx as nx
import numpy as np
import pytest
from skybound.formulations.placement.referee import judge
from skybound.instances.placement import PlacementDecision
from skybound.instances.problems import generate
from skybound.solvers.placement.batch import Costs, Partial


def completes(costs, fixed):
    """Whether the users still at -1 find places, by maximum flow."""
    hosts = costs.fixed_s.shape[2]
    possible, left = np.isfinite(costs.fixed_s[0]), costs.places[0].copy()
    for user in np.flatnonzero(fixed >= 0):
        if not possible[user, fixed[user]]:
            return False
        left[fixed[user]] -= 1
    if (left < 0).any():
        return False
    graph = nx.DiGraph()
    graph.add_nodes_from(["from", "to"])
    waiting = np.flatnonzero(fixed < 0)
    for user in waiting:
        graph.add_edge("from", ("user", user), capacity=1)
        for host in np.flatnonzero(possible[user]):
            graph.add_edge(("user", user), ("host", host), capacity=1)
    for host in range(hosts):
        graph.add_edge(("host", host), "to", capacity=int(left[host]))
    return nx.maximum_flow_value(graph, "from", "to") == len(waiting)


def test_a_host_is_offered_exactly_where_the_rest_can_be_placed(random_placement):
    rng = np.random.default_rng(0)
    tight = 0
    for seed in range(60):
        instance = random_placement(seed)
        costs = Costs.of([instance])
        partial = Partial(costs)
        assert partial.feasible[0] == completes(costs, np.full(instance.users, -1))
        while partial.feasible[0] and (partial.host < 0).any():
            offered = partial.offered()[0]
            for user in range(instance.users):
                for host in range(instance.devices + 2):
                    fixed = partial.host[0].copy()
                    waits = fixed[user] < 0
                    fixed[user] = host
                    expected = waits and completes(costs, fixed)
                    assert offered[user, host] == expected, (seed, user, host)
                    tight += waits and not expected and np.isfinite(costs.fixed_s[0, user, host])
            user = rng.choice(np.flatnonzero(offered.any(1)))
            partial.place(np.array([user]), np.array([rng.choice(np.flatnonzero(offered[user]))]))
        if partial.feasible[0]:
            assert judge(instance, PlacementDecision(partial.host[0])).feasible
    assert tight > 50


@pytest.mark.parametrize("preset", ["congested", "congested-optimal"])
def test_a_batch_equals_its_instances_and_growths_add_up(preset):
    """Random placements of eight instances at once: the sum of growths is the total, and the referee's."""
    rng = np.random.default_rng(3)
    instances = [generate("placement", preset, seed) for seed in range(8)]
    partial = Partial(Costs.of(instances))
    total = np.zeros(8)
    rows = np.arange(8)
    for user in range(20):
        who = np.full(8, user)
        lots = np.where(partial.offered()[rows, who], rng.random((8, 5)), -1.0)
        host = lots.argmax(1)
        total += partial.marginal_s()[rows, who, host]
        partial.place(who, host)
    assert partial.costs.total_s(partial.host) == pytest.approx(total)
    for instance, host, value in zip(instances, partial.host, total, strict=True):
        assert judge(instance, PlacementDecision(host)).objective == pytest.approx(value)


def test_a_batch_has_one_shape():
    with pytest.raises(ValueError, match="equal numbers"):
        Costs.of([generate("placement", "congested", 0), generate("placement", "congested-40", 0)])
