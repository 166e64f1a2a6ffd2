"""The constraint model of any problem, solved by CP-SAT."""

import dataclasses
import time
from typing import NamedTuple

from ortools.sat.python import cp_model

from ..formulations.constraint_model import ConstraintModel
from ..formulations.problems import FORMULATIONS
from ..instances.record import Decision, Instance
from .claims import Ending, beats, proven_bound
from .interrupts import interruptible
from .reductions import reduced, restored
from .registry import find
from .result import BOUND_ALONE, CLAIM_TOLERANCE, Answer, Limits, Point

MAX_COVER_ROUNDS = 1_000  # solutions that only rounding admits, cut off one after the other
# Quick rules whose decisions no claim of the engine may contradict.
WITNESSES = {
    "placement": "regret",
    "association": "load-aware",
    "embedding": "first-fit",
    "provisioning": "best-first",
    "slicing": "strongest-signal",
}
ENDINGS = {
    cp_model.OPTIMAL: Ending.SOLVED,
    cp_model.FEASIBLE: Ending.FEASIBLE,
    cp_model.INFEASIBLE: Ending.INFEASIBLE,
    cp_model.UNKNOWN: Ending.STOPPED,
}
DEFAULT_BOUND = 0.0  # CP-SAT's, before it has one


class _Trace(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
    """Points of the search, one at each better solution."""

    def __init__(self, model: ConstraintModel) -> None:
        super().__init__()
        self.points: list[Point] = []
        self._model = model

    def on_solution_callback(self) -> None:
        objective = self.objective_value
        bound = _bound(self._model, Ending.FEASIBLE, self.best_objective_bound, objective)
        self.points.append(Point(self.wall_time, objective / self._model.scale, bound))


class _Outcome(NamedTuple):
    """The engine's last words, in real units."""

    ending: Ending
    decision: Decision | None
    objective: float | None
    bound: float | None
    counters: dict[str, int]
    trace: tuple[Point, ...]


def solve_cpsat(instance: Instance, limits: Limits) -> Answer:
    """Solve the constraint model.

    A claim that a start or a quick rule's decision contradicts is not believed: the model is solved again without
    presolve, and where that contradicts them, too, nothing is claimed.
    """
    began = time.monotonic()
    instance, factor = reduced(instance, limits)
    model = FORMULATIONS[instance.problem].cpsat.build(instance)
    witness = _witness(instance, limits)
    outcome = _solve(model, limits, began, presolve=True)
    if model.presolve and _contradicted(instance, outcome, witness):
        outcome = _solve(model, limits, began, presolve=False)
    if _contradicted(instance, outcome, witness):
        claim = "that there is no decision" if outcome.bound is None else f"the bound {outcome.bound / factor!r}"
        return Answer(failure=f"CP-SAT claims {claim}; a decision with objective {witness!r} contradicts it")
    reasons = {
        Ending.SOLVED: None if model.exact else BOUND_ALONE,
        Ending.INFEASIBLE: "the constraints exclude every decision",
    }
    objective = outcome.objective if model.exact else None
    answer = Answer(
        decision=outcome.decision,
        infeasible=outcome.ending is Ending.INFEASIBLE,
        objective=objective,
        bound=outcome.bound,
        tolerance=CLAIM_TOLERANCE + (model.error / abs(objective) if objective else 0.0),
        reason=reasons.get(outcome.ending, "time limit reached"),
        counters=outcome.counters,
        trace=outcome.trace,
    )
    return restored(answer, factor)


def _solve(model: ConstraintModel, limits: Limits, began: float, *, presolve: bool) -> _Outcome:
    """Solve until the decision keeps every capacity in real numbers."""
    solver = model.new_solver(presolve=presolve)
    solver.parameters.num_workers = limits.threads
    solver.parameters.random_seed = limits.seed % 2**31
    solver.parameters.relative_gap_limit = limits.gap / 10  # the rest is for rounding
    if limits.start is not None:
        model.add_hint(limits.start)
    trace = _Trace(model)
    counters = {"branches": 0, "conflicts": 0, "covers": 0}
    for _ in range(MAX_COVER_ROUNDS):
        if limits.time_limit_s is not None:
            solver.parameters.max_time_in_seconds = max(limits.time_limit_s - (time.monotonic() - began), 0.0)
        status = interruptible(lambda: solver.solve(model.native, trace), solver.stop_search)
        if status not in ENDINGS:
            raise RuntimeError(f"CP-SAT refuses the model: {model.native.validate().splitlines()[0]}")
        ending = ENDINGS[status]
        counters["branches"] += int(solver.num_branches)
        counters["conflicts"] += int(solver.num_conflicts)
        has_decision = ending in (Ending.SOLVED, Ending.FEASIBLE)
        violated = model.violated_rows(solver.value) if has_decision else []
        if not violated:
            break
        for row in violated:
            model.add_cover(row, solver.value)
            counters["covers"] += 1
        trace.points.clear()
    objective = solver.objective_value if has_decision else None
    bound = _bound(model, ending, solver.best_objective_bound, objective)
    if violated:
        return _Outcome(Ending.STOPPED, None, None, bound, counters, ())
    return _Outcome(
        ending,
        model.decision(solver.value) if has_decision else None,
        None if objective is None else objective / model.scale,
        bound,
        counters,
        tuple(trace.points),
    )


def _bound(model: ConstraintModel, ending: Ending, bound: float, objective: float | None) -> float | None:
    """The proven bound on the real objective; the trivial one where CP-SAT has proven none."""
    if ending is Ending.INFEASIBLE:
        return None
    return model.real_bound(proven_bound(ending, bound, objective, maximise=False, default=DEFAULT_BOUND))


def _witness(instance: Instance, limits: Limits) -> float | None:
    """The referee's objective of the start or of a quick rule's decision; None where the rule has none."""
    decision = limits.start
    if decision is None:
        _, rule = find(instance.problem, WITNESSES[instance.problem])
        decision = rule(instance, dataclasses.replace(limits, time_limit_s=None)).decision
    return None if decision is None else FORMULATIONS[instance.problem].judge(instance, decision).objective


def _contradicted(instance: Instance, outcome: _Outcome, witness: float | None) -> bool:
    """Whether a decision that is feasible is excluded, or better than the bound."""
    if witness is None:
        return False
    if outcome.bound is None:
        return outcome.ending is Ending.INFEASIBLE
    maximise = FORMULATIONS[instance.problem].sense == "maximise"
    return beats(witness, outcome.bound, maximise=maximise, tolerance=CLAIM_TOLERANCE)
