"""What is reported of a solver's answer."""

from dataclasses import replace

import pyomo.environ as pyo
import pytest
from skybound.formulations.placement import milp
from skybound.instances.errors import InputError
from skybound.instances.placement import PlacementDecision
from skybound.instances.solution import Status
from skybound.solvers.registry import SOLVERS, find
from skybound.solvers.result import Answer, Limits, relative_gap
from skybound.solvers.solve import run, solve

BEST = PlacementDecision([2, 3, 1, 0, 1])


def report(instance, **answer):
    return run(lambda instance, limits: Answer(**answer), "claims", instance, Limits())


@pytest.mark.parametrize("name", SOLVERS["placement"])
def test_every_solver_solves_the_worked_instance(name, worked):
    result = solve(worked, name)
    entry = SOLVERS["placement"][name]
    assert result.status is (Status.OPTIMAL if entry.exact else Status.FEASIBLE)
    assert result.objective >= 1.302 - 1e-12
    if entry.exact:
        assert result.objective == pytest.approx(1.302)
        assert result.decision == BEST
        assert result.gap <= 1e-6
        assert sum(result.parts.values()) == pytest.approx(result.objective)


def test_a_false_objective_is_an_error(worked):
    result = report(worked, decision=BEST, objective=1.2)
    assert result.status is Status.ERROR
    assert "claims the objective 1.2" in result.reason


def test_a_bound_beyond_the_objective_is_an_error(worked):
    assert report(worked, decision=BEST, bound=1.4).status is Status.ERROR


def test_an_infeasible_decision_is_an_error(worked):
    result = report(worked, decision=PlacementDecision([1, 1, 1, 0, 1]))
    assert result.status is Status.ERROR
    assert result.objective is None
    assert "capacity (device 0) by 2" in result.reason


def test_optimal_means_within_the_gap(worked):
    assert report(worked, decision=BEST, bound=1.302 * (1 - 0.9e-6)).status is Status.OPTIMAL
    assert report(worked, decision=BEST, bound=1.302 * (1 - 1.1e-6)).status is Status.FEASIBLE
    assert report(worked, decision=BEST).status is Status.FEASIBLE
    assert report(worked, decision=BEST, bound=1.302 * (1 + 1e-9)).bound == pytest.approx(1.302, abs=1e-12)


def test_no_decision_is_no_solution_or_infeasible(worked):
    assert report(worked).status is Status.NO_SOLUTION
    assert report(worked, bound=1.0).bound == 1.0
    assert report(worked, infeasible=True, reason="so").status is Status.INFEASIBLE


def test_gap():
    assert relative_gap(0, 0) == 0
    assert relative_gap(-2, -1) == 0.5
    assert relative_gap(None, 1) is None


def test_a_model_with_constraints_of_ones_own_is_modified(worked):
    """User 0 must stay at home: 0.8 s instead of 0.3, and device 1 becomes free."""
    model = milp.build(worked)
    model.at_home_0 = pyo.Constraint(expr=model.at_home[0] == 1)
    result = solve(worked, model=model)
    assert result.modified
    assert result.status is Status.OPTIMAL
    assert result.decision.host[0] == 0
    assert not solve(worked, "milp").modified
    with pytest.raises(InputError, match="does not take a model"):
        solve(worked, "greedy", model=model)


def test_unknown_solvers_are_named(worked):
    with pytest.raises(InputError, match=r'^solver: is "nosuch", unknown for placement; known are'):
        solve(worked, "nosuch")
    with pytest.raises(InputError, match=r'^solver: "pyomo:nosuch": .* here, but appsi_highs, .*scip_direct'):
        solve(worked, "pyomo:nosuch")


PYOMO_SOLVERS = ["highs", "appsi_highs", "scip_direct"]


@pytest.mark.parametrize("name", PYOMO_SOLVERS)
def test_pyomo_solvers_agree(name, random_placement):
    """Any solver that Pyomo finds gets the explicit model: optimum and infeasibility as by enumeration."""
    for seed in range(25):
        instance = random_placement(seed)
        known, found = solve(instance, "enumeration"), solve(instance, f"pyomo:{name}")
        assert found.status is known.status, (seed, found.reason)
        if known.objective is not None:
            assert found.objective == pytest.approx(known.objective, rel=1e-6)


@pytest.mark.parametrize("name", [*SOLVERS["placement"], *(f"pyomo:{name}" for name in PYOMO_SOLVERS)])
def test_starts_are_welcome_everywhere(name, worked):
    """Whether a solver uses it or not, a start makes nothing worse."""
    result = solve(worked, name, start=BEST)
    assert result.objective >= 1.302 - 1e-12
    if SOLVERS["placement"].get(name, SOLVERS["placement"]["milp"]).exact:
        assert result.status is Status.OPTIMAL


def test_the_default_is_exact():
    name, _ = find("placement", None)
    assert SOLVERS["placement"][name].exact


def test_infeasibility_is_explained_in_domain_words(worked):
    """Users 0, 1, 2 and 4 need a host other than home, and device 0 and the cloud have two places between them."""
    scarce = replace(worked, local_cps=[0, 0, 0, 8e9, 0], device_capacity=[1, 0])
    reason = solve(scarce, "milp").reason
    assert "has one host" in reason
    assert "device 0 hosts at most 1 twins" in reason or "device 1 hosts at most 0 twins" in reason


def test_seeds_change_random_only(worked):
    objectives = {solve(worked, "random", seed=seed).objective for seed in range(20)}
    assert len(objectives) > 3
    assert solve(worked, "random", seed=5).decision == solve(worked, "random", seed=5).decision


@pytest.mark.parametrize("name", ["column-generation", "milp", "cp-sat"])
@pytest.mark.parametrize("factor", [1e-8, 1e-5, 1e8])
def test_units_make_no_difference(name, factor, worked):
    """Microseconds and years are solved as seconds are."""
    scaled = replace(worked, data_bits=worked.data_bits * factor, propagation_s=worked.propagation_s * factor)
    result = solve(scaled, name)
    assert result.status is Status.OPTIMAL
    assert result.objective == pytest.approx(1.302 * factor, rel=1e-9)


@pytest.mark.parametrize("name", ["column-generation", "milp", "cp-sat"])
def test_a_hopeless_host_makes_no_difference(name, worked):
    """One local processor that would take a million years."""
    slow = worked.local_cps.copy()
    slow[0] = 1e-5
    result = solve(replace(worked, local_cps=slow), name)
    assert result.status is Status.OPTIMAL
    assert result.objective == pytest.approx(1.302, rel=1e-9)


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ([1, 1, 1, 0, 1], r"start: violates capacity \(device 0\) by 2"),
        ([0, 0, 0], "start.host: has 3 entries for 5 users"),
        ([9, 0, 0, 0, 0], r"start.host\[0\]: must be at most 3"),
    ],
)
@pytest.mark.parametrize("name", SOLVERS["placement"])
def test_a_start_must_be_feasible(name, host, message, worked):
    with pytest.raises(InputError, match=message):
        solve(worked, name, start=PlacementDecision(host))


@pytest.mark.parametrize("limit", [{"seed": -1}, {"seed": 2**63}, {"threads": 10**6}, {"time_limit_s": -1.0}])
def test_limits_are_checked(limit, worked):
    with pytest.raises(InputError, match=next(iter(limit))):
        solve(worked, "greedy", **limit)


def test_an_error_has_no_decision(worked):
    result = report(worked, decision=BEST, objective=1.2)
    assert (result.decision, result.objective, result.parts) == (None, None, {})
    assert result.solution().decision is None


def test_what_is_proven_of_a_changed_model_is_not_claimed_of_the_problem(worked):
    model = milp.build(worked)
    model.extra = pyo.Constraint(expr=model.at_home[0] == 1)
    result = solve(worked, model=model)
    assert result.status is Status.OPTIMAL
    assert (result.solution().status, result.solution().bound) == (Status.FEASIBLE, None)


def test_a_gap_of_nothing_means_what_doubles_can_tell(worked):
    assert solve(worked, gap=0.0).status is Status.OPTIMAL
