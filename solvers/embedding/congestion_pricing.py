"""Embedding with overload allowed: hosts and paths at least penalty, as routers negotiate congestion; compiled.

Every resource has at every moment a penalty on each unit beyond its capacity. A request node goes where its own
overload and that of its paths to placed neighbours cost least; a hop costs a little, so that short paths come first.
"""

from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray
from .trace import Ground, Ledger, Trace

HOP = 0.02  # cost of a hop, against an overload of the same bandwidth before penalties rise
NOISE = 0.2  # by which costs of hosts are stretched at random, at most


class Congestion(NamedTuple):
    """Penalties, and room for placing a node.

    Attributes
    ----------
    initial : array, shape (resources,)
        Penalty on a unit of overload before any rises, the inverse of the capacity.
    penalty : array, shape (moments, resources)
        Penalty on a unit of overload now.
    hop_price
        Cost of a unit of bandwidth a hop.
    edge_cost : array, shape (links of the substrate,)
    distance : array, shape (nodes,)
    arrival : array, shape (nodes,)
        Last link of the cheapest path to each node.
    cost : array, shape (nodes,)
        Cost of each host.
    """

    initial: FloatArray
    penalty: FloatArray
    hop_price: float
    edge_cost: FloatArray
    distance: FloatArray
    arrival: IntArray
    cost: FloatArray


def congestion(trace: Trace, ground: Ground) -> Congestion:
    """Penalties before any overload."""
    nodes, moments = len(ground.domain), len(trace.active_first) - 1
    initial = 1.0 / ground.capacity
    bandwidth = ground.capacity[2 * nodes :]
    hop_price = HOP / float(bandwidth.mean()) if len(bandwidth) else HOP
    distance, cost = np.empty(nodes), np.empty(nodes)
    edge_cost, arrival = np.empty(len(bandwidth)), np.empty(nodes, np.int64)
    return Congestion(initial, np.tile(initial, (moments, 1)), hop_price, edge_cost, distance, arrival, cost)


@compiled
def embed(
    k: int,
    trace: Trace,
    ground: Ground,
    ledger: Ledger,
    congestion: Congestion,
    colocate: bool,
    rng: np.random.Generator,
) -> bool:
    """Embed and accept a request, overload allowed; False where a node or a link fits nowhere even alone.

    O(nodes of the request (moments nodes) + links of the request (moments links + nodes²)).
    """
    count = trace.node_first[k + 1] - trace.node_first[k]
    ledger.hops_cost[k] = 0.0
    placed, towards = np.zeros(count, np.bool_), np.zeros(count)
    for n in range(trace.link_first[k], trace.link_first[k + 1]):
        towards[trace.source[n]] += trace.bandwidth[n]
        towards[trace.target[n]] += trace.bandwidth[n]
    for turn in range(count):
        node, most = -1, -1.0
        for other in range(count):
            value = towards[other] * (1 + NOISE * rng.random())
            if not placed[other] and value > most:
                node, most = other, value
        if not place(k, node, placed, trace, ground, ledger, congestion, colocate, rng):
            for other in range(count):
                if placed[other]:
                    lift(k, other, placed, trace, ground, ledger)
            return False
        if turn == 0:
            towards[:] = 0.0
        for n in range(trace.link_first[k], trace.link_first[k + 1]):
            if trace.source[n] == node:
                towards[trace.target[n]] += trace.bandwidth[n]
            elif trace.target[n] == node:
                towards[trace.source[n]] += trace.bandwidth[n]
    ledger.accepted[k] = True
    return True


@compiled
def place(
    k: int,
    node: int,
    placed: BoolArray,
    trace: Trace,
    ground: Ground,
    ledger: Ledger,
    congestion: Congestion,
    colocate: bool,
    rng: np.random.Generator,
) -> bool:
    """Put a request node on the host of least cost and route its links to placed nodes; False if none is possible."""
    begin, nodes, cost = trace.node_first[k], len(ground.domain), congestion.cost
    i = begin + node
    for host in range(nodes):
        able = trace.able[i, ground.domain[host]]
        if not able or trace.cpu[i] > ground.capacity[host] or trace.storage[i] > ground.capacity[nodes + host]:
            cost[host] = np.inf
            continue
        cost[host] = 0.0
        for moment in range(trace.first[k], trace.last[k] + 1):
            left, penalty = ledger.left[moment], congestion.penalty[moment]
            cost[host] += penalty[host] * _overload(trace.cpu[i], left[host])
            cost[host] += penalty[nodes + host] * _overload(trace.storage[i], left[nodes + host])
    if not colocate:
        for other in range(len(placed)):
            if placed[other]:
                cost[ledger.host[begin + other]] = np.inf
    for n in range(trace.link_first[k], trace.link_first[k + 1]):
        other = other_end(n, node, trace)
        if other >= 0 and placed[other]:
            _measure(k, n, ledger.host[begin + other], -1, trace, ground, ledger, congestion)
            for host in range(nodes):
                cost[host] += congestion.distance[host]
    chosen, best = -1, np.inf
    for host in range(nodes):
        value = (cost[host] + congestion.hop_price) * (1 + NOISE * rng.random())
        if value < best:
            chosen, best = host, value
    if chosen < 0:
        return False
    ledger.host[i], placed[node] = chosen, True
    _take_node(k, i, -1.0, trace, ground, ledger)
    for n in range(trace.link_first[k], trace.link_first[k + 1]):
        other = other_end(n, node, trace)
        if other >= 0 and placed[other]:
            reroute(k, n, trace, ground, ledger, congestion)
    return True


@compiled
def lift(k: int, node: int, placed: BoolArray, trace: Trace, ground: Ground, ledger: Ledger) -> None:
    """Take a request node off its host, and its links to placed nodes off their paths."""
    placed[node] = False
    _take_node(k, trace.node_first[k] + node, 1.0, trace, ground, ledger)
    for n in range(trace.link_first[k], trace.link_first[k + 1]):
        other = other_end(n, node, trace)
        if other >= 0 and placed[other]:
            take_path(k, n, 1.0, trace, ground, ledger)


@compiled
def reroute(k: int, n: int, trace: Trace, ground: Ground, ledger: Ledger, congestion: Congestion) -> None:
    """Give a link whose ends are placed, and that has no path, the cheapest one."""
    begin = trace.node_first[k]
    source, node = ledger.host[begin + trace.source[n]], ledger.host[begin + trace.target[n]]
    _measure(k, n, source, node, trace, ground, ledger, congestion)
    hops, path = 0, ledger.path[n]
    while node != source:
        at = congestion.arrival[node]
        path[hops] = ground.link[at]
        hops += 1
        node = _tail(at, ground)
    path[:hops] = path[:hops][::-1].copy()
    ledger.hops[n] = hops
    take_path(k, n, -1.0, trace, ground, ledger)


@compiled
def take_path(k: int, n: int, sign: float, trace: Trace, ground: Ground, ledger: Ledger) -> None:
    """Take a link's bandwidth on its path (sign -1), or give it back (+1), and count its hops."""
    nodes = len(ground.domain)
    ledger.hops_cost[k] -= sign * trace.bandwidth[n] * ledger.hops[n]
    for moment in range(trace.first[k], trace.last[k] + 1):
        for hop in range(ledger.hops[n]):
            ledger.left[moment, 2 * nodes + ledger.path[n, hop]] += sign * trace.bandwidth[n]


@compiled
def other_end(n: int, node: int, trace: Trace) -> int:
    """The other end of a node's link; -1 when the link is not its own."""
    if trace.source[n] == node:
        return int(trace.target[n])
    return int(trace.source[n]) if trace.target[n] == node else -1


@compiled
def _take_node(k: int, i: int, sign: float, trace: Trace, ground: Ground, ledger: Ledger) -> None:
    host = ledger.host[i]
    for moment in range(trace.first[k], trace.last[k] + 1):
        ledger.left[moment, host] += sign * trace.cpu[i]
        ledger.left[moment, len(ground.domain) + host] += sign * trace.storage[i]


@compiled
def _overload(demand: float, left: float) -> float:
    """Overload that a demand adds where so much is left."""
    return max(0.0, demand - max(left, 0.0))


@compiled
def _tail(at: int, ground: Ground) -> int:
    """The node whose neighbour an entry of the adjacency is."""
    return int(np.searchsorted(ground.first, at, side="right")) - 1


@compiled
def _measure(
    k: int, n: int, source: int, target: int, trace: Trace, ground: Ground, ledger: Ledger, congestion: Congestion
) -> None:
    """Fill in distances from a host, and the last links, by Dijkstra's method; up to a target if that is no -1."""
    nodes, demand, edge_cost = len(ground.domain), trace.bandwidth[n], congestion.edge_cost
    for link in range(len(edge_cost)):
        r = 2 * nodes + link
        if demand > ground.capacity[r]:
            edge_cost[link] = np.inf
            continue
        edge_cost[link] = demand * congestion.hop_price
        for moment in range(trace.first[k], trace.last[k] + 1):
            edge_cost[link] += congestion.penalty[moment, r] * _overload(demand, ledger.left[moment, r])
    distance, settled = congestion.distance, np.zeros(nodes, np.bool_)
    distance[:] = np.inf
    distance[source] = 0.0
    for _ in range(nodes):
        node = -1
        for j in range(nodes):
            if not settled[j] and distance[j] < np.inf and (node < 0 or distance[j] < distance[node]):
                node = j
        if node < 0 or node == target:
            break
        settled[node] = True
        for at in range(ground.first[node], ground.first[node + 1]):
            reached = distance[node] + edge_cost[ground.link[at]]
            if reached < distance[ground.neighbour[at]]:
                distance[ground.neighbour[at]] = reached
                congestion.arrival[ground.neighbour[at]] = at
