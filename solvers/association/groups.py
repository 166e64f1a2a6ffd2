"""The groups of a horizon as flat arrays for compiled code.

A choice of a group is one pattern a channel (see `formulations.association.patterns`), with no satellite twice; groups
touch each other through the stations' storage alone.
"""

from typing import NamedTuple

import numpy as np

from ...formulations.association.patterns import (
    LARGEST_TABLE,
    Group,
    groups_of,
    kinds_of_channels,
    most_stored,
    patterns_of,
    table_size,
)
from ...instances.association import Association, AssociationDecision
from ...instances.fields import BoolArray, FloatArray, IntArray

MOST_SATELLITES = 16  # of a group; a table has one entry a subset
CANDIDATES = 8  # satellites among which choices of larger groups are sought
ALL_TABLES = 40_000_000  # loads of the patterns of all groups
SMALL_TABLE = 500_000  # loads of the candidates' patterns
ROUNDED_UP = 1 + 1e-9  # loads are summed in another order than their limit


class Relaxed(NamedTuple):
    """A group without its interference.

    Attributes
    ----------
    group
        Its number.
    station : array, shape (stations seen,)
    data : array, shape (satellites, stations seen, kinds)
        Data of a link alone on a kind of channel (data units).
    """

    group: int
    station: IntArray
    data: FloatArray


class Groups(NamedTuple):
    """All groups of a horizon and their patterns, ordered by slot; within a group patterns are ordered by mask.

    Attributes
    ----------
    slot : array, shape (groups,)
    satellites : array, shape (groups,)
        How many satellites a group sees.
    first : array, shape (groups + 1,)
        Where each group's patterns begin.
    load : array, shape (1 or K, patterns, stations)
        Data units that a pattern stores (on each channel, where channels differ).
    link : array, shape (patterns, stations)
        The satellite that a pattern gives a station; -1 is none.
    bucket, bucket_first : array
        Group g's patterns of the satellites in mask m are those from bucket[bucket_first[g] + m] to the next entry,
        counted from the group's first.
    most : array, shape (groups, stations)
        More than a group can store at a station in its slot (data units).
    """

    slot: IntArray
    satellites: IntArray
    first: IntArray
    load: FloatArray
    link: IntArray
    bucket: IntArray
    bucket_first: IntArray
    most: FloatArray

    @classmethod
    def reduced(cls, instance: Association) -> "tuple[Groups, list[Relaxed]]":
        """Enumerate the patterns of groups with few satellites and patterns, and of candidates of the others.

        The others are given as relaxations, too, since their patterns do not bound what they can do.
        """
        whole, kinds = groups_of(instance), kinds_of_channels(instance)
        parts, relaxed = list(whole), []
        for g, (part, too_large) in enumerate(zip(whole, _too_large(whole), strict=True)):
            if too_large:
                station, alone = _without_interference(instance, part, kinds)
                count = min(len(part.satellites), max(CANDIDATES, min(instance.channels, MOST_SATELLITES)))
                parts[g] = _candidates(part, alone, count)
                while table_size(parts[g]) > SMALL_TABLE and count > 1:
                    count -= 1
                    parts[g] = _candidates(part, alone, count)
                relaxed.append(Relaxed(g, station, alone))
        groups = cls._of(instance, parts)
        if relaxed:
            groups.most[:] = _most(instance, whole)
        return groups, relaxed

    @classmethod
    def _of(cls, instance: Association, parts: list[Group]) -> "Groups":
        kinds = kinds_of_channels(instance)
        sizes = [len(part.satellites) for part in parts]
        tables = [patterns_of(instance, part, kinds) for part in parts]
        buckets = [np.searchsorted(t.mask, np.arange((1 << n) + 1)) for n, t in zip(sizes, tables, strict=True)]
        none = np.zeros((kinds, 0, instance.stations))
        return cls(
            slot=np.array([part.slot for part in parts], np.int64),
            satellites=np.array(sizes, np.int64),
            first=_offsets([len(table.mask) for table in tables]),
            load=np.concatenate([none, *(table.load for table in tables)], 1),
            link=np.concatenate([none[0].astype(np.int64), *(table.link for table in tables)]),
            bucket=np.concatenate([np.zeros(0, np.int64), *buckets]),
            bucket_first=_offsets([len(bucket) for bucket in buckets]),
            most=_most(instance, parts),
        )


def _too_large(parts: list[Group]) -> BoolArray:
    """Whether groups have more satellites or patterns than a table takes, or than all tables take together."""
    size = np.array([table_size(part) for part in parts])
    size[[len(part.satellites) > MOST_SATELLITES for part in parts]] = np.inf
    order = np.argsort(size, kind="stable")
    too_large = size > LARGEST_TABLE
    too_large[order] |= size[order].cumsum() > ALL_TABLES
    return too_large


def _most(instance: Association, parts: list[Group]) -> FloatArray:
    return ROUNDED_UP * np.array([most_stored(instance, part) for part in parts]).reshape(-1, instance.stations)


def decision(groups: Groups, patterns: IntArray) -> AssociationDecision:
    """The links of patterns chosen, shape (groups, K), numbered within their group; -1 is none."""
    group, channel = np.nonzero(patterns >= 0)
    satellite = groups.link[groups.first[group] + patterns[group, channel]]
    pair, station = np.nonzero(satellite >= 0)
    columns = groups.slot[group[pair]], satellite[pair, station], station, channel[pair]
    return AssociationDecision(np.stack(columns, 1)[np.lexsort(columns[::-1])])


def _offsets(sizes: list[int]) -> IntArray:
    return np.append(0, np.cumsum(sizes)).astype(np.int64)


def _without_interference(instance: Association, group: Group, kinds: int) -> tuple[IntArray, FloatArray]:
    """The stations that a group sees, and the data of its links alone, (satellites, stations seen, kinds)."""
    station = np.flatnonzero(group.linked.any(0))
    window = group.window[:, station]
    data = instance.data(window[:, :, None], instance.snr[window, :kinds])
    return station, np.where(group.linked[:, station, None], data, 0.0)


def _candidates(group: Group, data: FloatArray, count: int) -> Group:
    """The group with so many satellites: in turn, each station's best ones of those that are left."""
    best = data.max(2)
    order = np.argsort(-best, 0, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(order))[:, None], 0)
    ranks[best == 0] = len(order)
    kept = np.sort(np.argsort(ranks.min(1), kind="stable")[:count])
    return Group(group.slot, group.satellites[kept], group.window[kept], group.linked[kept])
