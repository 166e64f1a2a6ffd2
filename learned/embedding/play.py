"""Traces that are met request by request, node by node, many at once; compiled.

Requests come in the order of their arrivals, those that have departed leave first. Each node of a request takes a
host; with `Rules.stepwise` its links to nodes before it take shortest paths at once, so that a host is possible only
where all of them have one; otherwise all links do when every node has its host. A last turn takes or refuses the
embedding; where a node or a link found no room, only to refuse is possible.
"""

from typing import NamedTuple, Self

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...solvers.embedding.insertion import NEVER, Scratch, cost_of_hosts, cost_of_links, route
from ...solvers.embedding.network import Network
from ...solvers.embedding.trace import Ledger, Trace, change
from .worlds import Worlds, ground_of, trace_of

WAIT = -1  # an action that does nothing


class Rules(NamedTuple):
    """How requests are met."""

    colocate: bool
    stepwise: bool


class Play(NamedTuple):
    """Where B environments stand; N substrate nodes.

    Attributes
    ----------
    world, request, turn : array, shape (B,)
        Trace, request (their number after the last), and how many of its nodes have a host.
    failed : array of bool, shape (B,)
        Whether the request cannot be embedded any more, and only waits to be refused.
    gone : array, shape (B,)
        Departures so far.
    left, before : array, shape (B, 1, resources)
        What is left, see `Ledger`, and what was when the request came.
    accepted, hops_cost : array, shape (B, R)
    host, hops, path : array, shape (B, ...)
        See `Ledger`.
    placed : array of bool, shape (B, nodes of the largest request)
    taken : array of bool, shape (B, N)
        Hosts of the request.
    away : array, shape (B, most links of a request, N)
        Hops from the hosts of the present node's placed neighbours.
    cost : array, shape (B, N)
        Bandwidth times hops to those; `NEVER` where the node cannot be.
    """

    world: IntArray
    request: IntArray
    turn: IntArray
    failed: BoolArray
    gone: IntArray
    left: FloatArray
    before: FloatArray
    accepted: BoolArray
    hops_cost: FloatArray
    host: IntArray
    hops: IntArray
    path: IntArray
    placed: BoolArray
    taken: BoolArray
    away: IntArray
    cost: FloatArray

    @classmethod
    def empty(cls, worlds: Worlds, batch: int) -> Self:
        """Room for B environments."""
        requests, nodes = worlds.arrival.shape[1], worlds.domain.shape[1]
        own_nodes, own_links = worlds.cpu.shape[1], worlds.bandwidth.shape[1]
        resources = worlds.capacity.shape[1]
        return cls(
            np.zeros(batch, np.int64),
            np.zeros(batch, np.int64),
            np.zeros(batch, np.int64),
            np.zeros(batch, bool),
            np.zeros(batch, np.int64),
            np.zeros((batch, 1, resources)),
            np.zeros((batch, 1, resources)),
            np.zeros((batch, requests), bool),
            np.zeros((batch, requests)),
            np.zeros((batch, own_nodes), np.int64),
            np.zeros((batch, own_links), np.int64),
            np.zeros((batch, own_links, nodes), np.int32),
            np.zeros((batch, worlds.most_nodes), bool),
            np.zeros((batch, nodes), bool),
            np.zeros((batch, worlds.most_links, nodes), np.int64),
            np.zeros((batch, nodes)),
        )

    def repeated(self, count: int) -> Self:
        """So many of each environment, one after the other."""
        return self._replace(**{name: np.repeat(getattr(self, name), count, 0) for name in self._fields})


@compiled
def begin(which: IntArray, world: IntArray, worlds: Worlds, rules: Rules, play: Play) -> None:
    """Begin these worlds' traces in some environments."""
    for j in range(len(which)):
        b = which[j]
        play.world[b], play.request[b], play.gone[b] = world[j], -1, 0
        play.left[b, 0] = worlds.capacity[world[j]]
        play.accepted[b] = False
        _next_request(b, worlds, play)
        _look(b, worlds, rules, play)


@compiled
def act(action: IntArray, worlds: Worlds, rules: Rules, play: Play, reward: FloatArray) -> None:
    """Take actions, shape (B,): hosts 0 to N - 1, N to refuse, N + 1 to take.

    Nothing happens where the action is impossible, or `WAIT`.

    Parameters
    ----------
    reward : array, shape (B,)
        What they add to the objectives; filled.
    """
    for b in range(len(action)):
        reward[b] = 0.0
        if action[b] != WAIT and play.request[b] < worlds.arrival.shape[1]:
            reward[b] = _act(b, action[b], worlds, rules, play)


@compiled
def _act(b: int, action: int, worlds: Worlds, rules: Rules, play: Play) -> float:
    nodes = worlds.domain.shape[1]
    w, k = play.world[b], play.request[b]
    trace, ledger = trace_of(worlds, w), ledger_of(play, b)
    count = trace.node_first[k + 1] - trace.node_first[k]
    if decides(b, worlds, play):
        return _settle(b, action == nodes + 1 and not play.failed[b], worlds, rules, play)
    if action >= nodes or play.cost[b, action] == NEVER:
        return 0.0
    node = worlds.sequence[w, trace.node_first[k] + play.turn[b]]
    i = trace.node_first[k] + node
    left, network = play.left[b, 0], network_of(worlds, play, b)
    ledger.host[i], play.placed[b, node], play.taken[b, action] = action, True, True
    left[action] -= trace.cpu[i]
    left[nodes + action] -= trace.storage[i]
    play.turn[b] += 1
    scratch, found = scratch_of(play, b), True
    if rules.stepwise:
        routed = route(k, node, play.placed[b], trace, network, ledger, scratch)
        found = routed < NEVER
        ledger.hops_cost[k] += routed
    elif play.turn[b] == count:
        found = _route_all(b, k, trace, network, ledger, play)
    if not found:
        _fail(b, play)
    _look(b, worlds, rules, play)
    return 0.0


@compiled
def _route_all(b: int, k: int, trace: Trace, network: Network, ledger: Ledger, play: Play) -> bool:
    """Give all links shortest paths, node by node."""
    scratch, placed = scratch_of(play, b), np.zeros(play.placed.shape[1], np.bool_)
    for node in range(trace.node_first[k + 1] - trace.node_first[k]):
        placed[node] = True
        cost_of_links(k, node, placed, trace, network, ledger, NEVER, play.cost[b], scratch)
        routed = route(k, node, placed, trace, network, ledger, scratch)
        if routed == NEVER:
            return False
        ledger.hops_cost[k] += routed
    return True


@compiled
def _fail(b: int, play: Play) -> None:
    """Give back what the request has taken."""
    play.left[b] = play.before[b]
    play.failed[b] = True


@compiled
def _settle(b: int, take: bool, worlds: Worlds, rules: Rules, play: Play) -> float:
    """Take or refuse the request, and go on to the next; what it adds to the objective."""
    worth = worth_of(b, worlds, play) if take else 0.0
    if take:
        play.accepted[b, play.request[b]] = True
    else:
        play.left[b] = play.before[b]
    _next_request(b, worlds, play)
    _look(b, worlds, rules, play)
    return worth


@compiled
def _next_request(b: int, worlds: Worlds, play: Play) -> None:
    """The next request arrives, after departures."""
    requests = worlds.arrival.shape[1]
    play.request[b] += 1
    k, w = play.request[b], play.world[b]
    if k == requests:
        return
    trace, ground, ledger = trace_of(worlds, w), ground_of(worlds, w), ledger_of(play, b)
    while play.gone[b] < requests:
        leaving = worlds.leaving[w, play.gone[b]]
        if worlds.departure[w, leaving] > worlds.arrival[w, k]:
            break
        if play.accepted[b, leaving]:
            change(leaving, 1.0, trace, ground, ledger)
        play.gone[b] += 1
    play.before[b] = play.left[b]
    play.turn[b], play.failed[b], play.hops_cost[b, k] = 0, False, 0.0
    play.placed[b], play.taken[b] = False, False


@compiled
def _look(b: int, worlds: Worlds, rules: Rules, play: Play) -> None:
    """Where the present node can be; without any host the request waits to be refused."""
    nodes, w, k = worlds.domain.shape[1], play.world[b], play.request[b]
    if k == worlds.arrival.shape[1] or play.failed[b] or decides(b, worlds, play):
        return
    trace, cost = trace_of(worlds, w), play.cost[b]
    node, left = worlds.sequence[w, trace.node_first[k] + play.turn[b]], play.left[b, 0]
    cpu, storage, taken = left[:nodes], left[nodes : 2 * nodes], play.taken[b]
    cost_of_hosts(trace.node_first[k] + node, trace, ground_of(worlds, w), cpu, storage, taken, rules.colocate, cost)
    if rules.stepwise:
        network, ledger = network_of(worlds, play, b), ledger_of(play, b)
        cost_of_links(k, node, play.placed[b], trace, network, ledger, NEVER, cost, scratch_of(play, b))
    if cost.min() == NEVER:
        _fail(b, play)


@compiled
def decides(b: int, worlds: Worlds, play: Play) -> bool:
    """Whether the turn is to take or refuse the present request, of an environment that is not over."""
    w, k = play.world[b], play.request[b]
    whole = play.turn[b] == worlds.node_first[w, k + 1] - worlds.node_first[w, k]
    return bool(play.failed[b] or whole)


@compiled
def worth_of(b: int, worlds: Worlds, play: Play) -> float:
    """What taking the present request would add to the objective."""
    w, k = play.world[b], play.request[b]
    cost = worlds.on_nodes[w, k] + play.hops_cost[b, k]
    return float(worlds.revenue[w, k] - worlds.cost_weight[w] * cost)


@compiled
def adopt(source: IntArray, worlds: Worlds, play: Play) -> None:
    """Let each environment go on from where another stands, shape (B,), which is at the same request of its world."""
    for b in range(len(source)):
        a = source[b]
        if a != b:
            w, k = play.world[a], play.request[a]
            nodes = slice(worlds.node_first[w, k], worlds.node_first[w, k + 1])
            links = slice(worlds.link_first[w, k], worlds.link_first[w, k + 1])
            play.turn[b], play.failed[b], play.hops_cost[b, k] = play.turn[a], play.failed[a], play.hops_cost[a, k]
            play.left[b], play.placed[b], play.taken[b] = play.left[a], play.placed[a], play.taken[a]
            play.host[b, nodes], play.hops[b, links] = play.host[a, nodes], play.hops[a, links]
            play.path[b, links] = play.path[a, links]


@compiled
def ledger_of(play: Play, b: int) -> Ledger:
    """One environment's embeddings."""
    return Ledger(play.left[b], play.accepted[b], play.hops_cost[b], play.host[b], play.hops[b], play.path[b])


@compiled
def network_of(worlds: Worlds, play: Play, b: int) -> Network:
    """What is left of one environment's links; slack is in the capacities."""
    w, nodes = play.world[b], worlds.domain.shape[1]
    bandwidth = play.left[b, 0, 2 * nodes :]
    return Network(worlds.first[w], worlds.neighbour[w], worlds.link[w], bandwidth, np.zeros(len(bandwidth)))


@compiled
def scratch_of(play: Play, b: int) -> Scratch:
    """Room for the paths of one environment."""
    none = np.zeros(0)
    return Scratch(none, play.away[b], np.empty(play.away.shape[2], np.int64), none)
