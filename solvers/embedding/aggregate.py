"""A bound on all decisions for a trace: nodes and links of a domain as one, paths as short as domains allow.

At every moment, what accepted requests take of each domain's CPU and storage, and of the bandwidth between each two
domains, is at most what there is. Columns say which domains a request's nodes are in and which its links cross; those
that pay are generated. The bound is that of weak duality for the prices of any round, whatever the LP's tolerances.
Where request nodes may choose between domains, all domains have one price (otherwise columns swing between them).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ...instances.embedding import VirtualNetworks
from ...instances.embedding.instance import DOMAINS, admitted
from ...instances.fields import BoolArray, FloatArray, IntArray
from ..linear_program import Arrays, LinearProgram
from .trace import Trace

COUNT = len(DOMAINS)
BETWEEN = np.array([[0, 1, 2], [1, 3, 4], [2, 4, 5]])  # number of each two domains
PAIRS = 6
RESOURCES = 2 * COUNT + PAIRS  # CPU and storage of each domain, bandwidth between each two
KINDS = np.repeat(np.eye(3), (COUNT, COUNT, PAIRS), axis=0)  # whether each is CPU, storage or bandwidth
MOST_ROUNDS = 50
CLOSE = 1e-6  # of the bound and the LP's value


@dataclass(frozen=True)
class Prices:
    """What resources are worth, and what that proves.

    Attributes
    ----------
    bound
        No decision is worth more.
    paid : array, shape (requests, 2)
        What each request pays for its nodes, and for its links, over its time.
    """

    bound: float
    paid: FloatArray


def aggregate(
    instance: VirtualNetworks,
    trace: Trace,
    late: Callable[[], bool] = lambda: False,
    value: FloatArray | None = None,
) -> Prices:
    """Prices of the aggregated linear program, and its bound.

    Parameters
    ----------
    trace
        The instance's.
    late
        Whether time is up; asked every round.
    value : array, shape (requests,)
        What is maximised, of each accepted request; None for the objective.
    """
    program = _Program(instance, trace, value)
    free = np.zeros((program.moments, RESOURCES))
    columns = program.columns(free)
    best, paid = program.bound(free, columns), columns.paid
    if best == 0:
        return Prices(best, paid)
    master = program.master(columns)
    for _ in range(MOST_ROUNDS):
        if late():
            break
        outcome = master.solve()
        if outcome.row_dual is None or outcome.objective is None:
            raise RuntimeError(f"the aggregated program was not solved: {outcome.reason}")
        at = program.moments * program.priced.shape[1]
        dual = outcome.row_dual[:at].reshape(program.moments, -1)
        price = np.maximum(dual, 0.0) @ program.priced.T
        columns = program.columns(price)
        bound = program.bound(price, columns)
        if bound < best:
            best, paid = bound, columns.paid
        worse = columns.reduced > outcome.row_dual[at:] + CLOSE * np.maximum(1.0, np.abs(columns.worth))
        if bound - outcome.objective <= CLOSE * abs(bound) or not worse.any():
            break
        program.append(master, columns, worse)
    return Prices(best, paid)


@dataclass(frozen=True)
class _Columns:
    """The best column of each request for some prices; shape (requests, ...)."""

    use: FloatArray
    worth: FloatArray
    reduced: FloatArray
    paid: FloatArray


class _Program:
    """The program of an instance."""

    def __init__(self, instance: VirtualNetworks, trace: Trace, value: FloatArray | None) -> None:
        nodes, links = instance.substrate.nodes, instance.substrate.links
        self.trace, self.colocate = trace, instance.colocate
        self.cost_weight = instance.cost_weight if value is None else 0.0
        self.requests, self.moments = len(trace.first), len(trace.active_first) - 1
        between = BETWEEN[nodes.domain[links.source], nodes.domain[links.target]]
        loose = [admitted(c) for c in (nodes.cpu, nodes.storage, links.bandwidth)]
        totals = (*(np.bincount(nodes.domain, c, COUNT) for c in loose[:2]), np.bincount(between, loose[2], PAIRS))
        self.capacity = np.concatenate(totals)
        widest = np.full(PAIRS, -np.inf)
        np.maximum.at(widest, between, loose[2])
        self.able = self._able(nodes.domain, loose[0], loose[1])
        self.priced = KINDS if (trace.able.sum(1) > 1).any() else np.eye(RESOURCES)  # which resources have one price
        self.wide = trace.bandwidth[:, None] <= widest
        self.of_node = np.repeat(np.arange(self.requests), np.diff(trace.node_first))
        self.of_link = np.repeat(np.arange(self.requests), np.diff(trace.link_first))
        begin = trace.node_first[self.of_link]
        self.ends = begin + trace.source, begin + trace.target
        self.on_nodes = np.bincount(self.of_node, trace.cpu + trace.storage, self.requests)
        self.revenue = np.array([request.revenue for request in instance.requests]) if value is None else value

    def _able(self, domain: IntArray, cpu: FloatArray, storage: FloatArray) -> BoolArray:
        """Domains of request nodes with a host that has room, shape (request nodes, 3)."""
        able = self.trace.able.copy()
        for d in range(COUNT):
            own = domain == d
            fits = (self.trace.cpu[:, None] <= cpu[own]) & (self.trace.storage[:, None] <= storage[own])
            able[:, d] &= fits.any(1)
        return able

    def columns(self, price: FloatArray) -> _Columns:
        """The best column of each request; shape of the prices (moments, resources)."""
        sums = np.vstack([np.zeros(RESOURCES), np.cumsum(price, 0)])
        window = np.maximum(sums[self.trace.last + 1] - sums[self.trace.first], 0.0)
        use, of_nodes, of_links = np.zeros((self.requests, RESOURCES)), np.zeros(self.requests), np.zeros(self.requests)
        self._place(window, use, of_nodes)
        self._connect(window, use, of_links)
        worth = self.revenue - self.cost_weight * (self.on_nodes + use[:, 2 * COUNT :].sum(1))
        worth = np.where(np.isinf(of_nodes + of_links), -np.inf, worth)
        paid = np.column_stack([of_nodes, of_links])
        return _Columns(use, worth, worth - (window * use).sum(1), paid)

    def _place(self, window: FloatArray, use: FloatArray, paid: FloatArray) -> None:
        trace, k = self.trace, self.of_node
        cost = trace.cpu[:, None] * window[k, :COUNT] + trace.storage[:, None] * window[k, COUNT : 2 * COUNT]
        cost[~self.able] = np.inf
        domain = cost.argmin(1)
        np.add.at(use, (k, domain), trace.cpu)
        np.add.at(use, (k, COUNT + domain), trace.storage)
        np.add.at(paid, k, cost[np.arange(len(k)), domain])

    def _connect(self, window: FloatArray, use: FloatArray, paid: FloatArray) -> None:
        """Each link between the domains, and over those, where it costs least."""
        k, links = self.of_link, len(self.of_link)
        hop = np.where(self.wide, window[k, 2 * COUNT :] + self.cost_weight, np.inf)
        least, crossed = np.full(links, np.inf), np.zeros((links, PAIRS))
        for a in range(COUNT):
            for b in range(COUNT):
                able = self.able[self.ends[0], a] & self.able[self.ends[1], b]
                for cost, way in self._ways(a, b, hop):
                    better = able & (cost < least)
                    least[better], crossed[better] = cost[better], way
        demand = self.trace.bandwidth
        np.add.at(use, (k[:, None], 2 * COUNT + np.arange(PAIRS)), crossed * demand[:, None])
        hops_paid = np.full(links, np.inf)
        np.multiply(demand, least - self.cost_weight * crossed.sum(1), out=hops_paid, where=np.isfinite(least))
        np.add.at(paid, k, hops_paid)

    def _ways(self, a: int, b: int, hop: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """Cost of the shortest ways between nodes of two domains, and how often each crosses each two domains."""
        one = np.eye(PAIRS)
        if a == b and self.colocate:
            return [(np.zeros(len(hop)), np.zeros(PAIRS))]
        ways = [(hop[:, BETWEEN[a, b]], one[BETWEEN[a, b]])]
        for c in range(COUNT):
            if c not in (a, b):
                there, back = BETWEEN[a, c], BETWEEN[c, b]
                ways.append((hop[:, there] + hop[:, back], one[there] + one[back]))
        return ways

    def bound(self, price: FloatArray, columns: _Columns) -> float:
        """Capacities at their prices, and what requests gain beyond them."""
        return float((price * self.capacity).sum() + np.maximum(columns.reduced, 0.0).sum())

    def master(self, columns: _Columns) -> LinearProgram:
        """The program with one column of each request that has any."""
        limit = np.concatenate([np.tile(self.capacity @ self.priced, self.moments), np.ones(self.requests)])
        none, free = np.zeros(0), np.full(len(limit), -np.inf)
        empty = sp.csc_array((len(limit), 0))
        program = LinearProgram(Arrays(none, none, none, np.zeros(0, bool), empty, free, limit, maximise=True))
        self.append(program, columns, columns.worth > 0)
        return program

    def append(self, program: LinearProgram, columns: _Columns, chosen: BoolArray) -> None:
        """Add columns of some requests."""
        who = np.flatnonzero(chosen)
        length = (self.trace.last - self.trace.first + 1)[who]
        number = np.repeat(np.arange(len(who)), length)
        moment = np.arange(len(number)) - np.repeat(np.cumsum(length) - length, length) + self.trace.first[who][number]
        use = columns.use[who] @ self.priced
        resources = use.shape[1]
        column = [np.repeat(number, resources), np.arange(len(who))]
        row = [(moment[:, None] * resources + np.arange(resources)).ravel(), self.moments * resources + who]
        value = [use[number].ravel(), np.ones(len(who))]
        rows = self.moments * resources + self.requests
        entries = (np.concatenate(value), (np.concatenate(row), np.concatenate(column)))
        matrix = sp.csc_array(entries, shape=(rows, len(who)))
        matrix.eliminate_zeros()
        program.add_columns(columns.worth[who], np.zeros(len(who)), np.full(len(who), np.inf), matrix)
