"""Best choices of a group when each station pays by a convex function of what it stores.

Storing L at station j is worth value_j L - weight_j q(L, H), with the least q over an interval of H (see
`storage_price`): convex in L, so a chord over an interval of L bounds it from above, and at the chords' slopes the best
choice is read off tables over subsets of satellites (see `subset_tables`). Where chords and worth are close, a walk
through the choices that the chords leave finds the best; elsewhere boxes of loads are cut.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ..compiled import compiled
from .groups import Groups
from .storage_price import least_rest
from .subset_tables import best_patterns, plan, single_channels, suffixes

MOST_BOXES = 1_000  # of one group; beyond, the bound of the boxes that are left is given
FEW_STEPS, MANY_STEPS = 20_000, 300_000  # of one walk through a box for its best choice, for all; beyond, it is cut
FALL = 0.25  # fall of the distance from bound to best choice after which another walk is tried
ROUNDING = 1e-9  # relative difference that sums in another order may make


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


def best_choices(groups: Groups, terms: Terms, channels: int) -> tuple[FloatArray, Choices]:
    """The best value of each group, at least 0, or a bound on it, and the best choice found.

    Values of shape (groups,).
    """
    count, stations = groups.most.shape
    best, load = np.zeros(count), np.zeros((count, stations))
    pattern = np.zeros((count, channels), np.int64)
    _best_of_groups(groups, terms, plan(channels, len(groups.load)), best, load, pattern)
    return best, Choices(np.arange(count), load, pattern)


def list_choices(groups: Groups, terms: Terms, channels: int, least: FloatArray, room: int) -> Choices | None:
    """All choices of at least these values, shape (groups,), one of each load; None when a group has too many."""
    found = []
    for g in range(len(least)):
        load = np.empty((room, groups.most.shape[1]))
        pattern = np.empty((room, channels), np.int64)
        count = _list_of_group(groups, g, terms, least[g], load, pattern)
        if count > room:
            return None
        _, kept = np.unique(load[:count].round(10), axis=0, return_index=True)
        found.append(Choices(np.full(len(kept), g), load[kept], pattern[kept]))
    return joined(found)


@compiled
def _at(terms: Terms, t: int) -> Terms:
    return Terms(terms.value[t], terms.weight[t], terms.low[t], terms.high[t], terms.shift)


@compiled
def _of_group(groups: Groups, g: int) -> tuple[FloatArray, IntArray]:
    """Loads and buckets of a group's patterns."""
    load = groups.load[:, groups.first[g] : groups.first[g + 1]]
    return load, groups.bucket[groups.bucket_first[g] : groups.bucket_first[g] + (1 << groups.satellites[g]) + 1]


@compiled
def _worth_at(load: float, terms: Terms, j: int) -> float:
    """What a load is worth at a station; minus infinity where no storage admits it."""
    if load > terms.high[j]:
        return -np.inf
    rest = least_rest(load, terms.low[j], terms.high[j], terms.shift[j])
    return float(terms.value[j] * load - terms.weight[j] * rest)


@compiled
def _worth(load: FloatArray, terms: Terms) -> float:
    total = 0.0
    for j in range(len(load)):
        total += _worth_at(load[j], terms, j)
    return total


@compiled
def _chords(low: FloatArray, high: FloatArray, terms: Terms, slope: FloatArray) -> float:
    """Fill in the slopes of the chords over a box, and return the sum of their values at no load."""
    at_nothing = 0.0
    for j in range(len(slope)):
        first, last = _worth_at(low[j], terms, j), _worth_at(high[j], terms, j)
        slope[j] = (last - first) / (high[j] - low[j]) if high[j] > low[j] else 0.0
        at_nothing += first - slope[j] * low[j]
    return at_nothing


@compiled
def _furthest(load: FloatArray, low: FloatArray, high: FloatArray, terms: Terms, slope: FloatArray) -> int:
    """The station within whose interval a load's chord is furthest above its worth; -1 is none."""
    found, most = -1, 0.0
    for j in range(len(load)):
        if low[j] < load[j] < high[j]:
            chord = _worth_at(low[j], terms, j) + slope[j] * (load[j] - low[j])
            apart = chord - _worth_at(load[j], terms, j)
            if apart > most:
                found, most = j, apart
    return found


@compiled
def _best_of_groups(
    groups: Groups,
    all_terms: Terms,
    combinations: IntArray,
    best: FloatArray,
    found_load: FloatArray,
    found_pattern: IntArray,
) -> None:
    for g in range(len(best)):
        load, bucket = _of_group(groups, g)
        terms = _at(all_terms, groups.slot[g])
        most = np.minimum(groups.most[g], terms.high)
        best[g] = _best_of_group(load, bucket, most, terms, combinations, found_load[g], found_pattern[g])


@compiled
def _best_of_group(
    load: FloatArray,
    bucket: IntArray,
    most: FloatArray,
    terms: Terms,
    combinations: IntArray,
    found_load: FloatArray,
    found_pattern: IntArray,
) -> float:
    """Halve the box of largest bound until none is above the best choice found; sending nothing is worth 0."""
    stations = len(most)
    low, high = np.zeros((MOST_BOXES + 1, stations)), np.zeros((MOST_BOXES + 1, stations))
    bound = np.full(MOST_BOXES + 1, -np.inf)
    station, at = np.zeros(MOST_BOXES + 1, np.int64), np.zeros(MOST_BOXES + 1)  # where a box is to be cut
    slope, total, pattern = np.empty(stations), np.empty(stations), np.empty_like(found_pattern)
    best, stuck, count, tried = 0.0, 0.0, 1, np.inf
    one_load, one_pattern = np.empty((1, stations)), np.empty((1, len(found_pattern)), np.int64)
    high[0] = most
    fresh = np.array([0, -1])  # boxes that are not bounded yet
    while True:
        for box in fresh:
            if box < 0:
                continue
            at_nothing = _chords(low[box], high[box], terms, slope)
            bound[box] = at_nothing + best_patterns(load, bucket, slope, combinations, pattern)
            total[:] = 0.0
            for k in range(len(pattern)):
                total += load[k if len(load) > 1 else 0, pattern[k]]
            worth = _worth(total, terms)
            if worth > best:
                best = worth
                found_load[:], found_pattern[:] = total, pattern
            station[box] = _furthest(total, low[box], high[box], terms, slope)
            if station[box] >= 0:
                at[box] = total[station[box]]
                continue
            if worth == -np.inf:  # no storage admits the load, and the chords cannot say so
                stuck = max(stuck, bound[box])
            bound[box] = -np.inf  # the choice is worth the bound at least
        box = bound[:count].argmax()
        if bound[box] <= best + ROUNDING * (best + 1):
            return max(best, stuck)
        if count > MOST_BOXES:
            return float(max(bound[box], stuck))
        if bound[box] - best <= FALL * tried:
            tried = bound[box] - best
            inside = low[box], high[box]
            found, worth = _walk(load, bucket, inside, terms, best, True, FEW_STEPS, one_load, one_pattern)
            if found >= 0:
                if found:
                    best, found_load[:], found_pattern[:] = worth, one_load[0], one_pattern[0]
                bound[box] = -np.inf
                fresh[:] = -1
                continue
        low[count], high[count] = low[box], high[box]
        high[count, station[box]] = low[box, station[box]] = at[box]
        fresh[0], fresh[1] = box, count
        count += 1


@compiled
def _list_of_group(
    groups: Groups, g: int, all_terms: Terms, least: float, found_load: FloatArray, found_pattern: IntArray
) -> int:
    """Walk through box after box, halving those that take too long; more than there is room for means no end."""
    load, bucket = _of_group(groups, g)
    terms = _at(all_terms, groups.slot[g])
    stations = load.shape[2]
    low, high = np.zeros((MOST_BOXES + 2, stations)), np.zeros((MOST_BOXES + 2, stations))
    high[0] = np.minimum(groups.most[g], terms.high)
    apart = np.empty(stations)
    count, boxes, tried = 0, 1, 0
    while boxes:
        boxes -= 1
        tried += 1
        room = found_load[count:], found_pattern[count:]
        found, _ = _walk(load, bucket, (low[boxes], high[boxes]), terms, least, False, MANY_STEPS, *room)
        if found >= 0:
            count += found
            if count > len(found_load):
                return count
            continue
        for j in range(stations):
            middle = (low[boxes, j] + high[boxes, j]) / 2
            chord = (_worth_at(low[boxes, j], terms, j) + _worth_at(high[boxes, j], terms, j)) / 2
            apart[j] = chord - _worth_at(middle, terms, j)
        cut = apart.argmax()
        if apart[cut] <= 0 or tried > MOST_BOXES:
            return len(found_load) + 1
        low[boxes + 1], high[boxes + 1] = low[boxes], high[boxes]
        high[boxes + 1, cut] = low[boxes, cut] = (low[boxes, cut] + high[boxes, cut]) / 2
        boxes += 2
    return count


@compiled
def _walk(
    load: FloatArray,
    bucket: IntArray,
    box: tuple[FloatArray, FloatArray],
    terms: Terms,
    least: float,
    only_best: bool,
    most_steps: int,
    found_load: FloatArray,
    found_pattern: IntArray,
) -> tuple[int, float]:
    """Find the choices in a box worth at least `least`, or only the best of those worth more.

    Returns how many there are, or -1 when it takes too long, and the last one's worth. As many are kept as there is
    room for. Where channels are alike, their masks fall from one to the next, so that each choice is met once.
    """
    slope = np.empty(load.shape[2])
    at_nothing = _chords(box[0], box[1], terms, slope)
    kinds, _, stations = load.shape
    channels = found_pattern.shape[1]
    worth = np.zeros(load.shape[:2])
    exact = np.full((kinds, len(bucket) - 1), -np.inf)  # of patterns of exactly a mask's satellites
    for k in range(kinds):
        for m in range(len(bucket) - 1):
            for p in range(bucket[m], bucket[m + 1]):
                for j in range(stations):
                    worth[k, p] += slope[j] * load[k, p, j]
                exact[k, m] = max(exact[k, m], worth[k, p])
    ahead = suffixes(single_channels(load, bucket, slope)[0], channels)
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
        if steps > most_steps:
            return -1, least
        k = depth if kinds > 1 else 0
        if at[depth] < 0:
            while mask[depth] >= 0:
                m = mask[depth]
                if so_far[depth] + exact[k, m] + ahead[depth + 1, left[depth] ^ m] >= least - at_nothing:
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
        total = so_far[depth] + worth[k, p]
        if total + ahead[depth + 1, rest] < least - at_nothing:
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
        if not _inside(stored[channels], box):
            continue
        together = _worth(stored[channels], terms)
        if together < least or (only_best and together == least):
            continue
        at_row = 0 if only_best else count
        if at_row < len(found_load):
            found_load[at_row], found_pattern[at_row] = stored[channels], chosen
        count += 1
        if only_best:
            least = together
    return count, least


@compiled
def _inside(load: FloatArray, box: tuple[FloatArray, FloatArray]) -> bool:
    """Whether a load is in a box; boxes that touch share their faces."""
    low, high = box
    return bool((low <= load).all() and (load <= high).all())
