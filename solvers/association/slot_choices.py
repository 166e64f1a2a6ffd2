"""Best choices of a group at given values of data: a dynamic programme over subsets of its satellites.

Storing L at station j is worth value_j L - weight q(L, H), with the least q over an interval of H (see
`storage_price`). As q is at least c L for a known c, a linear value bounds that from above, and a table over subsets
of satellites gives the best linear value of any channels on any satellites. The search walks through the channels,
submask by submask of the satellites left, and prunes by the table.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ..compiled import compiled
from .groups import Groups
from .storage_price import least_rest, slope_below

FIRST, BEST, ALL = 0, 1, 2  # what a walk looks for
MOST_STEPS = 300_000  # of one walk; where intervals of H are wide the linear bound prunes little
ROUNDING = 1e-9  # relative difference that sums in another order may make


class Storage(NamedTuple):
    """What is known of the storage before each slot, and how the price is split.

    Attributes
    ----------
    low, high : array, shape (slots, stations)
        Interval of H (data units).
    shift : array, shape (stations,)
        s, at least a quarter of all loads.
    channels
        K.
    """

    low: FloatArray
    high: FloatArray
    shift: FloatArray
    channels: int


class Choices(NamedTuple):
    """Choices of groups, ordered by group.

    Attributes
    ----------
    group : array, shape (choices,)
    load : array, shape (choices, stations)
        Data units.
    pattern : array, shape (choices, K)
        Numbers within the group.
    """

    group: IntArray
    load: FloatArray
    pattern: IntArray

    def take(self, rows: IntArray | BoolArray) -> "Choices":
        """Some of the choices."""
        return Choices(self.group[rows], self.load[rows], self.pattern[rows])


def joined(parts: Sequence[Choices]) -> Choices:
    """Choices of several kinds, one after the other."""
    group, load, pattern = zip(*parts, strict=True)
    return Choices(np.concatenate(group), np.concatenate(load), np.concatenate(pattern))


class _Terms(NamedTuple):
    """What a slot's data is worth: value L - weight q(L, H)."""

    value: FloatArray
    weight: float
    low: FloatArray
    high: FloatArray
    shift: FloatArray


class _Tables(NamedTuple):
    """A group's patterns and what they are worth at most.

    Attributes
    ----------
    load, bucket
        As in `Groups`, of this group.
    linear : array, shape (kinds, patterns)
        Upper bounds on the patterns' values.
    exact : array, shape (kinds, masks)
        The largest of patterns of exactly these satellites.
    best : array, shape (K + 1, masks)
        The largest sum of channels d to K - 1 on any of these satellites; of all channels for the full mask only.
    """

    load: FloatArray
    bucket: IntArray
    linear: FloatArray
    exact: FloatArray
    best: FloatArray


def best_choices(groups: Groups, value: FloatArray, weight: float, storage: Storage) -> tuple[FloatArray, Choices]:
    """The best value of each group, at least 0, or a bound on it, and the best choice found.

    Parameters
    ----------
    value : array, shape (slots, stations)
        Of a data unit.
    weight
        Of q, xi kappa.
    """
    count, stations = groups.most.shape
    best, load = np.zeros(count), np.zeros((count, stations))
    pattern = np.zeros((count, storage.channels), np.int64)
    _best_of_groups(groups, _Terms(value, weight, *storage[:3]), best, load, pattern)
    return best, Choices(np.arange(count), load, pattern)


def list_choices(
    groups: Groups, value: FloatArray, weight: float, storage: Storage, least: FloatArray, room: int
) -> Choices | None:
    """All choices of at least these values, shape (groups,), one of each load; None when a group has too many."""
    found = []
    for g in range(len(least)):
        load = np.empty((room, groups.most.shape[1]))
        pattern = np.empty((room, storage.channels), np.int64)
        count = _list_of_group(groups, g, _Terms(value, weight, *storage[:3]), least[g], load, pattern)
        if count > room:
            return None
        _, kept = np.unique(load[:count].round(10), axis=0, return_index=True)
        found.append(Choices(np.full(len(kept), g), load[kept], pattern[kept]))
    return joined(found)


@compiled
def _terms(terms: _Terms, t: int) -> _Terms:
    return _Terms(terms.value[t], terms.weight, terms.low[t], terms.high[t], terms.shift)


@compiled
def _worth(load: FloatArray, terms: _Terms) -> float:
    """What a load is worth; minus infinity where no storage admits it."""
    total = 0.0
    for j in range(len(load)):
        if load[j] > terms.high[j]:
            return -np.inf
        if load[j] > 0:
            rest = least_rest(load[j], terms.low[j], terms.high[j], terms.shift[j])
            total += terms.value[j] * load[j] - terms.weight * rest
    return total


@compiled
def _linear(load: FloatArray, most: FloatArray, terms: _Terms) -> FloatArray:
    """Upper bounds on the patterns' values."""
    kinds, patterns, stations = load.shape
    slope = np.empty(stations)
    for j in range(stations):
        rest = slope_below(most[j], terms.low[j], terms.high[j], terms.shift[j])
        slope[j] = terms.value[j] - terms.weight * rest
    linear = np.zeros((kinds, patterns))
    for k in range(kinds):
        for p in range(patterns):
            for j in range(stations):
                linear[k, p] += slope[j] * load[k, p, j]
    return linear


@compiled
def _tables(groups: Groups, g: int, terms: _Terms, channels: int) -> _Tables:
    """Fill the tables of a group; O(K 3^satellites) where channels differ, and as much for any K where they do not."""
    load = groups.load[:, groups.first[g] : groups.first[g + 1]]
    bucket = groups.bucket[groups.bucket_first[g] : groups.bucket_first[g] + (1 << groups.satellites[g]) + 1]
    linear = _linear(load, groups.most[g], terms)
    kinds, masks = len(linear), len(bucket) - 1
    exact = np.full((kinds, masks), -np.inf)
    for k in range(kinds):
        for m in range(masks):
            for p in range(bucket[m], bucket[m + 1]):
                exact[k, m] = max(exact[k, m], linear[k, p])
    table = np.zeros((channels + 1, masks))
    within = np.empty(masks)
    for d in range(channels - 1, -1, -1):
        if d == channels - 1 or kinds > 1:
            within[:] = exact[d if kinds > 1 else 0]
            bit = 1
            while bit < masks:
                for m in range(masks):
                    if m & bit:
                        within[m] = max(within[m], within[m ^ bit])
                bit *= 2
        for m in range(0 if d > 0 else masks - 1, masks):
            best = -np.inf
            sub = m
            while sub >= 0:
                best = max(best, within[sub] + table[d + 1, m ^ sub])
                sub = (sub - 1) & m if sub > 0 else -1
            table[d, m] = best
    return _Tables(load, bucket, linear, exact, table)


@compiled
def _walk(
    tables: _Tables, terms: _Terms, least: float, aim: int, found_load: FloatArray, found_pattern: IntArray
) -> tuple[float, int]:
    """Walk through the choices of linear value at least `least`; returns the best value and how many were found.

    FIRST stops at the first, BEST keeps the one of largest worth above `least`, ALL counts those of worth at least
    `least` and keeps as many as there is room for. Where channels are alike, their masks fall from one to the next, so
    that each choice is met once. A walk that takes too long ends with the linear bound, and as if there were no room.
    """
    load, bucket, linear, exact, best = tables
    channels, kinds, stations = len(best) - 1, len(linear), load.shape[2]
    left = np.zeros(channels + 1, np.int64)  # satellites left, by depth
    mask = np.zeros(channels, np.int64)  # those of the channel's pattern; -1 when all have been tried
    at = np.full(channels, -1)  # the pattern within its bucket; -1 before the mask is entered
    so_far = np.zeros(channels + 1)
    stored = np.zeros((channels + 1, stations))
    chosen = np.zeros(channels, np.int64)
    left[0] = mask[0] = len(bucket) - 2
    count, depth, steps = 0, 0, 0
    while depth >= 0:
        steps += 1
        if steps > MOST_STEPS:
            return best[0, -1], len(found_load) + 1
        k = depth if kinds > 1 else 0
        if at[depth] < 0:
            while mask[depth] >= 0:
                m = mask[depth]
                if so_far[depth] + exact[k, m] + best[depth + 1, left[depth] ^ m] >= least:
                    break
                mask[depth] = (m - 1) & left[depth] if m > 0 else -1
            if mask[depth] < 0:
                depth -= 1
                continue
            at[depth] = bucket[mask[depth]]
        m, p = mask[depth], at[depth]
        if p >= bucket[m + 1]:
            at[depth] = -1
            mask[depth] = (m - 1) & left[depth] if m > 0 else -1
            continue
        at[depth] += 1
        rest = left[depth] ^ m
        total = so_far[depth] + linear[k, p]
        if total + best[depth + 1, rest] < least:
            continue
        chosen[depth] = p
        for j in range(stations):
            stored[depth + 1, j] = stored[depth, j] + load[k, p, j]
        if depth < channels - 1:
            depth += 1
            so_far[depth], left[depth], at[depth] = total, rest, -1
            following = rest
            while kinds == 1 and following > m:
                following = (following - 1) & rest
            mask[depth] = following
            continue
        if aim == FIRST:
            found_load[0], found_pattern[0] = stored[channels], chosen
            return total, 1
        worth = _worth(stored[channels], terms)
        if aim == ALL and worth >= least:
            if count < len(found_load):
                found_load[count], found_pattern[count] = stored[channels], chosen
            count += 1
        elif aim == BEST and worth > least:
            least, count = worth, 1
            found_load[0], found_pattern[0] = stored[channels], chosen
    return least, count


@compiled
def _best_of_groups(
    groups: Groups, all_terms: _Terms, best: FloatArray, found_load: FloatArray, found_pattern: IntArray
) -> None:
    for g in range(len(best)):
        terms = _terms(all_terms, groups.slot[g])
        tables = _tables(groups, g, terms, found_pattern.shape[1])
        top = tables.best[0, -1]
        load, pattern = found_load[g : g + 1], found_pattern[g : g + 1]
        _walk(tables, terms, top - ROUNDING * (abs(top) + 1), FIRST, load, pattern)
        worth = max(_worth(load[0], terms), -ROUNDING)  # sending nothing is worth 0
        best[g], _ = _walk(tables, terms, worth, BEST, load, pattern)


@compiled
def _list_of_group(
    groups: Groups, g: int, all_terms: _Terms, least: float, found_load: FloatArray, found_pattern: IntArray
) -> int:
    terms = _terms(all_terms, groups.slot[g])
    tables = _tables(groups, g, terms, found_pattern.shape[1])
    _, count = _walk(tables, terms, least, ALL, found_load, found_pattern)
    return count
