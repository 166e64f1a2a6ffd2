"""An upper bound from one price a station, the price at which it is least, and what the bound says of the storage.

Charging p_j for a data unit at station j separates the groups, and leaves each station a concave function of its total:

    bound(p) = sum over groups of max (sum_j (omega - p_j) L_j - xi kappa q) + sum_j max_V (p_j V - xi kappa ln(...)),

see `storage_price` for q and the logarithm. It holds for any p, whatever a linear program's tolerances are.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ...instances.fields import FloatArray, IntArray
from ..master import Column, Master, Rows
from .slot_choices import Choices, Priced
from .storage_price import conjugate, telescoped

MOST_STEPS = 60
SMOOTHING = 0.5
TOTALS = 9  # totals of each station that the master begins with
GRID = 2_001


class Stations(NamedTuple):
    """What the bound knows of the stations.

    Attributes
    ----------
    weight
        xi kappa.
    capacity, shift : array, shape (stations,)
        C and s (data units).
    low, high : array, shape (stations,)
        Interval of what a station stores over the whole horizon (data units).
    """

    weight: float
    capacity: FloatArray
    shift: FloatArray
    low: FloatArray
    high: FloatArray

    def conjugate(self, price: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What the stations are worth at these prices, and the totals at which they are, each of shape (stations,)."""
        return conjugate(price, self.weight, self.capacity, self.shift, self.low, self.high)

    def cost(self, total: FloatArray) -> FloatArray:
        """What storing these totals costs, without the rest q."""
        return self.weight * telescoped(total, self.capacity, self.shift)


class Bound(NamedTuple):
    """The bound at some prices.

    Attributes
    ----------
    price : array, shape (stations,)
    groups
        What the groups are worth at these prices.
    """

    value: float
    price: FloatArray
    groups: Priced


def bound_at(price: FloatArray, best_at: Callable[[FloatArray], Priced], stations: Stations) -> Bound:
    """Evaluate the bound."""
    groups = best_at(price)
    worth, _ = stations.conjugate(price)
    return Bound(float(groups.value.sum() + worth.sum()), price, groups)


def least_bound(
    start: FloatArray,
    best_at: Callable[[FloatArray], Priced],
    stations: Stations,
    tolerance: float,
    late: Callable[[], bool],
) -> tuple[Bound, list[Choices]]:
    """Minimise the bound over prices by column generation, smoothed; returns it and all choices met.

    Parameters
    ----------
    start : array, shape (stations,)
        Prices to begin with.
    tolerance
        Relative distance to the least bound at which to stop.
    late
        Whether time is up; what is known then is returned.
    """
    best = bound_at(start, best_at, stations)
    groups, count = len(best.groups.value), len(start)
    no_more = np.full(count, -np.inf), np.zeros(count)
    master = Master(Rows(*no_more, blocks=groups + count, penalty=0.0))
    for total in np.linspace(stations.low, stations.high, TOTALS):
        master.add(_new(master, _total_columns(total, stations, groups)))
    met, weight, found = [best.groups.choices], SMOOTHING, best
    for _ in range(MOST_STEPS):
        if late():
            break
        _, total = stations.conjugate(found.price)
        fresh = _new(master, [*_choice_columns(found), *_total_columns(total, stations, groups)])
        master.add(fresh)
        relaxed = master.solve()
        if best.value + relaxed.value <= tolerance * abs(best.value) or (not fresh and weight == 0):
            break
        found = bound_at(weight * best.price - (1 - weight) * relaxed.duals, best_at, stations)
        met.append(found.groups.choices)
        if found.value < best.value:
            best, weight = found, SMOOTHING
        else:
            weight = weight / 2 if fresh else 0.0
    return best, met


def _choice_columns(bound: Bound) -> list[Column]:
    """What each group stores; the master minimises, so its cost is what it is worth less."""
    load = bound.groups.load
    worth = bound.groups.value + load @ bound.price
    return [_column(g, own, -worth[g]) for g, own in enumerate(load)]


def _total_columns(total: FloatArray, stations: Stations, groups: int) -> list[Column]:
    """Each station's total, which takes what the groups store."""
    cost = stations.cost(total)
    return [_column(groups + j, taken, cost[j]) for j, taken in enumerate(np.diag(-total))]


def _column(block: int, amount: FloatArray, cost: float) -> Column:
    rows: IntArray = np.flatnonzero(amount)
    return Column(block, rows, amount[rows], float(cost), block)


def _new(master: Master, columns: list[Column]) -> list[Column]:
    return [column for column in columns if column not in master]


class Stored(NamedTuple):
    """What stations have stored before each slot and in the end, in all solutions better than the incumbent.

    Attributes
    ----------
    low, high : array, shape (slots + 1, stations)
        Data units.
    """

    low: FloatArray
    high: FloatArray

    def consistent(self, least: FloatArray, most: FloatArray) -> "Stored":
        """Carried from slot to slot, which store from `least` to `most`, each of shape (slots, stations)."""
        low, high = self.low.copy(), self.high.copy()
        for t in range(len(least)):
            low[t + 1] = np.maximum(low[t + 1], low[t] + least[t])
            high[t + 1] = np.minimum(high[t + 1], high[t] + most[t])
        for t in range(len(least))[::-1]:
            low[t] = np.maximum(low[t], low[t + 1] - most[t])
            high[t] = np.minimum(high[t], high[t + 1] - least[t])
        return Stored(low, np.maximum(high, low))


def tightened(
    stored: Stored,
    bound: Bound,
    incumbent: float,
    slot: IntArray,
    best_at: Callable[[FloatArray], FloatArray],
    stations: Stations,
    factors: Sequence[float],
    late: Callable[[], bool],
) -> Stored:
    """Intervals that hold for every solution of value above `incumbent`.

    Two arguments at other prices p', where p'_j = p_j - d. What a solution loses at the prices p adds up to less than
    the gap, so d times what station j stores in some slots is at most that plus what their groups gain from p to p'.
    And the bound at p' with a given total of station j must exceed the incumbent.

    Parameters
    ----------
    slot : array, shape (groups,)
    best_at
        The best value of each group at some prices.
    factors
        Other prices of a station that are tried, over its best one.
    late
        Whether time is up; what is known then is returned.
    """
    low, high = stored.low.copy(), stored.high.copy()
    gap = bound.value - incumbent
    worth, _ = stations.conjugate(bound.price)
    for j in range(len(bound.price)):
        scale = max(bound.price[j], 0.05 * bound.price.max(), 1e-9)
        for factor in factors:
            if late():
                return Stored(low, np.maximum(high, low))
            price = bound.price.copy()
            price[j] += (factor - 1) * scale
            best = best_at(price)
            gain = np.bincount(slot, best - bound.groups.value, minlength=len(low) - 1)
            reach = (np.cumsum(gain) + gap) / abs((factor - 1) * scale)
            if factor < 1:
                high[1:, j] = np.minimum(high[1:, j], reach)
            else:
                low[1:, j] = np.maximum(low[1:, j], -reach)
            total = np.linspace(low[-1, j], high[-1, j], GRID)
            cost = stations.weight * telescoped(total, stations.capacity[j], stations.shift[j])
            kept = np.flatnonzero(best.sum() + worth.sum() - worth[j] + price[j] * total - cost > incumbent)
            if kept.size:  # concave in the total: what lies beyond the neighbours of those kept does not hold either
                low[-1, j], high[-1, j] = total[max(kept[0] - 1, 0)], total[min(kept[-1] + 1, GRID - 1)]
    return Stored(low, np.maximum(high, low))
