"""The one place where an engine's last words become a status and a bound that count as proven."""

import math
from enum import Enum, auto

from ..formulations.problems import FORMULATIONS
from ..formulations.verdict import Verdict, violations_in_words
from ..instances.record import Instance
from ..instances.solution import Status
from .result import CLAIM_TOLERANCE, Answer, relative_gap


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
    if objective is not None and beats(objective, bound, maximise=maximise, tolerance=CLAIM_TOLERANCE):
        return None
    return float(bound)


def beats(objective: float, bound: float, *, maximise: bool, tolerance: float) -> bool:
    """Return whether an objective is better than a bound allows, by more than a relative tolerance."""
    beyond = objective > bound if maximise else objective < bound
    return beyond and (relative_gap(objective, bound) or 0.0) > tolerance


def judged(
    instance: Instance, answer: Answer, verdict: Verdict | None, gap: float, start_objective: float | None = None
) -> tuple[Status, float | None, str | None]:
    """Return status, proven bound and reason of an answer, whose decision has the referee's verdict.

    Parameters
    ----------
    gap
        Relative gap at which a decision counts as optimal.
    start_objective
        The referee's objective of the decision that the solver was given; None without one.
    """
    maximise = FORMULATIONS[instance.problem].sense == "maximise"
    if answer.failure is not None:
        return Status.ERROR, None, answer.failure
    if start_objective is not None:
        if answer.infeasible:
            return (
                Status.CONFLICT,
                None,
                f"the solver claims infeasibility; the start has {start_objective!r}",
            )
        if answer.bound is not None and beats(
            start_objective, answer.bound, maximise=maximise, tolerance=answer.tolerance
        ):
            reason = f"the solver claims the bound {answer.bound!r}; the start has {start_objective!r}"
            return Status.CONFLICT, None, reason
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
    if beats(objective, bound, maximise=maximise, tolerance=answer.tolerance):
        return Status.ERROR, None, f"the solver claims the bound {bound!r}, the referee finds {objective!r}"
    bound = max(bound, objective) if maximise else min(bound, objective)
    optimal = (relative_gap(bound, objective) or 0.0) <= gap
    return Status.OPTIMAL if optimal else Status.FEASIBLE, bound, None if optimal else answer.reason
