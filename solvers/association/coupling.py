"""The least bound over multipliers of loads and their curvature (see `trajectories`)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ...instances.association import Association
from ...instances.fields import FloatArray, IntArray
from ..bundle import Evaluated, minimise
from ..master import Column
from .groups import Groups, Relaxed
from .incumbents import per_slot
from .slot_choices import Choices, Priced
from .storage_price import rests
from .terms import Terms
from .trajectories import Multipliers, Trajectories


class Box(NamedTuple):
    """Half the widths of a first box of multipliers: of loads, and of curvature over that of loads."""

    radius: float
    curvature: float


class Coupled(NamedTuple):
    """The bound at some multipliers.

    Attributes
    ----------
    groups
        What the groups are worth at these multipliers.
    worth : array, shape (stations,)
        Of each station's best trajectory.
    stored : array, shape (slots, stations)
        Its loads.
    """

    value: float
    multipliers: Multipliers
    groups: Priced
    worth: FloatArray
    stored: FloatArray


class Coupling:
    """Groups and stations, tied by multipliers."""

    def __init__(
        self,
        instance: Association,
        groups: Groups,
        trajectories: Trajectories,
        best_at: Callable[[Multipliers], Priced],
        reference: FloatArray,
        box: Box,
        relaxed: Sequence[Relaxed] = (),
    ) -> None:
        self._instance, self._groups, self._best_at = instance, groups, best_at
        self._trajectories, self._reference, self._box = trajectories, reference, box
        self._relaxed = {one.group for one in relaxed}
        self.met: list[Choices] = []

    def at(self, multipliers: Multipliers) -> Coupled:
        """Evaluate the bound."""
        groups = self._best_at(multipliers)
        worth, stored = self._trajectories.price(multipliers)
        self.met.append(groups.choices)
        return Coupled(float(groups.value.sum() + worth.sum()), multipliers, groups, worth, stored)

    def least(self, start: Multipliers, known: Choices, steps: int, enough: Callable[[float, float], bool]) -> Coupled:
        """Minimise the bound.

        Parameters
        ----------
        known
            A solution, one choice a group, whose pieces the search begins with.
        """
        found: dict[float, Coupled] = {}

        def evaluate(point: FloatArray) -> Evaluated:
            load, curve = point.reshape(2, *self._reference.shape)
            coupled = self.at(Multipliers(load, self._box.curvature * curve, self._reference))
            found[coupled.value] = coupled
            for value in sorted(found)[1:]:
                del found[value]
            return Evaluated(coupled.value, self._pieces(coupled.groups.load, coupled.stored))

        begin = np.concatenate([start.load.ravel(), start.curve.ravel() / self._box.curvature])
        lowest = np.concatenate([np.full(start.load.size, -np.inf), np.zeros(start.curve.size)])
        blocks = len(self._groups.slot) + self._instance.stations
        pieces = self._pieces(known.load, per_slot(self._instance, self._groups, known.load))
        minimise(evaluate, begin, lowest, blocks, self._box.radius, steps, enough, pieces)
        return self.at(found[min(found)].multipliers)  # so that the trajectories are left at these multipliers

    def _pieces(self, loads: FloatArray, stored: FloatArray) -> list[Column]:
        """Each group's loads, which gain by the multipliers, and each station's trajectory, which pays them."""
        instance, count = self._instance, len(self._groups.slot)
        columns = [
            self._column(g, np.flatnonzero(load), load, self._groups.slot[g], 1.0, 0.0) for g, load in enumerate(loads)
        ]
        left = instance.capacity - np.vstack([np.zeros(instance.stations), stored.cumsum(0)[:-1]])
        paid = np.divide(stored, left, out=np.zeros(stored.shape), where=stored > 0)
        gained = instance.utility_weight * stored.sum(0) - instance.price_weight * paid.sum(0)
        for j in range(instance.stations):
            slots = np.flatnonzero(stored[:, j])
            columns.append(self._column(count + j, np.full(len(slots), j), stored[slots, j], slots, -1.0, gained[j]))
        return columns

    def _column(
        self, block: int, station: IntArray, load: FloatArray, slot: IntArray | int, side: float, value: float
    ) -> Column:
        load = load[station] if block < len(self._groups.slot) else load
        reference = self._reference[slot, station]
        if block in self._relaxed:  # bounded by chords
            largest = np.minimum(self._groups.most[block, station], reference)
            rest = load / largest * rests(largest, reference)
        else:
            rest = rests(load, reference)
        bend = -self._instance.price_weight * rest
        row = slot * self._reference.shape[1] + station
        rows = np.concatenate([row, self._reference.size + row])
        return Column(block, rows, side * np.concatenate([load, self._box.curvature * bend]), -value, block)


def terms_at(instance: Association, multipliers: Multipliers) -> Terms:
    """What data is worth to groups."""
    reference, weight = multipliers.reference, instance.price_weight * multipliers.curve
    return Terms(multipliers.load, weight, reference, reference, np.zeros(instance.stations))


def worth_at(instance: Association, groups: Groups, choices: Choices, multipliers: Multipliers) -> FloatArray:
    """What choices are worth to their groups, shape (choices,)."""
    load, curve, reference = (part[groups.slot[choices.group]] for part in multipliers)
    bend = instance.price_weight * curve * rests(choices.load, reference)
    return np.asarray((load * choices.load - bend).sum(1))
