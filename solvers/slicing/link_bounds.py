"""What links are worth at most, less their prices: alone, up to a SINR, in pairs, and those of a node together.

Interference only takes from what links are worth alone. Two links hear each other: the product of their SINRs is at
most that of their signals over that of what they hear, whatever the powers. Links of one node hear each other as
loudly as themselves, so their SINR / (1 + SINR) sum to less than 1; where a node may have several, that has a price.
"""

import math
from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray
from .laws import COVERED, HIGH, LOW, Laws, delay_less, delay_slope, least_rate
from .links import Links

HALVINGS = 40  # of an interval of rates
GRID, SMALLEST, STEP = 60, 1e-3, 1.5  # of SINRs up to which links are bounded: how many, about the first, over the last
AT_IT = 1e-9  # relative: a SINR so near the threshold is at it
SECTIONS = 25  # of an interval of prices of what links of a node share
GOLDEN = 0.381966


class Layer(NamedTuple):
    """A layer's links.

    Attributes
    ----------
    snr : array, shape (N, users, nodes)
        Of all of a node's budget.
    spare : array, shape (users, nodes)
        What propagation leaves of the delay cap (s).
    least : array, shape (users, nodes)
        Least rate of L users.
    reuse
        Whether a node may have several links on a subcarrier.
    """

    snr: FloatArray
    spare: FloatArray
    least: FloatArray
    reuse: bool


class Prices(NamedTuple):
    """What links are worth, and what they pay.

    Attributes
    ----------
    laws
        With what goals add to what users are worth.
    user : array, shape (users,)
    place, budget : array, shape (nodes,)
        Of a place at a layer's node, and of all of its budget.
    """

    laws: Laws
    user: FloatArray
    place: FloatArray
    budget: FloatArray


@compiled
def least_rates(laws: Laws, spare: FloatArray) -> FloatArray:
    """Of all links, shape (users, nodes); 0 for those that are not of L users."""
    users, nodes = spare.shape
    found = np.zeros((users, nodes))
    for k in range(users):
        for v in range(nodes):
            if laws.kind[k] == LOW:
                found[k, v] = least_rate(spare[k, v], laws.sent[k], laws.waiting[k], laws.arriving[k])
    return found


@compiled
def links_of(layer: Layer, n: int, prices: Prices, users: IntArray, nodes: IntArray) -> Links:
    """Some links on a subcarrier."""
    laws, count = prices.laws, len(users)
    worth, spare, sent, waiting = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    arriving, least, own, price = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    heard, kind = np.empty((count, count)), np.empty(count, np.int64)
    for i in range(count):
        k, v = users[i], nodes[i]
        kind[i] = laws.kind[k]
        worth[i], sent[i], waiting[i], arriving[i] = laws.worth[k], laws.sent[k], laws.waiting[k], laws.arriving[k]
        spare[i], least[i] = layer.spare[k, v], layer.least[k, v]
        own[i], price[i] = layer.snr[n, k, v], prices.budget[v]
        for j in range(count):
            heard[i, j] = layer.snr[n, k, nodes[j]]
    return Links(kind, worth, spare, sent, waiting, arriving, least, own, heard, price, laws.threshold)


@compiled
def alone(layer: Layer, n: int, prices: Prices) -> FloatArray:
    """Bounds on what links are worth alone, less their prices, shape (users, nodes); -inf where never anything."""
    users, nodes = layer.spare.shape
    found = np.empty((users, nodes))
    for k in range(users):
        for v in range(nodes):
            snr, spare, least = layer.snr[n, k, v], layer.spare[k, v], layer.least[k, v]
            best, _ = _best_alone(prices.laws, k, snr, spare, least, prices.budget[v])
            found[k, v] = best - prices.user[k] - prices.place[v]
    return found


@compiled
def _best_alone(laws: Laws, k: int, own: float, spare: float, least: float, price: float) -> tuple[float, float]:
    """A bound on what a link without interference is worth less its power, and the SNR from where it falls."""
    if laws.kind[k] == COVERED:
        needed = max(laws.threshold, 0.0)
        if needed > own:
            return -np.inf, needed
        return laws.worth[k] - (price * needed / own if needed > 0 else 0.0), needed
    if laws.kind[k] == HIGH:
        best = min(laws.worth[k] * own / price - 1, own) if price > 0 else own
        if best <= 0:
            return 0.0, 0.0
        return laws.worth[k] * math.log1p(best) - price * best / own, best
    low, high = least, math.log1p(own)
    if not low <= high:
        return -np.inf, math.inf
    for _ in range(HALVINGS):
        rate = 0.5 * (low + high)
        slope = laws.worth[k] * delay_slope(rate, laws.sent[k], laws.waiting[k], laws.arriving[k])
        if slope > price * math.exp(rate) / own:
            low = rate
        else:
            high = rate
    worth = laws.worth[k] * delay_less(high, spare, laws.sent[k], laws.waiting[k], laws.arriving[k])
    return worth - price * (math.exp(low) - 1) / own, math.exp(high) - 1  # the rate at the top, its power at the bottom


@compiled
def first_ratio(threshold: float) -> float:
    """The first SINR of the grid, on which the threshold is."""
    if threshold <= 0:
        return SMALLEST
    steps = round(math.log(threshold / SMALLEST) / math.log(STEP))
    return float(threshold / STEP ** min(max(steps, 0), GRID - 2))


@compiled
def up_to(layer: Layer, n: int, prices: Prices, k: int, v: int, first: float, table: FloatArray) -> None:
    """Bounds on what a link is worth less its prices with a SINR below those of the grid; the last one has no end."""
    own, spare, least, price = layer.snr[n, k, v], layer.spare[k, v], layer.least[k, v], prices.budget[v]
    laws = prices.laws
    best, peak = _best_alone(laws, k, own, spare, least, price)
    paid = prices.user[k] + prices.place[v]
    if laws.kind[k] == COVERED:
        peak *= 1 + AT_IT
    for t in range(len(table)):
        ratio = first * STEP**t
        if ratio >= peak or t == len(table) - 1:
            table[t] = best - paid
        elif laws.kind[k] == HIGH:
            table[t] = laws.worth[k] * math.log1p(ratio) - price * ratio / own - paid
        elif laws.kind[k] == LOW and best > -np.inf and math.log1p(ratio) >= least:
            rate = math.log1p(ratio)
            worth = laws.worth[k] * delay_less(rate, spare, laws.sent[k], laws.waiting[k], laws.arriving[k])
            table[t] = worth - price * ratio / own - paid
        else:
            table[t] = -np.inf


@compiled
def share(table: FloatArray, first: float, price: float) -> FloatArray:
    """What links of a node are worth at most less a price of their SINR / (1 + SINR), below the SINRs of the grid."""
    links, size = table.shape
    found = np.empty((links, size))
    for i in range(links):
        best = -np.inf
        for t in range(size):
            ratio = first * STEP ** (t - 1) if t > 0 else 0.0
            best = max(best, table[i, t] - price * ratio / (1 + ratio))
            found[i, t] = best
    return found


@compiled
def _shared(table: FloatArray, first: float, price: float) -> float:
    """A bound on what links of a node are worth together, by the price of what they share."""
    total = price
    for row in share(table, first, price):
        total += max(row[-1], 0.0)
    return total


@compiled
def price_of_sharing(table: FloatArray, first: float) -> float:
    """The price of least bound, which is convex in it, by golden sections."""
    low, high = 0.0, 0.0
    for row in table:
        high = max(high, row[-1])
    high *= 4
    a, b = low + GOLDEN * (high - low), high - GOLDEN * (high - low)
    at_a, at_b = _shared(table, first, a), _shared(table, first, b)
    for _ in range(SECTIONS):
        if at_a <= at_b:
            high, b, at_b = b, a, at_a
            a = low + GOLDEN * (high - low)
            at_a = _shared(table, first, a)
        else:
            low, a, at_a = a, b, at_b
            b = high - GOLDEN * (high - low)
            at_b = _shared(table, first, b)
    return a if at_a <= at_b else b


@compiled
def together(one: FloatArray, other: FloatArray, first: float, product: float) -> float:
    """A bound on what two links are worth the product of whose SINRs is below this."""
    best = -np.inf
    shift = math.ceil(math.log(product / (first * first)) / math.log(STEP) - AT_IT) if product > 0 else -1.0
    for t in range(len(one)):  # a SINR from that of t - 1 on leaves the other one less than product / SINR
        if one[t] == -np.inf:
            continue
        u = len(other) - 1 if t == 0 else int(min(shift - t + 1, len(other) - 1))
        best = max(best, one[t] + other[max(u, 0)])
    return best
