"""What channels are worth together at fixed values of data: tables over the subsets of a group's satellites.

A table has one entry a mask of satellites: the most that some channels are worth on any of them. Two tables are
combined by trying every way to share the satellites out, O(3^satellites).
"""

import functools

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray


@functools.lru_cache
def plan(channels: int, kinds: int) -> IntArray:
    """Which tables are combined, shape (combinations, 2): the first `kinds` are single channels, the last one is all.

    Channels are paired like players in a tournament. Where they are alike, tables of as many channels are the same one.
    """
    tables, rows = [k if kinds > 1 else 0 for k in range(channels)], []
    while len(tables) > 1:
        pairs, odd = list(zip(tables[::2], tables[1::2], strict=False)), tables[len(tables) // 2 * 2 :]
        tables = []
        for pair in pairs:
            if pair not in rows:
                rows.append(pair)
            tables.append(kinds + rows.index(pair))
        tables += odd
    return np.array(rows, np.int64).reshape(-1, 2)


@compiled
def single_channels(load: FloatArray, bucket: IntArray, slope: FloatArray) -> tuple[FloatArray, IntArray]:
    """The most that one channel's pattern is worth on any satellites of a mask, and the pattern that has it.

    Parameters
    ----------
    load : array, shape (kinds, patterns, stations)
    bucket
        Patterns of exactly the satellites of mask m are those from bucket[m] to bucket[m + 1].
    slope : array, shape (stations,)
        Worth of a data unit.

    Returns
    -------
    Both of shape (kinds, masks).
    """
    kinds, _, stations = load.shape
    masks = len(bucket) - 1
    most = np.full((kinds, masks), -np.inf)
    pattern = np.zeros((kinds, masks), np.int64)
    for k in range(kinds):
        for m in range(masks):
            for p in range(bucket[m], bucket[m + 1]):
                worth = 0.0
                for j in range(stations):
                    worth += slope[j] * load[k, p, j]
                if worth > most[k, m]:
                    most[k, m], pattern[k, m] = worth, p
        bit = 1
        while bit < masks:
            for m in range(masks):
                if m & bit and most[k, m ^ bit] > most[k, m]:
                    most[k, m], pattern[k, m] = most[k, m ^ bit], pattern[k, m ^ bit]
            bit *= 2
    return most, pattern


@compiled
def combine(one: FloatArray, other: FloatArray, same: bool, into: FloatArray) -> None:
    """Fill a table of what two tables are worth together; where they are the same, half of the ways suffice."""
    for m in range(len(into)):
        into[m] = _shared_out(one, other, m, same)[1]


@compiled
def _shared_out(one: FloatArray, other: FloatArray, mask: int, same: bool) -> tuple[int, float]:
    """The satellites of a mask that the one table gets, and what both are worth then."""
    best, chosen, part = -np.inf, 0, mask
    while True:
        worth = one[part] + other[mask ^ part]
        if worth > best:
            best, chosen = worth, part
        if part == 0 or (same and part < mask ^ part):
            return chosen, best
        part = (part - 1) & mask


@compiled
def best_patterns(
    load: FloatArray, bucket: IntArray, slope: FloatArray, combinations: IntArray, found: IntArray
) -> float:
    """The most that all channels are worth; fills in the pattern of each, shape (K,). See `plan` for `combinations`."""
    single, pattern = single_channels(load, bucket, slope)
    kinds, masks = single.shape
    tables = np.empty((kinds + len(combinations), masks))
    tables[:kinds] = single
    for i in range(len(combinations) - 1):
        one, other = combinations[i]
        combine(tables[one], tables[other], one == other, tables[kinds + i])
    open_table = np.zeros(len(found) + 1, np.int64)
    open_mask = np.zeros(len(found) + 1, np.int64)
    open_table[0], open_mask[0] = len(tables) - 1, masks - 1
    total, count, alike = 0.0, 1, 0
    while count:
        count -= 1
        table, mask = open_table[count], open_mask[count]
        if table < kinds:
            found[table if kinds > 1 else alike] = pattern[table, mask]
            total += single[table, mask]
            alike += 1
            continue
        one, other = combinations[table - kinds]
        part, _ = _shared_out(tables[one], tables[other], mask, one == other)
        open_table[count], open_mask[count] = one, part
        open_table[count + 1], open_mask[count + 1] = other, mask ^ part
        count += 2
    return total


@compiled
def suffixes(single: FloatArray, channels: int) -> FloatArray:
    """What channels d to K - 1 are worth on any satellites of a mask, shape (K + 1, masks); from d = 1 on."""
    kinds, masks = single.shape
    tables = np.zeros((channels + 1, masks))
    tables[channels - 1] = single[-1]
    for d in range(channels - 2, 0, -1):
        combine(single[d if kinds > 1 else 0], tables[d + 1], False, tables[d])
    return tables
