"""The explicit model: x[t, u, l, g], c[t, u, k] and s[t, u, m] say what user u takes in slot t.

Choices that do not pay are left out; every user takes one of a kind of the others, and satellites, relays, caches and
servers have their capacities in every slot. Slots do not couple: one model holds as many problems as there are slots.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyomo.environ as pyo

from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.instance import CACHE, GEO, LEO, NONE, SERVER
from ..templates import templates
from .rewards import KINDS, rewards, useful

EXACT = True


def describe(instance: Provisioning) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is the problem's"


def build(instance: Provisioning) -> pyo.ConcreteModel:
    """State the model of an instance."""
    with templates(False):  # sums over what pays differ from place to place
        return _state(instance)


def _state(instance: Provisioning) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel("provisioning")
    table = rewards(instance)
    pairs, caches, servers = ([tuple(index) for index in own.tolist()] for own in useful(instance, table))
    m.PAIRS = pyo.Set(dimen=4, initialize=pairs, doc="slot, user, LEO satellite, GEO relay")
    m.CACHES = pyo.Set(dimen=3, initialize=caches, doc="slot, user, cache")
    m.SERVERS = pyo.Set(dimen=3, initialize=servers, doc="slot, user, server")
    m.x = pyo.Var(m.PAIRS, domain=pyo.Binary)
    m.c = pyo.Var(m.CACHES, domain=pyo.Binary)
    m.s = pyo.Var(m.SERVERS, domain=pyo.Binary)
    m.one_pair = _at_most(m.x, pairs, (0, 1), lambda t, u: 1, "one pair for user {1} in slot {0}")
    m.one_cache = _at_most(m.c, caches, (0, 1), lambda t, u: 1, "one cache for user {1} in slot {0}")
    m.one_server = _at_most(m.s, servers, (0, 1), lambda t, u: 1, "one server for user {1} in slot {0}")
    leo, geo, cache, server = ((lambda t, k, own=own: int(own[k])) for own in instance.capacities)
    m.leo = _at_most(m.x, pairs, (0, 2), leo, "LEO satellite {1} has at most {upper:g} users in slot {0}")
    m.geo = _at_most(m.x, pairs, (0, 3), geo, "GEO relay {1} has at most {upper:g} users in slot {0}")
    m.cache = _at_most(m.c, caches, (0, 2), cache, "cache {1} has at most {upper:g} users in slot {0}")
    m.server = _at_most(m.s, servers, (0, 2), server, "server {1} has at most {upper:g} users in slot {0}")

    @m.Objective(sense=pyo.maximize, doc="expected rewards of all slots and users")
    def reward(m):
        parts = ((table.transmission, m.x), (table.caching, m.c), (table.computing, m.s))
        return sum(float(earned[index]) * variable[index] for earned, variable in parts for index in variable)

    return m


def _at_most(
    variable: pyo.Var,
    indices: list[tuple[int, ...]],
    axes: tuple[int, int],
    most: Callable[[int, int], int],
    doc: str,
) -> pyo.Constraint:
    """For all variables that agree on two axes: so many of them are 1, where there are more."""
    together: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for index in indices:
        together.setdefault((index[axes[0]], index[axes[1]]), []).append(index)
    binding = {key: own for key, own in together.items() if len(own) > most(*key)}

    def rule(_: Any, t: int, k: int) -> Any:
        return sum(variable[index] for index in binding[t, k]) <= most(t, k)

    return pyo.Constraint(list(binding), rule=rule, doc=doc)


def start(model: pyo.ConcreteModel, instance: Provisioning, decision: ProvisioningDecision) -> None:
    """Give every variable its value in a decision."""
    choice = decision.choice
    for t, u, k, g in model.PAIRS:
        model.x[t, u, k, g].value = float(choice[t, u, LEO] == k and choice[t, u, GEO] == g)
    for variable, resource in ((model.c, CACHE), (model.s, SERVER)):
        for t, u, k in variable:
            variable[t, u, k].value = float(choice[t, u, resource] == k)


def extract(model: pyo.ConcreteModel, instance: Provisioning) -> ProvisioningDecision:
    """Read the decision from the variables' values."""
    choice = np.full((instance.slots, instance.users, 4), NONE)
    for variable, kinds in zip((model.x, model.c, model.s), KINDS, strict=True):
        for t, u, *taken in variable:
            if (variable[t, u, *taken].value or 0.0) > 0.5:
                choice[t, u, kinds] = taken
    return ProvisioningDecision(choice)
