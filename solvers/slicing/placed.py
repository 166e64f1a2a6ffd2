"""An instance whose UAVs stand somewhere: its least bound, the prices there, and decisions of patterns near them."""

import numpy as np

from ...instances.fields import FloatArray
from ..bundle import Evaluated, minimise
from ..master import Column
from .cells import Cells, Pattern
from .choosing import choose
from .polishing import polished
from .state import State

STEPS = 200  # of a bundle
NEAR = 0.02  # distance to the least bound over that to the incumbent
LEAST_NEAR, MOST_NEAR = 1e-6, 1e-5  # of the bound
GAP, MOST_S = 1e-6, 20.0  # of the integer programs: gap, and time (s)
CLOSER = 0.3  # their gap over the distance that is near enough
WIDTH, WIDER = 1e-4, 4.0  # of the first list, over the bound, and of the next one, over the last
FEW = 500  # patterns, of which powers for other prices are tried, too
MANY = 4_000  # patterns, after which no wider list is made
FACTORS = (0.5, 0.8, 1.25, 2.0)  # prices at which powers are known, over the best ones


class Placed:
    """Bound and prices of a placement.

    Attributes
    ----------
    bound
        On what is won above nobody served.
    point
        Prices at which it holds.
    """

    def __init__(self, state: State, cells: Cells, point: FloatArray) -> None:
        self.state, self.cells, self.point, self.bound = state, cells, point, np.inf
        self._found = list[Pattern]()  # with powers that are good together

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
        if value < self.bound:
            self.bound, self.point = value, point
        return Evaluated(value, pieces)

    def improve(self, enough: float = 0.0) -> None:
        """Bring decision and bound of this placement nearer to each other, by wider and wider lists of patterns.

        Parameters
        ----------
        enough
            Their distance over the bound at which it ends.
        """
        state, width = self.state, WIDTH * self.bound
        while True:
            gap = self.bound - state.floor
            listed = [] if gap <= enough * self.bound or state.late() else self._listed(min(gap, width))
            if not listed:
                return
            if gap <= width:
                self._sharpen(listed)
            others = [
                self.cells.again(pattern, factor * self.point, state.tolerance)
                for factor in FACTORS
                for pattern in listed[:FEW]
            ]
            self._offer([*listed, *others, *self._found], max(GAP, CLOSER * enough))
            if gap <= width or len(listed) > MANY:
                return
            width *= WIDER

    def _offer(self, patterns: list[Pattern], gap: float) -> None:
        """Offer the best decision of some patterns, or one so near it."""
        worth = [pattern.worth for pattern in patterns]
        for mixed in (True, False):
            taken, _ = self._choose(patterns, worth, budgets=True, mixed=mixed, gap=gap)
            if not taken:
                return
            better = polished(self.cells, taken, self.state.goals)
            self._found += better
            reached = [self.state.offer(self.cells.decision(own)) for own in (taken, better)]
            if any(reached):
                return

    def _listed(self, width: float) -> list[Pattern]:
        """All patterns whose worth less their prices is at most so far from the best one's, nearest first.

        None when there are too many.
        """
        state, listed = self.state, list[tuple[float, Pattern]]()
        for place in self.cells.alike:
            _, most = self.cells.best(place, self.point, 0.0, state.tolerance)
            own = self.cells.all(place, self.point, max(most, 0.0) - width, state.tolerance)
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

    def _sharpen(self, listed: list[Pattern]) -> None:
        """Bound with the budgets' prices alone, from all patterns of decisions better than the incumbent."""
        _, bound = self._choose(listed, [pattern.bound for pattern in listed], budgets=False)
        if bound is not None:
            rows, paid = self.cells.rows, self.point * self.cells.rows.most
            dual = float(paid[rows.users : rows.places].sum() + paid[rows.goals :].sum())
            self.bound = min(self.bound, max(bound + dual, self.state.won))

    def _choose(
        self, patterns: list[Pattern], worth: list[float], *, budgets: bool, mixed: bool = True, gap: float = GAP
    ) -> tuple[list[Pattern] | None, float | None]:
        state = self.state
        left = min(MOST_S, np.inf if state.left_s is None else state.left_s)
        threads = state.limits.threads
        return choose(
            patterns,
            np.array(worth),
            self.cells,
            budgets=budgets,
            mixed=mixed,
            threads=threads,
            time_limit_s=left,
            gap=gap,
        )
