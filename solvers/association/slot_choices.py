"""Best choices of a group, and all within some distance of it, when stations pay by a convex function of their loads.

Storing L at station j is worth value_j L - weight_j q(L, H), with the least q over an interval of H (see
`storage_price`): convex in L, so a chord over an interval of L bounds it from above, and at the chords' slopes the best
choice is read off tables over subsets of satellites (see `subset_tables`). Where chords and worth are close, a walk
through the choices that the chords leave finds the best (see `box_walk`); elsewhere boxes of loads are cut.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray
from .box_walk import walk
from .groups import Groups
from .subset_tables import best_patterns, plan
from .terms import Terms, chords, of_slot, worth_at, worth_of

MOST_BOXES = 1_000  # of one group; beyond, the bound of the boxes that are left is given
FEW_STEPS, MANY_STEPS = 20_000, 300_000  # of one walk through a box for its best choice, for all; beyond, it is cut
FALL = 0.25  # fall of the distance from bound to best choice after which another walk is tried
ROUNDING = 1e-10  # relative distance at which a bound is not followed up


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


class Priced(NamedTuple):
    """What groups are worth at some prices.

    Attributes
    ----------
    value : array, shape (groups,)
        The best value of each group, or a convex bound on it.
    load : array, shape (groups, stations)
        What a station's price takes from the value, for each unit of it (data units).
    choices
        One choice a group, the best one found.
    """

    value: FloatArray
    load: FloatArray
    choices: Choices


def joined(parts: Sequence[Choices]) -> Choices:
    """All choices of several kinds, ordered by group."""
    together = Choices(*map(np.concatenate, zip(*parts, strict=True)))
    return together.take(np.argsort(together.group, kind="stable"))


def best_choices(groups: Groups, terms: Terms, channels: int) -> Priced:
    """The best choices of all groups; doing nothing is worth 0."""
    count, stations = groups.most.shape
    best, load = np.zeros(count), np.zeros((count, stations))
    pattern = np.zeros((count, channels), np.int64)
    _best_of_groups(groups, terms, plan(channels, len(groups.load)), best, load, pattern)
    return Priced(best, load, Choices(np.arange(count), load, pattern))


def list_choices(groups: Groups, terms: Terms, channels: int, least: FloatArray, room: int) -> Choices | None:
    """All choices of at least these values, shape (groups,), one of each load; None when a group has too many."""
    found = []
    for g in range(len(least)):
        own = _listed(groups, g, terms, channels, least[g], room)
        if own is None:
            return None
        found.append(own)
    return joined(found)


def _listed(groups: Groups, g: int, terms: Terms, channels: int, least: float, room: int) -> Choices | None:
    """A group's choices of at least this value."""
    load = np.empty((room, groups.most.shape[1]))
    pattern = np.empty((room, channels), np.int64)
    count = _list_of_group(groups, g, terms, least, load, pattern)
    if count > room:
        return None
    _, kept = np.unique(load[:count].round(10), axis=0, return_index=True)
    return Choices(np.full(len(kept), g), load[kept], pattern[kept])


@compiled
def _of_group(groups: Groups, g: int) -> tuple[FloatArray, IntArray]:
    """Loads and buckets of a group's patterns."""
    load = groups.load[:, groups.first[g] : groups.first[g + 1]]
    return load, groups.bucket[groups.bucket_first[g] : groups.bucket_first[g] + (1 << groups.satellites[g]) + 1]


@compiled
def _furthest(load: FloatArray, low: FloatArray, high: FloatArray, terms: Terms, slope: FloatArray) -> int:
    """The station within whose interval a load's chord is furthest above its worth; -1 is none."""
    found, most = -1, 0.0
    for j in range(len(load)):
        if low[j] < load[j] < high[j]:
            chord = worth_at(low[j], terms, j) + slope[j] * (load[j] - low[j])
            apart = chord - worth_at(load[j], terms, j)
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
        terms = of_slot(all_terms, groups.slot[g])
        best[g] = best_of_group(groups, g, terms, combinations, found_load[g], found_pattern[g])


@compiled
def best_of_group(
    groups: Groups, g: int, terms: Terms, combinations: IntArray, found_load: FloatArray, found_pattern: IntArray
) -> float:
    """The best value of a group at the terms of its slot, or a bound on it; the best choice is filled in where it pays.

    Cuts the box of largest bound until none is above the best choice found; sending nothing is worth 0.
    """
    load, bucket = _of_group(groups, g)
    most = np.minimum(groups.most[g], terms.high)
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
            at_nothing = chords(low[box], high[box], terms, slope)
            bound[box] = at_nothing + best_patterns(load, bucket, slope, combinations, pattern)
            total[:] = 0.0
            for k in range(len(pattern)):
                total += load[k if len(load) > 1 else 0, pattern[k]]
            worth = worth_of(total, terms)
            if worth > best:
                best = worth
                found_load[:], found_pattern[:] = total, pattern
            station[box] = _furthest(total, low[box], high[box], terms, slope)
            if station[box] >= 0:
                at[box] = total[station[box]]
                continue
            if worth == -np.inf:  # no storage admits the load, and the chords cannot say so
                inside = low[box], high[box]
                found, worth = walk(load, bucket, inside, terms, best, True, MANY_STEPS, one_load, one_pattern)
                if found > 0:
                    best, found_load[:], found_pattern[:] = worth, one_load[0], one_pattern[0]
                elif found < 0:
                    stuck = max(stuck, bound[box])
            bound[box] = -np.inf  # the choice is worth the bound at least, or all others have been tried
        box = bound[:count].argmax()
        if bound[box] <= best + ROUNDING * (best + 1) or count > MOST_BOXES:
            return float(max(best, stuck, bound[box]))
        if bound[box] - best <= FALL * tried:
            tried = bound[box] - best
            inside = low[box], high[box]
            found, worth = walk(load, bucket, inside, terms, best, True, FEW_STEPS, one_load, one_pattern)
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
    terms = of_slot(all_terms, groups.slot[g])
    stations = load.shape[2]
    low, high = np.zeros((MOST_BOXES + 2, stations)), np.zeros((MOST_BOXES + 2, stations))
    high[0] = np.minimum(groups.most[g], terms.high)
    apart = np.empty(stations)
    count, boxes, tried = 0, 1, 0
    while boxes:
        boxes -= 1
        tried += 1
        room = found_load[count:], found_pattern[count:]
        found, _ = walk(load, bucket, (low[boxes], high[boxes]), terms, least, False, MANY_STEPS, *room)
        if found >= 0:
            count += found
            if count > len(found_load):
                return count
            continue
        for j in range(stations):
            middle = (low[boxes, j] + high[boxes, j]) / 2
            chord = (worth_at(low[boxes, j], terms, j) + worth_at(high[boxes, j], terms, j)) / 2
            apart[j] = chord - worth_at(middle, terms, j)
        cut = apart.argmax()
        if apart[cut] <= 0 or tried > MOST_BOXES:
            return len(found_load) + 1
        low[boxes + 1], high[boxes + 1] = low[boxes], high[boxes]
        high[boxes + 1, cut] = low[boxes, cut] = (low[boxes, cut] + high[boxes, cut]) / 2
        boxes += 2
    return count
