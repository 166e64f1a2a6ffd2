"""The horizon cut into groups: stations of a slot that see common satellites, with every pattern of one channel.

A pattern gives each station of a group at most one satellite on one channel, and a satellite to at most one station.
Who else is in the pattern is all the interference there is, so its loads are constants. A choice of a group is one
pattern a channel, with no satellite twice; groups touch each other through the stations' storage alone.
"""

from typing import NamedTuple

import numpy as np

from ...instances.association import Association, AssociationDecision
from ...instances.fields import BoolArray, FloatArray, IntArray

MOST_SATELLITES = 16  # of a group; a table has one entry a subset


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
        parts = [_Part(instance, slot, own) for slot, own in _components(instance)]
        if any(len(part.seen) > MOST_SATELLITES for part in parts):
            return None
        alike = bool((instance.windows.gain == instance.windows.gain[:, :1]).all())
        tables = [part.patterns(1 if alike else instance.channels) for part in parts]
        stations = instance.stations
        buckets = [
            np.searchsorted(t.mask, np.arange((1 << len(p.seen)) + 1)) for p, t in zip(parts, tables, strict=True)
        ]
        return cls(
            slot=np.array([part.slot for part in parts], np.int64),
            satellites=np.array([len(part.seen) for part in parts], np.int64),
            first=_offsets([len(table.mask) for table in tables]),
            load=np.concatenate(
                [np.zeros((1 if alike else instance.channels, 0, stations)), *(t.load for t in tables)], 1
            ),
            link=np.concatenate([np.zeros((0, stations), np.int64), *(t.link for t in tables)]),
            bucket=np.concatenate([np.zeros(0, np.int64), *buckets]),
            bucket_first=_offsets([len(bucket) for bucket in buckets]),
            most=np.array([part.most() for part in parts]).reshape(-1, stations),
        )


def decision(groups: Groups, patterns: IntArray) -> AssociationDecision:
    """The links of patterns chosen, shape (groups, K), numbered within their group; -1 is none."""
    links = []
    for g, k in np.argwhere(patterns >= 0):
        satellite = groups.link[groups.first[g] + patterns[g, k]]
        links += [(groups.slot[g], satellite[j], j, k) for j in np.flatnonzero(satellite >= 0)]
    return AssociationDecision(np.array(sorted(links), np.int64).reshape(-1, 4))


class _Table(NamedTuple):
    """Patterns of one group, ordered by mask."""

    mask: IntArray
    load: FloatArray
    link: IntArray


class _Part:
    """One group: windows of a slot that hang together."""

    def __init__(self, instance: Association, slot: int, own: IntArray) -> None:
        self.instance, self.slot = instance, slot
        windows = instance.windows
        self.seen, row = np.unique(windows.satellite[own], return_inverse=True)
        self.window = np.full((len(self.seen), instance.stations), -1)
        self.window[row, windows.station[own]] = own

    def patterns(self, kinds: int) -> _Table:
        """All patterns with their loads on so many kinds of channels."""
        instance = self.instance
        mask, row = _patterns(self.window)
        order = np.argsort(mask, kind="stable")
        mask, row = mask[order], row[order]
        there = self.window >= 0
        gain = np.where(there[:, :, None], instance.windows.gain[self.window, :kinds], 0.0)
        chosen, stations = row >= 0, np.arange(instance.stations)
        # heard[p, j, j', k]: gain at station j from the satellite of station j'
        heard = np.where(chosen[:, None, :, None], gain[row[:, None, :], stations[:, None]], 0.0)
        own = heard[:, stations, stations]
        noise_w = instance.noise_w + instance.isolation * instance.power_w * (heard.sum(2) - own)
        sinr = instance.power_w * own / noise_w
        window = self.window[row, stations]
        load = np.where(chosen[:, :, None], instance.data(window[:, :, None], sinr), 0.0)
        return _Table(mask, np.moveaxis(load, 2, 0), np.where(chosen, self.seen[row], -1))

    def most(self) -> FloatArray:
        """For each station the K best links of different satellites, each alone on its best channel."""
        instance, there = self.instance, self.window >= 0
        alone = instance.data(self.window, instance.snr[self.window].max(2))
        largest = np.sort(np.where(there, alone, 0.0), 0)[-instance.channels :]
        return np.asarray(largest.sum(0))


def _components(instance: Association) -> list[tuple[int, IntArray]]:
    """Slots and windows of each group: windows that can store something, connected by satellites and stations."""
    windows = instance.windows
    useful = (windows.valid_s > 0) & (windows.gain > 0).any(1) & (instance.capacity[windows.station] > 0)
    found = []
    for slot in range(instance.slots):
        own = np.flatnonzero(useful & (windows.slot == slot))
        label = _labels(windows.satellite[own], windows.station[own], instance.stations)
        found += [(slot, own[label == one]) for one in np.unique(label)]
    return found


def _labels(satellite: IntArray, station: IntArray, stations: int) -> IntArray:
    """The least station that each window hangs together with."""
    label = np.arange(stations)
    for one in np.unique(satellite):
        together = np.unique(label[station[satellite == one]])
        label[np.isin(label, together)] = together[0]
    return label[station]


def _offsets(sizes: list[int]) -> IntArray:
    return np.append(0, np.cumsum(sizes)).astype(np.int64)


def _patterns(window: IntArray) -> tuple[IntArray, IntArray]:
    """Masks of satellites and their rows, shape (patterns,) and (patterns, stations), of all patterns of a group."""
    mask, row = np.zeros(1, np.int64), np.full((1, window.shape[1]), -1)
    for station in np.flatnonzero((window >= 0).any(0)):
        more_mask, more_row = [mask], [row]
        for satellite in np.flatnonzero(window[:, station] >= 0):
            free: BoolArray = mask >> satellite & 1 == 0
            taken = row[free].copy()
            taken[:, station] = satellite
            more_mask.append(mask[free] | 1 << satellite)
            more_row.append(taken)
        mask, row = np.concatenate(more_mask), np.concatenate(more_row)
    return mask, row
