"""Insertion of a request into a trace: node by node where links cost least, by chance a little elsewhere; compiled."""

from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray
from .network import FAR_AWAY, Network, distances, widest
from .trace import Ground, Ledger, Trace

NEVER = np.inf
NOISE = 0.3  # by which costs and orders are stretched at random, at most
SPACE = 0.02  # of a unit of bandwidth at a host, against one of cost
PASSES = 2  # over the nodes, each of which may move
PLACED_FIRST = 1_000.0  # demand towards placed nodes over demand at all


class Scratch(NamedTuple):
    """Room for insertions.

    Attributes
    ----------
    least : array, shape (resources,)
        What is left at all moments of the request.
    away : array, shape (links, nodes)
        Hops from the placed end of each link; `FAR_AWAY` without a path.
    queue : array, shape (nodes,)
    none : array, shape (links of the substrate,)
        Zeros.
    """

    least: FloatArray
    away: IntArray
    queue: IntArray
    none: FloatArray


@compiled
def room(trace: Trace, ground: Ground) -> Scratch:
    """Room for any request of a trace."""
    resources, nodes = len(ground.capacity), len(ground.domain)
    away = np.empty((np.diff(trace.link_first).max(), nodes), np.int64)
    return Scratch(np.empty(resources), away, np.empty(nodes, np.int64), np.zeros(resources - 2 * nodes))


@compiled
def insert(
    k: int,
    trace: Trace,
    ground: Ground,
    ledger: Ledger,
    colocate: bool,
    rng: np.random.Generator,
    scratch: Scratch,
) -> float:
    """Find room for a request, and write it into the ledger without taking it.

    When all nodes have a place, each may still move to where its links cost least. O(moments (nodes + links)) for what
    is left, and O(links of the request (nodes + links)) for the rest.

    Returns
    -------
    float
        Bandwidth times hops; `NEVER` where none was found.
    """
    nodes = len(ground.domain)
    cpu, storage, bandwidth = scratch.least[:nodes], scratch.least[nodes : 2 * nodes], scratch.least[2 * nodes :]
    _least(k, trace, ledger, 0, 2 * nodes, scratch.least)
    if not _hosted(k, trace, ground, cpu, storage):
        return NEVER
    _least(k, trace, ledger, 2 * nodes, len(scratch.least), scratch.least)
    network = Network(ground.first, ground.neighbour, ground.link, bandwidth, scratch.none)
    begin, count = trace.node_first[k], trace.node_first[k + 1] - trace.node_first[k]
    demand, towards, placed = np.zeros(count), np.zeros(count), np.zeros(count, np.bool_)
    for n in range(trace.link_first[k], trace.link_first[k + 1]):
        demand[trace.source[n]] += trace.bandwidth[n]
        demand[trace.target[n]] += trace.bandwidth[n]
    space, taken, cost, total = np.zeros(nodes), np.zeros(nodes, np.bool_), np.empty(nodes), 0.0
    for host in range(nodes):
        for at in range(ground.first[host], ground.first[host + 1]):
            space[host] += bandwidth[ground.link[at]]
    for _ in range(count):
        node = _next(placed, towards, demand, rng)
        i = begin + node
        cost_of_hosts(i, trace, ground, cpu, storage, taken, colocate, cost)
        if not colocate:
            cost[space < demand[node]] = NEVER
        cost_of_links(k, node, placed, trace, network, ledger, NEVER, cost, scratch)
        chosen, best = -1, NEVER
        for host in range(nodes):
            if cost[host] < NEVER:
                value = cost[host] * (1 + NOISE * rng.random()) - SPACE * space[host] * (1 + NOISE * rng.random())
                if value < best:
                    chosen, best = host, value
        if chosen < 0:
            return NEVER
        ledger.host[i], placed[node], taken[chosen] = chosen, True, True
        cpu[chosen] -= trace.cpu[i]
        storage[chosen] -= trace.storage[i]
        routed = route(k, node, placed, trace, network, ledger, scratch)
        if routed == NEVER:
            return NEVER
        total += routed
        for n in range(trace.link_first[k], trace.link_first[k + 1]):
            if trace.source[n] == node:
                towards[trace.target[n]] += trace.bandwidth[n]
            elif trace.target[n] == node:
                towards[trace.source[n]] += trace.bandwidth[n]
    settled = np.zeros(count, np.bool_)  # has not moved, nor have its neighbours since
    for _ in range(PASSES):
        for node in rng.permutation(count):
            if settled[node]:
                continue
            saved = _move(k, node, trace, ground, network, ledger, taken, colocate, cost, scratch)
            settled[node] = True
            if saved < 0:
                total += saved
                for n in range(trace.link_first[k], trace.link_first[k + 1]):
                    if trace.source[n] == node or trace.target[n] == node:
                        settled[trace.source[n] + trace.target[n] - node] = False
    return total


@compiled
def cost_of_hosts(
    i: int,
    trace: Trace,
    ground: Ground,
    cpu: FloatArray,
    storage: FloatArray,
    taken: BoolArray,
    colocate: bool,
    cost: FloatArray,
) -> None:
    """Nothing where a request node can be, `NEVER` elsewhere."""
    for host in range(len(cost)):
        fits = cpu[host] >= trace.cpu[i] and storage[host] >= trace.storage[i] and (colocate or not taken[host])
        cost[host] = 0.0 if fits and trace.able[i, ground.domain[host]] else NEVER


@compiled
def _move(
    k: int,
    node: int,
    trace: Trace,
    ground: Ground,
    network: Network,
    ledger: Ledger,
    taken: BoolArray,
    colocate: bool,
    cost: FloatArray,
    scratch: Scratch,
) -> float:
    """Take a node to where its links cost least, all others where they are; what that changes, at most 0."""
    nodes, i = len(ground.domain), trace.node_first[k] + node
    before, fewest = 0.0, 0.0
    for n in range(trace.link_first[k], trace.link_first[k + 1]):
        if trace.source[n] == node or trace.target[n] == node:
            before += trace.bandwidth[n] * ledger.hops[n]
            fewest += trace.bandwidth[n]
    least = 0 if colocate else 1
    if before <= least * fewest:
        return 0.0
    cpu, storage = scratch.least[:nodes], scratch.least[nodes : 2 * nodes]
    old, left = ledger.host[i], network.left.copy()
    for n in range(trace.link_first[k], trace.link_first[k + 1]):
        if trace.source[n] == node or trace.target[n] == node:
            for hop in range(ledger.hops[n]):
                network.left[ledger.path[n, hop]] += trace.bandwidth[n]
    cpu[old] += trace.cpu[i]
    storage[old] += trace.storage[i]
    taken[old] = False
    placed = np.ones(trace.node_first[k + 1] - trace.node_first[k], np.bool_)
    cost_of_hosts(i, trace, ground, cpu, storage, taken, colocate, cost)
    cost_of_links(k, node, placed, trace, network, ledger, before - least * fewest, cost, scratch)
    chosen, change = np.argmin(cost), 0.0
    if cost[chosen] < before:
        links = slice(trace.link_first[k], trace.link_first[k + 1])
        path, hops = ledger.path[links].copy(), ledger.hops[links].copy()
        ledger.host[i] = chosen
        after = route(k, node, placed, trace, network, ledger, scratch)
        if after < before:
            change = after - before
        else:
            ledger.host[i], ledger.path[links], ledger.hops[links] = old, path, hops
    if change == 0.0:
        network.left[:] = left
    cpu[ledger.host[i]] -= trace.cpu[i]
    storage[ledger.host[i]] -= trace.storage[i]
    taken[ledger.host[i]] = True
    return change


@compiled
def _hosted(k: int, trace: Trace, ground: Ground, cpu: FloatArray, storage: FloatArray) -> bool:
    """Whether each of a request's nodes has a host; most requests that do not fit fail here."""
    for i in range(trace.node_first[k], trace.node_first[k + 1]):
        found = False
        for host in range(len(cpu)):
            if cpu[host] >= trace.cpu[i] and storage[host] >= trace.storage[i] and trace.able[i, ground.domain[host]]:
                found = True
                break
        if not found:
            return False
    return True


@compiled
def _least(k: int, trace: Trace, ledger: Ledger, begin: int, end: int, least: FloatArray) -> None:
    """Write down what is left of some resources at all moments of a request."""
    left, part = ledger.left[trace.first[k] : trace.last[k] + 1, begin:end], least[begin:end]
    part[:] = left[0]
    for moment in range(1, len(left)):
        now = left[moment]
        for r in range(len(part)):
            part[r] = min(part[r], now[r])


@compiled
def _next(placed: BoolArray, towards: FloatArray, demand: FloatArray, rng: np.random.Generator) -> int:
    """Of the nodes that are not placed, the one with most demand towards those that are."""
    chosen, most = -1, -1.0
    for node in range(len(placed)):
        if not placed[node]:
            value = (PLACED_FIRST * towards[node] + demand[node]) * (1 + NOISE * rng.random())
            if value > most:
                chosen, most = node, value
    return chosen


@compiled
def _other_end(n: int, node: int, placed: BoolArray, trace: Trace) -> int:
    """The placed node at the other end of a node's link; -1 when the link is not its own, or the end is not placed."""
    if trace.source[n] == node and placed[trace.target[n]]:
        return int(trace.target[n])
    if trace.target[n] == node and placed[trace.source[n]]:
        return int(trace.source[n])
    return -1


@compiled
def cost_of_links(
    k: int,
    node: int,
    placed: BoolArray,
    trace: Trace,
    network: Network,
    ledger: Ledger,
    spare: float,
    cost: FloatArray,
    scratch: Scratch,
) -> None:
    """Add to each host's cost the bandwidth times hops of the node's links to placed nodes.

    Parameters
    ----------
    spare
        Hosts where one link costs so much more than over one hop do not count; `NEVER` for all hosts.
    """
    begin, link_begin = trace.node_first[k], trace.link_first[k]
    for n in range(link_begin, trace.link_first[k + 1]):
        other = _other_end(n, node, placed, trace)
        if other >= 0:
            away = scratch.away[n - link_begin]
            placed_end, demand = ledger.host[begin + other : begin + other + 1], trace.bandwidth[n]
            most = 1 + int(spare / demand) if spare < FAR_AWAY * demand else FAR_AWAY
            distances(network, demand, placed_end, -1, away, scratch.queue, most)
            for host in range(len(cost)):
                cost[host] = cost[host] + demand * away[host] if away[host] < FAR_AWAY else NEVER


@compiled
def route(
    k: int,
    node: int,
    placed: BoolArray,
    trace: Trace,
    network: Network,
    ledger: Ledger,
    scratch: Scratch,
) -> float:
    """Give the node's links to placed nodes paths, one after the other; bandwidth times hops, or `NEVER`."""
    begin, link_begin = trace.node_first[k], trace.link_first[k]
    host, total = ledger.host[begin + node], 0.0
    for n in range(link_begin, trace.link_first[k + 1]):
        other = _other_end(n, node, placed, trace)
        if other < 0:
            continue
        away, demand = scratch.away[n - link_begin], trace.bandwidth[n]
        path = ledger.path[n]
        if away[host] == FAR_AWAY:
            return NEVER
        if not widest(network, demand, away, host, path):  # the links before it are in the way
            distances(network, demand, ledger.host[begin + other : begin + other + 1], host, away, scratch.queue)
            if away[host] == FAR_AWAY:
                return NEVER
            widest(network, demand, away, host, path)
        hops = away[host]
        if trace.source[n] == node:
            path[:hops] = path[:hops][::-1].copy()
        for hop in range(hops):
            network.left[path[hop]] -= demand
        ledger.hops[n] = hops
        total += demand * hops
    return total
