"""Co-channel patterns: the links that share one channel in one slot.

Who else is in a pattern is all the interference there is, so its loads are constants, and the logarithm of the SINR is
exact. Stations of a slot that see no common satellite, not even through others, have patterns of their own: groups.
Without interference, links need not be taken together: a pattern is then a single link, and a slot a plain assignment.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...instances.association import Association
from ...instances.association.instance import CHANNEL, SATELLITE, SLOT, STATION
from ...instances.errors import InputError
from ...instances.fields import BoolArray, FloatArray, IntArray
from .referee import EMPTY, loads

LARGEST_TABLE = 15_000_000  # loads of a group's patterns


class Patterns(NamedTuple):
    """All patterns of a group, or its single links, ordered by mask; the empty one is first.

    Attributes
    ----------
    mask : array, shape (patterns,)
        Satellites in a pattern, as bits; 0 where patterns are single links.
    load : array, shape (kinds, patterns, stations)
        Data units that it stores at each station, on each kind of channel.
    link : array, shape (patterns, stations)
        The satellite that it links to each station; -1 is none.
    single
        Whether patterns are single links, which share their channel with those of other stations.
    """

    mask: IntArray
    load: FloatArray
    link: IntArray
    single: bool = False

    def exclusive(self) -> list[IntArray]:
        """Patterns of which no two can be on one channel: all, or the single links of each station."""
        if not self.single:
            return [np.arange(1, len(self.mask))]
        return [np.flatnonzero(own) for own in (self.link >= 0).T if own.any()]


class Group(NamedTuple):
    """Windows of a slot that hang together.

    Attributes
    ----------
    satellites : array, shape (satellites seen,)
        In ascending order; bit i of a mask is the i-th.
    window : array, shape (satellites seen, stations)
        Window of each pair; -1 is none.
    linked : array of bool, shape (satellites seen, stations)
        Where a link stores something, or disturbs another station while it stores nothing: with less data an
        association may fit into storage that it would fill. Elsewhere a satellite is at most heard.
    """

    slot: int
    satellites: IntArray
    window: IntArray
    linked: BoolArray


def kinds_of_channels(instance: Association) -> int:
    """1 when all channels are alike, else K."""
    gain = instance.windows.gain
    return 1 if bool((gain == gain[:, :1]).all()) else instance.channels


def groups_of(instance: Association) -> list[Group]:
    """All groups in the order of their slots, without stations that store nothing and windows that change nothing."""
    windows = instance.windows
    there = instance.capacity[windows.station] > 0
    heard = there & (windows.gain > 0).any(1)
    pair = windows.slot * instance.satellites + windows.satellite
    useful = heard | (there & np.isin(pair, pair[heard])) if instance.isolation else heard
    found = []
    for slot in range(instance.slots):
        own = np.flatnonzero(useful & (windows.slot == slot))
        label = _labels(windows.satellite[own], windows.station[own], instance.stations)
        found += [_group(instance, slot, own[label == one]) for one in np.unique(label)]
    return [group for group in found if group.linked.any()]


def _group(instance: Association, slot: int, own: IntArray) -> Group:
    windows = instance.windows
    satellites, row = np.unique(windows.satellite[own], return_inverse=True)
    window = np.full((len(satellites), instance.stations), -1)
    window[row, windows.station[own]] = own
    heard = (window >= 0) & (windows.gain[window] > 0).any(2)
    disturbs = (heard.sum(1, keepdims=True) > heard) & (instance.isolation > 0)
    return Group(slot, satellites, window, (window >= 0) & (heard & (windows.valid_s[window] > 0) | disturbs))


def _labels(satellite: IntArray, station: IntArray, stations: int) -> IntArray:
    """The least station that each window hangs together with."""
    label = np.arange(stations)
    for one in np.unique(satellite):
        together = np.unique(label[station[satellite == one]])
        label[np.isin(label, together)] = together[0]
    return label[station]


def patterns_of(instance: Association, group: Group, kinds: int, *, single: bool = False) -> Patterns:
    """All patterns of a group: each station links at most one satellite, each satellite to at most one station.

    Parameters
    ----------
    single
        Only those of one link, which are enough where isolation is 0.

    Raises
    ------
    InputError
        When they may have more than `LARGEST_TABLE` loads.
    """
    if not single and table_size(group) > LARGEST_TABLE:
        size = f"slot {group.slot} may have too many co-channel patterns over {instance.stations} stations"
        raise InputError(size, "windows")
    mask, row = _single_rows(group.linked) if single else _rows(group.linked)
    order = np.argsort(mask, kind="stable")
    mask, row = mask[order], row[order]
    there = group.window >= 0
    gain = np.where(there[:, :, None], instance.windows.gain[group.window, :kinds], 0.0)
    chosen, stations = row >= 0, np.arange(instance.stations)
    own = np.where(chosen[:, :, None], gain[row, stations], 0.0)
    heard = np.zeros(own.shape)  # of all satellites of a pattern, at each station
    for j in np.flatnonzero(chosen.any(0)):
        heard[chosen[:, j]] += gain[row[chosen[:, j], j]]
    noise_w = instance.noise_w + instance.isolation * instance.power_w * (heard - own)
    data = instance.data(group.window[row, stations][:, :, None], instance.power_w * own / noise_w)
    load = np.where(chosen[:, :, None], data, 0.0)
    return Patterns(mask, np.moveaxis(load, 2, 0), np.where(chosen, group.satellites[row], -1), single)


def table_size(group: Group) -> float:
    """Loads of a group's patterns at most: a choice for every satellite, or one for every station."""
    with np.errstate(over="ignore"):
        patterns = min(float((1.0 + group.linked.sum(axis)).prod()) for axis in (0, 1))
    return patterns * len(group.linked[0])


def _single_rows(linked: BoolArray) -> tuple[IntArray, IntArray]:
    """No masks, and rows of nothing and of each link alone."""
    satellite, station = np.nonzero(linked)
    row = np.full((1 + len(satellite), linked.shape[1]), -1)
    row[np.arange(1, len(row)), station] = satellite
    return np.zeros(len(row), np.int64), row


def _rows(linked: BoolArray) -> tuple[IntArray, IntArray]:
    """Masks and rows of satellites, shape (patterns,) and (patterns, stations)."""
    mask, row = np.zeros(1, np.int64), np.full((1, linked.shape[1]), -1)
    for station in np.flatnonzero(linked.any(0)):
        more_mask, more_row = [mask], [row]
        for satellite in np.flatnonzero(linked[:, station]):
            free: BoolArray = mask >> satellite & 1 == 0
            taken = row[free].copy()
            taken[:, station] = satellite
            more_mask.append(mask[free] | 1 << satellite)
            more_row.append(taken)
        mask, row = np.concatenate(more_mask), np.concatenate(more_row)
    return mask, row


def most_stored(instance: Association, group: Group) -> FloatArray:
    """More than a group can store at each station (data units): the K best links, each alone on its best channel."""
    alone = instance.data(group.window, instance.snr[group.window].max(2))
    largest = np.sort(np.where(group.linked, alone, 0.0), 0)[-instance.channels :]
    return np.asarray(largest.sum(0))


Used = tuple[int, int, int]  # group, kind of channel, pattern


def used_patterns(groups: Sequence[Group], tables: Sequence[Patterns], links: IntArray) -> list[Used]:
    """The patterns that links make, without the empty ones; links that store nothing are passed over."""
    used = []
    for g, (group, table) in enumerate(zip(groups, tables, strict=True)):
        own = links[(links[:, SLOT] == group.slot) & np.isin(links[:, SATELLITE], group.satellites)]
        own = own[group.linked[np.searchsorted(group.satellites, own[:, SATELLITE]), own[:, STATION]]]
        for channel in np.unique(own[:, CHANNEL]).tolist():
            together = own[own[:, CHANNEL] == channel]
            for part in np.split(together, len(together)) if table.single else [together]:
                link = np.full(table.link.shape[1], -1)
                link[part[:, STATION]] = part[:, SATELLITE]
                pattern = np.flatnonzero((table.link == link).all(1))
                used.append((g, channel if len(table.load) > 1 else 0, int(pattern[0])))
    return used


def links_of(
    instance: Association, groups: Sequence[Group], tables: Sequence[Patterns], used: Sequence[Used]
) -> IntArray:
    """The links of patterns; alike channels are taken in turn, and stations that end empty lose their last links."""
    links: list[tuple[int, int, int, int]] = []
    taken = np.zeros((len(groups), instance.stations), np.int64)
    for g, k, p in used:
        link = tables[g].link[p]
        there = link >= 0 if tables[g].single else np.full(len(link), True)
        channel = k if len(tables[g].load) > 1 else int(taken[g, there].max())
        taken[g, there] += 1
        links += [(groups[g].slot, i, j, channel) for j, i in enumerate(link.tolist()) if i >= 0]
    return within_storage(instance, np.array(sorted(links), np.int64).reshape(-1, 4))


def within_storage(instance: Association, links: IntArray) -> IntArray:
    """Links in the order of their slots, without those of slots in which a station has nothing left after them."""
    while True:
        left = instance.capacity - loads(instance, links).cumsum(0)
        spent = np.argwhere(left <= EMPTY * instance.capacity)
        wrong = [(t, j) for t, j in spent if ((links[:, SLOT] == t) & (links[:, STATION] == j)).any()]
        if not wrong:
            return links
        slot, station = wrong[0]
        links = links[(links[:, SLOT] != slot) | (links[:, STATION] != station)]
