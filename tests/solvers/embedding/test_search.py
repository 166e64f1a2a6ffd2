"""Branch and bound for one request."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from skybound.formulations.embedding.referee import judge
from skybound.instances.embedding.residual import Residual
from skybound.instances.problems import generate
from skybound.solvers.embedding.assignment import NEVER, assign, assignment_room
from skybound.solvers.embedding.search import Search
from skybound.solvers.solve import solve


@pytest.mark.parametrize("seed", range(20))
def test_assignments_are_optimal_and_their_duals_prove_it(seed):
    rng = np.random.default_rng(seed)
    cost = np.where(rng.random((6, 9)) < 0.2, NEVER, rng.integers(0, 20, (6, 9)).astype(float))
    rows, room = np.sort(rng.permutation(6)[:4]), assignment_room(6, 9)
    total = assign(cost, rows, room)
    finite = np.where(cost < NEVER, cost, 1e6)[rows]
    known = finite[linear_sum_assignment(finite)].sum()
    assert total == (known if known < 1e6 else NEVER)
    if total < NEVER:
        reduced = cost[rows] - room.row_value[:4, None] - room.column_value[:-1]
        assert reduced.min() >= -1e-9
        assert room.row_value[:4].sum() + room.column_value[:-1].sum() == pytest.approx(total)


def single(instance, number):
    """One request of a trace on the empty substrate, at least cost."""
    return replace(instance, cost_weight=0.01, requests=(instance.requests[number],))


@pytest.mark.parametrize("seed", range(60))
def test_agrees_with_enumeration(seed, random_embedding):
    drawn = random_embedding(seed)
    for number in range(len(drawn.requests)):
        instance = single(drawn, number)
        known, found = solve(instance, "enumeration"), solve(instance, "per-request")
        assert found.objective == pytest.approx(known.objective, abs=1e-9)
        assert found.bound == pytest.approx(known.objective, abs=1e-6)


@pytest.mark.parametrize("preset", ["single", "single-half"])
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_flow_model_at_the_papers_size(preset, seed):
    instance = generate("embedding", preset, seed)
    known, found = solve(instance, "milp", time_limit_s=60), solve(instance, "per-request")
    assert known.status == found.status == "optimal"
    assert found.objective == pytest.approx(known.objective, rel=1e-6)


def test_so_many_nodes_and_no_more():
    """What is found then is feasible, and its bound holds."""
    instance = generate("embedding", "single", 16)
    (request,) = instance.requests
    whole = Search(Residual(instance.substrate), request, colocate=False).run(None)
    cost = request.links.bandwidth @ whole.embedding.hops
    assert whole.proven
    assert whole.bound == pytest.approx(cost)
    part = Search(Residual(instance.substrate), request, colocate=False).run(400)
    assert 400 <= part.nodes < 3_000  # what a last look at paths counts comes on top
    assert not part.proven
    assert part.bound <= cost
    assert part.embedding is None or request.links.bandwidth @ part.embedding.hops >= cost


def test_a_trace_is_the_same_every_time_and_better_than_the_rules():
    instance = generate("embedding", "paper:requests=30", 0)
    once, again = (solve(instance, "per-request") for _ in range(2))
    assert once.decision == again.decision
    assert judge(instance, once.decision).feasible
    assert once.objective >= solve(instance, "nrm").objective
    assert sum(once.counters.values()) == 30
