"""What a referee says of a decision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Violation:
    """A constraint that a decision breaks.

    Attributes
    ----------
    constraint
        Name of the constraint.
    place
        Where it is broken, in domain words.
    amount
        By how much, in the constraint's unit.
    """

    constraint: str
    place: str
    amount: float


@dataclass(frozen=True)
class Verdict:
    """A referee's judgement.

    Attributes
    ----------
    objective
        Value of the decision, None when it is infeasible.
    parts
        The objective's parts by name, each None when the decision is infeasible.
    violations
        Every violated constraint; empty exactly when the decision is feasible.
    measures
        What else the problem's paper reports of a feasible decision, by name; None where it is not defined.
    """

    objective: float | None
    parts: dict[str, float | None]
    violations: tuple[Violation, ...] = ()
    measures: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def feasible(self) -> bool:
        """Whether no constraint is violated."""
        return not self.violations


def violations_in_words(violations: Iterable[Violation]) -> str:
    """Name violated constraints with their places and amounts, on one line."""
    return ", ".join(f"{v.constraint} ({v.place}) by {v.amount:g}" for v in violations)
