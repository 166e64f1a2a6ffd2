"""Pyomo models whose rules are compiled once instead of run once an index."""

import contextlib
from collections.abc import Iterator

from pyomo.core.base import constraint, objective


@contextlib.contextmanager
def templates(use: bool = True) -> Iterator[None]:
    """Build constraints and objectives as templates, where their rules allow it.

    Only the compiler of the fast path reads templates; Pyomo's writers do not, so whatever else a model is for, build
    it without. Not for threads: Pyomo's switches are global.

    Parameters
    ----------
    use
        False builds without templates inside a block with them.
    """
    before = constraint.TEMPLATIZE_CONSTRAINTS, objective.TEMPLATIZE_OBJECTIVES
    constraint.TEMPLATIZE_CONSTRAINTS = objective.TEMPLATIZE_OBJECTIVES = use
    try:
        yield
    finally:
        constraint.TEMPLATIZE_CONSTRAINTS, objective.TEMPLATIZE_OBJECTIVES = before
