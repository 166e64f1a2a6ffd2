"""The constraint model: literals of the slots' choices and of the stations' storage levels, as in `milp`.

All rows have coefficients of 1; only the objective is rounded, upwards. Instances with too many choices get
the model of `product_cpsat`.
"""

from collections.abc import Mapping

import numpy as np

from ...instances.association import Association, AssociationDecision
from ...instances.record import Decision
from ..constraint_model import BoolVar, ConstraintModel, Values
from . import product_cpsat
from .slot_choices import Choices, choices_in, choices_of, links_of_choices
from .storage_network import Added, Network, networks_of, path, prices, refined

MAX_ARCS = 500  # of a station in a slot, before levels are added; CP-SAT bears fewer than HiGHS


def describe(instance: Association) -> str:
    """Say what the optimum of an instance's model is."""
    choices = choices_of(instance)
    if choices is None:
        return product_cpsat.describe(instance)
    if all(network.exact for network in networks_of(instance, choices, MAX_ARCS)):
        return "the optimum is the problem's, with the objective rounded up"
    return "the optimum is an upper bound on the problem's: neighbouring storage levels are merged"


def build(instance: Association, added: Added | None = None) -> ConstraintModel:
    """State the constraint model of an instance.

    Parameters
    ----------
    added
        Storage levels that must not be merged with others.
    """
    choices = choices_of(instance)
    return product_cpsat.build(instance) if choices is None else _Builder(instance, choices, added or {}).finish()


class _Builder:
    """Collects the literals of all groups, then of all stations."""

    def __init__(self, instance: Association, choices: list[Choices], added: Added) -> None:
        self.instance, self.choices, self.added = instance, choices, added
        self.model = ConstraintModel(exact=False, linearization=2)
        self.networks = networks_of(instance, choices, MAX_ARCS, added)
        self.take = [
            [self.model.literal(f"x[{g},{c}]") for c in range(1, len(own.load))] for g, own in enumerate(choices)
        ]
        self.arcs = [self._arcs(j, network) for j, network in enumerate(self.networks)]

    def _arcs(self, j: int, network: Network) -> dict[tuple[int, int, int], BoolVar]:
        """Literals of a station's arcs by layer, level and load."""
        return {
            (n, a, load): self.model.literal(f"f[{j},{n},{a},{load}]")
            for n, layer in enumerate(network.layers)
            for a, load in np.argwhere(layer.target >= 0).tolist()
        }

    def finish(self) -> ConstraintModel:
        instance, model = self.instance, self.model
        for own in self.take:
            model.add_at_most_one(own)
        for arcs, network in zip(self.arcs, self.networks, strict=True):
            self._route(arcs, network)
        worth = [[instance.utility_weight * float(load.sum()) for load in own.load[1:]] for own in self.choices]
        most = sum(max(own, default=0.0) for own in worth)
        paid = instance.price_weight * sum(len(network.layers) for network in self.networks)
        terms = [pair for own, values in zip(self.take, worth, strict=True) for pair in zip(own, values, strict=True)]
        for arcs, network in zip(self.arcs, self.networks, strict=True):
            price = prices(instance, network, self.choices)
            terms += [(literal, -float(price[n][a, load])) for (n, a, load), literal in arcs.items() if load]
        model.maximise(terms, largest=most + paid)
        model.refine = self._refine
        return model.reads(self._decision, self._values, trivial=most)

    def _route(self, arcs: dict[tuple[int, int, int], BoolVar], network: Network) -> None:
        """State that a station's arcs are a path, and store what its groups' choices store."""
        outgoing: dict[tuple[int, int], list[BoolVar]] = {}
        incoming: dict[tuple[int, int], list[BoolVar]] = {}
        storing: dict[tuple[int, int], list[BoolVar]] = {}
        for (n, a, load), literal in arcs.items():
            outgoing.setdefault((n, a), []).append(literal)
            incoming.setdefault((n + 1, int(network.layers[n].target[a, load])), []).append(literal)
            storing.setdefault((n, load), []).append(literal)
        for n, layer in enumerate(network.layers):
            self.model.add_exactly_one(literal for (m, _), own in outgoing.items() if m == n for literal in own)
            for load in range(1, len(layer.load)):
                using = [self.take[layer.group][c - 1] for c in np.flatnonzero(layer.load_of_choice == load).tolist()]
                self._balance(storing.get((n, load), []), using)
        for state, own in outgoing.items():
            if state[0]:
                self._balance(own, incoming.get(state, []))

    def _balance(self, left: list[BoolVar], right: list[BoolVar]) -> None:
        """State that as many literals hold on the left as on the right."""
        self.model.add_linear([*((x, 1) for x in left), *((x, -1) for x in right)], [], 0, lower=0)

    def _chosen(self, value: Values) -> list[int]:
        """Return the choice of each group."""
        return [next((c for c, literal in enumerate(own, 1) if value(literal)), 0) for own in self.take]

    def _decision(self, value: Values) -> AssociationDecision:
        return AssociationDecision(links_of_choices(self.instance, self.choices, self._chosen(value)))

    def _refine(self, value: Values) -> Added | None:
        return refined(self.networks, self._chosen(value), self.added)

    def _values(self, decision: Decision) -> Mapping[BoolVar, int]:
        """Return the values of all literals in a decision."""
        assert isinstance(decision, AssociationDecision)
        chosen = choices_in(self.instance, self.choices, decision.links)
        values = {literal: int(c == chosen[g]) for g, own in enumerate(self.take) for c, literal in enumerate(own, 1)}
        for arcs, network in zip(self.arcs, self.networks, strict=True):
            used = {(step.layer, step.level, step.load) for step in path(network, chosen)}
            values |= {literal: int(arc in used) for arc, literal in arcs.items()}
        return values
