"""Paths of a request whose nodes are placed: the cheapest that fit together, or the proof that none do; compiled.

Depth first over links, each of which takes a path. Before every choice the shortest path of each open link in what is
left bounds the cost, and shows links that have no path any more. If all open links fit on such paths one after the
other, nothing is cheaper; otherwise the largest of them is the next to take a path, the shortest first.
"""

import math
from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray
from .network import FAR_AWAY, Network, distances, give_back, walk

FOUND, NONE, UNKNOWN = 0, 1, 2  # how a search for paths ends
ENTERING = 20  # steps that a look at one open link is worth
CLOSE = 1e-9  # relative; costs that differ by less are equal


class Wanted(NamedTuple):
    """Links of a request, shape (links,) each."""

    source: IntArray
    target: IntArray
    demand: FloatArray


class Paths(NamedTuple):
    """Room for the search, and the best paths that it found.

    Attributes
    ----------
    node, length : array, shape (links, nodes) and (links,)
        Of the search's own.
    best_node, best_length, kept_node, kept_length : array
        The same of the best, and of those that are kept from one search for paths to the next.
    steps : array, shape (1,)
        Hops that may still be tried.
    blocked : array, shape (links,)
        How often each link had no path.
    """

    node: IntArray
    length: IntArray
    best_node: IntArray
    best_length: IntArray
    kept_node: IntArray
    kept_length: IntArray
    steps: IntArray
    blocked: FloatArray


def room(links: int, nodes: int) -> Paths:
    """Room for the paths of so many links."""
    node, best_node, kept_node = np.zeros((3, links, nodes + 1), np.int64)
    length, best_length, kept_length = np.zeros((3, links), np.int64)
    steps, blocked = np.zeros(1, np.int64), np.zeros(links)
    return Paths(node, length, best_node, best_length, kept_node, kept_length, steps, blocked)


@compiled
def route(
    network: Network,
    wanted: Wanted,
    hops: FloatArray,
    host: IntArray,
    able: BoolArray,
    own: IntArray,
    threshold: float,
    paths: Paths,
    prove: bool,
) -> tuple[int, float]:
    """Paths for some links that cost less than a threshold.

    Parameters
    ----------
    hops : array, shape (links, nodes, nodes)
        Distances over links with enough left for each alone.
    host : array, shape (request nodes,)
        Where nodes are; -1 where not placed.
    able : array of bool, shape (request nodes, nodes)
        Where those that are not placed can be; a link between a placed and another node may end at any such host.
    own : array, shape (links to route,)
        Which ones; one end at least is placed.
    prove
        Look for the cheapest; otherwise the first will do.

    Returns
    -------
    tuple
        How it ended, and what the best paths cost. `UNKNOWN` is out of steps with nothing found, or with no proof.
    """
    count, nodes = len(own), len(network.first) - 1
    away = np.empty((count + 1, nodes), np.int64)  # of the link that each level routes
    turn = np.zeros((count + 1, nodes + 1), np.int64)  # how far each node of its path has looked
    most = np.zeros(count + 1, np.int64)  # hops that its path may have
    chosen = np.full(count + 1, -1)
    routed = np.zeros(len(wanted.demand), np.bool_)
    scratch, queue = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    found, best, level, entering, cost = False, threshold, 0, True, 0.0
    while level >= 0:
        if entering:
            paths.steps[0] -= ENTERING * count
            args = (network, wanted, hops, host, able, own, routed, cost, best, paths, scratch, queue)
            bound, reached, without = _greedily(*args)
            if reached < best:
                found, best = True, reached
                if not prove:
                    _undo(network, wanted, paths, routed, own)
                    return FOUND, best
            if bound == math.inf or bound >= best * (1 - CLOSE):
                if without >= 0:
                    paths.blocked[without] += 1.0
                level -= 1
                entering = False
                continue
            link = -1
            for n in own:
                if not routed[n] and (link < 0 or wanted.demand[n] > wanted.demand[link]):
                    link = n
            chosen[level] = link
            source, target = _ends(wanted, host, able, link)
            distances(network, wanted.demand[link], target, -1, away[level], queue)
            most[level] = nodes - 1
            if best < math.inf and wanted.demand[link] > 0:
                spare = (best - bound) / wanted.demand[link]
                most[level] = min(nodes - 1, away[level, source] + int(spare + CLOSE))
            paths.node[link, 0], paths.length[link], turn[level, 0] = source, 1, 0
            entering = False
        # the next path of this level's link, from where the last one ended
        link = chosen[level]
        demand = wanted.demand[link]
        if routed[link]:
            routed[link] = False
            cost -= demand * (paths.length[link] - 1)
            _step_back(network, demand, paths, link)
        ended = False
        while paths.length[link] > 0:
            at_end = paths.node[link, paths.length[link] - 1]
            if away[level, at_end] == 0:
                ended = True
                break
            if paths.steps[0] <= 0:
                while paths.length[link] > 1:
                    _step_back(network, demand, paths, link)
                _undo(network, wanted, paths, routed, own)
                return UNKNOWN, best
            paths.steps[0] -= 1
            _step_on(network, demand, paths, link, away[level], turn[level], most[level])
        if ended:
            routed[link] = True
            cost += demand * (paths.length[link] - 1)
            level += 1
            entering = True
        else:
            level -= 1
    return (FOUND if found else NONE), best


@compiled
def _undo(network: Network, wanted: Wanted, paths: Paths, routed: BoolArray, own: IntArray) -> None:
    for n in own:
        if routed[n]:
            give_back(network, wanted.demand[n], paths.node[n], paths.length[n])
            routed[n] = False


@compiled
def _step_back(network: Network, demand: float, paths: Paths, link: int) -> None:
    """Take the last node off a path."""
    count = paths.length[link]
    if count > 1:
        give_back(network, demand, paths.node[link, count - 2 :], 2)
    paths.length[link] = count - 1


@compiled
def _step_on(
    network: Network, demand: float, paths: Paths, link: int, away: IntArray, turn: IntArray, most: int
) -> None:
    """One node further, closer ones to the target first; or one back when there is no other way on."""
    count = paths.length[link]
    node = paths.node[link, count - 1]
    begin = network.first[node]
    degree = network.first[node + 1] - begin
    while turn[count - 1] < 3 * degree:
        look = turn[count - 1]
        turn[count - 1] += 1
        at = begin + look % degree
        other, edge = network.neighbour[at], network.link[at]
        if away[other] != away[node] - 1 + look // degree or count + away[other] > most:
            continue
        if network.left[edge] + network.slack[edge] < demand:
            continue
        again = False
        for k in range(count):
            if paths.node[link, k] == other:
                again = True
                break
        if not again:
            network.left[edge] -= demand
            paths.node[link, count] = other
            paths.length[link] = count + 1
            turn[count] = 0
            return
    _step_back(network, demand, paths, link)


@compiled
def _ends(wanted: Wanted, host: IntArray, able: BoolArray, n: int) -> tuple[int, IntArray]:
    """Where a link begins, at a placed node, and where it may end."""
    one, other = wanted.source[n], wanted.target[n]
    if host[one] < 0:
        one, other = other, one
    if host[other] >= 0:
        return host[one], host[other : other + 1]
    return host[one], np.flatnonzero(able[other])


@compiled
def _shortest(
    network: Network,
    wanted: Wanted,
    hops: FloatArray,
    host: IntArray,
    able: BoolArray,
    n: int,
    paths: Paths,
    away: IntArray,
    queue: IntArray,
) -> bool:
    """Give a link a shortest path in what is left, if there is one."""
    source, target = _ends(wanted, host, able, n)
    demand = wanted.demand[n]
    paths.length[n] = 0
    if len(target) == 1:
        paths.length[n] = walk(network, demand, source, hops[n, target[0]], paths.node[n])  # if nobody is in the way
    if paths.length[n] == 0:
        distances(network, demand, target, source, away, queue)
        if away[source] == FAR_AWAY:
            return False
        paths.length[n] = walk(network, demand, source, away, paths.node[n])
    return True


@compiled
def _greedily(
    network: Network,
    wanted: Wanted,
    hops: FloatArray,
    host: IntArray,
    able: BoolArray,
    own: IntArray,
    routed: BoolArray,
    cost: float,
    best: float,
    paths: Paths,
    away: IntArray,
    queue: IntArray,
) -> tuple[float, float, int]:
    """All open links on shortest paths one after the other, the often blocked and large ones first.

    Returns a bound on the cost, each open link having what is left to itself; the cost, infinite when one finds no
    room; and a link that has no path even so, -1 when there is none. Paths that cost less than the best are kept; what
    is left is as before.
    """
    key = np.empty(len(own))
    for k in range(len(own)):
        key[k] = -paths.blocked[own[k]] - wanted.demand[own[k]] * 1e-6
    total, crowded, taken = cost, False, 0
    order = own[np.argsort(key, kind="mergesort")]
    for k in range(len(order)):
        n = order[k]
        taken = k + 1
        if routed[n]:
            continue
        if not _shortest(network, wanted, hops, host, able, n, paths, away, queue):
            total, taken = math.inf, k
            break
        one, other = host[wanted.source[n]], host[wanted.target[n]]
        crowded = crowded or one < 0 or other < 0 or paths.length[n] - 1 > hops[n, one, other]
        total += wanted.demand[n] * (paths.length[n] - 1)
    for k in range(taken):
        n = order[k]
        if not routed[n]:
            give_back(network, wanted.demand[n], paths.node[n], paths.length[n])
    if total < best:
        for n in own:
            paths.best_length[n] = paths.length[n]
            paths.best_node[n, : paths.length[n]] = paths.node[n, : paths.length[n]]
    if total < math.inf and not crowded:
        return total, total, -1
    bound = cost
    for n in own:
        if not routed[n]:
            if not _shortest(network, wanted, hops, host, able, n, paths, away, queue):
                return math.inf, math.inf, n
            give_back(network, wanted.demand[n], paths.node[n], paths.length[n])
            bound += wanted.demand[n] * (paths.length[n] - 1)
    return bound, total, -1
