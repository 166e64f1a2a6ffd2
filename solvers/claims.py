"""The one place where an engine's last words become a status and a bound that count as proven."""

import math
from enum import Enum, auto

from ..formulations.problems import FORMULATIONS
from ..formulations.verdict import Verdict, violations_in_words
from ..instances.record import Instance
from ..instances.solution import Status
from .result import Answer, relative_gap

ROUNDING = 1e-9  # relative difference of an engine's bound to its own objective that rounding explains


class Ending(Enum):
    """How an engine ended."""

    SOLVED = auto()
    """It says that its solution is the best."""
    FEASIBLE = auto()
    """It has a solution."""
    INFEASIBLE = auto()
    """It says that there is no solution."""
    STOPPED = auto()
    """It has nothing."""
    FAILED = auto()
    """It could not work."""


def proven_bound(
    ending: Ending, bound: float | None, objective: float | None, *, maximise: bool, default: float = math.inf
) -> float | None:
    """Return the bound that an engine has proven; None where it has proven none.

    An engine that has not begun to prove reports a default. Where that is a number, the bound counts only beside a
    solution, and the default itself only when the engine is done. A bound that the engine's own solution beats is
    none, nor is one that is not finite.

    Parameters
    ----------
    ending
        How the engine ended.
    bound, objective
        Its bound and its solution's value, in its own units.
    maximise
        Whether it maximises.
    default
        The bound that it reports before it has one.
    """
    if bound is None or not math.isfinite(bound) or ending in (Ending.INFEASIBLE, Ending.FAILED):
        return None
    if math.isfinite(default) and (ending is Ending.STOPPED or (ending is Ending.FEASIBLE and bound == default)):
        return None
    if objective is not None and beats(objective, bound, maximise=maximise, tolerance=ROUNDING):
        return None
    return float(bound)


def beats(objective: float, bound: float, *, maximise: bool, tolerance: float) -> bool:
    """Return whether an objective is better than a bound allows, by more than a relative tolerance."""
    beyond = objective > bound if maximise else objective < bound
    return beyond and (relative_gap(objective, bound) or 0.0) > tolerance


def judged(
    instance: Instance, answer: Answer, verdict: Verdict | None, gap: float
) -> tuple[Status, float | None, str | None]:
    """Return status, proven bound and reason of an answer, whose decision has the referee's verdict."""
    if answer.failure is not None:
        return Status.ERROR, None, answer.failure
    if verdict is None:
        return (
            (Status.INFEASIBLE, None, answer.reason)
            if answer.infeasible
            else (Status.NO_SOLUTION, answer.bound, answer.reason or "no decision was found within the limit")
        )
    if answer.infeasible:
        return Status.ERROR, None, "the solver claims that there is no decision, and gives one"
    if verdict.objective is None:
        return Status.ERROR, None, f"the solver's decision violates {violations_in_words(verdict.violations)}"
    claimed, objective, bound = answer.objective, verdict.objective, answer.bound
    if claimed is not None and (relative_gap(claimed, objective) or 0.0) > answer.tolerance:
        return Status.ERROR, None, f"the solver claims the objective {claimed!r}, the referee finds {objective!r}"
    if bound is None:
        return Status.FEASIBLE, None, answer.reason
    maximise = FORMULATIONS[instance.problem].sense == "maximise"
    if beats(objective, bound, maximise=maximise, tolerance=answer.tolerance):
        return Status.ERROR, None, f"the solver claims the bound {bound!r}, the referee finds {objective!r}"
    bound = max(bound, objective) if maximise else min(bound, objective)
    optimal = (relative_gap(bound, objective) or 0.0) <= gap
    return Status.OPTIMAL if optimal else Status.FEASIBLE, bound, None if optimal else answer.reason
