"""What storing costs, split into a part that depends on the total alone and a small rest.

A load L that finds the storage H pays L / H. For any shift s > 0

    L / H = ln((H + s) / (H + s - L)) + q(L, H),

and over a horizon the logarithms telescope to ln((C + s) / (C + s - V)), convex in the total V. The rest q is concave
in L, and over an interval of H least at one of its ends: it rises up to H = s (L - s) / (2 s - L) and then falls.
"""

import math

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import FloatArray


@compiled
def rest(load: float, left: float, shift: float) -> float:
    """q(L, H)."""
    if load == 0:
        return 0.0
    return load / left - math.log((left + shift) / (left + shift - load))


def rests(load: FloatArray, left: FloatArray) -> FloatArray:
    """`rest` of arrays, not shifted."""
    return np.asarray(load / left - np.log(left / (left - load)))


@compiled
def least_rest(load: float, low: float, high: float, shift: float) -> float:
    """Least q(L, H) over H from low to high; concave in L. Storage below the load counts too, while low + s > L."""
    return min(rest(load, low, shift), rest(load, high, shift))


def least_rests(load: FloatArray, low: FloatArray, high: FloatArray, shift: FloatArray) -> FloatArray:
    """`least_rest` of arrays."""
    low, high = (np.where(load > 0, end, 1.0) for end in (low, high))
    shift = np.where(load > 0, shift, 1.0)
    return np.minimum(*(load / end - np.log((end + shift) / (end + shift - load)) for end in (low, high)))


def telescoped(total: FloatArray, capacity: FloatArray, shift: FloatArray) -> FloatArray:
    """ln((C + s) / (C + s - V)) of totals V."""
    return np.asarray(np.log((capacity + shift) / (capacity + shift - total)))


def conjugate(
    price: FloatArray, weight: float, capacity: FloatArray, shift: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Largest price V - weight ln((C + s) / (C + s - V)) over V from low to high, and the V that attains it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        best = capacity + shift - np.where(price > 0, weight / price, np.inf)
    total = np.clip(best, low, high)
    return price * total - weight * telescoped(total, capacity, shift), total
