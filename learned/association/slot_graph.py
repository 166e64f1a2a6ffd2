"""The slots of days as graphs: satellites and stations, with an edge where the one is heard at the other."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from ...instances.fields import IntArray
from ...solvers.association.days import Days


@dataclass(frozen=True)
class SlotGraph:
    """All slots of W days, slot t of world w at w T + t, padded to V satellites and E edges.

    Attributes
    ----------
    satellites : array, shape (W T,)
        Satellites of each slot.
    turn : array, shape (W T, V)
        The turns of a slot, rows of `days`; `days.nobody` behind them.
    place, station : array, shape (W T, E)
        Ends of each edge: a satellite's place among the slot's turns, and a station.
    edges : array, shape (W T,)
        Edges of each slot.
    """

    days: Days
    satellites: IntArray
    turn: IntArray
    place: IntArray
    station: IntArray
    edges: IntArray

    @classmethod
    def of(cls, days: Days) -> Self:
        """Lay out the slots of days."""
        slots = days.shape[3]
        world = np.repeat(np.arange(len(days.instances)), np.diff(days.first))
        slot = world * slots + days.slot[:-1]
        row, station = np.nonzero((days.snr[:-1] > 0).any(2))
        count = len(days.instances) * slots
        satellites, edges = np.bincount(slot, minlength=count), np.bincount(slot[row], minlength=count)
        turn = _padded(np.arange(len(slot)), slot, satellites, days.nobody)
        place = np.arange(len(slot)) - np.append(0, satellites.cumsum())[slot]
        by_place, by_station = (_padded(end, slot[row], edges, 0) for end in (place[row], station))
        return cls(days, satellites, turn, by_place, by_station, edges)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """V, E, J, K."""
        _, stations, channels, _ = self.days.shape
        return self.turn.shape[1], self.place.shape[1], stations, channels

    def choices(self, world: int, links: IntArray) -> IntArray:
        """The actions of a world's satellites, shape (T, V), of its links, shape (links, 4); 0 is no link."""
        satellites, _, channels, slots = self.days.shape
        first, last = self.days.first[world : world + 2]
        slot, satellite, station, channel = links.T
        row = first + np.searchsorted(
            self.days.slot[first:last] * satellites + self.days.satellite[first:last], slot * satellites + satellite
        )
        begins = np.searchsorted(self.days.slot[first:last], slot)
        choice = np.zeros((slots, self.turn.shape[1]), np.int64)
        choice[slot, row - first - begins] = (station + 1) * channels + channel
        return choice


def _padded(values: IntArray, group: IntArray, sizes: IntArray, fill: int) -> IntArray:
    """Values of each group, ascending ones of shape (values,), side by side, shape (groups, largest size)."""
    table = np.full((len(sizes), max(1, sizes.max(initial=0))), fill)
    table[group, np.arange(len(group)) - np.append(0, sizes.cumsum())[group]] = values
    return table
