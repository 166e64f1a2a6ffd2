"""The explicit model: y[g, k, p] counts the channels of kind k on which group g uses pattern p.

A pattern is the set of links that share one channel in one slot (see `patterns`), so its loads are constants. Channels
that are alike are one kind, of which a group uses as many patterns as there are channels. The price of storage,
sum_t L / H(t), depends on the path; the model has convex lower bounds of it, so its optimum is a bound (an optimum
where nothing is charged or there is one slot).
"""

from typing import Any

import numpy as np
import pyomo.environ as pyo

from ...instances.association import Association, AssociationDecision
from ...instances.association.instance import CHANNEL, SATELLITE, SLOT, STATION
from ...instances.fields import IntArray
from ..templates import templates
from .patterns import groups_of, kinds_of_channels, most_stored, patterns_of
from .referee import EMPTY, loads

EXACT = False  # the objective is a bound on the referee's
TANGENTS = 24  # of each station's price


def build(instance: Association) -> pyo.ConcreteModel:
    """State the model of an instance."""
    with templates(False):  # sums over nothing, and sets that differ from group to group
        return _state(instance)


def _state(instance: Association) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel("association")
    groups, kinds = groups_of(instance), kinds_of_channels(instance)
    tables = [patterns_of(instance, group, kinds) for group in groups]
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

    @m.Constraint(m.GROUPS, m.KINDS, doc="group {0} has {upper:g} channels of kind {1}")
    def channels(m, g, k):
        patterns = range(1, len(tables[g].mask))
        return sum(m.y[g, k, p] for p in patterns) <= instance.channels // kinds

    seen = [(g, i) for g, group in enumerate(groups) for i in np.flatnonzero(group.linked.any(1)).tolist()]

    @m.Constraint(seen, doc="one link a satellite: number {1} of those that group {0} sees")
    def one_link(m, g, i):
        having = np.flatnonzero(tables[g].mask >> i & 1).tolist()
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
    kinds = len(model.KINDS)
    for g, group in enumerate(model.groups):
        own = decision.links[decision.links[:, SLOT] == group.slot]
        own = own[np.isin(own[:, SATELLITE], group.satellites)]
        for channel in np.unique(own[:, CHANNEL]):
            link = np.full(instance.stations, -1)
            together = own[own[:, CHANNEL] == channel]
            link[together[:, STATION]] = together[:, SATELLITE]
            pattern = int(np.flatnonzero((model.tables[g].link == link).all(1))[0])
            if pattern:
                model.y[g, int(channel) if kinds > 1 else 0, pattern].value = 1.0
    load = loads(instance, decision.links)
    left = instance.capacity - np.vstack([np.zeros(instance.stations), load.cumsum(0)[:-1]])
    paid = np.divide(load, left, out=np.zeros(load.shape), where=load > 0).sum(0)
    for j in model.STATIONS:
        model.price[j].value = float(paid[j])


def extract(model: pyo.ConcreteModel, instance: Association) -> AssociationDecision:
    """Read the decision from the variables' values; links that leave a station nothing are dropped."""
    links: list[tuple[int, int, int, int]] = []
    free = {(g, k): 0 for g in model.GROUPS for k in model.KINDS}
    for g, k, p in model.PATTERNS:
        if (model.y[g, k, p].value or 0.0) > 0.5:
            channel = k if len(model.KINDS) > 1 else free[g, k]
            free[g, k] += 1
            link = model.tables[g].link[p].tolist()
            links += [(model.groups[g].slot, i, j, channel) for j, i in enumerate(link) if i >= 0]
    return AssociationDecision(within_storage(instance, np.array(sorted(links), np.int64).reshape(-1, 4)))


def within_storage(instance: Association, links: IntArray) -> IntArray:
    """Links in the order of their slots, without those of slots in which a station has nothing left after them."""
    while True:
        left = instance.capacity - loads(instance, links).cumsum(0)
        spent = np.argwhere(left <= EMPTY * instance.capacity)
        wrong = [(t, j) for t, j in spent if ((links[:, SLOT] == t) & (links[:, STATION] == j)).any()]
        if not wrong:
            return links
        slot, station = wrong[0]
        links = links[(links[:, SLOT] != slot) | (links[:, STATION] != station)]
