"""The best powers of links that share a subcarrier, between certified bounds.

Powers are shares of their nodes' budgets, and each has a price. A covered user sends as little as covers it: these
powers follow from the others linearly, and are eliminated. Of the others, a rate is ln n - ln d with n and d affine in
the powers. On a box of powers, ln n is below its tangent, -ln d below its chord, and a worth below its tangent; what is
left is linear, so its largest value is at a corner. The box of the largest bound is cut until none is above the best
powers found; the bound is off by second order in the box's width.
"""

import math

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray
from .laws import COVERED, HIGH, delay_less, delay_slope
from .links import Links, covering, within
from .log_powers import best_log_powers

FEW_BOXES, MOST_BOXES = 16, 4_000  # there is room for at first, and looked at in all
LEAST_SHARE = 1e-12  # of a budget: boxes are cut as if no power were below


@compiled
def _worth(links: Links, i: int, rate: float) -> tuple[float, float]:
    """Worth and slope at a rate, as concave functions."""
    if links.kind[i] == HIGH:
        return links.worth[i] * rate, links.worth[i]
    least = max(rate, links.least[i])
    slope = links.worth[i] * delay_slope(least, links.sent[i], links.waiting[i], links.arriving[i])
    worth = links.worth[i] * delay_less(least, links.spare[i], links.sent[i], links.waiting[i], links.arriving[i])
    return worth + slope * (rate - least), slope


@compiled
def _value(
    links: Links,
    rest: IntArray,
    cover_powers: FloatArray,
    upper: FloatArray,
    lower: FloatArray,
    cost: FloatArray,
    at: FloatArray,
) -> float:
    """What the links that are not covered are worth at some powers, less the cost; -inf beyond the budgets."""
    if not within(cover_powers, at):
        return -np.inf
    total = 0.0
    for b in range(len(rest)):
        above, below = upper[b, 0], lower[b, 0]
        for c in range(len(at)):
            above += upper[b, 1 + c] * at[c]
            below += lower[b, 1 + c] * at[c]
        total += max(_worth(links, rest[b], math.log(above / below))[0], 0.0) - cost[1 + b] * at[b]
    return total


@compiled
def best_powers(
    links: Links, least: FloatArray, most: FloatArray, floor: float, tolerance: float, found: FloatArray
) -> tuple[float, float, int]:
    """Value of the best powers found, which are filled in, a bound on that of the best ones, and boxes looked at.

    Ends when the two are within the tolerance, or when the bound is at most `floor`.

    Parameters
    ----------
    least, most : array, shape (links,)
        Powers of the links that are not covered.
    """
    cover, rest = np.flatnonzero(links.kind == COVERED), np.flatnonzero(links.kind != COVERED)
    can, cover_powers = covering(links, cover, rest)
    if not can:
        return -np.inf, -np.inf, 0
    free = len(rest)
    upper, lower, cost = np.ones((free, 1 + free)), np.ones((free, 1 + free)), np.zeros(1 + free)
    base = 0.0
    for a in range(len(cover)):
        base += links.worth[cover[a]]
        cost += links.price[cover[a]] * cover_powers[a]
    for b in range(free):
        cost[1 + b] += links.price[rest[b]]
        lower[b, 1:] = 0.0
        for c in range(free):
            if c != b:
                lower[b, 1 + c] = links.heard[rest[b], rest[c]]
        for a in range(len(cover)):
            lower[b] += links.heard[rest[b], cover[a]] * cover_powers[a]
        upper[b] = lower[b]
        upper[b, 1 + b] += links.own[rest[b]]
    base -= cost[0]
    best = base + _value(links, rest, cover_powers, upper, lower, cost, least[rest])
    _fill(found, cover, rest, cover_powers, least[rest])
    if free == 0 or best == -np.inf:
        return best, best, 0
    known = np.inf
    if not (links.kind == HIGH).any():
        share = np.zeros(free)
        ends = (least[rest], most[rest])
        value, known = best_log_powers(links, rest, ends, lower, cover_powers, cost[1:], floor - base, tolerance, share)
        known += base
        if base + value > best:
            best = base + value
            _fill(found, cover, rest, cover_powers, share)
        if known <= max(best + tolerance, floor):
            return best, max(best, known), 0
    low, high = np.zeros((FEW_BOXES, free)), np.ones((FEW_BOXES, free))
    low[0], high[0] = least[rest], most[rest]
    bound, middle = np.full(FEW_BOXES, -np.inf), np.zeros((FEW_BOXES, free))
    side = np.zeros(FEW_BOXES, np.int64)
    scale = np.empty(free)
    for c in range(free):
        scale[c] = max(1.0 / max(upper[:, 1 + c].max(), 1.0), LEAST_SHARE)
    corner = np.empty(free)
    count = 1
    fresh = np.array([0, -1])
    while True:
        for box in fresh:
            if box < 0:
                continue
            middle[box] = np.sqrt((low[box] + scale) * (high[box] + scale)) - scale
            bound[box], side[box] = _bound(
                links, rest, cover_powers, upper, lower, cost, low[box], high[box], middle[box], corner
            )
            bound[box] += base
            for point in (middle[box], corner):
                value = base + _value(links, rest, cover_powers, upper, lower, cost, point)
                if value > best:
                    best = value
                    _fill(found, cover, rest, cover_powers, point)
        box = bound[:count].argmax()
        if bound[box] <= max(best + tolerance, floor) or count > MOST_BOXES:
            return best, max(best, min(bound[box], known)), count
        if count == len(bound):
            low, high, middle = _twice(low), _twice(high), _twice(middle)
            bound, side = np.append(bound, bound), np.append(side, side)
        j = side[box]
        low[count], high[count] = low[box], high[box]
        high[count, j] = low[box, j] = middle[box, j]
        fresh[0], fresh[1] = box, count
        count += 1


@compiled
def _fill(found: FloatArray, cover: IntArray, rest: IntArray, cover_powers: FloatArray, point: FloatArray) -> None:
    """Fill in some powers of the others, and the covered ones' that follow."""
    for b in range(len(rest)):
        found[rest[b]] = point[b]
    for a in range(len(cover)):
        found[cover[a]] = cover_powers[a, 0] + (cover_powers[a, 1:] * point).sum()


@compiled
def _twice(rows: FloatArray) -> FloatArray:
    """With room for as many again."""
    found = np.empty((2 * len(rows), rows.shape[1]))
    found[: len(rows)] = rows
    return found


@compiled
def _bound(
    links: Links,
    rest: IntArray,
    cover_powers: FloatArray,
    upper: FloatArray,
    lower: FloatArray,
    cost: FloatArray,
    low: FloatArray,
    high: FloatArray,
    middle: FloatArray,
    corner: FloatArray,
) -> tuple[float, int]:
    """A bound on the value within a box, and the power by which it is best cut; the best corner is filled in."""
    free = len(rest)
    if not within(cover_powers, low):
        corner[:] = low
        return -np.inf, 0
    slope, off = np.zeros(free), np.zeros(free)
    constant, plain = 0.0, 0.0
    for b in range(free):
        above = upper[b, 0]
        below, below_low, below_high = lower[b, 0], lower[b, 0], lower[b, 0]
        for c in range(free):
            above += upper[b, 1 + c] * middle[c]
            below += lower[b, 1 + c] * middle[c]
            below_low += lower[b, 1 + c] * low[c]
            below_high += lower[b, 1 + c] * high[c]
        # the highest rate: its own power at the top, the others' at the bottom, whatever n and d share
        signal = upper[b, 1 + b] - lower[b, 1 + b]
        most = math.log(1 + signal * high[b] / below_low)
        plain += _worth(links, rest[b], most)[0] - cost[1 + b] * low[b]
        rate = math.log(above / below)
        worth, gain = _worth(links, rest[b], rate)
        chord = 1 / below_low
        if below_high > below_low * (1 + 1e-12):
            chord = math.log(below_high / below_low) / (below_high - below_low)
        # rate at most ln n(middle) + (n - n(middle)) / n(middle) - ln d(low) - chord (d - d(low))
        constant += worth + gain * (math.log(above) - math.log(below_low) - rate)
        constant += gain * (-(above - upper[b, 0]) / above + chord * (below_low - lower[b, 0]))
        for c in range(free):
            slope[c] += gain * (upper[b, 1 + c] / above - chord * lower[b, 1 + c])
            # what tangent and chord are off by at the ends
            width = high[c] - low[c]
            off[c] += gain * ((upper[b, 1 + c] / above * width) ** 2 + (lower[b, 1 + c] * chord * width) ** 2)
    for c in range(free):
        slope[c] -= cost[1 + c]
        corner[c] = high[c] if slope[c] > 0 else low[c]
        constant += slope[c] * corner[c]
    return min(constant, plain), int(off.argmax())
