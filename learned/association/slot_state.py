"""Slots that are being decided, B at once: who is linked, what others' links would come to, and what they are worth."""

import functools

import numpy as np

from ...formulations.association.referee import EMPTY
from ...instances.fields import BoolArray, FloatArray, IntArray
from ..environment import Float32Array
from .slot_graph import SlotGraph

FEATURES = 17
UNDECIDED, NONE = -1, 0


class SlotState:
    """B slots, some of whose satellites have decided.

    Parameters
    ----------
    slot : array, shape (B,)
        Rows of the graph.
    left : array, shape (B, J)
        Storage when the slot begins (data units).
    ahead : array, shape (B, J)
        What a data unit of storage is worth to the slots after this one, on top of xi kappa / H.
    choice : array, shape (B, V), optional
        Actions by a satellite's place, (station + 1) K + channel; `NONE` is no link, `UNDECIDED` is open, which all are
        by default.
    """

    def __init__(
        self, graph: SlotGraph, slot: IntArray, left: FloatArray, ahead: FloatArray, choice: IntArray | None = None
    ) -> None:
        self.graph, self.slot, self.left = graph, slot, left
        days = graph.days
        world = slot // days.shape[3]
        weight, utility = days.of_worlds("price_weight")[world], days.of_worlds("utility_weight")[world]
        self._isolation, self._capacity = days.of_worlds("isolation")[world], days.of_worlds("capacity")[world]
        self._utility = utility[:, None]
        self.price = np.divide(weight[:, None], left, out=np.zeros(left.shape), where=left > 0)
        self.worth = self._utility - self.price - ahead
        places = np.arange(graph.shape[0]) < graph.satellites[slot][:, None]
        self.choice = np.where(places, UNDECIDED, NONE) if choice is None else choice

    @property
    def open(self) -> BoolArray:
        """Satellites that have not decided, shape (B, V)."""
        return np.asarray(self.choice == UNDECIDED)

    def decide(self, row: IntArray, place: IntArray, action: IntArray) -> None:
        """Let one satellite each of some rows decide."""
        self.choice[row, place] = action
        for name in ("holder", "interference", "data", "load", "possible", "_own"):
            self.__dict__.pop(name, None)

    @functools.cached_property
    def holder(self) -> IntArray:
        """The turn that has each channel, shape (B, J, K)."""
        _, _, stations, channels = self.graph.shape
        holder = np.full((len(self.slot), stations, channels), self.graph.days.nobody)
        row, place = np.nonzero(self.choice > NONE)
        station, channel = np.divmod(self.choice[row, place], channels)
        holder[row, station - 1, channel] = self.graph.turn[self.slot[row], place]
        return holder

    @functools.cached_property
    def interference(self) -> FloatArray:
        """See `Days.interference`, shape (B, J, K)."""
        return self.graph.days.interference(self.holder, self._isolation)

    @functools.cached_property
    def data(self) -> FloatArray:
        """Data of the links so far (data units), shape (B, J, K)."""
        return self.graph.days.data(self.holder, self.interference)

    @functools.cached_property
    def load(self) -> FloatArray:
        """What stations store so far (data units), shape (B, J)."""
        return np.asarray(self.data.sum(2))

    @property
    def value(self) -> FloatArray:
        """What the links so far are worth, the slots ahead included, shape (B,)."""
        return np.asarray((self.worth * self.load).sum(1))

    @property
    def edge(self) -> tuple[IntArray, IntArray, IntArray]:
        """Row, place and station of each edge, each of shape (B, E) or one that broadcasts to it."""
        return np.arange(len(self.slot))[:, None], self.graph.place[self.slot], self.graph.station[self.slot]

    @property
    def real(self) -> BoolArray:
        """Edges that are not padding, shape (B, E)."""
        return np.asarray(np.arange(self.graph.shape[1]) < self.graph.edges[self.slot][:, None])

    @functools.cached_property
    def _own(self) -> FloatArray:
        """What a link on each edge and channel would store beside those so far (data units), shape (B, E, K)."""
        days, (row, place, station) = self.graph.days, self.edge
        turn = self.graph.turn[self.slot][row, place]
        beside = days.snr[turn, station] / (1 + self.interference[row, station])
        return np.asarray(days.rate[turn, station][..., None] * np.log2(1 + beside))

    @functools.cached_property
    def possible(self) -> BoolArray:
        """Links on free channels of satellites that have not decided, for which there is storage, shape (B, E, K)."""
        row, place, station = self.edge
        room = (self.left - EMPTY * self._capacity - self.load)[row, station][..., None]
        free = (self.holder == self.graph.days.nobody)[row, station]
        asks = (self.open[row, place] & self.real)[..., None]
        return np.asarray(asks & free & (self._own > 0) & (self._own < room))

    def features(self) -> Float32Array:
        """What the network sees of each edge and channel, shape (B, E, K, FEATURES).

        ======================  ==================================================================================
        SNR, interference       decades over 4 of 1 + SNR, over 3 of 1 + what the station hears on the channel
        rate                    8 times the data units for each bit/s/Hz
        data                    of a link alone; of a link beside those so far, where possible
        gain                    what such a link is worth, what others lose by it, and their difference
        open, possible          whether the satellite has not decided, whether the link can be
        sends, linked           whether the satellite sends on the channel; whether it does so on this edge
        free, stored            whether the station's channel is free, and the data that it stores
        worth, price, storage   of the station: worth of a data unit, xi kappa / H over 2, share of storage left
        ======================  ==================================================================================
        """
        days, (row, place, station) = self.graph.days, self.edge
        turn = self.graph.turn[self.slot]
        snr, rate = days.snr[turn[row, place], station], days.rate[turn[row, place], station][..., None]
        possible, worth = self.possible, self.worth[row, station][..., None]
        own = np.where(possible, self._own, 0.0)
        lost = np.where(possible, self._lost(turn)[row, place], 0.0)
        sends = np.zeros(own.shape)
        linked_station, channel = np.divmod(self.choice[row, place], own.shape[2])
        links = self.choice[row, place] > NONE
        np.put_along_axis(sends, np.where(links, channel, 0)[..., None], links[..., None].astype(float), 2)
        capacity = np.maximum(self._capacity, 1e-300)
        parts = (
            np.log10(1 + snr) / 4,
            np.minimum(np.log10(1 + self.interference[row, station]) / 3, 2),
            8 * rate,
            rate * np.log2(1 + snr),
            own,
            worth * own,
            lost,
            worth * own - lost,
            self.open[row, place][..., None],
            possible,
            sends,
            sends * (linked_station - 1 == station)[..., None],
            self.holder[row, station] == days.nobody,
            self.data[row, station],
            worth,
            np.minimum(self.price, 2)[row, station][..., None],
            (self.left / capacity)[row, station][..., None],
        )
        return np.stack([np.broadcast_to(part, own.shape) for part in parts], -1, dtype=np.float32, casting="unsafe")

    def _lost(self, turn: IntArray) -> FloatArray:
        """What the links so far lose when a satellite sends on a channel, shape (B, V, K)."""
        days = self.graph.days
        louder = self._isolation[:, None, None, None] * days.snr[turn]
        after = days.data(self.holder[:, None], self.interference[:, None] + louder)
        return np.asarray(((self.data[:, None] - after) * self.worth[:, None, :, None]).sum(2))
