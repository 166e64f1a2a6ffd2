"""All placements of UAVs together: prices whose bound holds for all of them, then each placement by itself.

Prices are found for some placements; where others are worth more at these prices, they are taken in. Placements that
may still be better than the incumbent are gone through one by one with prices of their own, which also bound their
neighbours.
"""

import numpy as np

from ...instances.fields import FloatArray, IntArray
from ...instances.slicing import Slicing
from ..bundle import Evaluated, minimise
from ..master import Column
from ..result import Limits
from .cells import Cells
from .placed import Placed
from .placements import Sky
from .scaling import scaled
from .state import State

STEPS = 200  # of a bundle
ROUNDS, TAKEN_IN = 50, 20  # of taking placements in, and how many at a time
TRIED = 5  # placements before all are gone through
ROUGHLY = 10.0  # tolerance of powers while placements are compared, over that of one placement
NEAR, MOST_NEAR = 0.02, 1e-4  # distance to the least bound over that to the incumbent, and over the bound


class Everywhere:
    """The search over all placements.

    Attributes
    ----------
    point
        Prices whose bound holds for all.
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
