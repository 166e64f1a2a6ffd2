"""All exact routes find the same optimum."""

import collections
from dataclasses import replace

import pytest
from skybound.instances.solution import Status
from skybound.solvers.registry import SOLVERS
from skybound.solvers.solve import solve

EXACT = [name for name, entry in SOLVERS["placement"].items() if entry.exact and name != "enumeration"]
HEURISTIC = [name for name, entry in SOLVERS["placement"].items() if not entry.exact]


@pytest.mark.parametrize("solver", EXACT)
def test_exact_solvers_agree_with_enumeration(solver, random_placement):
    """Status and optimum, infeasibility included."""
    for seed in range(60):
        instance = random_placement(seed)
        known, found = solve(instance, "enumeration"), solve(instance, solver)
        assert found.status is known.status, (seed, found.reason)
        if known.objective is not None:
            assert found.objective == pytest.approx(known.objective, rel=1e-6)
            assert found.bound == pytest.approx(known.objective, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("solver", HEURISTIC)
def test_heuristics_are_feasible_and_no_better_than_the_optimum(solver, random_placement):
    for seed in range(200):
        instance = random_placement(seed)
        known, found = solve(instance, "enumeration"), solve(instance, solver)
        assert found.status is (Status.INFEASIBLE if known.status is Status.INFEASIBLE else Status.FEASIBLE)
        if known.objective is not None:
            assert found.objective >= known.objective * (1 - 1e-12)


def test_random_instances_are_not_trivial(random_placement):
    """At least 5 % infeasible, and at least 30 % where more places would help."""
    statuses, helped = collections.Counter(), 0
    for seed in range(200):
        instance = random_placement(seed)
        found = solve(instance, "enumeration")
        statuses[found.status] += 1
        if found.objective is not None:
            roomy = replace(instance, device_capacity=instance.device_capacity + 10, cloud_capacity=None)
            helped += solve(roomy, "enumeration").objective < found.objective * (1 - 1e-9)
    assert statuses[Status.INFEASIBLE] >= 10
    assert helped >= 0.3 * statuses[Status.OPTIMAL]
