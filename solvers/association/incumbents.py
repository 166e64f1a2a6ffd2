"""Feasible solutions near the relaxation: what fits, then better ones of the choices known in its place."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...formulations.association.referee import EMPTY
from ...instances.association import Association
from ...instances.association.instance import CHANNEL, SATELLITE, SLOT, STATION
from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray
from .groups import Groups
from .slot_choices import Choices

KEPT = 0.02  # share of the capacity that a first solution leaves
HELPS = 1e-12  # relative; less is rounding


class Incumbent(NamedTuple):
    """One choice a group.

    Attributes
    ----------
    load : array, shape (groups, stations)
        Data units.
    pattern : array, shape (groups, K)
        Numbers within the group; -1 where nothing is sent.
    """

    value: float
    load: FloatArray
    pattern: IntArray


def nothing(groups: Groups, channels: int) -> Incumbent:
    """The solution without links."""
    return Incumbent(0.0, np.zeros(groups.most.shape), np.full((len(groups.slot), channels), -1))


def started(instance: Association, groups: Groups, links: IntArray) -> Incumbent:
    """The solution of these links, (links, 4), without those that are in no pattern: they store nothing, or theirs is
    not among the candidates of a large group."""
    load, pattern = np.zeros(groups.most.shape), np.full((len(groups.slot), instance.channels), -1)
    for g, slot in enumerate(groups.slot):
        rows = groups.link[groups.first[g] : groups.first[g + 1]]
        sees: BoolArray = np.asarray((rows >= 0).any(0))
        known = np.isin(links[:, SATELLITE], rows[rows >= 0]) & sees[links[:, STATION]]
        own = links[(links[:, SLOT] == slot) & known]
        for channel in np.unique(own[:, CHANNEL]):
            wanted = np.full(rows.shape[1], -1)
            together = own[own[:, CHANNEL] == channel]
            wanted[together[:, STATION]] = together[:, SATELLITE]
            found = np.flatnonzero((rows == wanted).all(1))
            if found.size:
                pattern[g, channel] = found[0]
                kind = channel if len(groups.load) > 1 else 0
                load[g] += groups.load[kind, groups.first[g] + found[0]]
    used = load.any(0)
    left = instance.capacity - per_slot(instance, groups, load).cumsum(0)
    if (left <= EMPTY * instance.capacity)[:, used].any():  # only where something was left out
        return nothing(groups, instance.channels)
    return Incumbent(_value(instance, load), load, pattern)


def fitting(instance: Association, choices: Choices) -> Incumbent:
    """Choices of the groups, one each, without those that fill a station."""
    load, pattern = choices.load.copy(), choices.pattern.copy()
    left = instance.capacity.copy()
    for g in range(len(load)):
        if (left - load[g] <= KEPT * instance.capacity).any():
            load[g], pattern[g] = 0.0, -1
        left = left - load[g]
    return Incumbent(_value(instance, load), load, pattern)


def improved(
    instance: Association, incumbent: Incumbent, choices: Choices, late: Callable[[], bool], *, pairs: bool = False
) -> Incumbent:
    """Exchange one group's choice, or two groups', for others of those given, until none is better or it is late.

    O(choices groups stations) a round, with pairs O(choices^2 groups stations).
    """
    first = np.searchsorted(choices.group, np.arange(len(incumbent.load) + 1))
    load, row = incumbent.load.copy(), np.full(len(incumbent.load), -1)
    prices = instance.utility_weight, instance.price_weight, instance.capacity
    better = True
    while better:
        better = _exchange(load, row, first, choices.load, prices)
        if late():
            break
        if pairs and not better:
            better = _exchange_pairs(load, row, first, choices.load, prices)
    pattern = np.where((row >= 0)[:, None], choices.pattern[row], incumbent.pattern)
    return Incumbent(_value(instance, load), load, pattern)


Prices = tuple[float, float, FloatArray]  # omega, xi kappa, C


@compiled
def gain(load: FloatArray, first: int, last: int, left: FloatArray, prices: Prices) -> float:
    """What the choices of some groups gain from some storage on, which is brought down; minus infinity if it ends."""
    utility, weight, capacity = prices
    gained = 0.0
    for g in range(first, last):
        for j in range(len(left)):
            stored = load[g, j]
            if stored > 0:
                gained += utility * stored - weight * stored / left[j]
                left[j] -= stored
                if left[j] <= EMPTY * capacity[j]:
                    return -np.inf
    return gained


@compiled
def _best_choice(
    load: FloatArray, g: int, first: IntArray, choices: FloatArray, begin: tuple[FloatArray, float], prices: Prices
) -> tuple[float, int]:
    """The best value with another choice of group g, and that choice; storage and gain before it are given."""
    left, before = begin
    own, best, found = load[g].copy(), -np.inf, -1
    for c in range(first[g], first[g + 1]):
        load[g] = choices[c]
        value = before + gain(load, g, len(load), left.copy(), prices)
        if value > best:
            best, found = value, c
    load[g] = own
    return best, found


@compiled
def _exchange(load: FloatArray, row: IntArray, first: IntArray, choices: FloatArray, prices: Prices) -> bool:
    """One group's choice after the other for the best; whether any was better."""
    best = gain(load, 0, len(load), prices[2].copy(), prices)
    better = False
    left, before = prices[2].copy(), 0.0
    for g in range(len(load)):
        value, found = _best_choice(load, g, first, choices, (left, before), prices)
        if value > best + HELPS * abs(best):
            best, load[g], row[g], better = value, choices[found], found, True
        before += gain(load, g, g + 1, left, prices)
    return better


@compiled
def _exchange_pairs(load: FloatArray, row: IntArray, first: IntArray, choices: FloatArray, prices: Prices) -> bool:
    """Two groups' choices for the best two, pair after pair of groups; whether any were better."""
    best = gain(load, 0, len(load), prices[2].copy(), prices)
    better = False
    begin, before = prices[2].copy(), 0.0
    for a in range(len(load)):
        for b in range(a + 1, len(load)):
            own, found_a, found_b = load[a].copy(), -1, -1
            for c in range(first[a], first[a + 1]):
                load[a] = choices[c]
                left = begin.copy()
                so_far = before + gain(load, a, b, left, prices)
                if so_far > -np.inf:
                    value, found = _best_choice(load, b, first, choices, (left, so_far), prices)
                    if value > best + HELPS * abs(best):
                        best, found_a, found_b = value, c, found
            load[a] = own
            if found_a >= 0:
                load[a], load[b] = choices[found_a], choices[found_b]
                row[a], row[b], better = found_a, found_b, True
        before += gain(load, a, a + 1, begin, prices)
    return better


def _value(instance: Association, load: FloatArray) -> float:
    prices = instance.utility_weight, instance.price_weight, instance.capacity
    return float(gain(load, 0, len(load), instance.capacity.copy(), prices))


def per_slot(instance: Association, groups: Groups, load: FloatArray) -> FloatArray:
    """Loads of slots, shape (slots, stations), of loads of groups."""
    total = np.zeros((instance.slots, instance.stations))
    np.add.at(total, groups.slot, load)
    return total
