"""The explicit model as the paper states it, in levels of powers and rates.

x[l, i, k, n, p] = 1 when user k is served from site i on subcarrier n of layer l with a power in interval p,
r[l, i, k, n, g] = 1 when it is credited with level g of the rate, z[v, q] = 1 where UAVs stand. A level needs a SINR, a
linear inequality in the powers that a large constant switches off. Levels are credited with their upper ends, signals
are at the top of their interval and interference at the bottom: the optimum bounds that of any powers and rates. This
model is the small one, not the sharp one (see `pattern_milp`). `build(instance, Intervals.only(...))` has the paper's
fixed levels of power; what its optimum bounds is then that over these powers.
"""

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyomo.environ as pyo

from ...instances.fields import FloatArray
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import STATION, UAV
from ..templates import templates
from .links import Intervals, Link, Sites, decided, nobody, worths
from .positions import place_at, place_uavs, placed
from .values import TOLERANCE, Served, sinr

EXACT = False  # the objective is a bound on the referee's
LEVELS = 6  # of the rate, in equal steps up to that of a link alone


def describe(instance: Slicing) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is an upper bound on the problem's"


def build(instance: Slicing, intervals: Intervals | None = None) -> pyo.ConcreteModel:
    """State the model of an instance, with any power unless intervals are given."""
    with templates(False):  # sums over nothing, and sets that differ from layer to layer
        return _state(instance, intervals or Intervals.all())


def _state(instance: Slicing, intervals: Intervals) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel("slicing")
    m.sites, m.intervals = Sites.of(instance), intervals
    low, high = m.intervals
    m.needed, credit = _levels(instance, m.sites)
    m.INTERVALS = pyo.RangeSet(0, len(low) - 1)
    m.LINKS = pyo.Set(initialize=list(m.needed), dimen=4, doc="layer, site, user, subcarrier")
    m.LEVELS = pyo.Set(initialize=[(*link, g) for link, own in m.needed.items() for g in range(len(own))], dimen=5)
    m.x = pyo.Var(m.LINKS, m.INTERVALS, domain=pyo.Binary)
    m.r = pyo.Var(m.LEVELS, domain=pyo.Binary)
    of_user, of_site, of_node = _sorted(m.needed, m.sites)
    m.SENDING = pyo.Set(initialize=list(of_site), dimen=3, doc="layer, site, subcarrier")
    m.sent = pyo.Var(m.SENDING, domain=pyo.NonNegativeReals, doc="share of the budget, at least")
    sending_on: dict[tuple[int, int], list[int]] = {}
    for layer, i, n in of_site:
        sending_on.setdefault((layer, n), []).append(i)
    place_uavs(m, instance)

    @m.Expression(m.LINKS, doc="whether a link is used")
    def served(m, *link):
        return sum(m.x[(*link, p)] for p in m.INTERVALS)

    @m.Expression(m.LINKS, doc="share of the budget that it is sent with, at least")
    def share(m, *link):
        return sum(float(low[p]) * m.x[(*link, p)] for p in m.INTERVALS)

    @m.Constraint(m.SENDING, doc="what site {1} of layer {0} sends on subcarrier {2}")
    def sending(m, *site):
        return m.sent[site] == sum(m.share[link] for link in of_site[site])

    @m.Constraint(list(of_user), doc="user {0} is served once")
    def served_once(m, k):
        return sum(m.served[link] for link in of_user[k]) <= 1

    @m.Constraint(sorted({node[:2] for node in of_node}), doc="node {1} of layer {0} sends at most its budget")
    def budget(m, layer, v):
        return sum(m.share[link] for node, own in of_node.items() if node[:2] == (layer, v) for link in own) <= 1

    @m.Constraint(
        sorted({v for layer, v, _ in of_node if layer == STATION}), doc="station {0} serves at most {upper:g} users"
    )
    def places(m, v):
        own = (link for node, links in of_node.items() if node[:2] == (STATION, v) for link in links)
        return sum(m.served[link] for link in own) <= instance.station_capacity

    @m.Constraint(
        [] if instance.intra_cell_reuse else list(of_node), doc="one user at node {1} of layer {0}, subcarrier {2}"
    )
    def one_user(m, *node):
        return sum(m.served[link] for link in of_node[node]) <= 1

    @m.Constraint(
        [site for site in of_site if site[0] == UAV], doc="links from site {1}, subcarrier {2}, where its UAV stands"
    )
    def where_it_stands(m, *site):
        own, most = m.sites[UAV], len(instance.slices) if instance.intra_cell_reuse else 1
        return sum(m.served[link] for link in of_site[site]) <= most * m.z[own.node[site[1]], own.candidate[site[1]]]

    @m.Constraint(
        m.LINKS, doc="a rate for user {2} from site {1} of layer {0}, subcarrier {3}, only where it is served"
    )
    def one_level(m, *link):
        return sum(m.r[(*link, g)] for g in range(len(m.needed[link]))) <= m.served[link]

    @m.Constraint(
        [index for index in m.LEVELS if m.needed[index[:4]][index[4]] > 0],
        doc="(4) the SINR that level {4} needs, over the signal at all of the budget",
    )
    def enough(m, layer, i, k, n, g):
        own = m.sites[layer]
        snr = own.snr[n, k]
        wanted = float(m.needed[layer, i, k, n][g] / snr[i])  # of the link's own signal at all of its budget
        others = [j for j in sending_on[layer, n] if own.node[j] != own.node[i] and snr[j]]
        noise = 1 + sum(float(snr[j]) * m.sent[layer, j, n] for j in others)
        most = 1 + sum(snr[others][own.node[others] == v].max() for v in np.unique(own.node[others]))
        if instance.intra_cell_reuse:
            noise += float(snr[i]) * (m.sent[layer, i, n] - m.share[layer, i, k, n])
            most += snr[i]
        signal = sum(float(high[p]) * m.x[layer, i, k, n, p] for p in m.INTERVALS)
        return signal >= wanted * noise - float(wanted * most) * (1 - m.r[layer, i, k, n, g])

    @m.Objective(sense=pyo.maximize, doc="(27) throughput, delay and coverage, weighed")
    def weighed(m):
        return nobody(instance) + sum(float(credit[index[:4]][index[4]]) * m.r[index] for index in m.LEVELS)

    return m


Place = tuple[int, int, int, int]  # layer, site, user, subcarrier
Grouped = dict[Any, list[Place]]


def _sorted(links: Iterable[Place], sites: list[Sites]) -> tuple[Grouped, Grouped, Grouped]:
    """Links by user, by site and subcarrier, by node and subcarrier."""
    of_user, of_site, of_node = Grouped(), Grouped(), Grouped()
    for layer, i, k, n in links:
        of_user.setdefault(k, []).append((layer, i, k, n))
        of_site.setdefault((layer, i, n), []).append((layer, i, k, n))
        of_node.setdefault((layer, int(sites[layer].node[i]), n), []).append((layer, i, k, n))
    return of_user, of_site, of_node


def _levels(instance: Slicing, sites: list[Sites]) -> tuple[dict[Place, FloatArray], dict[Place, FloatArray]]:
    """The SINRs that levels begin at, and what they are credited with, of every link that is worth something alone."""
    needed, credit = dict[Place, FloatArray](), dict[Place, FloatArray]()
    for layer, own in enumerate(sites):
        for n, i, k in itertools.product(
            range(instance.subcarriers), range(len(own.node)), range(len(instance.slices))
        ):
            ends = np.expm1(np.linspace(0, np.log1p(own.snr[n, k, i]), LEVELS + 1))
            if instance.slices[k] == "C":
                ends = np.array([instance.sinr_threshold * (1 - TOLERANCE), own.snr[n, k, i]])
            user, distance = np.full(len(ends) - 1, k), np.full(len(ends) - 1, own.distance_m[k, i])
            worth = worths(instance, user, distance, ends[1:])
            if (worth > 0).any():
                needed[layer, i, k, n], credit[layer, i, k, n] = ends[:-1][worth > 0], worth[worth > 0]
    return needed, credit


def start(model: pyo.ConcreteModel, instance: Slicing, decision: SlicingDecision) -> None:
    """Give every variable its value in a decision."""
    for variable in (model.x, model.r, model.sent):
        for index in variable:
            variable[index].value = 0.0
    served = Served.of(decision)
    for k, layer, node, n, power, ratio in zip(*served, sinr(instance, decision.uav_candidate, served), strict=True):
        own = model.sites[layer]
        here = (own.node == node) & ((own.candidate == decision.uav_candidate[node]) if layer == UAV else True)
        link = int(layer), int(np.flatnonzero(here)[0]), int(k), int(n)
        if link not in model.needed:
            continue
        p = model.intervals.holding(power / instance.budgets_w[layer][node] if power else 0.0)
        model.x[(*link, p)].value = 1.0
        model.sent[link[0], link[1], link[3]].value += float(model.intervals.low[p])
        if len(reached := np.flatnonzero(model.needed[link] <= ratio)):
            model.r[(*link, int(reached[-1]))].value = 1.0
    place_at(model, decision.uav_candidate)


def extract(model: pyo.ConcreteModel, instance: Slicing) -> SlicingDecision:
    """Read the decision from the variables' values."""
    links = []
    for layer, i, k, n, p in model.x:
        if (model.x[layer, i, k, n, p].value or 0.0) > 0.5:
            ends = (float(end[p]) for end in model.intervals)
            links.append(Link(k, layer, int(model.sites[layer].node[i]), n, *ends))
    return decided(instance, placed(model), links)
