"""The model with bounds on the price: y[g, k, p] says that group g uses pattern p on a channel of kind k.

A pattern is the set of links that share one channel in one slot (see `patterns`), so its loads are constants. Channels
that are alike are one kind, of which a group uses as many patterns as there are channels. Where isolation is 0 patterns
are single links, of which each station uses as many as it has channels: a plain assignment.

The price of storage, sum_t L / H(t), depends on the path; the model has convex lower bounds of it, so its optimum is a
bound (an optimum where nothing is charged or there is one slot).
"""

from typing import Any

import numpy as np
import pyomo.environ as pyo

from ...instances.association import Association, AssociationDecision
from ..templates import templates
from .patterns import groups_of, kinds_of_channels, links_of, most_stored, patterns_of, used_patterns
from .referee import loads

EXACT = False  # the objective is a bound on the referee's
TANGENTS = 24  # of each station's price


def describe(instance: Association) -> str:
    """Say what the optimum of an instance's model is."""
    if instance.price_weight == 0:
        return "the optimum is the problem's, as storage costs nothing"
    return "the optimum is an upper bound on the problem's: prices of storage are bounded from below"


def build(instance: Association) -> pyo.ConcreteModel:
    """State the model of an instance."""
    with templates(False):  # sums over nothing, and sets that differ from group to group
        return _state(instance)


def _state(instance: Association) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel("association_price_bound")
    groups, kinds = groups_of(instance), kinds_of_channels(instance)
    tables = [patterns_of(instance, group, kinds, single=instance.isolation == 0) for group in groups]
    exclusive = {(g, n): own.tolist() for g, table in enumerate(tables) for n, own in enumerate(table.exclusive())}
    m.KINDS = pyo.RangeSet(0, kinds - 1)
    m.STATIONS = pyo.RangeSet(0, instance.stations - 1)
    m.GROUPS = pyo.Set(initialize=range(len(groups)))
    used = [(g, k, p) for g, table in enumerate(tables) for k in m.KINDS for p in range(1, len(table.mask))]
    m.PATTERNS = pyo.Set(dimen=3, initialize=used, doc="group, kind of channel, pattern; the empty one is left out")
    m.y = pyo.Var(m.PATTERNS, domain=pyo.Binary)
    m.price = pyo.Var(m.STATIONS, domain=pyo.NonNegativeReals, doc="at most sum_t L / H(t)")
    stored = {
        (g, j): [
            (float(table.load[k, p, j]), k, p) for k in m.KINDS for p in np.flatnonzero(table.load[k, :, j]).tolist()
        ]
        for g, table in enumerate(tables)
        for j in range(instance.stations)
    }
    most = {j: sum(most_stored(instance, group)[j] for group in groups) for j in range(instance.stations)}
    largest = np.array([most_stored(instance, group) for group in groups]).reshape(-1, instance.stations)

    @m.Expression(m.STATIONS, doc="V, all that a station stores")
    def total(m, j):
        return sum(d * m.y[g, k, p] for g in m.GROUPS for d, k, p in stored[g, j])

    @m.Constraint(
        list(exclusive), m.KINDS, doc="group {0} has {upper:g} channels of kind {2} for its patterns, part {1}"
    )
    def channels(m, g, n, k):
        return sum(m.y[g, k, p] for p in exclusive[g, n]) <= instance.channels // kinds

    seen = [(g, i) for g, group in enumerate(groups) for i in group.satellites[group.linked.any(1)].tolist()]

    @m.Constraint(seen, doc="one link for satellite {1} in group {0}")
    def one_link(m, g, i):
        having = np.flatnonzero((tables[g].link == i).any(1)).tolist()
        return sum(m.y[g, k, p] for k in m.KINDS for p in having) <= 1

    @m.Constraint(m.STATIONS, doc="station {0} stores at most {upper:g} data units")
    def storage(m, j):
        return _at_most(m.total[j], float(instance.capacity[j]))

    points = [(j, n) for j in m.STATIONS for n in range(TANGENTS) if instance.price_weight and instance.capacity[j]]

    @m.Constraint(points, doc="tangent {1} of ln((C + M) / (C + M - V)), which the price of station {0} is above")
    def tangent(m, j, n):
        room = float(instance.capacity[j] + largest[:, j].max(initial=0.0))
        at = min(most[j], float(instance.capacity[j])) * n / (TANGENTS - 1)
        return m.price[j] >= np.log(room / (room - at)) + (m.total[j] - at) / (room - at)

    @m.Constraint([j for j, n in points if n == 0], doc="no storage is more than all of C at station {0}")
    def first_price(m, j):
        return m.price[j] >= m.total[j] / float(instance.capacity[j])

    @m.Objective(sense=pyo.maximize, doc="utility less the storage's price")
    def profit(m):
        return sum(instance.utility_weight * m.total[j] - instance.price_weight * m.price[j] for j in m.STATIONS)

    m.tables, m.groups = tables, groups
    return m


def _at_most(expression: Any, bound: float) -> Any:
    """The constraint, or none where the expression is a number."""
    return expression <= bound if expression.is_potentially_variable() else pyo.Constraint.Feasible


def start(model: pyo.ConcreteModel, instance: Association, decision: AssociationDecision) -> None:
    """Give every variable its value in a decision."""
    for index in model.PATTERNS:
        model.y[index].value = 0.0
    used = used_patterns(model.groups, model.tables, decision.links)
    for index in used:
        model.y[index].value = 1.0
    load = loads(instance, links_of(instance, model.groups, model.tables, used))
    left = instance.capacity - np.vstack([np.zeros(instance.stations), load.cumsum(0)[:-1]])
    paid = np.divide(load, left, out=np.zeros(load.shape), where=load > 0).sum(0)
    for j in model.STATIONS:
        model.price[j].value = float(paid[j])


def extract(model: pyo.ConcreteModel, instance: Association) -> AssociationDecision:
    """Read the decision from the variables' values; links that leave a station nothing are dropped."""
    used = [index for index in model.PATTERNS if (model.y[index].value or 0.0) > 0.5]
    return AssociationDecision(links_of(instance, model.groups, model.tables, used))
