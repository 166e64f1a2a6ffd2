"""Where UAVs can stand together, and the best placement at some prices.

A placement is worth the best patterns of the UAVs' subcarriers. What links are worth alone bounds that, a sum over UAVs
and subcarriers; so placements are looked at in the order of these bounds, subcarrier after subcarrier, as long as they
can be the best.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from ...formulations.slicing.links import too_near
from ...formulations.slicing.values import gains
from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.slicing import Slicing
from .cells import Rows
from .laws import spare_s
from .link_bounds import Layer, Prices, alone, least_rates
from .patterns import MOST_EFFORT, search

AT_ONCE, AT_ONCE_WITH_REUSE = 50, 1  # placements between looks at the clock
LESS_WITH_REUSE = 10  # times less effort for each subcarrier of a placement


def placements(instance: Slicing) -> IntArray:
    """All ordered placements of UAVs far enough from each other, shape (placements, uavs)."""
    apart = ~too_near(instance)
    found = np.zeros((1, 0), np.int64)
    for uav in range(instance.nodes[1]):
        can = apart[found].all(1) if uav else np.ones((1, len(apart)), bool)
        before, own = np.nonzero(can)
        found = np.column_stack([found[before], own])
    return found


class Reach(NamedTuple):
    """The UAVs' links from all candidates.

    Attributes
    ----------
    snr : array, shape (candidates, N, users, uavs)
        Of all of a UAV's budget.
    spare, least : array, shape (candidates, users, uavs)
        See `Layer`.
    reuse
        Whether a UAV may have several links on a subcarrier.
    """

    snr: FloatArray
    spare: FloatArray
    least: FloatArray
    reuse: bool


class Sky:
    """All placements of the UAVs.

    Prices move little from one time to the next, and a pattern's worth with them: by at most what its users, its nodes'
    budgets and goals have moved. So what a placement's subcarrier was worth bounds what it is worth now.

    Parameters
    ----------
    late
        Whether time is up, so that the bounds known must do.
    """

    def __init__(self, instance: Slicing, rows: Rows, late: Callable[[], bool]) -> None:
        self._rows, self._late = rows, late
        self._uavs = uavs = instance.nodes[1]
        self.placements = placements(instance)
        own = [np.full(uavs, q) for q in range(len(instance.uavs.candidates))]
        scale = instance.uavs.power_w[:, None] / instance.noise_w
        shape = len(own), instance.subcarriers, len(instance.slices), uavs
        snr = np.array([np.moveaxis(gains(instance, q)[1] * scale, 2, 0) for q in own], float).reshape(shape)
        spare = np.array([spare_s(instance, q)[1] for q in own], float).reshape(shape[0], *shape[2:])
        least = np.array([least_rates(rows.laws, one) for one in spare], float).reshape(spare.shape)
        self._reach = Reach(snr, spare, least, instance.intra_cell_reuse)
        self._at_once = AT_ONCE_WITH_REUSE if instance.intra_cell_reuse else AT_ONCE
        self.forget()

    def forget(self) -> None:
        """Forget what placements were worth at the points before."""
        self._points = list[FloatArray]()  # at which something was worth what is known of it
        self._seen = np.full((len(self.placements), self._reach.snr.shape[1]), np.inf)
        self._at = np.zeros(self._seen.shape, np.int64)

    def bounds(self, point: FloatArray) -> FloatArray:
        """Bounds of all placements from links alone and what they were worth before, shape (placements,)."""
        return np.asarray(self._bounds(point).sum(1))

    def best(self, point: FloatArray, among: IntArray, tolerance: float) -> tuple[int | None, float]:
        """The best of some placements, and a bound on what any of these is worth; None when that is nothing.

        It is quickest when the first ones are the best.
        """
        best, most, prices = None, 0.0, self._prices(point)
        with self._looking(point) as known:
            for first in range(0, len(among), self._at_once):
                if self._late():
                    return best, max(most, float(known[0][among[first:]].sum(1).max()))
                some = among[first : first + self._at_once]
                found, most = _best(self._reach, prices, self.placements, some, *known, most, tolerance)
                best = best if found < 0 else found
        return best, most

    def better(self, point: FloatArray, floor: float, enough: int, tolerance: float) -> tuple[IntArray, float]:
        """Placements worth more than `floor`, best first, and a bound on what any is worth.

        Those that bounds let expect most are looked at first. After `enough` have been found the search ends, and the
        bound is that of the others' bounds.
        """
        with self._looking(point) as known:
            total = known[0].sum(1)
            order = np.argsort(-total, kind="stable")
            found = np.full(len(order), floor)
            for first in range(0, len(order), self._at_once):
                some = order[first : first + self._at_once]
                if total[some[0]] <= floor:
                    break
                if self._late() or (found > floor).sum() >= enough:
                    return _ordered(found, floor), float(max(total[some[0]], found.max()))
                found[some] = self._worths(some, point, known, floor, tolerance)
        return _ordered(found, floor), float(found.max())

    def worth(self, rows: IntArray, point: FloatArray, floor: float, tolerance: float) -> FloatArray:
        """Bounds on what some placements are worth, at least `floor`, shape (rows,)."""
        with self._looking(point) as known:
            found: FloatArray = np.maximum(known[0][rows].sum(1), floor)
            for first in range(0, len(rows), self._at_once):
                if self._late():
                    break
                some = slice(first, first + self._at_once)
                found[some] = self._worths(rows[some], point, known, floor, tolerance)
        return found

    def _worths(
        self, rows: IntArray, point: FloatArray, known: tuple[FloatArray, BoolArray], floor: float, tolerance: float
    ) -> FloatArray:
        return _worth(self._reach, self._prices(point), self.placements, rows, *known, floor, tolerance)

    @contextmanager
    def _looking(self, point: FloatArray) -> Iterator[tuple[FloatArray, BoolArray]]:
        """Bounds of placements and subcarriers, and which of them are of this point; kernels renew both."""
        bounds = self._bounds(point)
        fresh = np.zeros(bounds.shape, bool)
        yield bounds, fresh
        if fresh.any():
            self._seen[fresh], self._at[fresh] = bounds[fresh], len(self._points)
            self._points.append(point)

    def _prices(self, point: FloatArray) -> Prices:
        return self._rows.prices(point, 1, self._uavs)

    def _bounds(self, point: FloatArray) -> FloatArray:
        """Of placements and subcarriers."""
        alone: FloatArray = _alone(self._reach, self._prices(point))[self.placements, np.arange(self._uavs)].sum(1)
        if not self._points:
            return alone
        return np.asarray(np.minimum(alone, self._seen + self._moved(point)[self._at]))

    def _moved(self, point: FloatArray) -> FloatArray:
        """By how much a pattern may be worth more than at the points before, shape (points,)."""
        rows, reuse = self._rows, self._reach.reuse
        fallen = np.array(self._points) - point
        links = rows.users if reuse else min(rows.users, self._uavs)
        users = np.sort(np.maximum(fallen[:, : rows.users], 0.0), 1)[:, rows.users - links :].sum(1)
        budgets = np.maximum(fallen[:, rows.first[1] : rows.first[1] + self._uavs], 0.0).sum(1)
        goals = np.maximum(-fallen[:, rows.goals :], 0.0).sum(1)
        return np.asarray(users + budgets * (rows.users if reuse else 1) + goals * links)


def _ordered(worth: FloatArray, floor: float) -> IntArray:
    """Those that are worth more than `floor`, best first."""
    return np.argsort(-worth, kind="stable")[: (worth > floor).sum()]


@compiled
def _alone(reach: Reach, prices: Prices) -> FloatArray:
    """The most that a subcarrier's links from a candidate add, shape (candidates, uavs, N)."""
    candidates, subcarriers, users, uavs = reach.snr.shape
    found = np.zeros((candidates, uavs, subcarriers))
    for q in range(candidates):
        layer = Layer(reach.snr[q], reach.spare[q], reach.least[q], reach.reuse)
        for n in range(subcarriers):
            worth = alone(layer, n, prices)
            for v in range(uavs):
                for k in range(users):
                    if reach.reuse:
                        found[q, v, n] += max(worth[k, v], 0.0)
                    else:
                        found[q, v, n] = max(found[q, v, n], worth[k, v])
    return found


@compiled
def _placed(
    reach: Reach,
    prices: Prices,
    placement: IntArray,
    bounds: FloatArray,
    fresh: BoolArray,
    floor: float,
    tolerance: float,
) -> float:
    """A bound on what a placement is worth; `floor` as soon as it is not above. What is found renews the bounds."""
    _, subcarriers, users, uavs = reach.snr.shape
    snr = np.empty((subcarriers, users, uavs))
    spare, least = np.empty((users, uavs)), np.empty((users, uavs))
    for v in range(uavs):
        snr[:, :, v] = reach.snr[placement[v], :, :, v]
        spare[:, v], least[:, v] = reach.spare[placement[v], :, v], reach.least[placement[v], :, v]
    layer = Layer(snr, spare, least, reach.reuse)
    most = users if reach.reuse else min(users, uavs)
    user, node, share = np.empty((1, most), np.int64), np.empty((1, most), np.int64), np.empty((1, most))
    value, bound = np.empty(1), np.empty(1)
    effort = MOST_EFFORT // LESS_WITH_REUSE if reach.reuse else MOST_EFFORT
    total = bounds.sum()
    for n in range(subcarriers):
        if total <= floor:
            return floor
        needed = max(floor - (total - bounds[n]), 0.0)  # by this subcarrier
        _, here, _ = search(layer, n, prices, needed, True, effort, tolerance, user, node, share, value, bound)
        if here < bounds[n]:
            total += here - bounds[n]
            bounds[n], fresh[n] = here, True
    return float(max(total, floor))


@compiled
def _best(
    reach: Reach,
    prices: Prices,
    placements: IntArray,
    order: IntArray,
    bounds: FloatArray,
    fresh: BoolArray,
    floor: float,
    tolerance: float,
) -> tuple[int, float]:
    found = -1
    for p in order:
        value = _placed(reach, prices, placements[p], bounds[p], fresh[p], floor, tolerance)
        if value > floor:
            found, floor = p, value
    return found, floor


@compiled
def _worth(
    reach: Reach,
    prices: Prices,
    placements: IntArray,
    rows: IntArray,
    bounds: FloatArray,
    fresh: BoolArray,
    floor: float,
    tolerance: float,
) -> FloatArray:
    found = np.full(len(rows), floor)
    for r, p in enumerate(rows):
        if bounds[p].sum() > floor:
            found[r] = _placed(reach, prices, placements[p], bounds[p], fresh[p], floor, tolerance)
    return found
