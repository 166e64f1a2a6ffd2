"""The constraint model: literals of patterns (see `patterns`), worths rounded up and powers rounded down.

Powers are in intervals, so the optimum is a bound.
"""

from collections.abc import Mapping

import numpy as np

from ...instances.fields import BoolArray, FloatArray
from ...instances.record import Decision
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import STATION, UAV
from ..constraint_model import BoolVar, ConstraintModel, Values
from .links import Intervals, Sites, decided, nobody, too_near
from .patterns import links_of, tables_of, used_patterns
from .values import TOLERANCE


def describe(instance: Slicing) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is an upper bound on the problem's"


def build(instance: Slicing) -> ConstraintModel:
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
        self.instance, self.model = instance, ConstraintModel(exact=False)
        self.sites, self.intervals = Sites.of(instance), Intervals.all()
        self.tables = tables_of(instance, self.sites, self.intervals)
        self.use = {
            (layer, n): [self.model.literal(f"y[{layer},{n},{p}]") for p in range(len(table.worth))]
            for (layer, n), table in self.tables.items()
        }
        candidates = range(len(instance.uavs.candidates))
        uavs = range(instance.nodes[UAV])
        self.stands = [[self.model.literal(f"z[{v},{q}]") for q in candidates] for v in uavs]

    def finish(self) -> ConstraintModel:
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
        terms = [
            (literal, worth)
            for cell, own in self.use.items()
            for literal, worth in zip(own, self.tables[cell].worth.tolist(), strict=True)
        ]
        model.maximise(terms, nobody(instance), largest=most + abs(nobody(instance)))
        return model.reads(self._decision, self._values, trivial=nobody(instance) + most)

    def _user(self, cell: tuple[int, int], k: int) -> BoolArray:
        return np.asarray(self.tables[cell].user == k)

    def _of(self, cell: tuple[int, int], amount: FloatArray | BoolArray) -> list[tuple[BoolVar, float]]:
        """Literals of a subcarrier, and the sum of something over their links where there is any."""
        total = self.tables[cell].total(amount)
        return [(self.use[cell][p], float(total[p])) for p in np.flatnonzero(total).tolist()]

    def _limit(self, layer: int, v: int) -> None:
        """What a node sends, and how many users a station serves."""
        sent: list[tuple[BoolVar, float]] = []
        served: list[tuple[BoolVar, float]] = []
        for cell, table in self.tables.items():
            if cell[0] == layer:
                here = self.sites[layer].node[table.site] == v
                sent += self._of(cell, here * self.intervals.low[table.level])
                served += self._of(cell, here)
        self.model.add_capacity(sent, 1.0 + TOLERANCE)
        if layer == STATION:
            self.model.add_capacity(served, float(self.instance.station_capacity))

    def _place(self) -> None:
        """UAVs stand somewhere, far enough from each other, and their links are from there."""
        near = too_near(self.instance)
        for w, own in enumerate(self.stands):
            self.model.add_exactly_one(own)
            for other in self.stands[:w]:
                for q, r in np.argwhere(near).tolist():
                    self.model.add_at_most_one((own[q], other[r]))
            for cell, table in self.tables.items():
                if cell[0] == UAV:
                    site = self.sites[UAV]
                    for q, literal in enumerate(own):
                        here = (site.node[table.site] == w) & (site.candidate[table.site] == q)
                        for using, _ in self._of(cell, here):
                            self.model.add_implication(using, literal)

    def _decision(self, value: Values) -> SlicingDecision:
        used = [
            link
            for (layer, n), own in self.use.items()
            for p, literal in enumerate(own)
            if value(literal)
            for link in links_of(self.tables[layer, n], self.sites[layer], self.intervals, (layer, n, p))
        ]
        candidate = [int(np.argmax([value(literal) for literal in own])) for own in self.stands]
        return decided(self.instance, np.array(candidate, np.int64), used)

    def _values(self, decision: Decision) -> Mapping[BoolVar, int]:
        """Patterns of a decision, and where its UAVs stand."""
        assert isinstance(decision, SlicingDecision)
        used = set(used_patterns(self.instance, self.sites, self.tables, self.intervals, decision))
        found = {literal: int((*cell, p) in used) for cell, own in self.use.items() for p, literal in enumerate(own)}
        for v, own in enumerate(self.stands):
            found |= {literal: int(decision.uav_candidate[v] == q) for q, literal in enumerate(own)}
        return found
