"""The best powers of links without H users: in the logarithms of powers, what they are worth is concave.

The logarithm of a SINR is that of its power less that of a sum of exponentials, so it is concave. What an L user is
worth rises with it and is concave in it where the rate is the least one or more. Covered users' powers follow from the
others and cost sums of exponentials. So a tangent bounds all powers that leave every user its least rate, and Newton's
steps lead to the best ones.
"""

import math

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray
from .laws import delay_curvature, delay_less, delay_slope
from .links import Links, within

STEPS, HALVINGS = 50, 30  # of Newton, and of each of them
RISE = 1e-4  # that a step must bring, over what the slope promises
FLAT = 1e-12  # added to curvatures, over the largest


@compiled
def best_log_powers(
    links: Links,
    rest: IntArray,
    ends: tuple[FloatArray, FloatArray],
    lower: FloatArray,
    cover_powers: FloatArray,
    cost: FloatArray,
    floor: float,
    tolerance: float,
    found: FloatArray,
) -> tuple[float, float]:
    """Value of the best powers found, which are filled in, and a bound; infinite when none is known.

    Parameters
    ----------
    rest
        Links of L users, which are all that are not covered.
    ends : arrays, shape (rest,)
        Least and most powers.
    lower, cover_powers : array, shape (links, 1 + rest) and (covered, 1 + rest)
        Noise and interference, and covered links' powers: a constant, and factors of the powers.
    cost : array, shape (rest,)
        Of the powers, with what they cost covered links.
    """
    count = len(rest)
    low, high, x = np.empty(count), np.empty(count), np.empty(count)
    for b in range(count):
        needed = math.expm1(links.least[rest[b]])
        if not needed <= links.own[rest[b]] * ends[1][b]:
            return -np.inf, -np.inf
        low[b], high[b] = math.log(max(needed / links.own[rest[b]], ends[0][b])), math.log(ends[1][b])
        x[b] = 0.5 * (low[b] + high[b])
    best, bound = -np.inf, np.inf
    slope, bend = np.empty(count), np.empty((count, count))
    value, enough = _at(links, rest, lower, cost, x, slope, bend)
    for _ in range(STEPS):
        if enough:
            if value > best and within(cover_powers, np.exp(x)):
                best = value
                found[:] = np.exp(x)
            most = value
            for c in range(count):
                most += max(slope[c] * (high[c] - x[c]), slope[c] * (low[c] - x[c]))
            bound = min(bound, most)
            if bound <= max(best + tolerance, floor):
                break
        before, least_value = x, value
        step, promise = _newton(slope, bend, x, low, high), slope.copy()
        for _ in range(HALVINGS):
            x = np.minimum(np.maximum(before + step, low), high)
            value, enough = _at(links, rest, lower, cost, x, slope, bend)
            if value >= least_value + RISE * (promise * (x - before)).sum():
                break
            step /= 2
        if (x == before).all():
            break
    return best, bound


@compiled
def _at(
    links: Links,
    rest: IntArray,
    lower: FloatArray,
    cost: FloatArray,
    x: FloatArray,
    slope: FloatArray,
    bend: FloatArray,
) -> tuple[float, bool]:
    """What logarithms of powers are worth, and whether they leave every user its least rate.

    Slopes and curvatures are filled in.
    """
    count = len(rest)
    power, share = np.exp(x), np.empty(count)
    value, enough = 0.0, True
    slope[:], bend[:] = 0.0, 0.0
    for b in range(count):
        i = rest[b]
        below = lower[b, 0]
        for c in range(count):
            below += lower[b, 1 + c] * power[c]
        for c in range(count):
            share[c] = lower[b, 1 + c] * power[c] / below
        ratio = links.own[i] * power[b] / below
        enough &= math.log1p(ratio) >= links.least[i]
        rate = max(math.log1p(ratio), links.least[i])
        less = delay_less(rate, links.spare[i], links.sent[i], links.waiting[i], links.arriving[i])
        gain = delay_slope(rate, links.sent[i], links.waiting[i], links.arriving[i])
        fall = delay_curvature(rate, links.sent[i], links.waiting[i], links.arriving[i])
        value += links.worth[i] * (less + gain * (math.log1p(ratio) - rate))
        # with y the logarithm of the SINR, the rate ln(1 + e^y) rises by s, and s by s (1 - s)
        s = ratio / (1 + ratio)
        first = links.worth[i] * gain * s
        second = min(links.worth[i] * (fall * s * s + gain * s * (1 - s)), 0.0)
        for c in range(count):
            own = (1.0 if c == b else 0.0) - share[c]
            slope[c] += first * own
            bend[c, c] -= first * share[c]
            for d in range(count):
                bend[c, d] += second * own * ((1.0 if d == b else 0.0) - share[d]) + first * share[c] * share[d]
    for c in range(count):
        value -= cost[c] * power[c]
        slope[c] -= cost[c] * power[c]
        bend[c, c] -= cost[c] * power[c]
    return value, enough


@compiled
def _newton(slope: FloatArray, bend: FloatArray, x: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Newton's step; what is at an end and would go beyond it stays."""
    count = len(x)
    held = ((x >= high) & (slope > 0)) | ((x <= low) & (slope < 0))
    system, right = -bend, slope.copy()
    flat = FLAT * max(np.abs(bend).max(), FLAT)
    for c in range(count):
        system[c, c] += flat
        if held[c]:
            system[c, :], system[:, c] = 0.0, 0.0
            system[c, c], right[c] = 1.0, 0.0
    return np.asarray(np.linalg.solve(system, right))
