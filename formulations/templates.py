"""Pyomo models whose rules are compiled once instead of run once an index."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.gc_manager import PauseGC
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
        with PauseGC():  # thousands of small objects, none of them garbage
            yield
    finally:
        constraint.TEMPLATIZE_CONSTRAINTS, objective.TEMPLATIZE_OBJECTIVES = before


def table(values: np.ndarray[Any, Any], *index: Any, doc: str) -> pyo.Param:
    """A parameter with the entries of an array, its axes indexed by ranges from 0.

    Pyomo checks every entry's index and domain, which for entries of a validated array costs more than all else of a
    model; this hands them over unchecked.
    """
    parameter = pyo.Param(*index, doc=doc)
    parameter.construct()
    places = range(len(values)) if values.ndim == 1 else np.ndindex(values.shape)
    parameter._data.update(zip(places, values.ravel().tolist(), strict=True))
    return parameter
