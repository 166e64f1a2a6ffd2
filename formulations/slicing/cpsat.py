"""The constraint model: literals of patterns (see `patterns`), worths rounded up and powers rounded down.

Powers are in intervals, so the optimum is a bound.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from ...instances.fields import BoolArray, FloatArray
from ...instances.record import Decision
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import STATION, UAV
from ..scaled import ScaledModel, scale_for
from .links import Intervals, Sites, decided, nobody, too_near
from .patterns import links_of, tables_of, used_patterns

POWER_UNITS = 2**30  # of a budget
LARGEST_SUM = 2**61  # of all coefficients: CP-SAT wants sums of domains within 64 bits
SMALLEST = 1e-9  # objective that is still scaled up


def build(instance: Slicing) -> ScaledModel:
    """State the constraint model of an instance.

    Raises
    ------
    InputError
        When a subcarrier has too many patterns.
    """
    return _Builder(instance).finish()


class _Builder:
    """Collects the literals of all subcarriers, then what they share."""

    def __init__(self, instance: Slicing) -> None:
        self.instance, self.model = instance, cp_model.CpModel()
        self.sites, self.intervals = Sites.of(instance), Intervals.all()
        self.tables = tables_of(instance, self.sites, self.intervals)
        self.use = {
            (layer, n): [self.model.new_bool_var(f"y[{layer},{n},{p}]") for p in range(len(table.worth))]
            for (layer, n), table in self.tables.items()
        }
        candidates = range(len(instance.uavs.candidates))
        uavs = range(instance.nodes[UAV])
        self.stands = [[self.model.new_bool_var(f"z[{v},{q}]") for q in candidates] for v in uavs]

    def finish(self) -> ScaledModel:
        instance, model = self.instance, self.model
        for own in self.use.values():
            model.add_at_most_one(own)
        for k in range(len(instance.slices)):
            model.add_at_most_one(literal for cell in self.use for literal, _ in self._of(cell, self._user(cell, k)))
        for layer, count in enumerate(instance.nodes):
            for v in range(count):
                self._limit(layer, v)
        self._place()
        most = sum(float(table.worth.max(initial=0.0)) for table in self.tables.values())
        scale = scale_for(max(most + abs(nobody(instance)), SMALLEST))
        while scale * sum(float(self.tables[cell].worth.sum()) for cell in self.use) > LARGEST_SUM:
            scale /= 2
        terms = [
            math.ceil(worth * scale) * literal
            for cell, own in self.use.items()
            for literal, worth in zip(own, self.tables[cell].worth.tolist(), strict=True)
        ]
        model.minimize(-sum(terms) - math.ceil(nobody(instance) * scale))
        trivial = nobody(instance) + most
        return ScaledModel(model, -scale, 0.0, trivial, self._decision, self._values, exact=False)

    def _user(self, cell: tuple[int, int], k: int) -> BoolArray:
        return np.asarray(self.tables[cell].user == k)

    def _of(self, cell: tuple[int, int], amount: FloatArray | BoolArray) -> list[tuple[cp_model.IntVar, float]]:
        """Literals of a subcarrier, and the sum of something over their links where there is any."""
        total = self.tables[cell].total(amount)
        return [(self.use[cell][p], float(total[p])) for p in np.flatnonzero(total).tolist()]

    def _limit(self, layer: int, v: int) -> None:
        """What a node sends, and how many users a station serves."""
        sent: list[Any] = []
        served: list[Any] = []
        for cell, table in self.tables.items():
            if cell[0] == layer:
                here = self.sites[layer].node[table.site] == v
                power = self._of(cell, here * self.intervals.low[table.level])
                sent += [math.floor(share * POWER_UNITS) * literal for literal, share in power]
                served += [int(count) * literal for literal, count in self._of(cell, here)]
        self.model.add(sum(sent) <= POWER_UNITS)
        if layer == STATION:
            self.model.add(sum(served) <= self.instance.station_capacity)

    def _place(self) -> None:
        """UAVs stand somewhere, far enough from each other, and their links are from there."""
        near = too_near(self.instance)
        for w, own in enumerate(self.stands):
            self.model.add_exactly_one(own)
            for other in self.stands[:w]:
                for q, r in np.argwhere(near).tolist():
                    self.model.add_at_most_one(own[q], other[r])
            for cell, table in self.tables.items():
                if cell[0] == UAV:
                    site = self.sites[UAV]
                    for q, literal in enumerate(own):
                        here = (site.node[table.site] == w) & (site.candidate[table.site] == q)
                        for using, _ in self._of(cell, here):
                            self.model.add_implication(using, literal)

    def _decision(self, value: Callable[[cp_model.IntVar], int]) -> SlicingDecision:
        used = [
            link
            for (layer, n), own in self.use.items()
            for p, literal in enumerate(own)
            if value(literal)
            for link in links_of(self.tables[layer, n], self.sites[layer], self.intervals, (layer, n, p))
        ]
        candidate = [int(np.argmax([value(literal) for literal in own])) for own in self.stands]
        return decided(self.instance, np.array(candidate, np.int64), used)

    def _values(self, decision: Decision) -> Mapping[cp_model.IntVar, int]:
        """Patterns of a decision, and where its UAVs stand."""
        assert isinstance(decision, SlicingDecision)
        used = set(used_patterns(self.instance, self.sites, self.tables, self.intervals, decision))
        found = {literal: int((*cell, p) in used) for cell, own in self.use.items() for p, literal in enumerate(own)}
        for v, own in enumerate(self.stands):
            found |= {literal: int(decision.uav_candidate[v] == q) for q, literal in enumerate(own)}
        return found
