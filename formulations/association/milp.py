"""The explicit model: choices of the slots, and every station's path through its storage levels.

x[g, c] says that group g takes choice c (see `slot_choices`), f[j, n, a, l] that station j, with storage level a in its
n-th layer, stores load l (see `storage_network`). A choice fixes the loads, and these fix the path, so only choices are
integers. On an arc the price of storage is a constant: the optimum is the problem's where no levels are merged, and
else a bound that `refine` tightens. Instances with too many choices get the bound model of `bound_milp`.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyomo.environ as pyo

from ...instances.association import Association, AssociationDecision
from ..templates import templates
from . import bound_milp
from .legend import Row, choices_legend, patterns_legend
from .slot_choices import Choices, choices_in, choices_of, links_of_choices
from .storage_network import Added, networks_of, path, prices, refined

EXACT = False  # as merged levels are a bound; `describe` says of an instance whether there are any
MAX_ARCS = 3_000  # of a station in a slot, before levels are added


def describe(instance: Association) -> str:
    """Say what the optimum of an instance's model is."""
    choices = choices_of(instance)
    if choices is None:
        return bound_milp.describe(instance)
    if all(network.exact for network in networks_of(instance, choices, MAX_ARCS)):
        return "the optimum is the problem's"
    return "the optimum is an upper bound on the problem's: neighbouring storage levels are merged"


def build(instance: Association, added: Added | None = None) -> pyo.ConcreteModel:
    """State the model of an instance.

    Parameters
    ----------
    added
        Storage levels that must not be merged with others.
    """
    choices = choices_of(instance)
    if choices is None:
        return bound_milp.build(instance)
    with templates(False):  # sums over nothing, and sets that differ from group to group
        return _state(instance, choices, added or {})


def _state(instance: Association, choices: list[Choices], added: Added) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel("association")
    m.choices, m.added = choices, added
    m.networks = networks_of(instance, choices, MAX_ARCS, added)
    m.GROUPS = pyo.Set(initialize=range(len(choices)))
    m.CHOICES = pyo.Set(
        dimen=2,
        initialize=[(g, c) for g, own in enumerate(choices) for c in range(1, len(own.load))],
        doc="group, choice; to link nothing is left out",
    )
    m.ARCS = pyo.Set(
        dimen=4,
        initialize=[
            (j, n, a, load)
            for j, network in enumerate(m.networks)
            for n, layer in enumerate(network.layers)
            for a, load in np.argwhere(layer.target >= 0).tolist()
        ],
        doc="station, layer, storage level, load",
    )
    m.x = pyo.Var(m.CHOICES, domain=pyo.Binary)
    m.f = pyo.Var(m.ARCS, bounds=(0.0, 1.0))
    paths = [(j, n) for j, network in enumerate(m.networks) for n in range(len(network.layers))]
    outgoing: dict[tuple[int, int, int], list[Any]] = {}
    incoming: dict[tuple[int, int, int], list[Any]] = {}
    storing: dict[tuple[int, int, int], list[Any]] = {}
    for j, n, a, load in m.ARCS:
        layer: Any = m.networks[j].layers[n]
        outgoing.setdefault((j, n, a), []).append(m.f[j, n, a, load])
        incoming.setdefault((j, n + 1, int(layer.target[a, load])), []).append(m.f[j, n, a, load])
        storing.setdefault((j, n, load), []).append(m.f[j, n, a, load])

    @m.Constraint([g for g, own in enumerate(choices) if len(own.load) > 1], doc="group {0} takes one choice")
    def one_choice(m, g):
        return sum(m.x[g, c] for c in range(1, len(choices[g].load))) <= 1

    @m.Constraint([key for key in outgoing if key[1] == 0], doc="station {0} begins with all of its storage")
    def begins(m, *state):
        return sum(outgoing[state]) == 1

    @m.Constraint(
        [key for key in outgoing if key[1] > 0], doc="station {0}, layer {1}, level {2}: as often left as met"
    )
    def continues(m, *state):
        return sum(outgoing[state]) == sum(incoming.get(state, []))

    @m.Constraint(
        [(j, n, load) for j, n in paths for load in range(1, len(m.networks[j].layers[n].load))],
        doc="station {0} stores load {2} in layer {1} exactly when its group's choice does",
    )
    def stores(m, j, n, load):
        layer = m.networks[j].layers[n]
        using = np.flatnonzero(layer.load_of_choice == load).tolist()
        return sum(storing.get((j, n, load), [])) == sum(m.x[layer.group, c] for c in using)

    @m.Objective(sense=pyo.maximize, doc="utility less the storage's price")
    def profit(m):
        utility = sum(instance.utility_weight * float(choices[g].load[c].sum()) * m.x[g, c] for g, c in m.CHOICES)
        price = [prices(instance, network, choices) for network in m.networks]
        return utility - sum(float(price[j][n][a, load]) * m.f[j, n, a, load] for j, n, a, load in m.ARCS)

    return m


def start(model: pyo.ConcreteModel, instance: Association, decision: AssociationDecision) -> None:
    """Give every variable its value in a decision."""
    if not hasattr(model, "networks"):
        bound_milp.start(model, instance, decision)
        return
    for variable in (model.x, model.f):
        for index in variable:
            variable[index].value = 0.0
    chosen = choices_in(instance, model.choices, decision.links)
    for g, c in enumerate(chosen):
        if c:
            model.x[g, c].value = 1.0
    for j, network in enumerate(model.networks):
        for step in path(network, chosen):
            model.f[j, step.layer, step.level, step.load].value = 1.0


def extract(model: pyo.ConcreteModel, instance: Association) -> AssociationDecision:
    """Read the decision from the variables' values; links that leave a station nothing are dropped."""
    if not hasattr(model, "networks"):
        return bound_milp.extract(model, instance)
    return AssociationDecision(links_of_choices(instance, model.choices, _chosen(model)))


def legend(model: pyo.ConcreteModel, instance: Association) -> Iterator[Row]:
    """Yield each variable and what it stands for."""
    return (choices_legend if hasattr(model, "networks") else patterns_legend)(model, instance)


def refine(model: pyo.ConcreteModel, instance: Association) -> Added | None:
    """Return levels that make the price of the variables' values exact; None where it is, or cannot be made so."""
    return refined(model.networks, _chosen(model), model.added) if hasattr(model, "networks") else None


def _chosen(model: pyo.ConcreteModel) -> list[int]:
    """Return the choice of each group by the variables' values."""
    chosen = [0] * len(model.choices)
    for g, c in model.CHOICES:
        if (model.x[g, c].value or 0.0) > 0.5:
            chosen[g] = c
    return chosen
