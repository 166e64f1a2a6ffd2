"""The explicit model: z[k] accepts request k, x[k, a, n] puts its node a on n, f[k, e, i, j] leads link e from i to j.

A multi-commodity flow with binary paths, over the nodes and links that are allowed and large enough for the demand
alone. Two families of inequalities that integers satisfy anyway make its relaxation worth something: the flow of a link
that leaves (reaches) a node is at least its source's (target's) placement there, and the flows of all links at a
request node cost at least its star (see `stars`). Flows may hold circles, which the decision leaves out.
"""

import math
from collections import defaultdict
from typing import Any

import networkx as nx
import numpy as np
import pyomo.environ as pyo

from ...instances.embedding import Embedding, EmbeddingDecision, VirtualNetworks
from ...instances.embedding.instance import admitted
from ...instances.embedding.residual import Residual
from ..templates import templates
from .moments import maximal_sets
from .stars import stars

EXACT = False  # where cost counts, circles make the objective less than the decision's


def describe(instance: VirtualNetworks) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is the problem's"


def build(instance: VirtualNetworks) -> pyo.ConcreteModel:
    """State the model of an instance."""
    with templates(False):  # sets that differ from request to request
        return _state(instance)


def _state(instance: VirtualNetworks) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel("embedding")
    _where(m, instance)
    _paths(m, instance)
    _capacities(m, instance)

    @m.Objective(sense=pyo.maximize, doc="(7), (8) revenue less cost")
    def profit(m):
        weight = instance.cost_weight
        earned = sum((one.revenue - weight * one.on_nodes) * m.z[k] for k, one in enumerate(instance.requests))
        demand = {k: one.links.bandwidth.tolist() for k, one in enumerate(instance.requests)}
        return earned - weight * sum(demand[k][e] * m.f[k, e, i, j] for k, e, i, j in m.HOPS)

    return m


def _where(m: pyo.ConcreteModel, instance: VirtualNetworks) -> None:
    """Which requests are accepted, and where their nodes are."""
    requests, residual = instance.requests, Residual(instance.substrate)
    m.least = [stars(residual, one, colocate=instance.colocate).least for one in requests]
    able = [np.isfinite(least) for least in m.least]
    m.REQUESTS = pyo.RangeSet(0, len(requests) - 1)
    m.NODES = pyo.RangeSet(0, len(instance.substrate.nodes) - 1)
    m.NODES_OF = pyo.Set(dimen=2, initialize=[(k, a) for k, one in enumerate(able) for a in range(len(one))])
    m.PLACES = pyo.Set(
        dimen=3, initialize=[(k, *pair) for k, one in enumerate(able) for pair in np.argwhere(one).tolist()]
    )
    m.z = pyo.Var(m.REQUESTS, domain=pyo.Binary)
    for k, hosts in enumerate(able):
        if not hosts.any(1).all():
            m.z[k].fix(0.0)  # it fits nowhere, however large its revenue is
    m.x = pyo.Var(m.PLACES, domain=pyo.Binary)

    @m.Constraint(m.NODES_OF, doc="(2) node {1} of request {0} has one host, if it is accepted")
    def one_host(m, k, a):
        return sum(m.x[k, a, n] for n in np.flatnonzero(able[k][a]).tolist()) == m.z[k]

    if not instance.colocate:

        @m.Constraint(m.REQUESTS, m.NODES, doc="one node of request {0} on substrate node {1}")
        def one_each(m, k, n):
            there = np.flatnonzero(able[k][:, n]).tolist()
            return sum(m.x[k, a, n] for a in there) <= m.z[k] if len(there) > 1 else pyo.Constraint.Skip


def _paths(m: pyo.ConcreteModel, instance: VirtualNetworks) -> None:
    """Flows of one unit from the host of each link's source to that of its target."""
    requests, colocate, links = instance.requests, instance.colocate, instance.substrate.links
    links_of = [(k, e) for k, one in enumerate(requests) for e in range(len(one.links))]
    ends = {(k, e): (int(requests[k].links.source[e]), int(requests[k].links.target[e])) for k, e in links_of}
    hops, residual = [], Residual(instance.substrate)
    for k, e in links_of:
        wide = residual.wide(float(requests[k].links.bandwidth[e]))
        pairs = zip(links.source[wide].tolist(), links.target[wide].tolist(), strict=True)
        hops += [(k, e, *hop) for i, j in pairs for hop in ((i, j), (j, i))]
    m.LINKS_OF = pyo.Set(dimen=2, initialize=links_of)
    m.HOPS = pyo.Set(dimen=4, initialize=hops, doc="request, its link, from node, to node")
    m.f = pyo.Var(m.HOPS, domain=pyo.Binary)
    out, into = defaultdict[Any, list[Any]](list), defaultdict[Any, list[Any]](list)
    for k, e, i, j in hops:
        out[k, e, i].append(m.f[k, e, i, j])
        into[k, e, j].append(m.f[k, e, i, j])

    placed = dict(m.x.items())

    def there(k: int, a: int, n: int) -> Any:
        return placed.get((k, a, n), 0.0)

    @m.Constraint(m.LINKS_OF, m.NODES, doc="(3) link {1} of request {0} leads from its source to its target, at {2}")
    def flow(m, k, e, n):
        a, b = ends[k, e]
        return _stated(sum(out[k, e, n]) - sum(into[k, e, n]) == there(k, a, n) - there(k, b, n))

    @m.Constraint(m.LINKS_OF, m.NODES, doc="link {1} of request {0} leaves {2} if its source is there")
    def leaves(m, k, e, n):
        a, b = ends[k, e]
        return _stated(sum(out[k, e, n]) >= there(k, a, n) - (there(k, b, n) if colocate else 0.0))

    @m.Constraint(m.LINKS_OF, m.NODES, doc="link {1} of request {0} reaches {2} if its target is there")
    def reaches(m, k, e, n):
        a, b = ends[k, e]
        return _stated(sum(into[k, e, n]) >= there(k, b, n) - (there(k, a, n) if colocate else 0.0))

    @m.Constraint(m.NODES_OF, doc="the links at node {1} of request {0} cost at least their star")
    def star(m, k, a):
        own = [e for e in range(len(requests[k].links)) if a in ends[k, e]]
        demand = requests[k].links.bandwidth.tolist()
        used = sum(demand[e] * sum(out[k, e, n]) for e in own for n in m.NODES if out[k, e, n])
        least = m.least[k][a]
        return _stated(used >= sum(float(least[n]) * m.x[k, a, n] for n in np.flatnonzero(np.isfinite(least)).tolist()))


def _stated(relation: Any) -> Any:
    """A constraint, or whether it holds where there are no variables."""
    if isinstance(relation, bool | np.bool_):
        return pyo.Constraint.Feasible if relation else pyo.Constraint.Infeasible
    return relation


def _capacities(m: pyo.ConcreteModel, instance: VirtualNetworks) -> None:
    """(4) to (6), whenever the most requests are active."""
    nodes, links = instance.substrate.nodes, instance.substrate.links
    on_node, on_link = defaultdict[Any, list[Any]](list), defaultdict[Any, list[Any]](list)
    for k, a, n in m.PLACES:
        on_node[k, n].append((a, m.x[k, a, n]))
    between = instance.substrate.link_between
    for k, e, i, j in m.HOPS:
        on_link[k, int(between[i, j])].append((e, m.f[k, e, i, j]))
    demands = [
        {"cpu": one.nodes.cpu, "storage": one.nodes.storage, "bandwidth": one.links.bandwidth}
        for one in instance.requests
    ]
    active = maximal_sets(instance)
    m.MOMENTS = pyo.RangeSet(0, len(active) - 1)

    def within(t: int, name: str, at: int, using: Any, capacity: Any) -> Any:
        used = [(float(demands[k][name][part]), v) for k in active[t].tolist() for part, v in using[k, at]]
        whole = all(demand.is_integer() for demand, _ in used)
        limit = math.floor(admitted(capacity[at])) if whole else float(admitted(capacity[at]))
        if sum(demand for demand, _ in used) <= limit:
            return pyo.Constraint.Skip
        return sum(demand * v for demand, v in used) <= limit

    @m.Constraint(m.MOMENTS, m.NODES, doc="(4) CPU of substrate node {1}, {upper:g}, at moment {0}")
    def cpu(m, t, n):
        return within(t, "cpu", n, on_node, nodes.cpu)

    @m.Constraint(m.MOMENTS, m.NODES, doc="(5) storage of substrate node {1}, {upper:g}, at moment {0}")
    def storage(m, t, n):
        return within(t, "storage", n, on_node, nodes.storage)

    @m.Constraint(m.MOMENTS, pyo.RangeSet(0, len(links) - 1), doc="(6) bandwidth of link {1}, {upper:g}, at moment {0}")
    def bandwidth(m, t, e):
        return within(t, "bandwidth", e, on_link, links.bandwidth)


def start(model: pyo.ConcreteModel, instance: VirtualNetworks, decision: EmbeddingDecision) -> None:
    """Give every variable its value in a decision."""
    for variables in (model.z, model.x, model.f):
        for index in variables:
            variables[index].value = 0.0
    for k, embedding in enumerate(decision.embeddings):
        if embedding is None:
            continue
        model.z[k].value = 1.0
        for a, n in enumerate(embedding.nodes.tolist()):
            model.x[k, a, n].value = 1.0
        for e, path in enumerate(embedding.paths):
            for i, j in zip(path[:-1].tolist(), path[1:].tolist(), strict=True):
                model.f[k, e, i, j].value = 1.0


def extract(model: pyo.ConcreteModel, instance: VirtualNetworks) -> EmbeddingDecision:
    """Read the decision from the variables' values; the paths are the shortest ones in the flows."""
    host = {(k, a): n for (k, a, n) in model.PLACES if (model.x[k, a, n].value or 0.0) > 0.5}
    flows = defaultdict[Any, list[Any]](list)
    for k, e, i, j in model.HOPS:
        if (model.f[k, e, i, j].value or 0.0) > 0.5:
            flows[k, e].append((i, j))
    found: list[Embedding | None] = []
    for k, request in enumerate(instance.requests):
        if (model.z[k].value or 0.0) <= 0.5:
            found.append(None)
            continue
        nodes = [host[k, a] for a in range(len(request.nodes))]
        ends = zip(request.links.source.tolist(), request.links.target.tolist(), strict=True)
        paths = []
        for e, (a, b) in enumerate(ends):
            graph: nx.DiGraph[int] = nx.DiGraph(flows[k, e])
            graph.add_nodes_from([nodes[a], nodes[b]])
            paths.append(np.array(nx.shortest_path(graph, nodes[a], nodes[b])))
        found.append(Embedding(np.array(nodes), tuple(paths)))
    return EmbeddingDecision(tuple(found))
