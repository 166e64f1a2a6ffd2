"""The link model, as the paper states it, for any powers, with linear bounds of rates and delays.

x[l, i, k, n] = 1 when user k is served from site i on subcarrier n of layer l, p[l, i, k, n] is the share of its node's
budget, z[v, q] = 1 where UAVs stand. For every user, layer and subcarrier, D is the signal and N what is heard with it,
noise included; a large constant switches the latter off where the user is not served. Coverage is D >= threshold N, as
it is. Rates and delays are bounded by tangents and chords (see `tangents`), chords between values of N that further
binaries choose from. The optimum is a bound; `refine` adds points where it is above the truth.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyomo.environ as pyo

from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import STATION, UAV
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


def describe(instance: Slicing) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is an upper bound on the problem's: rates and delays are bounded linearly"


def build(instance: Slicing, points: Points | None = None) -> pyo.ConcreteModel:
    """State the model of an instance.

    Parameters
    ----------
    points
        At which bounds of rates and delays are exact, beside some that are always.
    """
    with templates(False):  # sums over nothing, and sets that differ from layer to layer
        return _state(instance, points or Points.none())


def _state(instance: Slicing, points: Points) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel("slicing_links")
    m.points, m.sites = points, Sites.of(instance)
    m.least = least_shares(instance, m.sites, points.floor)
    of_user, of_node, of_triple = _sorted(m.least, m.sites)
    m.hearing = {triple: Hearing(instance, m.sites, triple, own, m.least) for triple, own in of_triple.items()}
    m.LINKS = pyo.Set(initialize=list(m.least), dimen=4, doc="layer, site, user, subcarrier")
    m.x = pyo.Var(m.LINKS, domain=pyo.Binary)
    m.p = pyo.Var(m.LINKS, bounds=(0.0, 1.0), doc="share of the budget")
    place_uavs(m, instance)

    @m.Constraint(m.LINKS, doc="at most the budget, and only where user {2} is served")
    def power(m, *link):
        return m.p[link] <= m.x[link]

    @m.Constraint([link for link, least in m.least.items() if least > TINY], doc="at least what user {2} needs alone")
    def least_power(m, *link):
        return m.p[link] >= m.least[link] * m.x[link]

    @m.Constraint(list(of_user), doc="user {0} is served once")
    def served_once(m, k):
        return sum(m.x[link] for link in of_user[k]) <= 1

    @m.Constraint(sorted({node[:2] for node in of_node}), doc="node {1} of layer {0} sends at most its budget")
    def budget(m, layer, v):
        return sum(m.p[link] for node, own in of_node.items() if node[:2] == (layer, v) for link in own) <= 1

    @m.Constraint(
        sorted({v for layer, v, _ in of_node if layer == STATION}), doc="station {0} serves at most {upper:g} users"
    )
    def places(m, v):
        own = (link for node, links in of_node.items() if node[:2] == (STATION, v) for link in links)
        return sum(m.x[link] for link in own) <= instance.station_capacity

    @m.Constraint(
        [] if instance.intra_cell_reuse else list(of_node), doc="one user at node {1} of layer {0}, subcarrier {2}"
    )
    def one_user(m, *node):
        return sum(m.x[link] for link in of_node[node]) <= 1

    standing = sorted({(i, k) for layer, i, k, _ in m.least if layer == UAV})

    @m.Constraint(standing, doc="user {1} is served from site {0} only where its UAV stands there")
    def where_it_stands(m, i, k):
        own = m.sites[UAV]
        links = (link for link in of_user[k] if link[:2] == (UAV, i))
        return sum(m.x[link] for link in links) <= m.z[own.node[i], own.candidate[i]]

    _hear(m, of_triple)
    worth = _rate(m, instance, of_user)

    @m.Objective(sense=pyo.maximize, doc="(27) throughput, delay and coverage, weighed")
    def weighed(m):
        return nobody(instance) + worth

    return m


def _hear(m: pyo.ConcreteModel, of_triple: dict[Triple, list[Place]]) -> None:
    """State the signal D and what is heard with it, N; both are 0 where the user is not served."""
    sending_on: dict[tuple[int, int], list[Place]] = {}
    for link in m.LINKS:
        sending_on.setdefault((link[0], link[3]), []).append(link)
    m.HEARING = pyo.Set(initialize=list(of_triple), dimen=3, doc="user, layer, subcarrier")
    most = {triple: (own.signal / own.unit, own.noise) for triple, own in m.hearing.items()}
    m.D = pyo.Var(m.HEARING, bounds=lambda m, *triple: (0.0, most[triple][0]), doc="signal (units over the noise)")
    m.N = pyo.Var(
        m.HEARING, bounds=lambda m, *triple: (0.0, most[triple][1]), doc="noise and interference over the noise"
    )
    m.served = pyo.Var(m.HEARING, domain=pyo.Binary, doc="whether a user is served")

    @m.Constraint(m.HEARING, doc="user {0} is served on subcarrier {2} of layer {1}")
    def is_served(m, *triple):
        return m.served[triple] == sum(m.x[link] for link in of_triple[triple])

    @m.Constraint(m.HEARING, doc="signal of user {0} on subcarrier {2} of layer {1}")
    def signal(m, *triple):
        own = m.hearing[triple]
        return m.D[triple] == sum(float(own.snr[link[1]]) / own.unit * m.p[link] for link in of_triple[triple])

    @m.Constraint(m.HEARING, doc="signal of user {0} on subcarrier {2} of layer {1}, at most")
    def most_signal(m, *triple):
        return m.D[triple] <= most[triple][0] * m.served[triple]

    @m.Constraint(m.HEARING, doc="noise of user {0} on subcarrier {2} of layer {1}")
    def least_noise(m, *triple):
        return m.N[triple] >= m.served[triple]

    @m.Constraint(m.HEARING, doc="noise of user {0} on subcarrier {2} of layer {1}, at most")
    def most_noise(m, *triple):
        return m.N[triple] <= most[triple][1] * m.served[triple]

    @m.Expression(m.HEARING, doc="what a user hears of others, over the noise")
    def others(m, k, layer, n):
        snr = m.hearing[k, layer, n].snr
        heard = (link for link in sending_on[layer, n] if link[2] != k and snr[link[1]] > 0)
        return sum(float(snr[link[1]]) * m.p[link] for link in heard)

    @m.Constraint(m.HEARING, doc="no more interference at user {0} on subcarrier {2} of layer {1} than there is")
    def no_more(m, *triple):
        return m.N[triple] <= m.served[triple] + m.others[triple]

    @m.Constraint(
        [triple for triple, own in m.hearing.items() if own.needed > 0],
        doc="SINR that user {0} needs on subcarrier {2} of layer {1}",
    )
    def enough(m, *triple):
        return m.D[triple] * m.hearing[triple].unit >= m.hearing[triple].needed * m.N[triple]

    @m.Constraint(m.HEARING, doc="(4) interference at user {0} on subcarrier {2} of layer {1} where it is served")
    def interference(m, k, layer, n):
        triple = k, layer, n
        own, served = m.hearing[triple], m.served[triple]
        return m.N[triple] >= served + m.others[triple] - own.others * (1 - served)


def _rate(m: pyo.ConcreteModel, instance: Slicing, of_user: dict[int, list[Place]]) -> Any:
    """State bounds of rates and what they are worth; return the worth of all users."""
    rated = [triple for triple in m.HEARING if instance.slices[triple[0]] != "C"]
    ends = {triple: m.hearing[triple].noises(m.points.noises.get(triple, ())) for triple in rated}
    totals = {triple: m.hearing[triple].totals(m.points.totals.get(triple, ())) for triple in rated}
    scaled = {triple: own.tolist() for triple, own in ends.items()}
    m.RATED = pyo.Set(initialize=rated, dimen=3, doc="user, layer, subcarrier")
    m.r = pyo.Var(
        m.RATED, bounds=lambda m, *triple: (0.0, float(np.log1p(m.hearing[triple].signal))), doc="rate (nats)"
    )

    @m.Constraint(m.RATED, doc="rate of user {0} on subcarrier {2} of layer {1}, at most")
    def most_rate(m, *triple):
        return m.r[triple] <= float(np.log1p(m.hearing[triple].signal)) * m.served[triple]

    m.INTERVALS = pyo.Set(
        initialize=[(*triple, c) for triple, own in ends.items() for c in range(len(own) - 1)], dimen=4
    )
    m.b = pyo.Var(m.INTERVALS, domain=pyo.Binary, doc="whether N is in an interval")
    m.heard = pyo.Var(
        m.INTERVALS,
        bounds=lambda m, *index: (0.0, scaled[index[:3]][index[3] + 1]),
        doc="N where it is in the interval",
    )
    inside = {triple: range(len(own) - 1) for triple, own in ends.items()}

    @m.Constraint(m.RATED, doc="one interval of the noise of user {0} on subcarrier {2} of layer {1}")
    def one_interval(m, *triple):
        if len(ends[triple]) == 1:
            return pyo.Constraint.Skip
        return sum(m.b[(*triple, c)] for c in inside[triple]) == m.served[triple]

    @m.Constraint(m.RATED, doc="noise of user {0} on subcarrier {2} of layer {1}, by intervals")
    def by_intervals(m, *triple):
        if len(ends[triple]) == 1:
            return pyo.Constraint.Skip
        return sum(m.heard[(*triple, c)] for c in inside[triple]) == m.N[triple]

    @m.Constraint(m.INTERVALS, doc="at least the interval's lower end")
    def lower_end(m, *index):
        return m.heard[index] >= scaled[index[:3]][index[3]] * m.b[index]

    @m.Constraint(m.INTERVALS, doc="at most the interval's upper end")
    def upper_end(m, *index):
        return m.heard[index] <= scaled[index[:3]][index[3] + 1] * m.b[index]

    m.TANGENTS = pyo.Set(initialize=[(*triple, t) for triple, own in totals.items() for t in range(len(own))], dimen=4)

    @m.Constraint(m.TANGENTS, doc="(5) rate of user {0} on subcarrier {2} of layer {1}, tangent {3}")
    def rate(m, k, layer, n, t):
        triple, at = (k, layer, n), totals[k, layer, n][t]
        unit = m.hearing[triple].unit
        above = (float(np.log(at)) - 1) * m.served[triple] + m.N[triple] / at + m.D[triple] * (unit / at)
        offset, slope = chords(ends[triple])
        below = sum(
            float(offset[c]) * m.b[(*triple, c)] + float(slope[c]) * m.heard[(*triple, c)] for c in inside[triple]
        )
        return m.r[triple] <= above - below

    worth = 0.0
    for triple in rated:
        if instance.slices[triple[0]] == "H":
            worth += worth_per_nat(instance) * m.r[triple]
    for link in m.LINKS:
        if instance.slices[link[2]] == "C":
            worth += worth_of_cover(instance) * m.x[link]

    delayed = [k for k in of_user if instance.slices[k] == "L"]
    m.saved = pyo.Var(delayed, bounds=(0.0, 1.0), doc="delay below the cap (caps)")
    largest = {k: max(float(np.log1p(m.hearing[triple].signal)) for triple in rated if triple[0] == k) for k in delayed}
    curves = delay_curves(instance, largest, m.points)

    @m.Constraint(
        [(k, t) for k, (_, rates) in curves.items() for t in range(len(rates))],
        doc="(21) delay of user {0}, tangent {1}",
    )
    def delay(m, k, t):
        curve, rates = curves[k]
        value, slope = curve.value(rates[t]), curve.slope(rates[t])
        total = sum(m.r[triple] for triple in rated if triple[0] == k)
        served = sum(m.x[link] for link in of_user[k])
        away = sum(propagation_s(m.sites, link) * m.x[link] for link in of_user[k])
        return m.saved[k] * curve.cap <= (value - slope * rates[t]) * served + slope * total - away

    return worth + sum(worth_of_cap(instance) * m.saved[k] for k in delayed)


Grouped = dict[Any, list[Place]]


def _sorted(links: Iterable[Place], sites: list[Sites]) -> tuple[Grouped, Grouped, Grouped]:
    """Return links by user, by node and subcarrier, and by user, layer and subcarrier."""
    of_user, of_node, of_triple = Grouped(), Grouped(), Grouped()
    for layer, i, k, n in links:
        of_user.setdefault(k, []).append((layer, i, k, n))
        of_node.setdefault((layer, int(sites[layer].node[i]), n), []).append((layer, i, k, n))
        of_triple.setdefault((k, layer, n), []).append((layer, i, k, n))
    return of_user, of_node, of_triple


def start(model: pyo.ConcreteModel, instance: Slicing, decision: SlicingDecision) -> None:
    """Give every variable its value in a decision; services that are worth nothing are left out."""
    for variable in (
        model.x,
        model.served,
        model.p,
        model.D,
        model.N,
        model.r,
        model.b,
        model.heard,
        model.saved,
    ):
        for index in variable:
            variable[index].value = 0.0
    place_at(model, decision.uav_candidate)
    share = shares_in(instance, model.sites, model.least, decision)
    heard = heard_by(model.sites, share)
    for (layer, i, k, n), own in share.items():
        triple, link = (k, layer, n), (layer, i, k, n)
        noise, signal = heard[triple]
        model.x[link].value, model.p[link].value = 1.0, own
        model.served[triple].value = 1.0
        unit = model.hearing[triple].unit
        model.N[triple].value, model.D[triple].value = noise, signal / unit
        if triple in model.RATED:
            ends = model.hearing[triple].noises(model.points.noises.get(triple, ()))
            c = min(int(np.searchsorted(ends, noise, side="right")) - 1, len(ends) - 2)
            if c >= 0:
                model.b[(*triple, c)].value, model.heard[(*triple, c)].value = 1.0, noise
            model.r[triple].value = float(np.log1p(signal / noise))
        if instance.slices[k] == "L":
            model.saved[k].value = saved_caps(instance, model.sites, link, float(np.log1p(signal / noise)))


def extract(model: pyo.ConcreteModel, instance: Slicing) -> SlicingDecision:
    """Read the decision from the variables' values; powers are made to keep to thresholds and budgets."""
    return decision_of(instance, model.sites, placed(model), _shares(model))


def refine(model: pyo.ConcreteModel, instance: Slicing) -> Points | None:
    """Return points that bring the bounds of the links used down to the truth; None where they are there."""
    return overrated_points(instance, model.points, model.sites, _shares(model))


def _shares(model: pyo.ConcreteModel) -> dict[Place, float]:
    """Return the shares of the budgets of the links that are used."""
    used = [link for link in model.LINKS if (model.x[link].value or 0.0) > 0.5]
    return {link: min(max(model.p[link].value or 0.0, 0.0), 1.0) for link in used}
