"""An instance whose UAVs stand somewhere: its least bound, the prices there, and decisions of patterns near them."""

import numpy as np

from ...instances.fields import FloatArray
from ..bundle import Evaluated, minimise
from ..master import Column
from .branching import Branching
from .cells import Cells, Pattern
from .choosing import Choice
from .state import State

STEPS = 200  # of a bundle
NEAR = 0.02  # distance to the least bound over that to the incumbent
LEAST_NEAR, MOST_NEAR = 1e-6, 1e-5  # of the bound
GAP, MOST_S, LONGER = 1e-6, 20.0, 2.0  # of the integer programs: gap, time (s), and that of the next over the last
BRIEF, BRIEF_S = 1e-3, 1.0  # the same of placements that are looked at briefly
CLOSER, ROUGH = 0.1, 1e-4  # their gap over the distance that is near enough, and where not all patterns are listed
WIDTH, WIDER = 1e-4, 4.0  # of the first list, over the bound, and of the next one, over the last
MANY = 4_000  # patterns, after which no wider list is made


class Placed:
    """Bound and prices of a placement.

    Attributes
    ----------
    bound
        On what is won above nobody served.
    point, dual
        Prices of least bound, and the bound that they prove, which `bound` may have come below.
    """

    def __init__(self, state: State, cells: Cells, point: FloatArray) -> None:
        self.state, self.cells, self.point = state, cells, point
        self.bound = self.dual = np.inf
        self._whole: Choice | None = None  # of all patterns that may be of interest
        self._branching: Branching | None = None
        self._most_s = MOST_S

    def least(self, radius: float) -> None:
        """Find prices of least bound, as long as the placement may be better than the incumbent."""
        state, blocks = self.state, len(self.cells.alike) + 1

        def enough(best: float, model: float) -> bool:
            near = max(
                LEAST_NEAR * best, min(NEAR * (best - state.won), MOST_NEAR * best), 2 * blocks * state.tolerance
            )
            return best <= state.aim or best - model <= near or state.late()

        def evaluate(point: FloatArray) -> Evaluated:
            return self._evaluate(np.maximum(point, 0.0))

        minimise(evaluate, self.point, np.zeros(len(self.point)), blocks, radius, STEPS, enough)

    def _evaluate(self, point: FloatArray) -> Evaluated:
        """The bound at some prices."""
        rows, blocks = self.cells.rows, len(self.cells.alike)
        value = float(rows.most @ point)
        pieces = [Column(blocks, np.arange(len(point)), rows.most, 0.0, blocks)]
        for block, (cell, alike) in enumerate(self.cells.alike.items()):
            pattern, most = self.cells.best(cell, point, 0.0, self.state.tolerance)
            value += len(alike) * max(most, 0.0)
            if pattern is not None:
                pieces.append(rows.piece(block, [pattern], len(alike), block))
        self.state.counters["pricings"] += 1
        if value < self.dual:
            self.bound = self.dual = value
            self.point = point
        return Evaluated(value, pieces)

    def improve(self, enough: float = 0.0, *, briefly: bool = False) -> bool:
        """Bring decision and bound of this placement nearer to each other, by wider and wider lists of patterns.

        Once all patterns that may be of interest are listed, these are split by powers, some every time, and programs
        have more time.

        Parameters
        ----------
        enough
            Their distance over the bound at which it ends.
        briefly
            Whether it ends after the first list.

        Returns
        -------
        bool
            Whether going on may bring them nearer.
        """
        state, width = self.state, WIDTH * self.bound
        closer = CLOSER * max(enough, state.limits.gap)
        if self._branching is None:
            self._branching = Branching(state, self.cells, self.point, self.bound)
        branching = self._branching
        if self._whole is not None:
            self._most_s *= LONGER
            more = branching.choose(self._whole, max(GAP, closer), self._most_s, complete=True)
            self.bound = branching.bound
            return more
        while self.bound > state.aim:
            near_enough = self.bound - state.floor <= max(GAP, enough) * self.bound
            needed = self.dual - state.floor  # a better decision's patterns are no farther from the best ones
            listed = [] if near_enough or state.late() else self._listed(min(needed, width))
            if not listed:
                return False
            complete = needed <= width
            choice = branching.choice(listed)
            near = max(BRIEF if briefly else GAP if complete else ROUGH, closer)
            most_s = BRIEF_S if briefly else self._most_s
            more = branching.choose(choice, near, most_s, complete=complete, briefly=briefly)
            self.bound = branching.bound
            if briefly:
                return True
            if complete:
                self._whole = choice
                return more
            if len(listed) > MANY:
                return False
            width *= WIDER
        return False

    def _listed(self, width: float) -> list[Pattern]:
        """All patterns whose worth less their prices is at most so far from the best one's, nearest first.

        Empty when there are too many, or time is up.
        """
        state, listed = self.state, list[tuple[float, Pattern]]()
        for place in self.cells.alike:
            _, most = self.cells.best(place, self.point, 0.0, state.tolerance)
            floor = max(most, 0.0) - width - state.tolerance  # the best one's bound is that uncertain
            own = self.cells.all(place, self.point, floor, state.tolerance)
            if own is None or state.late():
                return []
            listed += [(most - self._net(pattern), pattern) for pattern in own]
        state.counters["patterns"] += len(listed)
        return [pattern for _, pattern in sorted(listed, key=lambda pair: pair[0])]

    def _net(self, pattern: Pattern) -> float:
        """What a pattern may be worth less its prices."""
        rows = self.cells.rows
        paid = self.point[pattern.users].sum()
        if pattern.cell[0] == 0:
            paid += self.point[rows.places + pattern.nodes].sum()
        return float(pattern.bound - paid)
