"""The pattern model: y[l, n, q] says that users and nodes of pattern q share subcarrier n of layer l.

A pattern is a set of users with the nodes that serve them, so who hears whom is known: what a user hears is linear in
the powers p of its pattern's links, without large constants. s says from which site a user is served. Rates and delays
are bounded by tangents and chords as in `milp`; the optimum is a bound, which `refine` brings down.
"""

from typing import Any

import numpy as np
import pyomo.environ as pyo

from ...instances.errors import InputError
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS, STATION, UAV
from ..templates import templates
from .link_terms import (
    Hearing,
    Place,
    delay_curves,
    heard_by,
    least_shares,
    overrated_points,
    propagation_s,
    worth_of_cap,
    worth_of_cover,
    worth_per_nat,
)
from .links import Sites, nobody
from .positions import place_at, place_uavs, placed
from .served_shares import decision_of, saved_caps, shares_in
from .tangents import Points, Triple, chords

EXACT = False  # the objective is a bound on the referee's
TINY = 1e-6  # of a budget: least powers below are left to the SINR that they are for
MAX_PATTERNS = 3_000  # of a subcarrier

Pattern = tuple[tuple[int, int], ...]  # users, and the nodes that serve them
Member = tuple[int, int, int, int]  # layer, subcarrier, pattern, user
Sited = tuple[int, int, int, int, int]  # the same and a site


def describe(instance: Slicing) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is an upper bound on the problem's: rates and delays are bounded linearly"


def build(instance: Slicing, points: Points | None = None) -> pyo.ConcreteModel:
    """State the model of an instance.

    Parameters
    ----------
    points
        At which bounds of rates and delays are exact, beside some that are always.

    Raises
    ------
    InputError
        When a subcarrier has too many patterns.
    """
    with templates(False):  # sums over nothing, and sets that differ from subcarrier to subcarrier
        return _state(instance, points or Points.none())


def _state(instance: Slicing, points: Points) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel("slicing_patterns")
    m.points, m.sites = points, Sites.of(instance)
    m.least = least_shares(instance, m.sites, points.floor)
    m.patterns = {
        (layer, n): _patterns(instance, m.sites, m.least, layer, n)
        for layer, n in sorted({(layer, n) for layer, _, _, n in m.least})
    }
    m.CELLS = pyo.Set(initialize=list(m.patterns), dimen=2, doc="layer, subcarrier")
    m.PATTERNS = pyo.Set(initialize=[(*cell, q) for cell, own in m.patterns.items() for q in range(len(own))], dimen=3)
    m.y = pyo.Var(m.PATTERNS, domain=pyo.Binary)
    place_uavs(m, instance)
    members = [(*cell, q, k) for cell, own in m.patterns.items() for q, pattern in enumerate(own) for k, _ in pattern]
    m.MEMBERS = pyo.Set(initialize=members, dimen=4, doc="layer, subcarrier, pattern, user")
    m.at = {member: _sites_of(m, member) for member in members}
    sited = [(*member, i) for member, own in m.at.items() for i in own]
    m.LINKS = pyo.Set(initialize=sited, dimen=5, doc="layer, subcarrier, pattern, user, site")
    m.s = pyo.Var(m.LINKS, bounds=(0.0, 1.0), doc="whether a user is served from a site")
    m.p = pyo.Var(m.LINKS, bounds=(0.0, 1.0), doc="share of the budget")
    of_user: dict[int, list[Member]] = {}
    for member in members:
        of_user.setdefault(member[3], []).append(member)

    @m.Constraint(m.CELLS, doc="one pattern on subcarrier {1} of layer {0}")
    def one_pattern(m, *cell):
        return sum(m.y[(*cell, q)] for q in range(len(m.patterns[cell]))) <= 1

    @m.Constraint(list(of_user), doc="user {0} is served once")
    def served_once(m, k):
        return sum(m.y[member[:3]] for member in of_user[k]) <= 1

    @m.Constraint(m.MEMBERS, doc="user {3} is served from one site where pattern {2} is used")
    def one_site(m, *member):
        return sum(m.s[(*member, i)] for i in m.at[member]) == m.y[member[:3]]

    @m.Constraint(m.LINKS, doc="at most the budget, and only where user {3} is served")
    def power(m, *link):
        return m.p[link] <= m.s[link]

    @m.Constraint([link for link in sited if m.least[_place(link)] > TINY], doc="at least what user {3} needs alone")
    def least_power(m, *link):
        return m.p[link] >= m.least[_place(link)] * m.s[link]

    of_node: dict[tuple[int, int], list[Sited]] = {}
    for link in sited:
        of_node.setdefault((link[0], int(m.sites[link[0]].node[link[4]])), []).append(link)

    @m.Constraint(list(of_node), doc="node {1} of layer {0} sends at most its budget")
    def budget(m, *node):
        return sum(m.p[link] for link in of_node[node]) <= 1

    @m.Constraint([v for layer, v in of_node if layer == STATION], doc="station {0} serves at most {upper:g} users")
    def places(m, v):
        return sum(m.s[link] for link in of_node[STATION, v]) <= instance.station_capacity

    standing: dict[tuple[int, int], list[Sited]] = {}
    for link in of_node_of_layer(of_node, UAV):
        standing.setdefault((link[4], link[3]), []).append(link)

    @m.Constraint(list(standing), doc="user {1} is served from site {0} only where its UAV stands there")
    def where_it_stands(m, i, k):
        own = m.sites[UAV]
        return sum(m.s[link] for link in standing[i, k]) <= m.z[own.node[i], own.candidate[i]]

    worth = _rate(m, instance, of_user)

    @m.Objective(sense=pyo.maximize, doc="(27) throughput, delay and coverage, weighed")
    def weighed(m):
        return nobody(instance) + worth

    return m


def of_node_of_layer(of_node: dict[tuple[int, int], list[Sited]], layer: int) -> list[Sited]:
    """Return the links of a layer."""
    return [link for (own, _), links in of_node.items() if own == layer for link in links]


def _patterns(instance: Slicing, sites: list[Sites], least: dict[Place, float], layer: int, n: int) -> list[Pattern]:
    """Return all sets of users and nodes that may share a subcarrier."""
    pairs = sorted({(k, int(sites[layer].node[i])) for a, i, k, b in least if (a, b) == (layer, n)})
    found: list[Pattern] = []
    grown: list[Pattern] = [()]
    while grown:
        longer: list[Pattern] = []
        for pattern in grown:
            for pair in pairs:
                fits = not pattern or pair > pattern[-1]
                fits &= all(pair[0] != k and (instance.intra_cell_reuse or pair[1] != v) for k, v in pattern)
                if fits:
                    longer.append((*pattern, pair))
        found += longer
        grown = longer
        if len(found) > MAX_PATTERNS:
            where = f"{LAYERS[layer]} layer, subcarrier {n}"
            raise InputError(f"allow more than {MAX_PATTERNS:,} patterns of links ({where})", "users")
    return found


def _sites_of(m: pyo.ConcreteModel, member: Member) -> list[int]:
    """Return the sites from which a user may be served in a pattern."""
    layer, n, q, k = member
    node = dict(m.patterns[layer, n][q])[k]
    return [i for i in np.flatnonzero(m.sites[layer].node == node).tolist() if (layer, i, k, n) in m.least]


def _place(link: Sited) -> Place:
    layer, n, _, k, i = link
    return layer, i, k, n


def _rate(m: pyo.ConcreteModel, instance: Slicing, of_user: dict[int, list[Member]]) -> Any:
    """State bounds of rates and what they are worth; return the worth of all users."""
    of_triple: dict[Triple, list[Place]] = {}
    for layer, i, k, n in m.least:
        of_triple.setdefault((k, layer, n), []).append((layer, i, k, n))
    m.hearing = {triple: Hearing(instance, m.sites, triple, own, m.least) for triple, own in of_triple.items()}

    def triple_of(member: Member) -> Triple:
        return member[3], member[0], member[1]

    @m.Expression(m.MEMBERS, doc="D, signal over noise")
    def signal(m, *member):
        snr = m.hearing[triple_of(member)].snr
        return sum(float(snr[i]) * m.p[(*member, i)] for i in m.at[member])

    @m.Expression(m.MEMBERS, doc="N, noise and interference over noise")
    def noise(m, layer, n, q, k):
        snr = m.hearing[k, layer, n].snr
        others = ((layer, n, q, h) for h, _ in m.patterns[layer, n][q] if h != k)
        return m.y[layer, n, q] + sum(
            float(snr[j]) * m.p[(*other, j)] for other in others for j in m.at[other] if snr[j] > 0
        )

    @m.Constraint(
        [member for member in m.at if m.hearing[triple_of(member)].needed > 0],
        doc="(4) SINR that user {3} needs on subcarrier {1} of layer {0}, pattern {2}",
    )
    def enough(m, *member):
        return m.signal[member] >= m.hearing[triple_of(member)].needed * m.noise[member]

    rated = [member for member in m.at if instance.slices[member[3]] != "C"]
    m.RATED = pyo.Set(initialize=rated, dimen=4, doc="layer, subcarrier, pattern, user")
    m.r = pyo.Var(
        m.RATED,
        bounds=lambda m, *member: (0.0, float(np.log1p(m.hearing[triple_of(member)].signal))),
        doc="rate (nats)",
    )
    ends = {
        member: m.hearing[triple_of(member)].noises(m.points.noises.get(triple_of(member), ()))
        for member in rated
        if len(m.patterns[member[:2]][member[2]]) > 1
    }
    m.ends = ends
    m.INTERVALS = pyo.Set(
        initialize=[(*member, c) for member, own in ends.items() for c in range(len(own) - 1)], dimen=5
    )
    m.b = pyo.Var(m.INTERVALS, domain=pyo.Binary, doc="whether N is in an interval")
    m.heard = pyo.Var(
        m.INTERVALS,
        bounds=lambda m, *index: (0.0, float(ends[index[:4]][index[4] + 1])),
        doc="N where it is in the interval",
    )
    several = [member for member, own in ends.items() if len(own) > 1]

    @m.Constraint(several, doc="one interval of the noise of user {3}, pattern {2}")
    def one_interval(m, *member):
        return sum(m.b[(*member, c)] for c in range(len(ends[member]) - 1)) == m.y[member[:3]]

    @m.Constraint(several, doc="noise of user {3}, pattern {2}, by intervals")
    def by_intervals(m, *member):
        return sum(m.heard[(*member, c)] for c in range(len(ends[member]) - 1)) == m.noise[member]

    @m.Constraint(m.INTERVALS, doc="at least the interval's lower end")
    def lower_end(m, *index):
        return m.heard[index] >= float(ends[index[:4]][index[4]]) * m.b[index]

    @m.Constraint(m.INTERVALS, doc="at most the interval's upper end")
    def upper_end(m, *index):
        return m.heard[index] <= float(ends[index[:4]][index[4] + 1]) * m.b[index]

    totals = {
        member: m.hearing[triple_of(member)].totals(m.points.totals.get(triple_of(member), ())) for member in rated
    }
    m.TANGENTS = pyo.Set(initialize=[(*member, t) for member, own in totals.items() for t in range(len(own))], dimen=5)

    @m.Constraint(m.TANGENTS, doc="(5) rate of user {3} on subcarrier {1} of layer {0}, pattern {2}, tangent {4}")
    def rate(m, *index):
        member, at = index[:4], totals[index[:4]][index[4]]
        above = (float(np.log(at)) - 1) * m.y[member[:3]] + (m.noise[member] + m.signal[member]) / at
        if member not in ends or len(ends[member]) == 1:
            return m.r[member] <= above
        offset, slope = chords(ends[member])
        below = sum(
            float(offset[c]) * m.b[(*member, c)] + float(slope[c]) * m.heard[(*member, c)] for c in range(len(offset))
        )
        return m.r[member] <= above - below

    worth = 0.0
    for member in m.at:
        if instance.slices[member[3]] == "H":
            worth += worth_per_nat(instance) * m.r[member]
        if instance.slices[member[3]] == "C":
            worth += worth_of_cover(instance) * m.y[member[:3]]
    delayed = [k for k in of_user if instance.slices[k] == "L"]
    m.saved = pyo.Var(delayed, bounds=(0.0, 1.0), doc="delay below the cap (caps)")
    largest = {k: max(float(np.log1p(m.hearing[triple_of(member)].signal)) for member in of_user[k]) for k in delayed}
    curves = delay_curves(instance, largest, m.points)

    @m.Constraint(
        [(k, t) for k, (_, rates) in curves.items() for t in range(len(rates))],
        doc="(21) delay of user {0}, tangent {1}",
    )
    def delay(m, k, t):
        curve, rates = curves[k]
        value, slope = curve.value(rates[t]), curve.slope(rates[t])
        total = sum(m.r[member] for member in of_user[k])
        served = sum(m.y[member[:3]] for member in of_user[k])
        away = sum(
            propagation_s(m.sites, _place((*member, i))) * m.s[(*member, i)]
            for member in of_user[k]
            for i in m.at[member]
        )
        return m.saved[k] * curve.cap <= (value - slope * rates[t]) * served + slope * total - away

    return worth + sum(worth_of_cap(instance) * m.saved[k] for k in delayed)


def start(model: pyo.ConcreteModel, instance: Slicing, decision: SlicingDecision) -> None:
    """Give every variable its value in a decision; services that are worth nothing are left out."""
    for variable in (model.y, model.s, model.p, model.r, model.b, model.heard, model.saved):
        for index in variable:
            variable[index].value = 0.0
    place_at(model, decision.uav_candidate)
    share = shares_in(instance, model.sites, model.least, decision)
    heard = heard_by(model.sites, share)
    for (layer, n), patterns in model.patterns.items():
        here = {k: (i, own) for (a, i, k, b), own in share.items() if (a, b) == (layer, n)}
        if not here:
            continue
        q = patterns.index(tuple(sorted((k, int(model.sites[layer].node[i])) for k, (i, _) in here.items())))
        model.y[layer, n, q].value = 1.0
        for k, (i, own) in here.items():
            member, (noise, signal) = (layer, n, q, k), heard[k, layer, n]
            model.s[(*member, i)].value, model.p[(*member, i)].value = 1.0, own
            if member in model.RATED:
                model.r[member].value = float(np.log1p(signal / noise))
            if member in model.ends and len(model.ends[member]) > 1:
                ends = model.ends[member]
                c = min(int(np.searchsorted(ends, noise, side="right")) - 1, len(ends) - 2)
                model.b[(*member, c)].value, model.heard[(*member, c)].value = 1.0, noise
            if instance.slices[k] == "L":
                rate = float(np.log1p(signal / noise))
                model.saved[k].value = saved_caps(instance, model.sites, (layer, i, k, n), rate)


def extract(model: pyo.ConcreteModel, instance: Slicing) -> SlicingDecision:
    """Read the decision from the variables' values; powers are made to keep to thresholds and budgets."""
    return decision_of(instance, model.sites, placed(model), _shares(model))


def refine(model: pyo.ConcreteModel, instance: Slicing) -> Points | None:
    """Return points that bring the bounds of the links used down to the truth; None where they are there."""
    return overrated_points(instance, model.points, model.sites, _shares(model))


def _shares(model: pyo.ConcreteModel) -> dict[Place, float]:
    """Return the shares of the budgets of the links that are used."""
    used = {index for index in model.PATTERNS if (model.y[index].value or 0.0) > 0.5}
    return {
        _place((*member, i)): min(max(model.p[(*member, i)].value or 0.0, 0.0), 1.0)
        for member, sites in model.at.items()
        if member[:3] in used
        for i in sites
        if (model.s[(*member, i)].value or 0.0) > 0.5
    }
