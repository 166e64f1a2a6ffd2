"""What loads are worth to stations, convex in the load, and chords that bound it from above."""

from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import FloatArray
from .storage_price import least_rest


class Terms(NamedTuple):
    """What data is worth: value L - weight q(L, H) at each station.

    Attributes
    ----------
    value, weight : array, shape (slots, stations)
    low, high : array, shape (slots, stations)
        Interval of H (data units); nothing above `high` can be stored.
    shift : array, shape (stations,)
        s of q; `low` + s is more than any load.
    """

    value: FloatArray
    weight: FloatArray
    low: FloatArray
    high: FloatArray
    shift: FloatArray


@compiled
def of_slot(terms: Terms, t: int) -> Terms:
    """The terms of one slot, each of shape (stations,)."""
    return Terms(terms.value[t], terms.weight[t], terms.low[t], terms.high[t], terms.shift)


@compiled
def worth_at(load: float, terms: Terms, j: int) -> float:
    """What a load is worth at a station; minus infinity where no storage admits it."""
    if load > terms.high[j]:
        return -np.inf
    rest = least_rest(load, terms.low[j], terms.high[j], terms.shift[j])
    return float(terms.value[j] * load - terms.weight[j] * rest)


@compiled
def worth_of(load: FloatArray, terms: Terms) -> float:
    """What loads are worth at all stations of a slot."""
    total = 0.0
    for j in range(len(load)):
        total += worth_at(load[j], terms, j)
    return total


@compiled
def chords(low: FloatArray, high: FloatArray, terms: Terms, slope: FloatArray) -> float:
    """Fill in the slopes of the chords over a box, and return the sum of their values at no load."""
    at_nothing = 0.0
    for j in range(len(slope)):
        first, last = worth_at(low[j], terms, j), worth_at(high[j], terms, j)
        slope[j] = (last - first) / (high[j] - low[j]) if high[j] > low[j] else 0.0
        at_nothing += first - slope[j] * low[j]
    return at_nothing
