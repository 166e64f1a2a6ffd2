"""The last step of the proof: all sequences of the choices left, with the past paid exactly.

After some slots the storage and all that has been paid are known exactly; what the other groups can add is bounded by
their best values at the station prices and by what the stations are worth at the storage that is left.
"""

import math
from typing import NamedTuple

import numpy as np

from ...formulations.association.referee import EMPTY
from ...instances.association import Association
from ...instances.fields import FloatArray, IntArray
from ..compiled import compiled

STEPS = 2_000_000  # between looks at the clock


class Layers(NamedTuple):
    """The choices left, group by group, each group's best one first.

    Attributes
    ----------
    first : array, shape (groups + 1,)
        Where each group's choices begin.
    load : array, shape (choices, stations)
        Data units.
    ahead : array, shape (groups + 1,)
        Best values of a group and all after it at the prices.
    least, most : array, shape (groups + 1, stations)
        What a group and all after it store.
    price, shift, capacity : array, shape (stations,)
    """

    first: IntArray
    load: FloatArray
    ahead: FloatArray
    least: FloatArray
    most: FloatArray
    price: FloatArray
    shift: FloatArray
    capacity: FloatArray
    utility: float
    weight: float


class Walk:
    """A depth-first search that can be stopped and goes on where it was.

    Attributes
    ----------
    value
        The best value so far.
    chosen : array, shape (groups,), or None
        The choices that have it; None while it is the value that it began with.
    steps
        Choices tried.
    done
        Whether there is nothing better than `value`.
    """

    def __init__(self, layers: Layers, value: float) -> None:
        groups = len(layers.first) - 1
        self._layers = layers
        self.value = value
        self.chosen: IntArray | None = None
        self.steps, self.done = 0, False
        self._at = np.zeros(groups + 1, np.int64)
        self._left = np.tile(layers.capacity, (groups + 1, 1))
        self._paid = np.zeros(groups + 1)
        self._best = np.full(groups, -1)
        self._depth = 0

    def go_on(self) -> None:
        """Try some more choices."""
        state = (self._at, self._left, self._paid, self._best)
        before = self.value
        self._depth, self.value, steps = _advance(self._layers, *state, self._depth, self.value, STEPS)
        self.steps += steps
        self.done = self._depth < 0
        if self.value > before:
            self.chosen = self._best.copy()


def layers(
    instance: Association,
    load: FloatArray,
    group: IntArray,
    worth: FloatArray,
    price: FloatArray,
    shift: FloatArray,
) -> tuple[Layers, IntArray]:
    """Layers of choices, and the order of the choices in them.

    Parameters
    ----------
    load : array, shape (choices, stations)
    group : array, shape (choices,)
        Every group has choices.
    worth : array, shape (choices,)
        What a choice is worth at most at the prices.
    """
    order = np.lexsort((-worth, group))
    load, worth = load[order], worth[order]
    groups = int(group.max(initial=-1)) + 1
    first = np.searchsorted(group[order], np.arange(groups + 1))

    def ahead(each: FloatArray) -> FloatArray:
        return np.concatenate([each[::-1].cumsum(0)[::-1], np.zeros((1, *each.shape[1:]))])

    least, most = (ahead(extreme.reduceat(load, first[:-1])) for extreme in (np.minimum, np.maximum))
    best = ahead(worth[first[:-1]])
    weights = instance.utility_weight, instance.price_weight
    return Layers(first, load, best, least, most, price, shift, instance.capacity, *weights), order


@compiled
def _advance(
    layers: Layers,
    at: IntArray,
    left: FloatArray,
    paid: FloatArray,
    best: IntArray,
    depth: int,
    value: float,
    steps: int,
) -> tuple[int, float, int]:
    """Try so many choices; `at` is the next one of each depth, `left` and `paid` what holds before it."""
    groups, stations = len(best), len(layers.capacity)
    done = 0
    if depth == 0 and at[0] == 0:
        at[0] = layers.first[0]
    while depth >= 0 and done < steps:
        if at[depth] >= layers.first[depth + 1]:
            depth -= 1
            continue
        choice = at[depth]
        at[depth] += 1
        done += 1
        total, fits = paid[depth], True
        for j in range(stations):
            stored = layers.load[choice, j]
            left[depth + 1, j] = left[depth, j] - stored
            if stored > 0:
                total += layers.utility * stored - layers.weight * stored / left[depth, j]
                if left[depth + 1, j] <= EMPTY * layers.capacity[j]:
                    fits = False
                    break
        if not fits:
            continue
        if depth == groups - 1:
            if total > value:
                value = total
                for g in range(groups):
                    best[g] = at[g] - 1
            continue
        bound = total + layers.ahead[depth + 1]
        for j in range(stations):
            room = left[depth + 1, j]
            low, high = layers.least[depth + 1, j], min(layers.most[depth + 1, j], room)
            if low > room:
                bound = -math.inf
                break
            amount = low  # without a price, storing more adds cost only
            if layers.price[j] > 0:
                amount = min(max(room + layers.shift[j] - layers.weight / layers.price[j], low), high)
            spent = math.log((room + layers.shift[j]) / (room + layers.shift[j] - amount))
            bound += layers.price[j] * amount - layers.weight * spent
        if bound > value:
            depth += 1
            paid[depth] = total
            at[depth] = layers.first[depth]
    return depth, value, done
