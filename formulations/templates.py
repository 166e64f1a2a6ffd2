"""Pyomo models whose rules are compiled once instead of run once an index."""

import contextlib
from collections.abc import Iterator

from pyomo.core.base import constraint, objective


@contextlib.contextmanager
def templates(use: bool = True) -> Iterator[None]:
    """Build constraints and objectives as templates, where their rules allow it.

    A rule that Pyomo cannot templatize is run once an index, as ever. Not for threads: Pyomo's switches are global.

    Parameters
    ----------
    use
        False runs every rule: Pyomo cannot templatize a sum over sets that are all empty.
    """
    before = constraint.TEMPLATIZE_CONSTRAINTS, objective.TEMPLATIZE_OBJECTIVES
    constraint.TEMPLATIZE_CONSTRAINTS = objective.TEMPLATIZE_OBJECTIVES = use
    try:
        yield
    finally:
        constraint.TEMPLATIZE_CONSTRAINTS, objective.TEMPLATIZE_OBJECTIVES = before
