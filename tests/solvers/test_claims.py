"""From an engine's last words to status and bound."""

import math
from pathlib import Path

import pytest
from skybound.formulations.problems import FORMULATIONS
from skybound.formulations.verdict import Verdict
from skybound.instances.files import load
from skybound.instances.problems import generate
from skybound.instances.solution import Status
from skybound.solvers import cpsat
from skybound.solvers.claims import Ending, beats, judged, proven_bound
from skybound.solvers.registry import SOLVERS
from skybound.solvers.result import Answer
from skybound.solvers.solve import solve

CASES = Path(__file__).parents[1] / "cases"


@pytest.mark.parametrize(
    ("ending", "bound", "objective", "default", "proven"),
    [
        (Ending.SOLVED, 5.0, 5.0, 0.0, 5.0),
        (Ending.SOLVED, 0.0, 0.0, 0.0, 0.0),
        (Ending.FEASIBLE, 7.0, 5.0, 0.0, 7.0),
        (Ending.FEASIBLE, 0.0, -5.0, 0.0, None),  # a default, though it is no contradiction
        (Ending.FEASIBLE, 0.0, -5.0, math.inf, 0.0),
        (Ending.FEASIBLE, 3.0, 5.0, 0.0, None),  # its own solution beats it
        (Ending.STOPPED, 7.0, None, 0.0, None),
        (Ending.STOPPED, 7.0, None, math.inf, 7.0),
        (Ending.STOPPED, math.inf, None, math.inf, None),
        (Ending.FEASIBLE, math.nan, 5.0, math.inf, None),
        (Ending.INFEASIBLE, 7.0, None, math.inf, None),
        (Ending.FAILED, 7.0, None, math.inf, None),
        (Ending.SOLVED, None, 5.0, math.inf, None),
    ],
)
def test_only_what_was_proven_is_a_bound(ending, bound, objective, default, proven):
    """Of a maximisation, and of the same minimisation."""
    assert proven_bound(ending, bound, objective, maximise=True, default=default) == proven
    mirrored = (None if value is None else -value for value in (bound, objective, proven))
    bound, objective, proven = mirrored
    assert proven_bound(ending, bound, objective, maximise=False, default=default) == proven


def test_an_objective_beats_a_bound_by_more_than_the_tolerance():
    assert beats(10.1, 10.0, maximise=True, tolerance=1e-6)
    assert not beats(10.0 + 1e-6, 10.0, maximise=True, tolerance=1e-6)
    assert not beats(9.0, 10.0, maximise=True, tolerance=1e-6)
    assert beats(9.0, 10.0, maximise=False, tolerance=1e-6)


def test_a_start_that_beats_the_bound_is_a_conflict(worked_embedding):
    """Objectives of the start beyond the claimed bound, and a start where there is said to be none."""
    decision = solve(worked_embedding, "enumeration").decision
    verdict = FORMULATIONS["embedding"].judge(worked_embedding, decision)
    better = verdict.objective + 1.0
    status, bound, reason = judged(worked_embedding, Answer(decision, bound=verdict.objective), verdict, 1e-6, better)
    assert (status, bound) == (Status.CONFLICT, None)
    assert repr(better) in reason
    assert judged(worked_embedding, Answer(infeasible=True), None, 1e-6, better)[0] is Status.CONFLICT
    assert judged(worked_embedding, Answer(decision, bound=better), verdict, 1e-6, better)[0] is Status.FEASIBLE


def test_a_bound_that_the_own_decision_beats_is_an_error(worked_embedding):
    verdict = Verdict(10.0, {})
    decision = solve(worked_embedding, "enumeration").decision
    assert judged(worked_embedding, Answer(decision, bound=9.0), verdict, 1e-6)[0] is Status.ERROR
    assert judged(worked_embedding, Answer(decision, bound=10.0 - 1e-7), verdict, 1e-6)[:2] == (Status.OPTIMAL, 10.0)


def exact_routes(problem):
    """Solvers of a problem that prove optima, given time."""
    return [name for name, entry in SOLVERS[problem].items() if entry.exact]


@pytest.mark.parametrize("solver", exact_routes("embedding"))
def test_no_route_proves_less_than_the_optimum(solver):
    """Presolve that wraps at 32 bits made CP-SAT prove 250 where 323 can be had."""
    found = solve(load(CASES / "embedding-presolve-wraps.json"), solver)
    assert (found.status, found.objective, found.bound) == (Status.OPTIMAL, 323.0, 323.0)


@pytest.mark.parametrize("solver", exact_routes("embedding"))
def test_rows_of_factors_far_apart_are_not_presolved_to_less(solver):
    """HiGHS's presolve proved 85.0 where demands of 5e-8 stand beside those of 10."""
    found = solve(load(CASES / "embedding-wide-rows.json"), solver)
    assert found.status is Status.OPTIMAL
    assert found.objective == pytest.approx(85.200000207, rel=1e-9)


def test_a_start_is_not_proven_worse_than_it_is():
    instance = load(CASES / "embedding-presolve-wraps.json")
    start = solve(instance, "enumeration").decision
    assert solve(instance, "cp-sat", start=start).objective == 323.0


def test_a_claim_that_a_rule_contradicts_is_solved_again(monkeypatch):
    """A model with a wrong constraint proves too little; it is solved again without presolve, and not believed."""
    instance = load(CASES / "embedding-presolve-wraps.json")
    build, runs = FORMULATIONS["embedding"].cpsat.build, []

    def too_tight(instance):
        model = build(instance)
        model.add_count([model.native.get_bool_var_from_proto_index(k) for k in range(len(instance.requests))], 0)
        return model

    solve_once = cpsat.solve_model

    def noting(*args, presolve):
        runs.append(presolve)
        return solve_once(*args, presolve=presolve)

    monkeypatch.setattr(FORMULATIONS["embedding"].cpsat, "build", too_tight)
    monkeypatch.setattr(cpsat, "solve_model", noting)
    found = solve(instance, "cp-sat")
    assert runs == [True, False]
    assert found.status is Status.ERROR
    assert found.bound is None
    assert "contradicts" in found.reason


@pytest.mark.parametrize("limit", [0.0, 0.02])
@pytest.mark.parametrize(
    ("name", "optimum"),
    [
        ("slicing-nothing-proven", 2.2753),
        ("provisioning-nothing-proven", 11_022.0),
        ("embedding-nothing-proven", 430.0),
    ],
)
def test_a_stopped_engine_claims_no_bound_below_the_optimum(name, optimum, limit):
    """CP-SAT's bound is 0 before it has one."""
    instance = load(CASES / f"{name}.json")
    for solver in ("cp-sat", "milp"):
        found = solve(instance, solver, time_limit_s=limit)
        assert found.bound is None or found.bound >= optimum, solver


@pytest.mark.parametrize("problem", ["association", "provisioning"])
def test_optima_of_small_numbers_are_optima(problem):
    """At objectives of 1e-11 the engine's absolute tolerances once hid 8 % of it."""
    instance = load(CASES / f"{problem}-small-numbers.json")
    known = solve(instance, "enumeration")
    assert known.status is Status.OPTIMAL
    for name, entry in SOLVERS[problem].items():
        if entry.kind == "heuristic":
            continue
        found = solve(instance, name)
        assert found.bound >= known.objective * (1 - 1e-6), name
        assert found.objective <= known.objective * (1 + 1e-6), name
        if entry.exact and name != "cp-sat":  # whose integers have no room for a capacity 1e13 times the data
            assert found.status is Status.OPTIMAL, (name, found.reason)
            assert found.objective == pytest.approx(known.objective, rel=1e-6), name


@pytest.mark.parametrize("name", ["association-tiny-unit", "association-tiny-unit-fading", "embedding-instant"])
def test_extreme_numbers_get_an_answer(name):
    """Units of data of 1e-12, and a stay that is too short for a double."""
    instance = load(CASES / f"{name}.json")
    best = max(solve(instance, solver).objective or 0.0 for solver in exact_routes(instance.problem))
    for solver, entry in SOLVERS[instance.problem].items():
        if entry.kind != "heuristic":
            found = solve(instance, solver, time_limit_s=10.0)
            assert found.status.has_decision or found.reason, solver
            assert found.bound is None or found.bound >= best * (1 - 1e-6), solver


def test_limits_that_nothing_can_be_done_in_leave_no_false_bound():
    """Of every problem, in no time at all."""
    for problem, preset in (
        ("placement", "congested"),
        ("association", "headline:slots=3"),
        ("embedding", "small:requests=4"),
        ("provisioning", "tight:slots=2"),
        ("slicing", "fixed-24:users=3"),
    ):
        instance = generate(problem, preset, 0)
        known = solve(instance, time_limit_s=20.0)
        sign = 1 if FORMULATIONS[problem].sense == "maximise" else -1
        for solver in ("cp-sat", "milp"):
            found = solve(instance, solver, time_limit_s=0.0)
            assert found.bound is None or sign * found.bound >= sign * known.objective * (1 - 1e-9), (problem, solver)
