"""The constraint model with prices as products: cost[t, j] H[t, j] >= xi kappa L[t, j] in integers.

Loads and prices are rounded down, utility and capacity up: its optimum is no less than the problem's.
"""

import math
from collections.abc import Mapping

import numpy as np

from ...instances.association import Association, AssociationDecision
from ...instances.record import Decision
from ..constraint_model import BoolVar, ConstraintModel, Values, boolean_unit, objective_scale
from .patterns import groups_of, kinds_of_channels, links_of, patterns_of, used_patterns

STORAGE_UNITS = 2**26  # of the largest capacity
LARGEST_PRODUCTS = 2**61  # added up: CP-SAT wants sums of domains within 64 bits
SMALLEST = 1e-9  # capacity and objective that are still scaled up


def describe(instance: Association) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is an upper bound on the problem's: loads and prices are rounded in the model's favour"


def build(instance: Association) -> ConstraintModel:
    """State the constraint model of an instance."""
    return _Builder(instance).finish()


class _Builder:
    """Collects the variables of all groups, then of all stations and slots."""

    def __init__(self, instance: Association) -> None:
        self.instance = instance
        self.model = ConstraintModel(exact=False, presolve=False)
        self.kinds = kinds_of_channels(instance)
        self.groups = groups_of(instance)
        self.tables = [
            patterns_of(instance, group, self.kinds, single=instance.isolation == 0) for group in self.groups
        ]
        self.use = [self._patterns(g) for g in range(len(self.groups))]

    def _patterns(self, g: int) -> list[list[BoolVar]]:
        """Literals of a group's patterns (the empty one is left out), by kind of channel."""
        table = self.tables[g]
        numbers = range(1, len(table.mask))
        use = [[self.model.literal(f"y[{g},{k},{p}]") for p in numbers] for k in range(self.kinds)]
        for own in use:
            for patterns in table.exclusive():
                self.model.add_count([own[p - 1] for p in patterns], self.instance.channels // self.kinds)
        for i in self.groups[g].satellites:
            having = np.flatnonzero((table.link[1:] == i).any(1))
            self.model.add_at_most_one(own[p] for own in use for p in having)
        return use

    def finish(self) -> ConstraintModel:
        instance, model = self.instance, self.model
        terms = {(t, j): self._terms(t, j) for j in range(instance.stations) for t in range(instance.slots)}
        heaviest = max((sum(d for _, d in own) for own in terms.values()), default=0.0)
        unit = min(STORAGE_UNITS / max(float(instance.capacity.max()), SMALLEST), boolean_unit(heaviest))
        capacity = [math.ceil(c * unit) for c in instance.capacity]
        prices = instance.slots * instance.stations
        largest = instance.utility_weight * self._most() + instance.price_weight * prices
        scale = objective_scale(largest, instance.utility_weight * sum(d for own in terms.values() for _, d in own))
        while instance.price_weight * scale * max(capacity) * prices > LARGEST_PRODUCTS:
            scale /= 2
        costs: list[tuple[BoolVar, int]] = []
        for j in range(instance.stations):
            past: list[BoolVar] = []
            for t in range(instance.slots):
                if not terms[t, j]:
                    continue
                costs += [(y, -math.ceil(instance.utility_weight * d * scale)) for y, d in terms[t, j]]
                load = model.integer(0, max(capacity[j] - 1, 0), f"L[{t},{j}]")
                model.add_linear([(y, math.floor(d * unit)) for y, d in terms[t, j]], [(load, -1)], 0, lower=0)
                model.add_linear([], [(x, 1) for x in (*past, load)], capacity[j] - 1)
                if instance.price_weight:
                    costs.append((self._priced(t, j, capacity[j], past, load, scale), 1))
                past.append(load)
        model.set_objective(costs, 0, -scale)
        return model.reads(self._decision, self._values, trivial=instance.utility_weight * self._most())

    def _most(self) -> float:
        """More than all stations can store."""
        return float(sum(table.load.max((0, 2), initial=0.0).sum() for table in self.tables))

    def _terms(self, t: int, j: int) -> list[tuple[BoolVar, float]]:
        """Literals that store something at station j in slot t, and how much."""
        return [
            (self.use[g][k][p - 1], float(table.load[k, p, j]))
            for g, (group, table) in enumerate(zip(self.groups, self.tables, strict=True))
            if group.slot == t
            for k in range(self.kinds)
            for p in np.flatnonzero(table.load[k, :, j]).tolist()
        ]

    def _priced(self, t: int, j: int, capacity: int, past: list[BoolVar], load: BoolVar, scale: float) -> BoolVar:
        """Return the cost of station j's load in slot t, in units of the scaled objective, rounded down."""
        weight, model = self.instance.price_weight, self.model
        left = model.integer(1, capacity, f"H[{t},{j}]")
        model.add_linear([], [(left, 1), *((x, 1) for x in past)], capacity, lower=capacity)
        most = math.ceil(weight * scale) + 1  # no load is more than the storage that it finds
        cost = model.integer(0, most, f"cost[{t},{j}]")
        product = model.integer(0, most * capacity, f"paid[{t},{j}]")
        model.add_product(product, [cost, left])
        model.add_linear([], [(load, math.floor(weight * scale)), (left, -1), (product, -1)], -1)
        return cost

    def _decision(self, value: Values) -> AssociationDecision:
        used = [
            (g, k, p)
            for g, use in enumerate(self.use)
            for k, own in enumerate(use)
            for p, literal in enumerate(own, 1)
            if value(literal)
        ]
        return AssociationDecision(links_of(self.instance, self.groups, self.tables, used))

    def _values(self, decision: Decision) -> Mapping[BoolVar, int]:
        """Patterns of a decision; prices follow from them."""
        assert isinstance(decision, AssociationDecision)
        found: dict[BoolVar, int] = {y: 0 for use in self.use for own in use for y in own}
        for g, k, p in used_patterns(self.groups, self.tables, decision.links):
            found[self.use[g][k][p - 1]] = 1
        return found
