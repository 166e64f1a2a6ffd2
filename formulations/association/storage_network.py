"""Networks of storage levels: the states of a station from slot to slot, and exact prices on the arcs between them.

A state of station j in slot t is the storage H that it may have left; an arc stores a load L of that slot, costs
L / H and leads to H - L. Every sequence of loads is one path, so its price sum_t L / H(t) is exact.
Where a slot has too many states, neighbours are merged into the one with the most storage: prices are then no higher
than they are, and no load that fits is excluded, so the optimum over such networks is a bound. The states of a
sequence of loads can be added, which makes its price exact.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...instances.association import Association
from ...instances.fields import FloatArray, IntArray
from .referee import EMPTY
from .slot_choices import Choices

SAME = 1e-13  # relative to the capacity, or the largest load: states and loads that rounding tells apart
DOUBT = 1e-3  # of what counts as empty: rounding may decide, so such loads are admitted

Added = Mapping[tuple[int, int], FloatArray]  # storage levels by station and layer


class Layer(NamedTuple):
    """A slot in which a station may store something.

    Attributes
    ----------
    group
        The group that the station is in.
    load : array, shape (loads,)
        What it may store (data units), ascending; the first one is 0.
    load_of_choice : array, shape (choices,)
        The load of each choice of the group.
    level : array, shape (levels,)
        Storage that it may have left (data units), descending.
    target : array, shape (levels, loads)
        Level of the next layer; -1 where the load does not fit. After the last layer all are 0.
    """

    group: int
    load: FloatArray
    load_of_choice: IntArray
    level: FloatArray
    target: IntArray


class Network(NamedTuple):
    """The layers of a station, and whether no states were merged."""

    layers: list[Layer]
    exact: bool


def networks_of(
    instance: Association, choices: Sequence[Choices], max_arcs: int, added: Added | None = None
) -> list[Network]:
    """Return the network of each station.

    Parameters
    ----------
    choices
        Of all groups.
    max_arcs
        Arcs of a station in a slot from which on levels are merged, before levels are added.
    added
        Levels that must be among those of a station's layer.
    """
    return [_network(instance, choices, j, max_arcs, added or {}) for j in range(instance.stations)]


def _network(instance: Association, choices: Sequence[Choices], station: int, max_arcs: int, added: Added) -> Network:
    capacity = float(instance.capacity[station])
    groups = [g for g, own in enumerate(choices) if own.load[:, station].any()]
    loads = [_distinct(choices[g].load[:, station]) for g in groups]
    level, exact, layers = np.array([capacity]), True, list[Layer]()
    for n, (g, (load, of_choice)) in enumerate(zip(groups, loads, strict=True)):
        left = level[:, None] - load
        fits = (load == 0) | (left > EMPTY * (1 - DOUBT) * capacity)
        target, following = np.where(fits, 0, -1), np.zeros(0)
        if n + 1 < len(groups):
            most = max(max_arcs // len(loads[n + 1][0]), 2)
            following, whole = _levels(left[fits], most, added.get((station, n + 1), np.zeros(0)), SAME * capacity)
            exact &= whole
            # the least level that is no lower than what is left
            above = len(following) - np.searchsorted(following[::-1], left - SAME * capacity) - 1
            target = np.where(fits, np.maximum(above, 0), -1)
        layers.append(Layer(g, load, of_choice, level, target))
        level = following
    return Network(layers, exact)


def _distinct(load: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the loads that differ, ascending from 0, and the number of each choice's load."""
    values, number = np.unique(np.append(load, 0.0), return_inverse=True)
    first = np.concatenate([[True], np.diff(values) > SAME * values[-1]])
    return values[first], (np.cumsum(first) - 1)[number[:-1]]


def _levels(left: FloatArray, most: int, added: FloatArray, same: float) -> tuple[FloatArray, bool]:
    """Return storage levels, descending, such that no storage is above all of them, and whether none were merged."""
    values = np.unique(left)[::-1]
    values = values[np.concatenate([[True], -np.diff(values) > same])]
    if len(values) <= most:
        return values, True
    kept = values[np.linspace(0, len(values), most, endpoint=False).astype(np.int64)]
    together = np.unique(np.concatenate([kept, added]))[::-1]
    return together[np.concatenate([[True], -np.diff(together) > same])], False


def prices(instance: Association, network: Network, choices: Sequence[Choices]) -> list[FloatArray]:
    """Return the price of each arc of each layer, shape (levels, loads), in units of the objective.

    A price of more than twice what all data can earn is lowered to that: storing at it is still worse than nothing, and
    the costs of a model keep to a range that engines' tolerances tell apart. Where data earn nothing, prices stay.
    """
    weight = instance.price_weight
    if weight == 0:
        return [np.zeros(layer.target.shape) for layer in network.layers]
    earned = instance.utility_weight * sum(float(own.load.sum(1).max(initial=0.0)) for own in choices)
    dearest = 2 * earned if earned > 0 else np.inf
    return [np.minimum(weight * layer.load / layer.level[:, None], dearest) for layer in network.layers]


class Step(NamedTuple):
    """An arc that a sequence of loads uses: layer, level and load by number, and the storage that there truly is."""

    layer: int
    level: int
    load: int
    storage: float


def path(network: Network, chosen: Sequence[int]) -> list[Step]:
    """Follow the choices of the groups through a station's network, as far as they fit."""
    steps, level = list[Step](), 0
    storage = float(network.layers[0].level[0]) if network.layers else 0.0
    for n, layer in enumerate(network.layers):
        load = int(layer.load_of_choice[chosen[layer.group]])
        if layer.target[level, load] < 0:
            break
        steps.append(Step(n, level, load, storage))
        storage -= float(layer.load[load])
        level = int(layer.target[level, load])
    return steps


def refined(networks: Sequence[Network], chosen: Sequence[int], added: Added) -> Added | None:
    """Add the true storage of some choices to the levels; None where their prices are exact already."""
    found = dict(added)
    for j, network in enumerate(networks):
        capacity = float(network.layers[0].level[0]) if network.layers else 0.0
        for step in path(network, chosen)[1:]:
            if network.layers[step.layer].level[step.level] - step.storage > SAME * capacity * (step.layer + 1):
                found[j, step.layer] = np.append(found.get((j, step.layer), np.zeros(0)), step.storage)
    return None if len(found) == len(added) and all(len(found[key]) == len(added[key]) for key in added) else found
