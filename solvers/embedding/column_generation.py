"""Small traces by columns that are whole embeddings: generate at prices, then choose hosts and paths within the gap.

The master takes at most one embedding a request, and of every capacity no more than there is at every moment. Its bound
is that of weak duality at the prices of any round. An embedding that could be in a better solution than the incumbent
gains at those prices at most the gap less than its request's best; a program over the hosts and paths of all of these
(`path_program`) is the whole problem.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ...formulations.embedding.moments import maximal_sets
from ...formulations.embedding.referee import judge
from ...instances.embedding import EmbeddingDecision, VirtualNetworks
from ...instances.embedding.instance import admitted
from ...instances.fields import FloatArray
from ..interrupts import check_interrupts
from ..linear_program import Arrays, LinearProgram
from ..result import Answer, Limits, Point
from .neighbourhood_search import search_trace
from .path_program import PathProgram
from .priced_embeddings import Offer, Parts, PricedEmbeddings

ROUNDS = 100  # of the search for an incumbent, for each request
MOST_LISTED = 200_000  # hosts and paths of all requests
CLOSE = 1e-9  # relative; profits that differ by less are equal


class StoppedError(Exception):
    """Time is up, or too many hosts and paths are within the gap."""


class _Priced(NamedTuple):
    """Prices of capacities at moments, the most that each request can gain there, and what that proves."""

    price: FloatArray
    profit: list[float]
    bound: float


def solve_column_generation(instance: VirtualNetworks, limits: Limits) -> Answer:
    """Prove the optimum of a small trace, or bound it as far as time allows."""
    began = time.monotonic()

    def check() -> None:
        check_interrupts()
        if limits.time_limit_s is not None and time.monotonic() - began >= limits.time_limit_s:
            raise StoppedError("time limit reached")

    if not instance.requests:
        return Answer(EmbeddingDecision(()), bound=0.0)
    known = search_trace(instance, limits, ROUNDS)
    assert isinstance(known.decision, EmbeddingDecision)
    assert known.bound is not None
    search = _Search(instance, limits, check, known.decision, known.bound)
    reason = None
    try:
        search.generate()
        search.choose()
    except StoppedError as stopped:
        reason = str(stopped)
    points = (*known.trace, Point(time.monotonic() - began, search.value, search.bound))
    counters = {"columns": search.columns, "listed": search.listed}
    return Answer(search.decision, bound=search.bound, reason=reason, counters=counters, trace=points)


class _Search:
    """Columns, bound and incumbent so far."""

    def __init__(
        self,
        instance: VirtualNetworks,
        limits: Limits,
        check: Callable[[], None],
        decision: EmbeddingDecision,
        bound: float,
    ) -> None:
        self.instance, self.decision, self.bound = instance, decision, bound
        self.value, self.columns, self.listed = instance.total(decision), 0, 0
        self._limits, self._check, self._until = limits, check, time.monotonic() + (limits.time_limit_s or np.inf)
        nodes, links = instance.substrate.nodes, instance.substrate.links
        self._capacity = admitted(np.concatenate([nodes.cpu, nodes.storage, links.bandwidth]))
        active = maximal_sets(instance)
        self._present = np.array([[k in own for own in active] for k in range(len(instance.requests))])
        self._limit = np.concatenate([np.tile(self._capacity, len(active)), np.ones(len(self._present))])
        self._embeddings = [PricedEmbeddings(instance, request, check) for request in instance.requests]
        self._tightest: _Priced | None = None

    @property
    def _closed(self) -> bool:
        return self.bound - self.value <= CLOSE * abs(self.bound)

    def generate(self) -> None:
        """Generate columns until the best embeddings at the master's prices are among them."""
        master = self._program()
        moments, resources = self._present.shape[1], len(self._capacity)
        price, block = np.zeros((moments, resources)), np.zeros(len(self._present))
        while not self._closed:
            best = self._price(price)
            some = CLOSE * max(1.0, abs(self.bound))
            fresh = [(k, one) for k, one in enumerate(best) if one is not None and one.profit > block[k] + some]
            if not fresh:
                return
            self.columns += len(fresh)
            matrix, worth = self._matrix(fresh), self._worth(fresh)
            master.add_columns(worth, np.zeros(len(fresh)), np.full(len(fresh), np.inf), matrix)
            outcome = master.solve()
            if outcome.row_dual is None:
                raise RuntimeError(f"the master was not solved: {outcome.reason}")
            price = np.maximum(outcome.row_dual[: moments * resources], 0.0).reshape(moments, resources)
            block = outcome.row_dual[moments * resources :]

    def _price(self, price: FloatArray) -> list[Offer | None]:
        """The best embedding of each request at prices of capacities, shape (moments, resources), and the bound."""
        self._check()
        best = [own.best(price[present].sum(0)) for own, present in zip(self._embeddings, self._present, strict=True)]
        profit = [0.0 if offer is None else offer.profit for offer in best]
        bound = float((price * self._capacity).sum() + sum(profit))
        if self._tightest is None or bound < self._tightest.bound:
            self._tightest = _Priced(price, profit, bound)
        self.bound = min(self.bound, bound)
        return best

    def choose(self) -> None:
        """List all hosts and paths that a better solution can hold, and find the best choice among them."""
        if self._closed or self._tightest is None:
            return
        program = PathProgram(self.instance, self._present, self._capacity, self._list(self._tightest))
        left = None if np.isinf(self._until) else max(self._until - time.monotonic(), 0.0)
        outcome = program.solve(left, self._limits.threads)
        if outcome.x is not None:
            decision = program.decision(outcome.x)
            if self.instance.total(decision) > self.value and judge(self.instance, decision).feasible:
                self.decision, self.value = decision, self.instance.total(decision)
        if outcome.bound is not None:
            self.bound = min(self.bound, max(self.value, outcome.bound))

    def _list(self, priced: _Priced) -> list[Parts]:
        """Parts of embeddings that gain at most the gap less than the best of their request."""
        found: list[Parts] = []
        gap = priced.bound - self.value
        for k, (own, present) in enumerate(zip(self._embeddings, self._present, strict=True)):
            profit = priced.profit[k] - gap - CLOSE * abs(priced.bound)
            parts = own.parts_above(priced.price[present].sum(0), profit, MOST_LISTED - self.listed)
            if parts is None:
                raise StoppedError(f"more than {MOST_LISTED:,} hosts and paths could be in a better solution")
            found.append(parts)
            self.listed += parts.size
        return found

    def _program(self) -> LinearProgram:
        """At most one embedding a request, and of every capacity no more than there is at every moment."""
        none, free = np.zeros(0), np.full(len(self._limit), -np.inf)
        empty = sp.csc_array((len(self._limit), 0))
        program = Arrays(none, none, none, np.zeros(0, bool), empty, free, self._limit, maximise=True)
        return LinearProgram(program, self._limits.threads)

    def _matrix(self, columns: list[tuple[int, Offer]]) -> sp.csc_array:
        """What each embedding takes at every moment, and whose it is."""
        dense = np.zeros((len(self._limit), len(columns)))
        at = len(self._limit) - len(self._present)
        for column, (k, offer) in enumerate(columns):
            dense[:at, column] = (self._present[k][:, None] * offer.use).ravel()
            dense[at + k, column] = 1.0
        return sp.csc_array(dense)

    def _worth(self, columns: list[tuple[int, Offer]]) -> FloatArray:
        return np.array([self.instance.worth(self.instance.requests[k], one.embedding) for k, one in columns])
