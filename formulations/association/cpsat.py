"""The constraint model with the path-dependent price: cost[t, j] H[t, j] >= xi kappa L[t, j] in integers.

Loads and prices are rounded down, utility and capacity up: its optimum is no less than the problem's.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from ...instances.association import Association, AssociationDecision
from ...instances.record import Decision
from ..scaled import ScaledModel, scale_for
from .patterns import groups_of, kinds_of_channels, links_of, patterns_of, used_patterns

STORAGE_UNITS = 2**26  # of the largest capacity
LARGEST_PRODUCTS = 2**61  # added up: CP-SAT wants sums of domains within 64 bits
SMALLEST = 1e-9  # capacity and objective that are still scaled up


def build(instance: Association) -> ScaledModel:
    """State the constraint model of an instance."""
    return _Builder(instance).finish()


class _Builder:
    """Collects the variables of all groups, then of all stations and slots."""

    def __init__(self, instance: Association) -> None:
        self.instance = instance
        self.model = cp_model.CpModel()
        self.kinds = kinds_of_channels(instance)
        self.groups = groups_of(instance)
        self.tables = [
            patterns_of(instance, group, self.kinds, single=instance.isolation == 0) for group in self.groups
        ]
        self.use = [self._patterns(g) for g in range(len(self.groups))]

    def _patterns(self, g: int) -> list[list[cp_model.IntVar]]:
        """Literals of a group's patterns (the empty one is left out), by kind of channel."""
        table = self.tables[g]
        numbers = range(1, len(table.mask))
        use = [[self.model.new_bool_var(f"y[{g},{k},{p}]") for p in numbers] for k in range(self.kinds)]
        for own in use:
            for patterns in table.exclusive():
                self.model.add(sum(own[p - 1] for p in patterns) <= self.instance.channels // self.kinds)
        for i in self.groups[g].satellites:
            having = np.flatnonzero((table.link[1:] == i).any(1))
            self.model.add_at_most_one(own[p] for own in use for p in having)
        return use

    def finish(self) -> ScaledModel:
        instance, model = self.instance, self.model
        unit = STORAGE_UNITS / max(float(instance.capacity.max()), SMALLEST)
        capacity = [math.ceil(c * unit) for c in instance.capacity]
        paid = instance.price_weight * instance.slots * instance.stations
        scale = scale_for(max(instance.utility_weight * self._most() + paid, SMALLEST))
        prices = instance.slots * instance.stations
        while instance.price_weight * scale * max(capacity) * prices > LARGEST_PRODUCTS:
            scale /= 2
        value: list[Any] = []
        for j in range(instance.stations):
            past: list[Any] = []
            for t in range(instance.slots):
                terms = self._terms(t, j)
                if not terms:
                    continue
                value += [math.ceil(instance.utility_weight * d * scale) * y for y, d in terms]
                load = model.new_int_var(0, max(capacity[j] - 1, 0), f"L[{t},{j}]")
                model.add(load == sum(math.floor(d * unit) * y for y, d in terms))
                model.add(sum(past) + load <= capacity[j] - 1)
                if instance.price_weight:
                    value.append(-self._priced(t, j, capacity[j], sum(past), load, scale))
                past.append(load)
        model.minimize(-sum(value))
        trivial = instance.utility_weight * self._most()
        # The presolve of OR-Tools 9.15 excludes optima of models with products (see or-tools issue 5274).
        reading = self._decision, self._values
        return ScaledModel(model, -scale, 0.0, trivial, *reading, exact=False, presolve=False)

    def _most(self) -> float:
        """More than all stations can store."""
        return float(sum(table.load.max((0, 2), initial=0.0).sum() for table in self.tables))

    def _terms(self, t: int, j: int) -> list[tuple[cp_model.IntVar, float]]:
        """Literals that store something at station j in slot t, and how much."""
        return [
            (self.use[g][k][p - 1], float(table.load[k, p, j]))
            for g, (group, table) in enumerate(zip(self.groups, self.tables, strict=True))
            if group.slot == t
            for k in range(self.kinds)
            for p in np.flatnonzero(table.load[k, :, j]).tolist()
        ]

    def _priced(self, t: int, j: int, capacity: int, past: Any, load: cp_model.IntVar, scale: float) -> cp_model.IntVar:
        """What station j's load in slot t costs, in units of the scaled objective, rounded down."""
        weight = self.instance.price_weight
        left = self.model.new_int_var(1, capacity, f"H[{t},{j}]")
        self.model.add(left == capacity - past)
        most = math.ceil(weight * scale) + 1  # no load is more than the storage that it finds
        cost = self.model.new_int_var(0, most, f"cost[{t},{j}]")
        product = self.model.new_int_var(0, most * capacity, f"paid[{t},{j}]")
        self.model.add_multiplication_equality(product, [cost, left])
        self.model.add(product >= math.floor(weight * scale) * load - (left - 1))
        return cost

    def _decision(self, value: Callable[[cp_model.IntVar], int]) -> AssociationDecision:
        used = [
            (g, k, p)
            for g, use in enumerate(self.use)
            for k, own in enumerate(use)
            for p, literal in enumerate(own, 1)
            if value(literal)
        ]
        return AssociationDecision(links_of(self.instance, self.groups, self.tables, used))

    def _values(self, decision: Decision) -> Mapping[cp_model.IntVar, int]:
        """Patterns of a decision; prices follow from them."""
        assert isinstance(decision, AssociationDecision)
        found: dict[cp_model.IntVar, int] = {y: 0 for use in self.use for own in use for y in own}
        for g, k, p in used_patterns(self.groups, self.tables, decision.links):
            found[self.use[g][k][p - 1]] = 1
        return found
