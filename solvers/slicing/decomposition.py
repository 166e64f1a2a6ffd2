"""Slicing to certified gaps, with continuous powers and the places of UAVs.

1. Users, budgets and places at stations get prices; then every subcarrier of every layer is by itself, and its best
   pattern of links is found with certified powers (see `patterns`). A bundle method finds prices of least bound.
2. Patterns near the best ones are listed, and an integer program chooses among their links, under planes above what
   these are worth by their powers (see `choosing`); powers go to a local optimum from there (see `polishing`). When all
   patterns within the gap are listed, the program's bound holds for all decisions.

Where nodes may have several users on a subcarrier, the search begins at the prices of having one, at which there are
fewer patterns to look at.

Where UAVs have a choice of places, the best placement is part of that bound; then placements that may be better
than the incumbent are gone through one by one with prices of their own.
"""

import functools
from dataclasses import replace

import numpy as np

from ...instances.fields import FloatArray, IntArray
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.presets import generate
from ..bundle import Evaluated, minimise
from ..master import Column
from ..reductions import restored
from ..result import Answer, Limits
from .cells import Cells, Goals
from .placed import Placed
from .placements import Sky, placements
from .rules import NOWHERE
from .scaling import of_order_one, scaled
from .state import State

TINY = "paper-24:users=6,side=2"  # has all kinds of users and of nodes, and several placements
STEPS = 200  # of a bundle
FIRST = 0.4  # prices to begin with, and half of the first box, over what users are worth in the mean
WITHOUT_REUSE = 0.4  # of the time, for decisions without it
NEXT = 0.1  # half of the next boxes, over that
ROUNDS, TAKEN_IN = 50, 20  # of taking placements in, and how many at a time
TRIED = 5  # placements before all are gone through
LOOKED_AT, FIRST_TRIED = 100, 3  # placements of largest bounds whose worth is looked at first, and that are tried
BELOW = 1e-6  # by which a bound is below that of nobody served
ROUGHLY = 10.0  # tolerance of powers while placements are compared, over that of one placement
NEAR, MOST_NEAR = 0.02, 1e-4  # distance to the least bound over that to the incumbent, and over the bound


@functools.cache
def compile_kernels() -> None:
    """Compile what is not yet, for half a minute once after an installation, and load it, out of all limits' time."""
    _search(State(generate(TINY, 0), Limits(gap=1e-1), None))


@of_order_one
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
    if len(sky.placements) == 1:
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


class SharedBound:
    """What placements of an instance win at most at some prices: a signal to learn from, no proof for all of them."""

    def __init__(self, instance: Slicing) -> None:
        instance, self._factor = scaled(instance)
        self._state = State(instance, Limits(), None)
        self._sky = Sky(instance, self._state.rows, self._state.late)

    def at(self, point: FloatArray) -> tuple[float, FloatArray]:
        """The bound, of the placements that let expect most, and its slope in the prices, shape (rows,)."""
        self._sky.forget()
        point = point * self._factor
        likely = np.argsort(-self._sky.bounds(point), kind="stable")[:TAKEN_IN]
        value, slope = Everywhere(self._state, self._sky, point).slope(point, likely)
        return value / self._factor, slope


class Everywhere:
    """All placements: prices whose bound holds for all of them, and then each of them by itself.

    Prices are found for some placements; where others are worth more at these prices, they are taken in.
    """

    def __init__(self, state: State, sky: Sky, point: FloatArray) -> None:
        self._state, self._sky, self.point = state, sky, point
        self._cells = Cells(state.instance, state.rows, sky.placements[0], state.late)
        self._fixed = {cell: len(alike) for cell, alike in self._cells.alike.items() if cell[0] != 1}
        self._pieces = dict[object, Column]()
        self._known: IntArray = np.zeros(0, np.int64)  # placements taken in

    @property
    def _tolerance(self) -> float:
        """Of the worth of a pattern's powers."""
        return ROUGHLY * self._state.tolerance

    def least(self, radius: float) -> None:
        """Find prices of least bound."""
        state, sky = self._state, self._sky
        alone = sky.bounds(self.point)
        state.bounded(self._rest(self.point) + float(alone.max()))
        self._known = np.argsort(-alone, kind="stable")[:TAKEN_IN]
        for _ in range(ROUNDS):
            self._least_among_known(radius)
            if state.late():
                return
            rest = self._rest(self.point)
            _, most = sky.best(self.point, self._known, self._tolerance)
            better, most = sky.better(self.point, most + MOST_NEAR * (rest + most), TAKEN_IN, self._tolerance)
            state.bounded(rest + most)
            if not better.size:
                break
            self._known = np.union1d(self._known, better[:TAKEN_IN])
        worth = sky.worth(self._known, self.point, 0.0, self._tolerance)
        tried = [self._placed(p, radius) for p in self._known[np.argsort(-worth, kind="stable")][:TRIED]]
        max(tried, key=lambda placed: placed.bound).improve(briefly=True)

    def _placed(self, placement: int, radius: float) -> Placed:
        """One placement at prices of its own."""
        state = self._state
        cells = Cells(state.instance, state.rows, self._sky.placements[placement], state.late)
        placed = Placed(state, cells, self.point)
        placed.least(radius)
        return placed

    def _least_among_known(self, radius: float) -> None:
        state, best = self._state, [np.inf]

        def evaluate(point: FloatArray) -> Evaluated:
            point = np.maximum(point, 0.0)
            found = self._evaluate(point)
            if found.value < best[0]:
                best[0], self.point = found.value, point
            return found

        def enough(value: float, model: float) -> bool:
            near = min(NEAR * (value - state.won), MOST_NEAR * value)
            return value <= state.aim or value - model <= near or state.late()

        known = list(self._pieces.values())
        blocks = len(self._fixed) + 2
        minimise(evaluate, self.point, np.zeros(len(self.point)), blocks, radius, STEPS, enough, known)

    def slope(self, point: FloatArray, placements: IntArray) -> tuple[float, FloatArray]:
        """What some placements win at most, and how that changes with the prices."""
        self._known = placements
        found, slope = self._evaluate(point), np.zeros(len(point))
        for piece in found.pieces:
            np.add.at(slope, piece.rows, piece.values)
        return found.value, slope

    def _evaluate(self, point: FloatArray) -> Evaluated:
        """What the placements taken in win at most, at some prices; the best one is looked at first next time."""
        state, rows = self._state, self._state.rows
        blocks = len(self._fixed) + 1
        value = float(rows.most @ point)
        pieces = [Column(blocks, np.arange(len(point)), rows.most, 0.0, blocks)]
        for block, (cell, alike) in enumerate(self._fixed.items()):
            pattern, most = self._cells.best(cell, point, 0.0, self._tolerance)
            value += alike * max(most, 0.0)
            if pattern is not None:
                pieces.append(rows.piece(block, [pattern], alike, block))
        best, most = self._sky.best(point, self._known, self._tolerance)
        if best is not None:
            pieces.append(self._piece(best, point))
            self._known = np.append(best, self._known[self._known != best])
        state.counters["pricings"] += 1
        self._pieces |= {piece.key: piece for piece in pieces}
        return Evaluated(value + most, pieces)

    def _piece(self, placement: int, point: FloatArray) -> Column:
        """The best patterns of all the UAVs' subcarriers together."""
        state = self._state
        cells = Cells(state.instance, state.rows, self._sky.placements[placement], state.late)
        found = [cells.best((1, n), point, 0.0, self._tolerance)[0] for n in range(state.instance.subcarriers)]
        own = [pattern for pattern in found if pattern is not None]
        return state.rows.piece(len(self._fixed), own, 1, -1 - placement)

    def go_through(self, radius: float) -> None:
        """Placement after placement, the most promising one first, each with prices of its own.

        Its prices bound its neighbours, too, where a UAV stands as it does here.
        """
        state, placements = self._state, self._sky.placements
        bound = self._bounds(np.arange(len(placements)), self.point)
        open_ones = dict[int, Placed]()  # looked at briefly: to be improved when nothing is more promising
        while not state.late():
            p = int(bound.argmax())
            state.bounded(float(bound[p]))
            if bound[p] <= state.aim + state.tolerance or state.closed:
                break
            if (placed := open_ones.pop(p, None)) is not None:
                if placed.improve():
                    open_ones[p], bound[p] = placed, placed.bound
                else:
                    state.leftover, bound[p] = max(state.leftover, placed.bound), -np.inf
                continue
            state.counters["placements"] += 1
            open_ones[p] = placed = self._placed(p, radius)
            placed.improve(briefly=True)
            near = np.flatnonzero((bound > state.aim) & (placements == placements[p]).any(1))
            bound[near] = np.minimum(bound[near], self._bounds(near, placed.point))
            bound[p] = placed.bound

    def _bounds(self, placements: IntArray, point: FloatArray) -> FloatArray:
        """What some placements win at most, at some prices."""
        state, rest = self._state, self._rest(point)
        return rest + self._sky.worth(placements, point, max(state.aim - rest, 0.0), self._tolerance)

    def _rest(self, point: FloatArray) -> float:
        """What everything but the UAVs wins at most, at some prices."""
        won = float(self._state.rows.most @ point)
        for cell, alike in self._fixed.items():
            won += alike * max(self._cells.best(cell, point, 0.0, self._tolerance)[1], 0.0)
        return won
