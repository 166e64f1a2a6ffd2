"""A solution as its file has it: what a solver decided and what it claims about it."""

from dataclasses import dataclass
from enum import StrEnum

from .record import Decision


class Status(StrEnum):
    """What is known when a solver stops."""

    OPTIMAL = "optimal"
    """A decision is known, and a proven bound within the gap asked for."""
    FEASIBLE = "feasible"
    """A decision is known, no such bound."""
    INFEASIBLE = "infeasible"
    """There is provably no decision."""
    NO_SOLUTION = "no-solution"
    """No decision was found within the limit, and none is excluded."""
    ERROR = "error"
    """The solver failed; the reason says how."""
    CONFLICT = "conflict"
    """It claims what another claim or decision contradicts; the reason says which."""

    @property
    def has_decision(self) -> bool:
        """Whether a decision goes with this status."""
        return self in (Status.OPTIMAL, Status.FEASIBLE)


@dataclass(frozen=True)
class Solution:
    """A decision and its claims.

    Attributes
    ----------
    problem, instance
        Names of the problem and of the instance.
    status
        Claimed status.
    solver
        What found it, in any words.
    objective, bound
        Claimed objective and proven bound (units of the problem's objective), None where there is none.
    decision
        None exactly where `status` says that there is none.
    """

    problem: str
    instance: str
    status: Status
    solver: str
    objective: float | None
    bound: float | None
    decision: Decision | None
