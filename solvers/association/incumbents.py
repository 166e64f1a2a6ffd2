"""Feasible solutions near the relaxation: what fits, then slot by slot the best of the choices known."""

from typing import NamedTuple

import numpy as np

from ...formulations.association.referee import EMPTY
from ...instances.association import Association
from ...instances.fields import BoolArray, FloatArray, IntArray
from .groups import Groups
from .slot_choices import Choices

KEPT = 0.02  # share of the capacity that a first solution leaves


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


def fitting(instance: Association, groups: Groups, choices: Choices) -> Incumbent:
    """Choices of the groups, one each, without those that fill a station."""
    load, pattern = choices.load.copy(), choices.pattern.copy()
    left = instance.capacity.copy()
    for g in range(len(load)):
        if (left - load[g] <= KEPT * instance.capacity).any():
            load[g], pattern[g] = 0.0, -1
        left = left - load[g]
    return Incumbent(_value(instance, groups, load), load, pattern)


def improved(instance: Association, groups: Groups, incumbent: Incumbent, choices: Choices) -> Incumbent:
    """Exchange one group's choice after the other for the best of those given, until none is better.

    O(choices * slots * stations) a round.
    """
    load, pattern = incumbent.load.copy(), incumbent.pattern.copy()
    first = np.searchsorted(choices.group, np.arange(len(load) + 1))
    value = _value(instance, groups, load)
    before = -np.inf
    while value > before + 1e-12 * abs(value):
        before = value
        for g in range(len(load)):
            own = slice(first[g], first[g + 1])
            values = _exchanged(instance, groups, load, g, choices.load[own])
            if len(values) and values.max() > value:
                best = first[g] + values.argmax()
                load[g], pattern[g], value = choices.load[best], choices.pattern[best], values.max()
    return Incumbent(_value(instance, groups, load), load, pattern)


def _exchanged(instance: Association, groups: Groups, load: FloatArray, g: int, candidates: FloatArray) -> FloatArray:
    """Values with another load of group g, shape (candidates,); -inf where a station is filled."""
    slot = groups.slot[g]
    stored = per_slot(instance, groups, load)
    left = instance.capacity - np.vstack([np.zeros(instance.stations), stored.cumsum(0)])
    change = candidates - load[g]
    later = left[slot + 1 :] - change[:, None]
    fits: BoolArray = (later[:, -1] > EMPTY * instance.capacity).all(1) | (change <= 0).all(1)
    weight = instance.price_weight
    utility = instance.utility_weight * (stored.sum() + change.sum(1))
    paid = _ratio(stored[:slot], left[:slot]).sum() + _ratio(stored[slot] + change, left[slot]).sum(1)
    to_pay = _ratio(stored[slot + 1 :], np.where(fits[:, None, None], later[:, :-1], 1.0)).sum((1, 2))
    return np.where(fits, utility - weight * (paid + to_pay), -np.inf)


def _ratio(load: FloatArray, left: FloatArray) -> FloatArray:
    """Load over storage, 0 where there is no load."""
    load, left = np.broadcast_arrays(load, left)
    return np.divide(load, left, out=np.zeros(load.shape), where=load != 0)


def _value(instance: Association, groups: Groups, load: FloatArray) -> float:
    stored = per_slot(instance, groups, load)
    left = instance.capacity - np.vstack([np.zeros(instance.stations), stored.cumsum(0)[:-1]])
    return float(instance.utility_weight * stored.sum() - instance.price_weight * _ratio(stored, left).sum())


def per_slot(instance: Association, groups: Groups, load: FloatArray) -> FloatArray:
    """Loads of slots, shape (slots, stations), of loads of groups."""
    total = np.zeros((instance.slots, instance.stations))
    np.add.at(total, groups.slot, load)
    return total
