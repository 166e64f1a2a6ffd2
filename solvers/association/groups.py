"""The groups of a horizon as flat arrays for compiled code.

A choice of a group is one pattern a channel (see `formulations.association.patterns`), with no satellite twice; groups
touch each other through the stations' storage alone.
"""

from typing import NamedTuple

import numpy as np

from ...formulations.association.patterns import groups_of, kinds_of_channels, most_stored, patterns_of
from ...instances.association import Association, AssociationDecision
from ...instances.fields import FloatArray, IntArray

MOST_SATELLITES = 16  # of a group; a table has one entry a subset
ROUNDED_UP = 1 + 1e-9  # loads are summed in another order than their limit


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
    def of(cls, instance: Association) -> "Groups | None":
        """Enumerate all patterns; None when some group has too many satellites for that."""
        parts, kinds = groups_of(instance), kinds_of_channels(instance)
        sizes = [len(part.satellites) for part in parts]
        if max(sizes, default=0) > MOST_SATELLITES:
            return None
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
            most=ROUNDED_UP * np.array([most_stored(instance, part) for part in parts]).reshape(-1, instance.stations),
        )


def decision(groups: Groups, patterns: IntArray) -> AssociationDecision:
    """The links of patterns chosen, shape (groups, K), numbered within their group; -1 is none."""
    links = []
    for g, k in np.argwhere(patterns >= 0):
        satellite = groups.link[groups.first[g] + patterns[g, k]]
        links += [(groups.slot[g], satellite[j], j, k) for j in np.flatnonzero(satellite >= 0)]
    return AssociationDecision(np.array(sorted(links), np.int64).reshape(-1, 4))


def _offsets(sizes: list[int]) -> IntArray:
    return np.append(0, np.cumsum(sizes)).astype(np.int64)
