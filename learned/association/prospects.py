"""What a station can expect of the slots ahead: orbits are known, so who will pass is known, too."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from ...instances.association import Association
from ...instances.fields import FloatArray
from .days import Days

FEATURES = 16


@dataclass(frozen=True)
class Prospects:
    """What could be stored at each station of an instance, slot by slot, without interference.

    Attributes
    ----------
    here : array, shape (3, T, J)
        Data of the K best links of a slot (data units): of all satellites, with a satellite's data divided by the
        stations that it reaches, and of those satellites only whose best station it is.
    capacity : array, shape (J,)
    weight, utility
        xi kappa and omega.
    """

    here: FloatArray
    capacity: FloatArray
    weight: float
    utility: float

    @classmethod
    def of(cls, instance: Association) -> Self:
        """The prospects of an instance."""
        days = Days.of([instance])
        _, stations, channels, slots = days.shape
        alone = days.rate * np.log2(1 + days.snr.max(2, initial=0.0))
        reached = (alone > 0).sum(1, keepdims=True).clip(min=1)
        best = np.where(alone == alone.max(1, keepdims=True), alone, 0.0)
        here = np.zeros((3, slots, stations))
        for t in range(slots):
            own = days.slot[:-1] == t
            for kind, data in enumerate((alone, alone / reached, best)):
                here[kind, t] = np.sort(data[:-1][own], 0)[::-1][:channels].sum(0)
        return cls(here, instance.capacity, instance.price_weight, instance.utility_weight)

    def features(self, left: FloatArray, first: int = 0) -> FloatArray:
        """What is known of each station when slots begin, shape (slots, J, FEATURES).

        Parameters
        ----------
        left : array, shape (slots, J)
            Storage left at the beginning of the slots from `first` on.
        """
        slots = slice(first, first + len(left))
        total = self.here.shape[1]
        storage = np.maximum(left, 1e-9 * np.maximum(self.capacity, 1.0))
        ahead = (self.here[:, ::-1].cumsum(1)[:, ::-1] - self.here)[:, slots] / storage
        now = self.here[0, slots] / storage
        price = np.minimum(self.weight / storage / max(self.utility, 1e-12), 3.0)
        to_come = np.broadcast_to(1 - (first + 1 + np.arange(len(left))[:, None]) / total, left.shape)
        share = np.divide(left, self.capacity, out=np.zeros(left.shape), where=self.capacity > 0)
        own = np.stack([*(ahead / (1 + ahead)), now / (1 + now), share, price, price**2 / 3, to_come], -1)
        mean = np.broadcast_to(own.mean(1, keepdims=True), own.shape)
        return np.concatenate([own, mean], -1)
