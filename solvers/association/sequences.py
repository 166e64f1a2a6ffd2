"""Sequences of choices, one a group, searched layer by layer with the past paid exactly.

After some groups the storage and all that has been paid are known. What the other groups can add is bounded by their
best values at the multipliers, and the stations by what is ahead of the storage they have left (see `trajectories`).
Nodes whose bound does not beat the best solution known are dropped; where too many are left, those of largest bound
stay, and the largest bound dropped still bounds.
"""

from typing import NamedTuple

import numpy as np

from ...formulations.association.referee import EMPTY
from ...instances.association import Association
from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray
from .groups import Groups
from .slot_choices import Choices

BINS = 4_096  # in which bounds are counted to keep the highest
AT_NODE = 1e-9  # of a step of the grid: nearer is on it


class Layers(NamedTuple):
    """What the search knows.

    Attributes
    ----------
    first : array, shape (groups + 1,)
        Where each group's choices begin.
    load : array, shape (choices, stations)
        Data units.
    others : array, shape (groups + 1,)
        Best values of a group and all after it at the multipliers.
    ahead : array, shape (stations, slots + 1, states + 1)
        Of the trajectories.
    settled : array, shape (groups + 1, stations)
        Slots that are over for each station before a group.
    capacity : array, shape (stations,)
    """

    first: IntArray
    load: FloatArray
    others: FloatArray
    ahead: FloatArray
    settled: IntArray
    capacity: FloatArray
    utility: float
    weight: float


class Found(NamedTuple):
    """What a search found.

    Attributes
    ----------
    chosen : array, shape (groups,), or None
        Rows of `load` of the best solution; None when none is better than the value given.
    bound
        On all solutions of these choices.
    nodes
        Looked at.
    """

    value: float
    chosen: IntArray | None
    bound: float
    nodes: int


def layers(instance: Association, groups: Groups, choices: Choices, best: FloatArray, ahead: FloatArray) -> Layers:
    """Layers of choices, ordered by group; `best` has each group's best value at the multipliers."""
    count = len(groups.slot)
    settled = np.zeros((count + 1, instance.stations), np.int64)
    settled[count] = instance.slots
    for g in range(count - 1, -1, -1):  # a station is done with a slot unless a group that comes still stores there
        settled[g] = np.where(groups.most[g] > 0, groups.slot[g], settled[g + 1])
    return Layers(
        first=np.searchsorted(choices.group, np.arange(count + 1)),
        load=choices.load,
        others=np.append(best[::-1].cumsum()[::-1], 0.0),
        ahead=ahead,
        settled=settled,
        capacity=instance.capacity,
        utility=instance.utility_weight,
        weight=instance.price_weight,
    )


def search(layers: Layers, value: float, width: int) -> Found:
    """Look for a solution better than a value, with so many nodes a layer at most; O(width choices stations)."""
    stations = np.arange(len(layers.capacity))
    bound = np.array([layers.others[0] + layers.ahead[stations, layers.settled[0], -1].sum()])
    left, paid = layers.capacity[None].copy(), np.zeros(1)
    history: list[tuple[IntArray, IntArray]] = []
    dropped, nodes = value, 0
    for g in range(len(layers.first) - 1):
        if not len(bound) or bound.max() <= value:
            return Found(value, None, dropped, nodes)
        scale = value, bound.max() - value
        above = _count(layers, g, left, paid, scale)[::-1].cumsum()[::-1]  # nodes in a bin and all higher ones
        first = min(int((above > width).sum()), BINS - 1)
        if first or above[0] > width:
            dropped = max(dropped, value + scale[1] * (1.0 if above[first] > width else first / BINS))
        parent, choice, left, paid, bound = _expand(layers, g, left, paid, scale, first, min(above[first], width))
        nodes += len(parent)
        history.append((parent, choice))
    if not len(paid) or paid.max() <= value:
        return Found(value, None, dropped, nodes)
    at = int(paid.argmax())
    chosen = np.zeros(len(history), np.int64)
    value = float(paid[at])
    for g in range(len(history) - 1, -1, -1):
        parent, choice = history[g]
        chosen[g], at = choice[at], parent[at]
    return Found(value, chosen, max(dropped, value), nodes)


@compiled
def _add(layers: Layers, g: int, choice: int, left: FloatArray, paid: float, after: FloatArray) -> tuple[float, float]:
    """What is paid with a choice of group g, and the bound then; fills in the storage after it."""
    bound = layers.others[g + 1]
    states = layers.ahead.shape[2] - 1
    for j in range(len(left)):
        stored = layers.load[choice, j]
        after[j] = left[j] - stored
        if stored > 0:
            if after[j] <= EMPTY * layers.capacity[j]:
                return paid, -np.inf
            paid += layers.utility * stored - layers.weight * stored / left[j]
        if layers.capacity[j] > 0:
            at = after[j] / layers.capacity[j] * states
            low = min(int(at), states - 1)
            part = at - low
            row = layers.ahead[j, layers.settled[g + 1, j]]
            if part < AT_NODE:
                bound += row[low]
            elif part > 1 - AT_NODE:
                bound += row[low + 1]
            else:
                bound += (1 - part) * row[low] + part * row[low + 1]
    return paid, bound + paid


@compiled
def _bin(bound: float, scale: tuple[float, float]) -> int:
    """Where a bound is between the value to beat and the highest; -1 where it does not beat it."""
    if bound <= scale[0]:
        return -1
    return min(int((bound - scale[0]) / scale[1] * BINS), BINS - 1)


@compiled
def _count(layers: Layers, g: int, left: FloatArray, paid: FloatArray, scale: tuple[float, float]) -> IntArray:
    """Nodes after group g in each bin, shape (BINS,)."""
    count = np.zeros(BINS, np.int64)
    after = np.empty(left.shape[1])
    for node in range(len(paid)):
        for choice in range(layers.first[g], layers.first[g + 1]):
            _, bound = _add(layers, g, choice, left[node], paid[node], after)
            at = _bin(bound, scale)
            if at >= 0:
                count[at] += 1
    return count


@compiled
def _expand(
    layers: Layers, g: int, left: FloatArray, paid: FloatArray, scale: tuple[float, float], first: int, room: int
) -> tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray]:
    """Parents, choices, storage, payments and bounds of the nodes after group g in bins from `first` on."""
    parent, chosen = np.empty(room, np.int64), np.empty(room, np.int64)
    storage, payment, bounds = np.empty((room, left.shape[1])), np.empty(room), np.empty(room)
    after = np.empty(left.shape[1])
    count = 0
    for node in range(len(paid)):
        for choice in range(layers.first[g], layers.first[g + 1]):
            total, bound = _add(layers, g, choice, left[node], paid[node], after)
            if _bin(bound, scale) >= first and count < room:
                parent[count], chosen[count] = node, choice
                storage[count], payment[count], bounds[count] = after, total, bound
                count += 1
    return parent, chosen, storage, payment, bounds
