"""What storing costs, split into a part that depends on the total alone and a small rest.

A load L that finds the storage H pays L / H. For any shift s > 0

    L / H = ln((H + s) / (H + s - L)) + q(L, H),

and over a horizon the logarithms telescope to ln((C + s) / (C + s - V)), convex in the total V. The rest q is concave
in L, and over an interval of H least at one of its ends: it rises up to H = s (L - s) / (2 s - L) and then falls.
"""

import math

import numpy as np

from ...instances.fields import FloatArray
from ..compiled import compiled


@compiled
def rest(load: float, left: float, shift: float) -> float:
    """q(L, H)."""
    return load / left - math.log((left + shift) / (left + shift - load))


@compiled
def least_rest(load: float, low: float, high: float, shift: float) -> float:
    """Least q(L, H) over H from low to high, as far as H admits the load; at least H = L."""
    first = max(low, load)
    return min(rest(load, first, shift), rest(load, max(high, first), shift))


def least_rests(load: FloatArray, low: FloatArray, high: FloatArray, shift: FloatArray) -> FloatArray:
    """`least_rest` of arrays; 0 where nothing is stored."""
    first = np.maximum(low, load)
    first = np.where(load > 0, first, 1.0)
    ends = (first, np.maximum(high, first))
    return np.minimum(*(load / end - np.log((end + shift) / (end + shift - load)) for end in ends))


@compiled
def slope_below(most: float, low: float, high: float, shift: float) -> float:
    """Largest c with q(L, H) >= c L for all loads up to `most` and all H from low to high that admit them.

    q is concave in L and 0 at 0, so the largest load tells. Where H is below `most`, that is L = H, and q(H, H) / H
    falls in H as long as H <= 4 s, which a shift of at least a quarter of `most` ensures.
    """
    if most <= 0 or high <= 0:
        return 0.0
    largest = min(most, high)
    return least_rest(largest, low, high, shift) / largest


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
