"""What a graph policy sees: every host for the node in turn, and the whole request when it is decided."""

from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.embedding.instance import DOMAINS
from ...instances.fields import IntArray
from ...solvers.embedding.aggregate import BETWEEN, PAIRS
from ...solvers.embedding.insertion import NEVER
from ...solvers.embedding.network import distances
from ..environment import Float32Array
from .play import Play, Rules, decides, network_of, worth_of
from .worlds import Worlds, trace_of

HOST_FEATURES = 22
BANDWIDTH = 2 * len(DOMAINS)  # where kinds of bandwidth begin
KINDS = BANDWIDTH + PAIRS  # CPU and storage of each domain, bandwidth between each two
OFFER_FEATURES = 2 * KINDS + 4
FAR = 10.0  # hops at most
NODE, LINK, SPACE, TIME = 100.0, 50.0, 500.0, 1_000.0  # what makes features of size 1


class Sight(NamedTuple):
    """What is seen of some environments.

    Attributes
    ----------
    hosts : array, shape (rows, N, HOST_FEATURES)
        Of every substrate node beside the request node in turn; zero when a request is decided.
    offer : array, shape (rows, OFFER_FEATURES)
        What the request would take of each kind of resource (nodes / `NODE`, links / `LINK`), what share is left of
        each, its worth, how long it stays, how long the trace still goes on, and whether it stays for ever.
    """

    hosts: Float32Array
    offer: Float32Array


def look(worlds: Worlds, rules: Rules, play: Play, rows: IntArray) -> Sight:
    """What is seen now, of some rows."""
    nodes = play.cost.shape[1]
    hosts = np.zeros((len(rows), nodes, HOST_FEATURES), np.float32)
    sight = Sight(hosts, np.zeros((len(rows), OFFER_FEATURES), np.float32))
    _look(worlds, rules, play, rows, sight)
    return sight


@compiled
def _look(worlds: Worlds, rules: Rules, play: Play, rows: IntArray, sight: Sight) -> None:
    for j in range(len(rows)):
        b = rows[j]
        if play.request[b] == worlds.arrival.shape[1] or play.failed[b]:
            continue
        if decides(b, worlds, play):
            _see_offer(b, worlds, play, sight.offer[j])
        else:
            _see_hosts(b, worlds, rules, play, sight.hosts[j])


@compiled
def _see_hosts(b: int, worlds: Worlds, rules: Rules, play: Play, seen: Float32Array) -> None:
    """Every host for the node in turn."""
    w, k, nodes = play.world[b], play.request[b], worlds.domain.shape[1]
    trace, network, left = trace_of(worlds, w), network_of(worlds, play, b), play.left[b, 0]
    begin, count = trace.node_first[k], trace.node_first[k + 1] - trace.node_first[k]
    node = worlds.sequence[w, begin + play.turn[b]]
    i = begin + node
    placed, open_demand, widest, others = 0.0, 0.0, 0.0, 0
    ahead, away, queue = np.zeros(nodes), np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    room = np.empty(nodes)
    for n in range(trace.link_first[k], trace.link_first[k + 1]):
        if trace.source[n] != node and trace.target[n] != node:
            continue
        other, demand = trace.source[n] + trace.target[n] - node, trace.bandwidth[n]
        if play.placed[b, other]:
            placed += demand
            continue
        open_demand, widest, others = open_demand + demand, max(widest, demand), others + 1
        cpu, storage = left[:nodes], left[nodes : 2 * nodes]
        domain = worlds.domain[w]
        for host in range(nodes):
            fits = cpu[host] >= trace.cpu[begin + other] and storage[host] >= trace.storage[begin + other]
            free = rules.colocate or not play.taken[b, host]
            room[host] = 0.0 if fits and free and trace.able[begin + other, domain[host]] else NEVER
        distances(network, demand, np.flatnonzero(room == 0.0), -1, away, queue)
        least = 0 if rules.colocate else 1
        for host in range(nodes):
            ahead[host] += demand * min(FAR, max(least, away[host]))
    for host in range(nodes):
        space, whole, wide, degree = 0.0, 0.0, 0, 0
        for at in range(network.first[host], network.first[host + 1]):
            link = network.link[at]
            space += network.left[link]
            whole += worlds.capacity[w, 2 * nodes + link]
            wide += network.left[link] >= widest
            degree += 1
        possible, row = play.cost[b, host] < NEVER, seen[host]
        cost = play.cost[b, host] if possible else 0.0
        row[0] = possible
        row[1] = cost / max(placed, 1.0) / 4
        row[2] = ahead[host] / max(open_demand, 1.0) / 4
        row[3] = cost / (4 * LINK)
        row[4] = ahead[host] / (4 * LINK)
        row[5] = (left[host] - trace.cpu[i]) / NODE
        row[6] = (left[nodes + host] - trace.storage[i]) / NODE
        row[7] = space / SPACE
        row[8] = min(1.0, (space - open_demand) / SPACE)
        row[9] = space / max(whole, 1.0)
        row[10] = wide / max(degree, 1)
        row[11] = degree / 10
        row[12 + worlds.domain[w, host]] = 1.0
        row[15] = left[host] / max(worlds.capacity[w, host], 1.0)
        row[16] = left[nodes + host] / max(worlds.capacity[w, nodes + host], 1.0)
        row[17] = play.turn[b] / count
        row[18] = placed / (4 * LINK)
        row[19] = open_demand / (4 * LINK)
        row[20] = others / 4
        row[21] = count / 10


@compiled
def _see_offer(b: int, worlds: Worlds, play: Play, seen: Float32Array) -> None:
    """The request whose nodes and links all have their place."""
    w, k, nodes = play.world[b], play.request[b], worlds.domain.shape[1]
    trace, left, count, whole = trace_of(worlds, w), play.before[b, 0], len(DOMAINS), np.zeros(KINDS)
    for i in range(trace.node_first[k], trace.node_first[k + 1]):
        domain = worlds.domain[w, play.host[b, i]]
        seen[domain] += trace.cpu[i] / NODE
        seen[count + domain] += trace.storage[i] / NODE
    for n in range(trace.link_first[k], trace.link_first[k + 1]):
        at = play.host[b, trace.node_first[k] + trace.source[n]]
        for hop in range(play.hops[b, n]):
            link = play.path[b, n, hop]
            other = _across(worlds, w, at, link)
            seen[BANDWIDTH + BETWEEN[worlds.domain[w, at], worlds.domain[w, other]]] += trace.bandwidth[n] / LINK
            at = other
    for host in range(nodes):
        domain = worlds.domain[w, host]
        seen[KINDS + domain] += left[host]
        seen[KINDS + count + domain] += left[nodes + host]
        whole[domain] += worlds.capacity[w, host]
        whole[count + domain] += worlds.capacity[w, nodes + host]
        for at in range(worlds.first[w, host], worlds.first[w, host + 1]):
            between = BANDWIDTH + BETWEEN[domain, worlds.domain[w, worlds.neighbour[w, at]]]
            seen[KINDS + between] += left[2 * nodes + worlds.link[w, at]]
            whole[between] += worlds.capacity[w, 2 * nodes + worlds.link[w, at]]
    for kind in range(KINDS):
        seen[KINDS + kind] /= max(whole[kind], 1.0)
    stays, ends = worlds.departure[w, k] - worlds.arrival[w, k], worlds.horizon[w] - worlds.arrival[w, k]
    rest = max(0.0, ends)
    seen[2 * KINDS] = worth_of(b, worlds, play) / NODE
    seen[2 * KINDS + 1] = min(stays, rest, 100 * TIME) / TIME
    seen[2 * KINDS + 2] = min(rest, 100 * TIME) / TIME
    seen[2 * KINDS + 3] = stays == np.inf


@compiled
def _across(worlds: Worlds, w: int, node: int, link: int) -> int:
    """The other end of a link."""
    for at in range(worlds.first[w, node], worlds.first[w, node + 1]):
        if worlds.link[w, at] == link:
            return int(worlds.neighbour[w, at])
    return node
