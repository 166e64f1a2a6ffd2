"""The constraint model of any problem, solved by CP-SAT."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ortools.sat.python import cp_model

from ..formulations.constraint_model import ConstraintModel, Values
from ..formulations.problems import FORMULATIONS
from ..instances.record import Decision, Instance
from .claims import Ending, beats, proven_bound
from .interrupts import interruptible
from .reductions import reduced, restored
from .refinement import Improver, solve_by_refinement
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


class Outcome(NamedTuple):
    """The engine's last words, in real units."""

    ending: Ending
    decision: Decision | None
    objective: float | None
    bound: float | None
    counters: dict[str, int]
    trace: tuple[Point, ...]
    value: Values | None
    work: float
    """CP-SAT's deterministic seconds."""


def solve_cpsat(
    instance: Instance,
    limits: Limits,
    improver: Improver | None = None,
    first: Callable[[Any, Limits], Any] | None = None,
) -> Answer:
    """Solve the constraint model; where it is a bound that can be refined, until bound and decision meet.

    A claim that a start or a quick rule's decision contradicts is not believed: the model is solved again without
    presolve, and where that contradicts them, too, nothing is claimed.

    Parameters
    ----------
    improver
        Makes what improves decisions of an instance, which may be in other units, between refinements.
    first
        Returns what ``build`` is given first, of an instance and limits.
    """
    began = time.monotonic()
    instance, factor = reduced(instance, limits)
    relaxation = _Stated(instance, factor, None if first is None else first(instance, limits))
    if limits.time_limit_s is not None:
        left = max(limits.time_limit_s - (time.monotonic() - began), 0.0)
        limits = dataclasses.replace(limits, time_limit_s=left)
    if relaxation.model.refine is not None:
        improve = None if improver is None else improver(instance)
        return restored(solve_by_refinement(instance, relaxation, limits, improve), factor)
    answer = relaxation.solve(limits)
    if answer.reason is None and not relaxation.model.exact:
        answer = dataclasses.replace(answer, reason=BOUND_ALONE)
    return restored(answer, factor)


class _Stated:
    """A constraint model in CP-SAT, refinable or not."""

    def __init__(self, instance: Instance, factor: float, first: Any) -> None:
        self._instance, self._factor = instance, factor
        self._module = FORMULATIONS[instance.problem].cpsat
        self.model: ConstraintModel = self._module.build(*([instance] if first is None else [instance, first]))
        self._value: Values | None = None

    def solve(self, limits: Limits) -> Answer:
        began, model, instance = time.monotonic(), self.model, self._instance
        witness = _witness(instance, limits)
        outcome = solve_model(model, limits, began, presolve=True)
        if model.presolve and _contradicted(instance, outcome, witness):
            outcome = solve_model(model, limits, began, presolve=False)
        self._value = outcome.value
        if _contradicted(instance, outcome, witness):
            bound, known = outcome.bound, None if witness is None else witness / self._factor
            claim = "that there is no decision" if bound is None else f"the bound {bound / self._factor!r}"
            return Answer(failure=f"CP-SAT claims {claim}; a decision with objective {known!r} contradicts it")
        reasons = {Ending.SOLVED: None, Ending.INFEASIBLE: "the constraints exclude every decision"}
        objective = outcome.objective if model.exact else None
        return Answer(
            decision=outcome.decision,
            infeasible=outcome.ending is Ending.INFEASIBLE,
            objective=objective,
            bound=outcome.bound,
            tolerance=CLAIM_TOLERANCE + (model.error / abs(objective) if objective else 0.0),
            reason=reasons.get(outcome.ending, "time limit reached"),
            counters=outcome.counters,
            trace=outcome.trace,
        )

    def refine(self) -> bool:
        if self.model.refine is None or self._value is None:
            return False
        refinement = self.model.refine(self._value)
        if refinement is not None:
            self.model = self._module.build(self._instance, refinement)
        return refinement is not None


def solve_model(
    model: ConstraintModel,
    limits: Limits,
    began: float,
    *,
    presolve: bool = True,
    interleaved: int | None = None,
    work: float | None = None,
) -> Outcome:
    """Solve until the decision keeps every capacity in real numbers.

    Parameters
    ----------
    began
        When the time limit began to run.
    interleaved
        Number of different searches that take turns, so that a run can be repeated; None for one a thread.
    work
        Limit in CP-SAT's deterministic time, about a second each; None for none.
    """
    solver = model.new_solver(presolve=presolve)
    solver.parameters.num_workers = interleaved or limits.threads
    solver.parameters.interleave_search = interleaved is not None
    if work is not None:
        solver.parameters.max_deterministic_time = work
    solver.parameters.random_seed = limits.seed % 2**31
    solver.parameters.relative_gap_limit = limits.gap / 10  # the rest is for rounding
    if limits.start is not None:
        model.add_hint(limits.start)
    trace = _Trace(model)
    counters, done = {"branches": 0, "conflicts": 0, "covers": 0}, 0.0
    for _ in range(MAX_COVER_ROUNDS):
        if limits.time_limit_s is not None:
            solver.parameters.max_time_in_seconds = max(limits.time_limit_s - (time.monotonic() - began), 0.0)
        status = interruptible(lambda: solver.solve(model.native, trace), solver.stop_search)
        if status not in ENDINGS:
            raise RuntimeError(f"CP-SAT refuses the model: {model.native.validate().splitlines()[0]}")
        ending = ENDINGS[status]
        done += solver.response_proto.deterministic_time
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
        return Outcome(Ending.STOPPED, None, None, bound, counters, (), None, done)
    return Outcome(
        ending,
        model.decision(solver.value) if has_decision else None,
        None if objective is None else objective / model.scale,
        bound,
        counters,
        tuple(trace.points),
        solver.value if has_decision else None,
        done,
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


def _contradicted(instance: Instance, outcome: Outcome, witness: float | None) -> bool:
    """Whether a decision that is feasible is excluded, or better than the bound."""
    if witness is None:
        return False
    if outcome.bound is None:
        return outcome.ending is Ending.INFEASIBLE
    maximise = FORMULATIONS[instance.problem].sense == "maximise"
    return beats(witness, outcome.bound, maximise=maximise, tolerance=CLAIM_TOLERANCE)
