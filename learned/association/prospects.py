"""What stations can expect of the slots ahead: orbits are known, so who will pass is known, too."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from ...instances.fields import FloatArray, IntArray
from ...solvers.association.days import Days

FEATURES = 18
SMALLEST = 1e-9  # storage is taken to be at least this share of the capacity


@dataclass(frozen=True)
class Prospects:
    """What could be stored at each station in the slots of W days, without interference.

    Attributes
    ----------
    now, ahead : array, shape (W, 3, T, J)
        Data of the K best links of a slot, and of all slots after it (data units): of all satellites, with a
        satellite's data divided by the stations that it reaches, and of those satellites only whose best station it is.
    capacity : array, shape (W, J)
    weight, utility : array, shape (W,)
        xi kappa and omega.
    """

    now: FloatArray
    ahead: FloatArray
    capacity: FloatArray
    weight: FloatArray
    utility: FloatArray

    @classmethod
    def of(cls, days: Days) -> Self:
        """The prospects of days."""
        _, stations, channels, slots = days.shape
        alone = days.rate * np.log2(1 + days.snr.max(2, initial=0.0))
        reached = (alone > 0).sum(1, keepdims=True).clip(min=1)
        best = np.where(alone == alone.max(1, keepdims=True), alone, 0.0)
        world = np.repeat(np.arange(len(days.instances)), np.diff(days.first))
        now = np.zeros((len(days.instances), 3, slots, stations))
        for kind, data in enumerate((alone, alone / reached, best)):
            for station in range(stations):
                own = data[:-1, station]
                order = np.lexsort((-own, days.slot[:-1], world))
                group = (world * slots + days.slot[:-1])[order]
                rank = np.arange(len(group)) - np.searchsorted(group, group)
                kept = order[rank < channels]
                np.add.at(now[:, kind, :, station], (world[kept], days.slot[kept]), own[kept])
        ahead = now[:, :, ::-1].cumsum(2)[:, :, ::-1] - now
        return cls(now, ahead, *(days.of_worlds(name) for name in ("capacity", "price_weight", "utility_weight")))

    def features(self, world: IntArray, slot: IntArray, left: FloatArray) -> FloatArray:
        """What is known of each station when a slot begins, shape (B, J, FEATURES).

        Saturated prospects over the storage left, share of the storage left, price over utility, and slots to come; of
        the station itself, then means over all stations.

        Parameters
        ----------
        world, slot : array, shape (B,)
        left : array, shape (B, J)
            Storage when the slot begins (data units).
        """
        capacity, slots = self.capacity[world], self.now.shape[2]
        storage = self.storage(world, left)[:, None]
        prospects = np.concatenate([self.ahead[world, :, slot], self.now[world, :1, slot]], 1) / storage
        price = self.weight[world, None] / storage[:, 0] / np.maximum(self.utility[world, None], 1e-12)
        price = np.minimum(price, 3.0)
        share = np.divide(left, capacity, out=np.zeros(left.shape), where=capacity > 0)
        to_come = np.broadcast_to(1 - (slot[:, None] + 1) / slots, left.shape)
        ahead = (prospects / (1 + prospects)).transpose(0, 2, 1)
        own = np.concatenate([ahead, np.stack([share, price, price**2 / 3, share * price, to_come], 2)], 2)
        return np.concatenate([own, np.broadcast_to(own.mean(1, keepdims=True), own.shape)], 2)

    def storage(self, world: IntArray, left: FloatArray) -> FloatArray:
        """Storage left, at least a little, shape (B, J)."""
        capacity = self.capacity[world]
        return np.maximum(left, SMALLEST * np.where(capacity > 0, capacity, 1.0))
