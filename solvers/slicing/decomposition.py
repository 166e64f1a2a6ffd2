"""Slicing to certified gaps, with continuous powers and the places of UAVs.

1. Users, budgets and places at stations get prices; then every subcarrier of every layer is by itself, and its best
   pattern of links is found with certified powers (see `patterns`). A bundle method finds prices of least bound.
2. Patterns near the best ones are listed, and an integer program chooses among their links, under planes above what
   these are worth by their powers (see `choosing`); powers go to a local optimum from there (see `polishing`). When all
   patterns within the gap are listed, the program's bound holds for all decisions.

Where nodes may have several users on a subcarrier, the search begins at the prices of having one, at which there are
fewer patterns to look at.

Where UAVs have a choice of places, the best placement is part of that bound (see `everywhere`).
"""

import functools
from dataclasses import replace

import numpy as np

from ...instances.fields import FloatArray
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.presets import generate
from ..reductions import in_reduced_units, restored
from ..result import Answer, Limits
from .cells import Cells, Goals
from .everywhere import ROUGHLY, Everywhere
from .placed import Placed
from .placements import Sky, placements
from .rules import NOWHERE
from .scaling import scaled
from .state import State

TINY = "paper-24:users=6,side=2"  # has all kinds of users and of nodes, and several placements
FIRST = 0.4  # prices to begin with, and half of the first box, over what users are worth in the mean
WITHOUT_REUSE = 0.4  # of the time, for decisions without it
NEXT = 0.1  # half of the next boxes, over that
LOOKED_AT, FIRST_TRIED = 100, 3  # placements of largest bounds whose worth is looked at first, and that are tried
BELOW = 1e-6  # by which a bound is below that of nobody served


@functools.cache
def compile_kernels() -> None:
    """Compile what is not yet, for half a minute once after an installation, and load it, out of all limits' time."""
    _search(State(generate(TINY, 0), Limits(gap=1e-1), None))


@in_reduced_units
def solve_decomposition(instance: Slicing, limits: Limits, goals: Goals | None = None) -> Answer:
    """Solve by prices of users, budgets and places, and of goals that must be reached where there are some."""
    compile_kernels()
    state = State(instance, limits, goals)
    if not len(placements(instance)):
        return Answer(infeasible=True, reason=NOWHERE)
    if isinstance(limits.start, SlicingDecision):
        state.offer(limits.start)
    _search(state)
    return _reported(state)


def shared_prices(instance: Slicing, limits: Limits) -> tuple[FloatArray, Answer]:
    """Prices of least bound for all placements together, and what the search for them has found.

    Raises
    ------
    ValueError
        When UAVs cannot stand anywhere.
    """
    if not len(placements(instance)):
        raise ValueError(NOWHERE)
    compile_kernels()
    instance, factor = scaled(instance)
    state = State(instance, limits, None)
    return _search(state) / factor, restored(state.answer(), factor)


def _search(state: State) -> FloatArray:
    """Search for decisions and bounds; prices in the end."""
    instance = state.instance
    known = _without_reuse(state) if instance.intra_cell_reuse else None
    if known is not None and state.late():
        return known
    sky = Sky(instance, state.rows, state.late)
    nobody = Cells(instance, state.rows, sky.placements[0], state.late)
    state.begin(nobody.candidate)
    scale = nobody.scale()
    if scale <= 0:
        state.bounded(0.0)
        return np.zeros(len(state.rows.most))
    point, radius = (np.full(len(state.rows.most), FIRST * scale), FIRST) if known is None else (known, NEXT)
    placed = most_promising(state, sky, point, radius * scale, FIRST_TRIED)
    if len(sky.placements) == 1:
        state.bounded(placed.bound)
        while placed.improve():
            state.bounded(placed.bound)
        state.bounded(placed.bound)
        return placed.point
    placed.improve(briefly=True)
    everywhere = Everywhere(state, sky, placed.point)
    everywhere.least(NEXT * scale)
    everywhere.go_through(NEXT * scale)
    return everywhere.point


def most_promising(state: State, sky: Sky, point: FloatArray, radius: float, tried: int) -> Placed:
    """Of the placements worth most at some prices, so many are given prices of their own; the one of largest bound."""
    likely = np.argsort(-sky.bounds(point), kind="stable")[:LOOKED_AT]
    worth = sky.worth(likely, point, 0.0, ROUGHLY * state.tolerance)
    best: Placed | None = None
    for p in likely[np.argsort(-worth, kind="stable")][:tried]:
        cells = Cells(state.instance, state.rows, sky.placements[p], state.late)
        placed = Placed(state, cells, point if best is None else best.point)
        placed.least(radius)
        if best is None or placed.bound > best.bound:
            best = placed
        if state.late():
            break
    assert best is not None
    return best


def _without_reuse(state: State) -> FloatArray:
    """Find decisions whose nodes have one user a subcarrier, and their prices, which are near those with more."""
    share = None if state.left_s is None else WITHOUT_REUSE * state.left_s
    limits = replace(state.limits, time_limit_s=share, start=None)
    alone = State(replace(state.instance, intra_cell_reuse=False), limits, state.goals)
    point = _search(alone)
    if alone.decision is not None:
        state.offer(alone.decision)
    return point


def _reported(state: State) -> Answer:
    """What is known; a bound below that of nobody served proves that goals cannot be reached."""
    if state.goals is not None and state.bound < state.base - BELOW:
        return Answer(infeasible=True, reason="the goals cannot be reached together")
    return state.answer()
