"""Powers of links that are chosen: prices of budgets and goals among these links alone, and a local optimum from there.

At these prices, powers that are best by themselves may overdraw budgets where worths are not concave in powers. So
prices are raised until they do not, and sequential least squares go on from there. Nothing is proven.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
from scipy.optimize import minimize

from ...instances.fields import FloatArray
from ..bundle import Evaluated, minimise
from ..master import Column
from .cells import Cells, Goals, Pattern
from .laws import COVERED, HIGH, LOW, delay_less, delay_slope
from .link_bounds import links_of
from .links import Links

STEPS, NEAR = 60, 1e-9  # at most, of either, and improvement of the worth at which least squares end
BOX = 0.3  # half of the first box of prices, over the largest one or what a pattern is worth
RAISED, LEAST = 1.05 ** np.arange(0, 100, 2), 1e-3  # prices over the best ones, and the least of them over the largest
ROUNDING = 1e-10  # what limits are drawn in by, relative


class Together(NamedTuple):
    """The links of all patterns, one after the other.

    Attributes
    ----------
    links
        Of each pattern.
    own : array, shape (links,)
    heard : array, shape (links, links)
        Without a link's own signal.
    """

    links: Sequence[Links]
    own: FloatArray
    heard: FloatArray

    @classmethod
    def of(cls, cells: Cells, patterns: Sequence[Pattern]) -> "Together":
        """Those of some patterns."""
        free = np.zeros(len(cells.rows.most))
        each = []
        for pattern in patterns:
            layer = cells.layers[pattern.cell[0]]
            prices = cells.rows.prices(free, pattern.cell[0], layer.spare.shape[1])
            each.append(links_of(layer, pattern.cell[1], prices, pattern.users, pattern.nodes))
        heard = scipy.linalg.block_diag(*(own.heard for own in each))
        np.fill_diagonal(heard, 0.0)
        return cls(each, np.concatenate([own.own for own in each]), heard)

    def law(self, name: str) -> FloatArray:
        """A law of all links."""
        return np.concatenate([getattr(own, name) for own in self.links])

    def rates(self, share: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rates of all links, and their slopes in the powers, shape (links, links)."""
        below = 1 + self.heard @ share
        above = below + self.own * share
        slope = self.heard * (1 / above - 1 / below)[:, None]
        np.fill_diagonal(slope, self.own / above)
        return np.log(above / below), slope


def prices_among(cells: Cells, patterns: Sequence[Pattern], start: FloatArray, enough: float) -> FloatArray:
    """Prices of budgets and goals at which some links alone have the least bound; those of users and places are 0.

    Parameters
    ----------
    start
        Prices to begin with.
    enough
        Distance to the least bound, over that.
    """
    rows = cells.rows
    own = np.concatenate([np.arange(rows.users, rows.places), np.arange(rows.goals, len(rows.most))])

    def at(prices: FloatArray) -> FloatArray:
        point = np.zeros(len(rows.most))
        point[own] = np.maximum(prices, 0.0)
        return point

    def evaluate(prices: FloatArray) -> Evaluated:
        point = at(prices)
        pieces, value = [Column(len(patterns), np.arange(len(own)), rows.most[own], 0.0, -1)], float(rows.most @ point)
        for block, pattern in enumerate(patterns):
            whole = rows.piece(block, [cells.again(pattern, point, enough)], 1, block)
            mine = np.isin(whole.rows, own)
            drawn = whole.rows[mine]
            value += float(whole.values[mine] @ point[drawn]) - whole.cost
            pieces.append(whole._replace(rows=np.searchsorted(own, drawn), values=whole.values[mine]))
        return Evaluated(value, pieces)

    def near(value: float, model: float) -> bool:
        return value - model <= enough * abs(value)

    scale = max(start[own].max(initial=0.0), max(pattern.worth for pattern in patterns))
    return at(minimise(evaluate, start[own], np.zeros(len(own)), len(patterns) + 1, BOX * scale, STEPS, near).point)


def affordable(cells: Cells, patterns: Sequence[Pattern], point: FloatArray, tolerance: float) -> list[Pattern]:
    """The same links at the best powers for some prices, raised until they keep to budgets; none if never."""
    rows = cells.rows
    for factor in RAISED:
        raised = point.copy()
        raised[rows.users : rows.places] = factor * np.maximum(point[rows.users : rows.places], LEAST * point.max())
        found = [cells.again(pattern, raised, tolerance) for pattern in patterns]
        if keeps_to_budgets(cells, found):
            return found
    return []


def keeps_to_budgets(cells: Cells, patterns: Sequence[Pattern]) -> bool:
    """Whether links do with their nodes' budgets."""
    shares = np.concatenate([pattern.share for pattern in patterns])
    return bool((_spending(cells, patterns) @ shares <= 1).all())


def polished(cells: Cells, patterns: Sequence[Pattern], goals: Goals | None) -> list[Pattern]:
    """The same links with shares that are worth as much or more; patterns are else as they were.

    Parameters
    ----------
    patterns
        Whose powers keep to the budgets; if they do not reach the goals, those that are found may.
    """
    together = Together.of(cells, patterns)
    kind, worth, threshold = together.law("kind"), together.law("worth"), together.links[0].threshold
    low, cover = kind == LOW, kind == COVERED
    high = np.where(kind == HIGH, worth, 0.0)
    delays = _Delays(*(together.law(name)[low] for name in _Delays._fields))

    def lost(share: FloatArray) -> tuple[float, FloatArray]:
        rate, slope = together.rates(share)
        less, steep = delays.less(rate[low])
        return -float(high @ rate + worth[low] @ less), -(high @ slope + (worth[low] * steep) @ slope[low])

    budgets, scale = _spending(cells, patterns), threshold if threshold > 0 else 1.0
    thresholds = (np.diag(together.own)[cover] - threshold * together.heard[cover]) / scale
    limits: Any = [
        _limit(-budgets, np.full(len(budgets), 1 - ROUNDING)),
        _limit(thresholds, np.full(len(thresholds), -threshold / scale - ROUNDING)),
    ]
    if goals is not None:

        def saved(share: FloatArray) -> float:
            return float(delays.less(together.rates(share)[0][low])[0].sum() - goals.saved_s) / cells.rows.cap_s

        limits.append({"type": "ineq", "fun": saved})
    start = np.concatenate([pattern.share for pattern in patterns])
    options: Any = {"maxiter": STEPS, "ftol": NEAR}
    bounds = [(0.0, 1.0)] * len(start)
    found = minimize(lost, start, jac=True, method="SLSQP", bounds=bounds, constraints=limits, options=options).x
    if not (np.isfinite(found).all() and all(np.min(limit["fun"](found), initial=0.0) >= -NEAR for limit in limits)):
        return list(patterns)
    found = np.clip(found, 0.0, 1.0)
    ends = np.cumsum([len(pattern.share) for pattern in patterns])[:-1]
    return [pattern._replace(share=share) for pattern, share in zip(patterns, np.split(found, ends), strict=True)]


class _Delays(NamedTuple):
    """Of L users' links, shape (links,); see `Links`."""

    spare: FloatArray
    sent: FloatArray
    waiting: FloatArray
    arriving: FloatArray
    least: FloatArray

    def less(self, rate: FloatArray) -> tuple[FloatArray, FloatArray]:
        """By how much delays are below their cap (s), and how fast that rises; a tangent below the least rate."""
        at = np.maximum(rate, self.least)
        slope = delay_slope(at, self.sent, self.waiting, self.arriving)
        less = delay_less(at, self.spare, self.sent, self.waiting, self.arriving)
        return np.asarray(less + slope * (rate - at)), slope


def _spending(cells: Cells, patterns: Sequence[Pattern]) -> FloatArray:
    """Which links draw on which budget, shape (nodes, links)."""
    rows = cells.rows
    own = np.concatenate([rows.first[pattern.cell[0]] + pattern.nodes for pattern in patterns])
    return np.asarray(own == np.arange(rows.users, rows.places)[:, None], float)


def _limit(matrix: FloatArray, most: FloatArray) -> dict[str, Any]:
    """That ``matrix @ share + most`` is at least 0."""
    return {"type": "ineq", "fun": lambda share: matrix @ share + most, "jac": lambda share: matrix}
