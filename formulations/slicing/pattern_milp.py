"""The pattern model: y[layer, n, p] says that pattern p is used on subcarrier n of a layer, z[v, q] where UAVs stand.

A pattern is a set of links with their powers (see `patterns`), so the logarithm of the SINR is exact. With powers in
intervals the optimum is a bound; `build(instance, Intervals.only(...))` is the problem over some powers alone.
"""

import itertools
from typing import Any

import numpy as np
import pyomo.environ as pyo

from ...instances.fields import BoolArray, FloatArray
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import STATION, UAV
from ..templates import templates
from .links import Intervals, Sites, decided, nobody
from .patterns import Patterns, links_of, tables_of, used_patterns
from .positions import place_at, place_uavs, placed

EXACT = False  # the objective is a bound on the referee's


def describe(instance: Slicing) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is an upper bound on the problem's"


def build(instance: Slicing, intervals: Intervals | None = None) -> pyo.ConcreteModel:
    """State the model of an instance, with any power unless intervals are given.

    Raises
    ------
    InputError
        When a subcarrier has too many patterns.
    """
    with templates(False):  # sums over nothing, and sets that differ from subcarrier to subcarrier
        return _state(instance, intervals or Intervals.all())


def _state(instance: Slicing, intervals: Intervals) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel("slicing_patterns")
    m.sites, m.intervals = Sites.of(instance), intervals
    m.tables = tables_of(instance, m.sites, intervals)
    used = [(*cell, p) for cell, table in m.tables.items() for p in range(len(table.worth))]
    m.CELLS = pyo.Set(initialize=list(m.tables), dimen=2, doc="layer, subcarrier")
    m.PATTERNS = pyo.Set(initialize=used, dimen=3, doc="layer, subcarrier, pattern")
    m.y = pyo.Var(m.PATTERNS, domain=pyo.Binary)
    place_uavs(m, instance)
    nodes = [(layer, v) for layer, count in enumerate(instance.nodes) for v in range(count)]

    def of(layer: int, n: int, amount: FloatArray | BoolArray) -> Any:
        """The sum of something over the links of a subcarrier."""
        total = m.tables[layer, n].total(amount)
        return sum(float(total[p]) * m.y[layer, n, p] for p in np.flatnonzero(total).tolist())

    def at(table: Patterns, layer: int, v: int) -> BoolArray:
        return np.asarray(m.sites[layer].node[table.site] == v)

    @m.Constraint(m.CELLS, doc="one pattern on subcarrier {1} of layer {0}")
    def one_pattern(m, layer, n):
        return _at_most(sum(m.y[layer, n, p] for p in range(len(m.tables[layer, n].worth))), 1.0)

    @m.Constraint(range(len(instance.slices)), doc="user {0} is served once")
    def served_once(m, k):
        return _at_most(sum(of(layer, n, table.user == k) for (layer, n), table in m.tables.items()), 1.0)

    @m.Constraint(nodes, doc="node {1} of layer {0} sends at most its budget")
    def budget(m, layer, v):
        own = (
            of(layer, n, intervals.low[table.level] * at(table, layer, v))
            for (own_layer, n), table in m.tables.items()
            if own_layer == layer
        )
        return _at_most(sum(own), 1.0)

    @m.Constraint(range(instance.nodes[STATION]), doc="station {0} serves at most {upper:g} users")
    def places(m, v):
        own = (of(STATION, n, at(m.tables[STATION, n], STATION, v)) for layer, n in m.tables if layer == STATION)
        return _at_most(sum(own), float(instance.station_capacity))

    standing = [(v, q, n) for v, q, (layer, n) in itertools.product(m.UAVS, m.CANDIDATES, m.tables) if layer == UAV]

    @m.Constraint(standing, doc="links of UAV {0} on candidate {1}, subcarrier {2}, where it stands")
    def where_it_stands(m, v, q, n):
        table = m.tables[UAV, n]
        here = at(table, UAV, v) & (m.sites[UAV].candidate[table.site] == q)
        using = np.flatnonzero(table.total(here)).tolist()
        return sum(m.y[UAV, n, p] for p in using) <= m.z[v, q] if using else pyo.Constraint.Feasible

    @m.Objective(sense=pyo.maximize, doc="(27) throughput, delay and coverage, weighed")
    def weighed(m):
        return nobody(instance) + sum(float(m.tables[layer, n].worth[p]) * m.y[layer, n, p] for layer, n, p in m.y)

    return m


def _at_most(expression: Any, bound: float) -> Any:
    """The constraint, or none where the sum is over nothing."""
    return expression <= bound if not isinstance(expression, int | float) else pyo.Constraint.Feasible


def start(model: pyo.ConcreteModel, instance: Slicing, decision: SlicingDecision) -> None:
    """Give every variable its value in a decision."""
    used = set(used_patterns(instance, model.sites, model.tables, model.intervals, decision))
    for index in model.PATTERNS:
        model.y[index].value = float(index in used)
    place_at(model, decision.uav_candidate)


def extract(model: pyo.ConcreteModel, instance: Slicing) -> SlicingDecision:
    """Read the decision from the variables' values."""
    links = []
    for layer, n, p in model.PATTERNS:
        if (model.y[layer, n, p].value or 0.0) > 0.5:
            links += links_of(model.tables[layer, n], model.sites[layer], model.intervals, (layer, n, p))
    return decided(instance, placed(model), links)
