"""Utility, storage cost and violations of an association, straight from the definition; knows no model."""

from collections.abc import Iterator

import numpy as np

from ...instances.association import Association, AssociationDecision
from ...instances.association.instance import CHANNEL, SATELLITE, SLOT, STATION
from ...instances.fields import FloatArray, IntArray
from ..verdict import Verdict, Violation

PARTS = ("utility", "storage")
EMPTY = 1e-9  # storage left, as a share of the capacity, that counts as none: sums of rounded data


def judge(instance: Association, decision: AssociationDecision) -> Verdict:
    """Judge the links of a horizon.

    The objective is the sum over links of (omega - xi kappa / H_j(t)) d; its parts are the `utility` omega d and the
    `storage` cost xi kappa d / H_j(t), with the storage H_j(t) that station j has left when slot t begins.
    """
    links = decision.links
    window = instance.window(links[:, SLOT], links[:, SATELLITE], links[:, STATION])
    violations = [*_without_window(links, window), *_taken_twice(links)]
    if not violations:
        load = loads(instance, links)
        left = instance.capacity - np.vstack([np.zeros(instance.stations), load.cumsum(0)])
        violations = [*_without_storage(instance, links, load, left)]
    if violations:
        return Verdict(None, dict.fromkeys(PARTS), tuple(violations))
    price = np.divide(instance.price_weight, left[:-1], out=np.zeros(load.shape), where=load > 0)
    parts = {"utility": instance.utility_weight * load.sum(), "storage": (price * load).sum()}
    return Verdict(float(parts["utility"] - parts["storage"]), {name: float(part) for name, part in parts.items()})


def loads(instance: Association, links: IntArray) -> FloatArray:
    """Data that each station stores in each slot (data units), shape (slots, stations); every link on a window."""
    load = np.zeros((instance.slots, instance.stations))
    np.add.at(load, (links[:, SLOT], links[:, STATION]), data(instance, links))
    return load


def data(instance: Association, links: IntArray) -> FloatArray:
    """Data of each link (data units), shape (links,), with the interference of all others on its channel."""
    slot, satellite, station, channel = links.T
    window = instance.window(slot, satellite, station)
    interference = np.zeros(len(links))
    for there in _groups(links[:, [SLOT, CHANNEL]]):
        heard = instance.window(slot[there][:, None], satellite[there], station[there][:, None])
        gain = np.where(heard >= 0, instance.windows.gain[heard, channel[there]], 0.0)
        gain[station[there][:, None] == station[there]] = 0.0  # its own signal
        interference[there] = gain.sum(1)
    noise_w = instance.noise_w + instance.isolation * instance.power_w * interference
    return instance.data(window, instance.power_w * instance.windows.gain[window, channel] / noise_w)


def _groups(keys: IntArray) -> Iterator[IntArray]:
    """Indices of equal rows."""
    _, group = np.unique(keys, axis=0, return_inverse=True)
    for k in range(group.max(initial=-1) + 1):
        yield np.flatnonzero(group == k)


def _without_window(links: IntArray, window: IntArray) -> Iterator[Violation]:
    for slot, satellite, station, _ in links[window < 0]:
        yield Violation("window", f"slot {slot}, satellite {satellite}, station {station}", 1.0)


def _taken_twice(links: IntArray) -> Iterator[Violation]:
    """Satellites with several links in a slot, and channels of a station with several links in a slot."""
    for there in _groups(links[:, [SLOT, SATELLITE]]):
        if len(there) > 1:
            slot, satellite, _, _ = links[there[0]]
            yield Violation("one link a satellite", f"slot {slot}, satellite {satellite}", float(len(there) - 1))
    for there in _groups(links[:, [SLOT, STATION, CHANNEL]]):
        if len(there) > 1:
            slot, _, station, channel = links[there[0]]
            place = f"slot {slot}, station {station}, channel {channel}"
            yield Violation("one link a channel", place, float(len(there) - 1))


def _without_storage(instance: Association, links: IntArray, load: FloatArray, left: FloatArray) -> Iterator[Violation]:
    """Stations without storage that carry links, and stations that have none left after they stored data."""
    for j in np.flatnonzero(instance.capacity == 0):
        if count := (links[:, STATION] == j).sum():
            yield Violation("storage", f"station {j} has none", float(count))
    spent = (load > 0) & (left[1:] <= EMPTY * instance.capacity) & (instance.capacity > 0)
    for slot, station in np.argwhere(spent):
        yield Violation("storage", f"station {station} after slot {slot}", float(-left[slot + 1, station]))
