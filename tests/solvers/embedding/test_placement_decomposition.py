"""Proofs of small traces: the placement relaxation, the undirected flow, conflicts, and all of them together."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.embedding.placement_relaxation import PlacementRelaxation
from skybound.formulations.embedding.undirected_flow import UndirectedFlow
from skybound.instances.embedding import Links, Request, RequestNodes, Substrate, SubstrateNodes, VirtualNetworks
from skybound.instances.problems import generate
from skybound.solvers.cpsat import solve_model
from skybound.solvers.embedding.conflicts import Conflicts
from skybound.solvers.embedding.placement_decomposition import prove
from skybound.solvers.result import Answer, Limits
from skybound.solvers.solve import solve


def optimum(builder):
    """Objective and bound of a model of the instance."""
    return solve_model(builder.finish(), Limits(), 0.0, interleaved=8)


@pytest.mark.parametrize("seed", range(30))
def test_relaxation_bounds_and_undirected_flow_attains_the_optimum(seed, random_embedding):
    instance = random_embedding(seed)
    known = solve(instance, "enumeration").objective
    assert optimum(PlacementRelaxation(instance)).bound >= known - 1e-6
    found = optimum(UndirectedFlow(instance))
    assert found.bound == pytest.approx(known, abs=1e-6)
    assert instance.total(found.decision) == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize("seed", range(30))
def test_hint_is_a_complete_feasible_solution(seed, random_embedding):
    """Fixing every literal to its hinted value leaves the model feasible, at the decision's objective."""
    instance = random_embedding(seed)
    decision = solve(instance, "enumeration").decision
    builder = UndirectedFlow(instance)
    model = builder.finish()
    model.add_hint(decision)
    solver = model.new_solver()
    solver.parameters.fix_variables_to_their_hinted_value = True
    solver.solve(model.native)
    assert solver.objective_value / model.scale == pytest.approx(instance.total(decision), abs=1e-6)


def pair(arrival=0.0, cpu=1.0, bandwidth=2.0, duration=2.0):
    """Two linked nodes on the ground."""
    nodes = RequestNodes(np.eye(3, dtype=bool)[[2, 2]], [cpu, cpu], [0.0, 0.0])
    return Request(arrival, duration, nodes, Links([0], [1], [bandwidth]))


def ground(nodes, links, cpu=10.0):
    """A substrate on the ground, links as (source, target, bandwidth)."""
    source, target, bandwidth = zip(*links, strict=True)
    return Substrate(SubstrateNodes([2] * nodes, [cpu] * nodes, [0.0] * nodes), Links(source, target, bandwidth))


def trace(substrate, *requests, **changes):
    """An instance without costs."""
    settings = {"cost_weight": 0.0, "colocate": False, "horizon": None} | changes
    return VirtualNetworks(substrate=substrate, requests=requests, name="trace", **settings)


def test_adjacent_bandwidth_bounds_the_placement():
    """A row of three: its ends hold one node of a pair each, so two pairs fit, though the links have room for three."""
    instance = trace(ground(3, [(0, 1, 3.0), (1, 2, 3.0)]), *(pair() for _ in range(4)))
    found = optimum(PlacementRelaxation(instance))
    assert found.bound == pytest.approx(2 * 4.0)
    free = optimum(PlacementRelaxation(replace(instance, colocate=True)))
    assert free.bound == pytest.approx(4 * 4.0)


def test_stars_count_the_hops_that_hosts_need():
    """Only the ends of a row have CPU for the pair: two hops of 2, where both links have 3 for it."""
    substrate = replace(
        ground(3, [(0, 1, 3.0), (1, 2, 3.0)]), nodes=SubstrateNodes([2] * 3, [5.0, 0.5, 5.0], [0.0] * 3)
    )
    assert optimum(PlacementRelaxation(trace(substrate, pair()))).bound == pytest.approx(4.0)
    assert optimum(PlacementRelaxation(trace(substrate, pair(), cost_weight=0.5))).bound == pytest.approx(4 - 0.5 * 6)


def test_conflicts_are_smallest_sets_of_one_moment():
    """One link of 5: pairs of 3 exclude each other while both are active, the pair of 1 and the later one go along."""
    requests = pair(bandwidth=3.0), pair(bandwidth=3.0), pair(bandwidth=1.0), pair(arrival=2.0, bandwidth=3.0)
    conflicts = Conflicts(trace(ground(2, [(0, 1, 5.0)]), *requests), Limits(), 0.0)
    decision = conflicts.refute(range(4))
    assert conflicts.found == [[0, 1]]
    assert [one is not None for one in decision.embeddings] == [False, True, True, True]


@pytest.mark.parametrize("seed", range(20))
def test_conflicts_are_refuted_by_enumeration(seed):
    """Six pairs of random bandwidth on a square: no conflict goes together, each part of it does."""
    rng = np.random.default_rng(seed)
    square = ground(4, [(0, 1, 5.0), (1, 2, 5.0), (2, 3, 5.0), (0, 3, 5.0)], cpu=3.0)
    requests = [pair(float(rng.integers(3)), bandwidth=float(rng.integers(1, 6))) for _ in range(6)]
    instance = trace(square, *requests)
    conflicts = Conflicts(instance, Limits(), 0.0)
    if conflicts.embed(range(6), 10.0)[1] is None:
        assert conflicts.refute(range(6)) is not None
        assert conflicts.found
    for conflict in conflicts.found:
        assert not together(instance, conflict)
        assert all(together(instance, part) for part in itertools.combinations(conflict, len(conflict) - 1))


def together(instance, requests):
    part = replace(instance, requests=tuple(instance.requests[k] for k in requests))
    return None not in solve(part, "enumeration").decision.embeddings


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("conflict_work", [0.0, 250.0])
def test_many_conflicts_are_proven_with_and_without_their_search(seed, conflict_work, monkeypatch):
    """Seven pairs on a square, most of which exclude each other; from nothing, so that all steps are taken."""
    monkeypatch.setattr("skybound.solvers.embedding.conflicts.TOTAL_WORK", conflict_work)
    rng = np.random.default_rng(seed)
    square = ground(4, [(0, 1, 5.0), (1, 2, 4.0), (2, 3, 5.0), (0, 3, 3.0)], cpu=3.0)
    requests = [pair(float(rng.integers(2)), bandwidth=float(rng.integers(2, 6))) for _ in range(7)]
    instance = trace(square, *requests)
    nothing = solve(trace(square, *requests), "random").decision
    nothing = replace(nothing, embeddings=(None,) * len(requests))
    found = prove(instance, Answer(nothing, bound=sum(one.revenue for one in requests)), Limits(), 0.0)
    assert found.bound == pytest.approx(solve(instance, "enumeration").objective)
    assert instance.total(found.decision) == pytest.approx(found.bound)


def test_time_limit_is_kept_and_what_is_known_is_returned():
    instance = generate("embedding", "small", 1)
    found = solve(instance, "placement-decomposition", time_limit_s=0.0)
    assert found.status == "feasible"
    assert found.objective <= 3498 <= found.bound
    assert found.reason == "time limit reached"


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "known"), [(0, 3037), (2, 2750), (4, 2883)])
def test_small_is_proven_the_same_each_time(seed, known):
    """Optimum and work are the same in two runs."""
    runs = [solve(generate("embedding", "small", seed)) for _ in range(2)]
    assert all(run.status == "optimal" and run.objective == known for run in runs)
    assert runs[0].counters == runs[1].counters
