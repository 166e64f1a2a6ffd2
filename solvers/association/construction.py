"""Associations built link by link: satellites of a slot decide in turn, in the order of their numbers."""

from collections.abc import Callable, Sequence

import numpy as np

from ...formulations.association.referee import EMPTY, data
from ...instances.association import Association, AssociationDecision
from ...instances.association.instance import STATION
from ...instances.fields import FloatArray, IntArray
from ..result import Answer, Limits

Pick = Callable[["Turn"], int | None]


class Turn:
    """What a satellite can choose from when it is its turn.

    Attributes
    ----------
    links : array, shape (candidates, 4)
        Links on its windows, on free channels, for which the station has storage left; by station, then channel.
    own : array, shape (candidates,)
        Data of the candidate itself, beside the links made before (data units).
    load : array, shape (candidates, stations)
        Loads of the slot with the candidate.
    before : array, shape (stations,)
        Loads of the slot without it.
    left : array, shape (stations,)
        Storage when the slot began.
    """

    def __init__(self, instance: Association, made: list[IntArray], links: IntArray, left: FloatArray) -> None:
        self.instance, self.left = instance, left
        self.before = _loads(instance, np.array(made, np.int64).reshape(-1, 4))
        together = [np.vstack([*made, link]) for link in links]
        amounts = [data(instance, several) for several in together]
        load = np.array([_sums(instance, s, d) for s, d in zip(together, amounts, strict=True)])
        load = load.reshape(-1, instance.stations)
        fits = (load < left - EMPTY * instance.capacity)[np.arange(len(links)), links[:, STATION]]
        self.links, self.load = links[fits], load[fits]
        self.own = np.array([amount[-1] for amount in amounts])[fits] if len(links) else np.zeros(0)

    def gain(self) -> FloatArray:
        """What each candidate adds to the objective in this slot, shape (candidates,)."""
        instance = self.instance
        price = np.divide(instance.price_weight, self.left, out=np.zeros(len(self.left)), where=self.left > 0)
        return np.asarray((self.load - self.before) @ (instance.utility_weight - price))


def solve_random(instance: Association, limits: Limits) -> Answer:
    """Each satellite takes a station that it reaches, and a free channel there, at random (the paper's)."""
    rng = np.random.default_rng(limits.seed)

    def pick(turn: Turn) -> int:
        station = rng.choice(np.unique(turn.links[:, STATION]))
        return int(rng.choice(np.flatnonzero(turn.links[:, STATION] == station)))

    return _build(instance, pick)


def solve_greedy(instance: Association, limits: Limits) -> Answer:
    """Each satellite takes the station that stores most of its data, on the free channel of lowest number (paper)."""

    def pick(turn: Turn) -> int:
        first = np.flatnonzero(np.diff(turn.links[:, STATION], prepend=-1))
        return int(first[turn.own[first].argmax()])

    return _build(instance, pick)


def solve_greedy_channel(instance: Association, limits: Limits) -> Answer:
    """Each satellite takes the station and the channel that store most of its data."""
    return _build(instance, lambda turn: int(turn.own.argmax()))


def solve_load_aware(instance: Association, limits: Limits) -> Answer:
    """Each satellite takes the link by which the slot's objective grows most, or none."""

    def pick(turn: Turn) -> int | None:
        gain = turn.gain()
        return int(gain.argmax()) if gain.max() > 0 else None

    return _build(instance, pick)


def _build(instance: Association, pick: Pick) -> Answer:
    """Let satellites pick one of their candidates, slot by slot."""
    left, chosen = instance.capacity.copy(), []
    windows = instance.windows
    useful = (windows.valid_s > 0) & (instance.capacity[windows.station] > 0)
    for slot in range(instance.slots):
        own = np.flatnonzero(useful & (windows.slot == slot))
        made: list[IntArray] = []
        for satellite in np.unique(windows.satellite[own]):
            stations = np.sort(windows.station[own[windows.satellite[own] == satellite]])
            turn = Turn(instance, made, _free(instance, slot, int(satellite), stations, made), left)
            choice = pick(turn) if len(turn.links) else None
            if choice is not None:
                made.append(turn.links[choice])
        chosen += made
        left = left - _loads(instance, np.array(made, np.int64).reshape(-1, 4))
    return Answer(AssociationDecision(np.array(chosen, np.int64).reshape(-1, 4)))


def _free(instance: Association, slot: int, satellite: int, stations: IntArray, made: Sequence[IntArray]) -> IntArray:
    """Links of a satellite to these stations on channels that nobody has yet."""
    taken = {(int(link[2]), int(link[3])) for link in made}
    free = [
        (slot, satellite, station, channel)
        for station in stations.tolist()
        for channel in range(instance.channels)
        if (station, channel) not in taken
    ]
    return np.array(free, np.int64).reshape(-1, 4)


def _loads(instance: Association, links: IntArray) -> FloatArray:
    """Loads of one slot's links, shape (stations,)."""
    return _sums(instance, links, data(instance, links))


def _sums(instance: Association, links: IntArray, amount: FloatArray) -> FloatArray:
    total = np.zeros(instance.stations)
    np.add.at(total, links[:, STATION], amount)
    return total
