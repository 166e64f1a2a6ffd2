"""B days at once, whose satellites decide in turn, slot by slot."""

import functools
from dataclasses import dataclass

import numpy as np

from ...formulations.association.referee import EMPTY
from ...instances.association import AssociationDecision
from ...instances.fields import BoolArray, FloatArray, IntArray
from .days import Days


@dataclass(frozen=True)
class Moment:
    """What B satellites whose turn it is would do: the rates of the slot so far, and what each link adds.

    Attributes
    ----------
    own : array, shape (B, J, K)
        Data of the satellite's links beside those made before (data units).
    gain : array, shape (B, J, K)
        What they add to the objective, others' losses by interference included.
    possible : array, shape (B, J, K)
        Links on free channels for which the station has storage left.
    """

    own: FloatArray
    gain: FloatArray
    possible: BoolArray


class Turns:
    """Satellites take a station and a channel, or none, in the order of the turns of `Days`.

    Actions number the outputs of the paper's network: (station + 1) K + channel, and 0 is no link, the paper's virtual
    station (its other channels would be the same and are never possible). The reward is what an action adds to the
    objective, less what its interference takes from others, so that a day's return is the referee's objective.

    Attributes
    ----------
    turn : array, shape (B,)
        Whose turn it is, a row of `days`; the last row when a day is over.
    left : array, shape (B, J)
        Storage that stations had left when the slot began (data units).
    holder : array, shape (B, J, K)
        The turn that has taken a channel in this slot; the last row of `days` where it is free.
    taken : array, shape (B, longest + 1)
        The actions of the day so far, by turn.
    """

    def __init__(self, days: Days) -> None:
        self.days = days
        self.worlds = len(days.instances)
        _, self.stations, self.channels, self.slots = days.shape
        self.actions = (self.stations + 1) * self.channels
        self.longest = int(np.diff(days.first).max())
        self._nobody = days.nobody
        self._capacity = days.of_worlds("capacity")
        self._isolation = days.of_worlds("isolation")
        self._utility, self._weight = days.of_worlds("utility_weight"), days.of_worlds("price_weight")
        self.reset(np.zeros(1, np.int64))

    def reset(self, world: IntArray) -> None:
        """Begin the days of these worlds, shape (B,)."""
        self.world = world.copy()
        batch = len(world)
        self._forget("interference", "data", "load")
        self.turn = np.zeros(batch, np.int64)
        self.left = np.zeros((batch, self.stations))
        self.holder = np.zeros((batch, self.stations, self.channels), np.int64)
        self.taken = np.zeros((batch, self.longest + 1), np.int64)
        self.begin(np.arange(batch), world)

    def begin(self, which: IntArray, world: IntArray) -> None:
        """Begin new days in some of the B environments."""
        self.world[which] = world
        self.turn[which] = self.days.first[world]
        self.left[which] = self._capacity[world]
        self.taken[which] = 0
        self._clear(which)
        without_turns = self.days.first[world] == self.days.first[world + 1]
        self.turn[which[without_turns]] = self._nobody
        self._forget("price", "worth", "share_left", "moment", "mask")

    @property
    def over(self) -> BoolArray:
        """Whether the day is over, shape (B,)."""
        return np.asarray(self.turn == self._nobody)

    @functools.cached_property
    def price(self) -> FloatArray:
        """xi kappa / H of the slot, shape (B, J)."""
        weight = self._weight[self.world][:, None]
        return np.divide(weight, self.left, out=np.zeros(self.left.shape), where=self.left > 0)

    @functools.cached_property
    def worth(self) -> FloatArray:
        """What a data unit is worth in this slot, omega - xi kappa / H, shape (B, J)."""
        return np.asarray(self._utility[self.world][:, None] - self.price)

    @functools.cached_property
    def share_left(self) -> FloatArray:
        """Storage left over the capacity, shape (B, J)."""
        capacity = self._capacity[self.world]
        return np.divide(self.left, capacity, out=np.zeros(capacity.shape), where=capacity > 0)

    @functools.cached_property
    def interference(self) -> FloatArray:
        """Isolation times what others' links are heard at over the noise, shape (B, J, K)."""
        return self.days.interference(self.holder, self._isolation[self.world])

    @functools.cached_property
    def data(self) -> FloatArray:
        """Data of the slot's links so far (data units), shape (B, J, K)."""
        return self.days.data(self.holder, self.interference)

    @functools.cached_property
    def load(self) -> FloatArray:
        """Data that stations store in the slot so far, shape (B, J)."""
        return np.asarray(self.data.sum(2))

    @functools.cached_property
    def moment(self) -> Moment:
        """What the satellites whose turn it is would do."""
        days = self.days
        signal, rate = days.snr[self.turn], days.rate[self.turn][:, :, None]
        own = rate * np.log2(1 + signal / (1 + self.interference))
        isolation = self._isolation[self.world][:, None, None]
        lost = (self.data - days.data(self.holder, self.interference + isolation * signal)) * self.worth[:, :, None]
        gain = self.worth[:, :, None] * own - lost.sum(1, keepdims=True)
        room = self.left - EMPTY * self._capacity[self.world] - self.load
        possible = (rate > 0) & ~self.held & (own < room[:, :, None])
        return Moment(own, gain, possible)

    @property
    def held(self) -> BoolArray:
        """Channels that are taken in this slot, shape (B, J, K)."""
        return np.asarray(self.holder != self._nobody)

    @functools.cached_property
    def mask(self) -> BoolArray:
        """Which actions are possible, shape (B, actions)."""
        mask = np.zeros((len(self.turn), self.actions), bool)
        mask[:, 0] = True
        mask[:, self.channels :] = self.moment.possible.reshape(len(mask), -1)
        return mask

    def step(self, action: IntArray) -> FloatArray:
        """Take actions, shape (B,), of the satellites whose turn it is; what they add to the objectives, shape (B,).

        An impossible link is none, so every action is feasible; nothing happens in a day that is over.
        """
        batch = np.arange(len(action))
        station, channel = np.divmod(action, self.channels)
        links = (station > 0) & ~self.over
        links[links] = self.mask[links, action[links]]
        reward = np.where(links, self.moment.gain[batch, station - 1, channel], 0.0)
        self.holder[batch[links], station[links] - 1, channel[links]] = self.turn[links]
        self.taken[batch, np.minimum(self.turn - self.days.first[self.world], self.longest)] = np.where(
            links, action, 0
        )
        self._forget("interference", "data", "load")
        self._go_on()
        return reward

    def _go_on(self) -> None:
        """Pass the turn on; a slot that ends leaves its data at the stations."""
        days = self.days
        later = np.where(self.over, self.turn, self.turn + 1)
        ends = later == days.first[self.world + 1]
        new = ends | (days.slot[later] != days.slot[self.turn])
        self.turn = np.where(ends, self._nobody, later)
        if new.any():
            self.left[new] -= self.load[new]
            self._clear(new)
        self._forget("price", "worth", "share_left", "moment", "mask")

    def _clear(self, which: BoolArray | IntArray) -> None:
        """Free all channels."""
        self.holder[which] = self._nobody
        for name in ("interference", "data", "load"):
            if name in self.__dict__:
                self.__dict__[name][which] = 0.0

    def _forget(self, *names: str) -> None:
        for name in names:
            self.__dict__.pop(name, None)

    def links(self, b: int) -> AssociationDecision:
        """The links of a day so far."""
        days, world = self.days, self.world[b]
        turn = np.arange(days.first[world], days.first[world + 1])
        station, channel = np.divmod(self.taken[b, : len(turn)], self.channels)
        columns = days.slot[turn], days.satellite[turn], station - 1, channel
        return AssociationDecision(np.stack(columns, 1)[station > 0])
