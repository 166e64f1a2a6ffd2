"""The whole trace at once: an aggregated bound, and embeddings by large neighbourhoods from its prices.

Embeddings of small traces are improved by negotiated congestion afterwards (`congestion_search`).
"""

import math
import time

import numpy as np

from ...instances.embedding import EmbeddingDecision, VirtualNetworks
from ...instances.fields import FloatArray
from ..interrupts import check_interrupts
from ..result import Answer, Limits, Point, relative_gap
from .aggregate import Prices, aggregate
from .congestion_pricing import congestion
from .congestion_search import negotiate
from .neighbourhoods import Aim, build, improve
from .trace import Ground, Ledger, Trace

CONGESTION_BLOCK = 20  # rounds of negotiated congestion between looks at the clock
CONGESTION_HOTTEST, CONGESTION_COLDEST = 0.3, 0.06  # temperatures then
BLOCK = 200  # rounds between looks at the clock
HOTTEST, COLDEST = 0.05, 0.002  # temperatures, as shares of a mean revenue
SMALL_ROUNDS, SMALL_CONGESTION_ROUNDS = 200, 40  # for each request of a small trace
SMALL_SHARES = 0.15, 0.3  # of the time, after which each of them ends at the latest
THRIFT = 0.1  # what a unit of bandwidth counts a hop beyond its cost; it earns 1
LENGTH = 1.3  # hops over the fewest, that promises reckon with
SPREAD = 0.35  # of promises from round to round, as a share of a mean revenue


def search_trace(instance: VirtualNetworks, limits: Limits, rounds: int) -> Answer:
    """The bound, and embeddings after so many rounds for each request, for traces of any size."""
    search = NeighbourhoodSearch(instance, limits)
    search.run(1.0, rounds, exhaust=False)
    return search.answer()


def search_small_trace(instance: VirtualNetworks, limits: Limits) -> "NeighbourhoodSearch":
    """Embeddings of a small trace by large neighbourhoods and then negotiated congestion, a floor for proofs."""
    search = NeighbourhoodSearch(instance, limits)
    search.run(SMALL_SHARES[0], SMALL_ROUNDS, exhaust=False)
    search.negotiate(SMALL_SHARES[1], SMALL_CONGESTION_ROUNDS)
    return search


class NeighbourhoodSearch:
    """Embeddings of a trace and a bound, as far as they have come."""

    def __init__(self, instance: VirtualNetworks, limits: Limits) -> None:
        self.began, self.instance, self.limits = time.monotonic(), instance, limits
        self.trace, self.ground = Trace.of(instance), Ground.of(instance)
        self.rng = np.random.default_rng(limits.seed)
        self.prices = aggregate(instance, self.trace, lambda: self.late(1.0))
        self.rounds, self.congestion_rounds, self.points = 0, 0, list[Point]()
        self.ledger = self.best = self._first()
        self.value = -math.inf
        self._keep(self.ledger)

    def late(self, share: float) -> bool:
        """Whether a share of the time is over."""
        check_interrupts()
        limit = self.limits.time_limit_s
        return limit is not None and time.monotonic() - self.began >= share * limit

    def closed(self) -> bool:
        """Whether the best is as near to the bound as was asked for."""
        gap = relative_gap(self.value, self.prices.bound)
        return gap is not None and gap <= self.limits.gap

    def run(self, share: float, rounds: int, *, exhaust: bool) -> None:
        """Improve until a share of the time is over or, without a limit or unless exhausting, all rounds are done.

        Parameters
        ----------
        rounds
            For each request.
        """
        total = rounds * len(self.instance.requests)
        limit, mean = self.limits.time_limit_s, float(np.mean([request.revenue for request in self.instance.requests]))
        while not self.closed() and not self.late(share):
            done = 0.0 if limit is None else (time.monotonic() - self.began) / max(share * limit, 1e-9)
            if limit is None or not exhaust:
                done = max(done, self.rounds / total if total else 1.0)
            if done >= 1:
                break
            temperature = mean * HOTTEST * (COLDEST / HOTTEST) ** done
            args = (self.trace, self.ground, self.ledger, self.aim, self.instance.colocate, self.rng)
            improve(BLOCK, temperature, *args)
            self.rounds += BLOCK
            self.ledger.settle(self.trace, self.ground)
            self._keep(self.ledger)

    def negotiate(self, share: float, rounds: int) -> None:
        """Improve by negotiated congestion until a share of the time is over or all rounds are done.

        Paths are as long as need be here, so nothing beyond their cost counts.

        Parameters
        ----------
        rounds
            For each request.
        """
        blocks = -(-rounds * len(self.instance.requests) // CONGESTION_BLOCK)
        mean = float(np.mean([request.revenue for request in self.instance.requests]))
        aim, penalties = self.aim._replace(thrift=0.0), congestion(self.trace, self.ground)
        self.ledger = self.best.copy()
        for block in range(blocks):
            if self.closed() or self.late(share):
                break
            cooling = (CONGESTION_COLDEST / CONGESTION_HOTTEST) ** (block / blocks)
            best, temperature = self.best.copy(), mean * CONGESTION_HOTTEST * cooling
            args = (self.ledger, best, penalties, aim, self.instance.colocate, self.rng)
            negotiate(CONGESTION_BLOCK, temperature, self.trace, self.ground, *args)
            best.settle(self.trace, self.ground)
            self.ledger.settle(self.trace, self.ground)
            self.congestion_rounds += CONGESTION_BLOCK
            self._keep(best)

    def answer(self) -> Answer:
        """The best decision and the bound."""
        decision = EmbeddingDecision(self.best.embeddings(self.instance, self.trace))
        reason = None if self.closed() else "time limit reached" if self.late(1.0) else "all rounds done"
        counters = {"rounds": self.rounds, "congestion_rounds": self.congestion_rounds}
        points = tuple(self.points)
        return Answer(decision, bound=self.prices.bound, reason=reason, counters=counters, trace=points)

    def _first(self) -> Ledger:
        """The given start, or the better of two that build up by promise."""
        start, found = self.limits.start, list[tuple[float, Ledger, Aim]]()
        for promise in _promises(self.instance, self.prices):
            aim = _aim(self.instance, promise)
            ledger = Ledger.empty(self.trace, self.ground)
            if isinstance(start, EmbeddingDecision):
                ledger.load(self.instance, self.trace, self.ground, start)
            order = np.argsort(-promise, kind="stable")
            rest = order[~ledger.accepted[order]]
            build(rest, self.trace, self.ground, ledger, aim, self.instance.colocate, self.rng)
            found.append((_worth(ledger, aim), ledger, aim))
        _, ledger, self.aim = max(found, key=lambda entry: entry[0])
        return ledger

    def _keep(self, ledger: Ledger) -> None:
        """Note embeddings if they are the best."""
        value = _worth(ledger, self.aim)
        if value > self.value:
            self.value, self.best = value, ledger.copy()
            self.points.append(Point(time.monotonic() - self.began, value, self.prices.bound))


def _aim(instance: VirtualNetworks, promise: FloatArray) -> Aim:
    requests = instance.requests
    worth = np.array([request.revenue - instance.cost_weight * request.on_nodes for request in requests])
    spread = SPREAD * float(np.mean([request.revenue for request in requests]))
    return Aim(worth, promise, instance.cost_weight, THRIFT, spread)


def _worth(ledger: Ledger, aim: Aim) -> float:
    return float((aim.worth - aim.cost_weight * ledger.hops_cost)[ledger.accepted].sum())


def _promises(instance: VirtualNetworks, prices: Prices) -> list[FloatArray]:
    """What requests bring beyond what they pay, and how often they bring it; in units of revenue."""
    revenue = np.array([request.revenue for request in instance.requests])
    paid = prices.paid[:, 0] + LENGTH * prices.paid[:, 1]
    paid = np.where(np.isfinite(paid), paid, np.inf)
    mean = float(revenue.mean())
    often = np.divide(revenue, paid, out=np.full(len(revenue), np.inf), where=paid > 0)
    return [np.maximum(revenue - paid, -1e6 * mean), mean * np.minimum(often, 1e6)]
