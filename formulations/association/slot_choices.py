"""Choices of a group: all sets of links of a slot that differ in what stations store.

A choice is one pattern a channel (see `patterns`), so its loads are constants. Of sets with equal loads one is kept: to
the objective and to later slots they are the same.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...instances.association import Association
from ...instances.fields import FloatArray, IntArray
from .patterns import Group, Patterns, groups_of, kinds_of_channels, links_of, patterns_of, table_size
from .referee import loads

MOST_CHOICES = 20_000  # of a group
LARGEST_PRODUCT = 5_000_000  # choices times patterns of one more channel
DIGITS = 13  # of loads over the largest one of a pattern, by which choices are told apart


class Choices(NamedTuple):
    """Choices of a group; the first one is to link nothing.

    Attributes
    ----------
    group : Group
    table : Patterns
    pattern : array, shape (choices, channels)
        Pattern of each channel; 0 is the empty one.
    load : array, shape (choices, stations)
        Data units that a choice stores.
    """

    group: Group
    table: Patterns
    pattern: IntArray
    load: FloatArray


def choices_of(instance: Association) -> list[Choices] | None:
    """Return the choices of all groups, in the order of their slots; None when a group has too many."""
    groups, kinds = groups_of(instance), kinds_of_channels(instance)
    if any(table_size(group) > LARGEST_PRODUCT for group in groups):
        return None
    found = []
    for group in groups:
        choices = _choices(instance, group, patterns_of(instance, group, kinds))
        if choices is None:
            return None
        found.append(choices)
    return found


def _choices(instance: Association, group: Group, table: Patterns) -> Choices | None:
    """Combine the patterns of the channels, one channel after the other."""
    unit = max(float(table.load.max(initial=0.0)), np.finfo(float).tiny)
    mask, load = np.zeros(1, np.int64), np.zeros((1, instance.stations))
    pattern = np.zeros((1, instance.channels), np.int64)
    for channel in range(instance.channels):
        own = table.load[channel if len(table.load) > 1 else 0]
        if len(mask) * len(own) > LARGEST_PRODUCT:
            return None
        before, added = np.nonzero(mask[:, None] & table.mask == 0)
        sums = load[before] + own[added]
        fits = ((sums == 0) | (instance.capacity - sums > 0)).all(1)
        before, added, sums = before[fits], added[fits], sums[fits]
        used = mask[before] | table.mask[added]
        key = np.column_stack([used, (sums / unit).round(DIGITS)])
        first = np.sort(np.unique(key, axis=0, return_index=True)[1])
        mask, load, pattern = used[first], sums[first], pattern[before[first]]
        pattern[:, channel] = added[first]
    first = np.sort(np.unique((load / unit).round(DIGITS), axis=0, return_index=True)[1])
    if len(first) > MOST_CHOICES:
        return None
    return Choices(group, table, pattern[first], load[first])


def links_of_choices(instance: Association, choices: Sequence[Choices], chosen: Sequence[int]) -> IntArray:
    """Return the links of one choice a group, shape (links, 4)."""
    used = [
        (g, channel if len(own.table.load) > 1 else 0, int(p))
        for g, (own, c) in enumerate(zip(choices, chosen, strict=True))
        for channel, p in enumerate(own.pattern[c].tolist())
        if p
    ]
    return links_of(instance, [own.group for own in choices], [own.table for own in choices], used)


def choices_in(instance: Association, choices: Sequence[Choices], links: IntArray) -> list[int]:
    """Return the choice of each group whose loads are those of some links."""
    load = loads(instance, links)
    chosen = []
    for own in choices:
        sees = (own.group.window >= 0).any(0)
        wanted = np.where(sees, load[own.group.slot], 0.0)
        chosen.append(int(np.abs(own.load - wanted).sum(1).argmin()))
    return chosen
