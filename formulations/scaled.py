"""A CP-SAT model whose integer objective stands for a real one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ortools.sat.python import cp_model

from ..instances.record import Decision

LARGEST_OBJECTIVE = 2**53  # CP-SAT reports objectives as doubles


@dataclass(frozen=True)
class ScaledModel:
    """A CP-SAT model and what its numbers mean.

    Attributes
    ----------
    scale
        The integer objective, which is minimised, is `scale` times the real one, rounded term by term; negative where
        the real one is maximised.
    error
        Largest difference of objective / scale to the real objective over all feasible decisions.
    trivial
        Bound on the objective that holds by definition.
    extract
        Reads the decision with a function that tells a variable's value.
    hint
        Values of variables in a decision.
    presolve
        Whether CP-SAT may presolve it.
    exact
        Whether the objective is the real one but for rounding; else it is a bound on it.
    """

    model: cp_model.CpModel
    scale: float
    error: float
    trivial: float
    extract: Callable[[Callable[[cp_model.IntVar], int]], Decision]
    hint: Callable[[Decision], Mapping[cp_model.IntVar, int]]
    exact: bool = True
    presolve: bool = True


def scale_for(largest_objective: float) -> float:
    """The largest power of two by which no objective grows beyond what a double holds exactly."""
    scale = 1.0
    while largest_objective * scale > LARGEST_OBJECTIVE:
        scale /= 2
    while 0 < largest_objective * scale * 2 <= LARGEST_OBJECTIVE:
        scale *= 2
    return scale
