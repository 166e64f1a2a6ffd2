"""Branch and bound over the hosts of one request, for the cheapest embedding or the proof that there is none; compiled.

A search node has some request nodes placed. Its bound adds to the cost of links between placed nodes an assignment of
the others to hosts, each at the cost of its links to placed nodes and half of the least cost of its links to others
(Gilmore's and Lawler's bound of quadratic assignment). Costs over a threshold are cut off, which rises until something
is found; below it the assignment's reduced costs remove hosts. Paths between placed nodes are looked for on the way
with little effort, and at the leaves until the cheapest are known (see `routing`).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.embedding import Embedding, Request
from ...instances.embedding.residual import Residual
from ...instances.fields import FloatArray, IntArray
from .assignment import NEVER, Assignment, assign, assignment_room, cheapest
from .network import Network, network
from .request_tables import Ask, ask
from .routing import FOUND, NONE, UNKNOWN, Paths, room, route

GROWTH = (1.0, 1.04, 1.08, 1.15, 1.25, 1.4, 1.6, 2.0, 3.0, math.inf)  # thresholds over the first bound
FIRST_LOOK = 30  # search nodes for any embedding, or the proof that there is none
CHUNK = 100  # search nodes between looks at the clock
STEPS_ON_THE_WAY, STEPS_AT_LEAVES = 20_000, 1_000_000  # of looking for paths; at leaves ten times more if need be
CLOSE = 1e-9  # relative; costs that differ by less are equal
STEPS_A_NODE = 500  # of looking for paths, that count as a search node
LEVEL, ENTERING, UNDECIDED, OPEN, ANY, STEPS, SPENT = range(7)  # what the state of a tree says


class Found(NamedTuple):
    """What a search came to.

    Attributes
    ----------
    embedding
        The best, None where there is none.
    proven
        Whether nothing is cheaper, or there is nothing at all.
    bound
        No embedding costs less on links.
    nodes
        Search nodes, with `STEPS_A_NODE` steps of looking for paths as one.
    """

    embedding: Embedding | None
    proven: bool
    bound: float
    nodes: int


class Tree(NamedTuple):
    """The search as far as it has come, so that it can be interrupted; levels are numbers of placed nodes.

    Attributes
    ----------
    cost : array, shape (levels, request nodes, nodes)
        Of each node that is not placed on each host; infinite where it cannot be.
    placed : array, shape (levels,)
        Cost of links between placed nodes.
    host : array, shape (request nodes,)
        -1 where not placed.
    node, options, choices, turn : arrays by level
        Which node is placed there, its hosts in order, how many, and which is next.
    left : array, shape (2, nodes)
        CPU and storage left beside the placed nodes, with what the referee lets pass.
    best_host : array, shape (request nodes,)
    state : array, shape (7,)
        Level, whether it is entered for the first time, whether something was left undecided, whether paths are also
        looked for from placed nodes to wherever their neighbours can be, whether the first embedding will do, steps of
        looking for paths at a leaf, and those spent since they were last counted.
    value : array, shape (2,)
        Threshold, and the best cost.
    """

    cost: FloatArray
    placed: FloatArray
    host: IntArray
    node: IntArray
    options: IntArray
    choices: IntArray
    turn: IntArray
    left: FloatArray
    best_host: IntArray
    state: IntArray
    value: FloatArray


@compiled
def _explore(
    tree: Tree, ask: Ask, network: Network, paths: Paths, duals: Assignment, colocate: bool, most_nodes: int
) -> int:
    """Go on for so many search nodes, or to the end: then the level is -1. Returns the number of nodes."""
    nodes = 0
    while tree.state[LEVEL] >= 0:
        level = tree.state[LEVEL]
        if tree.state[ENTERING]:
            if nodes >= most_nodes:
                break
            tree.state[ENTERING] = 0
            if not _enter(tree, ask, network, paths, duals, colocate, level):
                tree.state[LEVEL] -= 1
            nodes += 1 + tree.state[SPENT] // STEPS_A_NODE
            tree.state[SPENT] %= STEPS_A_NODE
            continue
        node = tree.node[level]
        if tree.host[node] >= 0:
            _take_back(tree, ask, node)
        if tree.turn[level] < tree.choices[level]:
            host = tree.options[level, tree.turn[level]]
            tree.turn[level] += 1
            _put(tree, ask, level, node, host, colocate)
            tree.state[LEVEL], tree.state[ENTERING] = level + 1, 1
        else:
            tree.state[LEVEL] -= 1
    return nodes


@compiled
def _take_back(tree: Tree, ask: Ask, node: int) -> None:
    host = tree.host[node]
    tree.left[0, host] += ask.cpu[node]
    tree.left[1, host] += ask.storage[node]
    tree.host[node] = -1


@compiled
def _put(tree: Tree, ask: Ask, level: int, node: int, host: int, colocate: bool) -> None:
    """Place a node, and say what the others cost then."""
    cost, links = tree.cost[level + 1], ask.links
    cost[:] = tree.cost[level]
    tree.host[node] = host
    tree.left[0, host] -= ask.cpu[node]
    tree.left[1, host] -= ask.storage[node]
    for other in range(len(cost)):
        if not colocate or ask.cpu[other] > tree.left[0, host] or ask.storage[other] > tree.left[1, host]:
            cost[other, host] = NEVER
    placed = tree.placed[level]
    for n in range(len(links.demand)):
        if links.source[n] == node or links.target[n] == node:
            other = links.source[n] + links.target[n] - node
            if tree.host[other] >= 0:
                placed += links.demand[n] * ask.hops[n, host, tree.host[other]]
            else:
                side = 1 if links.source[n] == node else 0  # of the other end
                for j in range(cost.shape[1]):
                    if cost[other, j] < NEVER:
                        if ask.hops[n, host, j] < NEVER:
                            cost[other, j] += links.demand[n] * ask.hops[n, host, j] - ask.half[n, side, j]
                        else:
                            cost[other, j] = NEVER
    tree.placed[level + 1] = placed


@compiled
def _enter(tree: Tree, ask: Ask, network: Network, paths: Paths, duals: Assignment, colocate: bool, level: int) -> bool:
    """Bound a search node and choose what to place next; whether there is anything to place."""
    links, cost, threshold = ask.links, tree.cost[level], tree.value[0]
    rows = np.flatnonzero(tree.host < 0)
    ahead = cheapest(cost, rows, duals) if colocate else assign(cost, rows, duals)
    bound = tree.placed[level] + ahead
    if ahead >= NEVER or bound >= threshold * (1 - CLOSE):
        return False
    here, there = tree.host[links.source] >= 0, tree.host[links.target] >= 0
    own = np.flatnonzero(here | there if tree.state[OPEN] else here & there)
    at_leaf = len(rows) == 0
    if len(own) or at_leaf:
        paths.steps[0] = tree.state[STEPS] if at_leaf else STEPS_ON_THE_WAY
        rest = ask.least[~(here | there)].sum() if tree.state[OPEN] else ahead
        able = cost < NEVER
        prove = at_leaf and not tree.state[ANY]
        before = paths.steps[0]
        ended, value = route(network, links, ask.hops, tree.host, able, own, threshold - rest, paths, prove)
        tree.state[SPENT] += before - paths.steps[0]
        if at_leaf:
            if value < threshold:
                tree.value[0] = tree.value[1] = value
                tree.best_host[:] = tree.host
                for n in range(len(links.demand)):
                    paths.kept_length[n] = paths.best_length[n]
                    paths.kept_node[n] = paths.best_node[n]
            if ended == UNKNOWN:
                tree.state[UNDECIDED] = 1
            if ended == FOUND and tree.state[ANY]:
                tree.state[LEVEL] = 0  # and out of it
            return False
        if ended == NONE:
            return False
    return _choose(tree, ask, paths, duals, level, rows, threshold - bound)


@compiled
def _choose(tree: Tree, ask: Ask, paths: Paths, duals: Assignment, level: int, rows: IntArray, spare: float) -> bool:
    """The node with fewest hosts whose reduced cost is within what is spare, over how often its links were blocked."""
    cost, links = tree.cost[level], ask.links
    chosen, best = -1, np.inf
    for i in range(len(rows)):
        count = 0
        for j in range(cost.shape[1]):
            reduced = cost[rows[i], j] - duals.row_value[i] - duals.column_value[j]
            if cost[rows[i], j] < NEVER and reduced < spare:
                count += 1
        if count == 0:
            return False
        weight = 1.0
        for n in range(len(links.demand)):
            if links.source[n] == rows[i] or links.target[n] == rows[i]:
                other = links.source[n] + links.target[n] - rows[i]
                weight += paths.blocked[n] if tree.state[OPEN] and tree.host[other] >= 0 else 0.0
        if count / weight < best:
            chosen, best = i, count / weight
    reduced = cost[rows[chosen]] - duals.row_value[chosen] - duals.column_value[:-1]
    hosts = np.flatnonzero((cost[rows[chosen]] < NEVER) & (reduced < spare))
    tree.node[level], tree.choices[level], tree.turn[level] = rows[chosen], len(hosts), 0
    tree.options[level, : len(hosts)] = hosts[np.argsort(reduced[hosts], kind="mergesort")]
    return True


class Search:
    """The search for one request in what is left of a substrate.

    Parameters
    ----------
    colocate
        Whether nodes may share a host.

    Attributes
    ----------
    nodes
        Search nodes so far.
    cost
        On links, of the best embedding so far; infinite without one.
    """

    def __init__(self, residual: Residual, request: Request, *, colocate: bool) -> None:
        self.request, self.colocate = request, colocate
        self.network = network(residual)
        self.ask, able = ask(residual, request, self.network, colocate=colocate)
        count, (nodes, hosts) = len(request.links), able.shape
        self.paths, self.duals = room(count, hosts), assignment_room(nodes, hosts)
        self.left = np.array(residual.allowed()[:2])
        self.root = np.where(able, 0.0, NEVER)
        for n in range(count):
            for side, node in enumerate((request.links.source[n], request.links.target[n])):
                self.root[node] += self.ask.half[n, side]
        self.root[self.root >= NEVER] = NEVER
        self.nodes, self.cost = 0, math.inf

    def run(self, most_nodes: int | None, late: Callable[[], bool] = lambda: False) -> Found:
        """Search until the cheapest is known, or so many search nodes are done, or it is late."""
        rows = np.arange(len(self.root))
        bound = cheapest(self.root, rows, self.duals) if self.colocate else assign(self.root, rows, self.duals)
        if bound >= NEVER:
            return Found(None, True, math.inf, 0)
        known = self._tree(math.inf, 2 * STEPS_ON_THE_WAY, open_ends=True, any_will_do=True)
        seen = self._go_on(known, FIRST_LOOK if most_nodes is None else min(FIRST_LOOK, most_nodes), late)
        if seen and known.value[1] == math.inf and not known.state[UNDECIDED]:
            return Found(None, True, math.inf, self.nodes)
        first, steps = max(bound, CLOSE), STEPS_AT_LEAVES
        for growth in GROWTH:
            undecided = True
            while undecided:
                threshold = min(first * growth * (1 + 2 * CLOSE) + CLOSE, known.value[1])
                tree = self._tree(threshold, steps, open_ends=math.isinf(threshold))
                seen, undecided = self._go_on(tree, most_nodes, late), bool(tree.state[UNDECIDED])
                if tree.value[1] < known.value[1]:
                    known = tree
                if not seen:
                    return self._found(known, proven=False, bound=bound)
                steps *= 10 if undecided else 1
            if threshold >= known.value[1]:
                break
            bound = threshold * (1 - CLOSE)
        return self._found(known, proven=True, bound=known.value[1] * (1 - CLOSE))

    def _go_on(self, tree: Tree, most_nodes: int | None, late: Callable[[], bool]) -> bool:
        """Search until all is seen, so many search nodes are done in all, or it is late; whether all is seen."""
        while tree.state[LEVEL] >= 0:
            left = CHUNK if most_nodes is None else min(CHUNK, most_nodes - self.nodes)
            if left <= 0 or late():
                return False
            args = (tree, self.ask, self.network, self.paths, self.duals, self.colocate, left)
            self.nodes += _explore(*args)
            self.cost = min(self.cost, float(tree.value[1]))
        return True

    def _tree(self, threshold: float, steps: int, *, open_ends: bool, any_will_do: bool = False) -> Tree:
        nodes, hosts = self.root.shape
        cost = np.empty((nodes + 1, nodes, hosts))
        cost[0] = self.root
        return Tree(
            cost,
            np.zeros(nodes + 1),
            np.full(nodes, -1),
            np.zeros(nodes + 1, np.int64),
            np.zeros((nodes + 1, hosts), np.int64),
            np.zeros(nodes + 1, np.int64),
            np.zeros(nodes + 1, np.int64),
            self.left.copy(),
            np.full(nodes, -1),
            np.array([0, 1, 0, open_ends, any_will_do, steps, 0]),
            np.array([threshold, math.inf]),
        )

    def _found(self, tree: Tree, *, proven: bool, bound: float) -> Found:
        if tree.value[1] == math.inf:
            return Found(None, proven, bound, self.nodes)
        paths = tuple(
            self.paths.kept_node[n, : self.paths.kept_length[n]].copy() for n in range(len(self.request.links))
        )
        return Found(Embedding(tree.best_host, paths), proven, bound, self.nodes)
