"""Column generation with a safe bound at every step, and price-and-branch, for any set-partitioning-like master.

A problem (see `Problem`) prices columns, tightens and branches; everything else is here: the master, stability centre
and smoothing (Wentges 1997), a warm-up by Polyak steps for large masters, the bookkeeping of bounds, and the trace.
The bound comes only from the problem's dual function, which it evaluates itself, never from the linear program's
value. Problems minimise.
"""

import heapq
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from ..instances.fields import BoolArray, FloatArray
from ..instances.record import Decision
from .interrupts import check_interrupts
from .master import Column, Master, Relaxed, Rows
from .result import SMALLEST_GAP, Answer, Limits, Point

Node = TypeVar("Node")

ENTERING = 1e-9  # relative reduced cost at which a column counts as new
SOLVED = 1e-7  # relative distance between master and bound at which a relaxation is solved
FALL = 0.7  # fall of the gap after which tightening and finishing are tried again
WARM_UP_MEMORY = 25  # last warm-up steps whose columns the master gets


class Priced(NamedTuple):
    """What pricing at some duals found.

    Attributes
    ----------
    bound
        Value of the dual function there: a bound on every solution that the node admits.
    columns
        For every block the best column, and maybe more.
    gradient : array
        A supergradient of the dual function: right-hand side minus activity of each coupling row.
    detail
        Whatever the problem wants back in `tighten` and `finish`.
    """

    bound: float
    columns: Sequence[Column]
    gradient: FloatArray
    detail: object


class Solution(NamedTuple):
    """A decision and its value."""

    value: float
    decision: Decision


class Start(NamedTuple):
    """Where to begin: an incumbent, columns, duals, and a bound that holds by definition."""

    incumbent: Solution
    columns: Sequence[Column]
    duals: FloatArray
    bound: float


class Finished(NamedTuple):
    """A node solved outright: a bound on all it admits, and a solution better than the cutoff, if there is one."""

    bound: float
    solution: Solution | None


class Problem(Protocol[Node]):
    """What a problem supplies; a node is its own description of a part of the solutions."""

    def rows(self) -> Rows:
        """The master's rows."""

    def fixed_columns(self) -> Sequence[Column]:
        """Columns that are in the master from the start."""

    def start(self) -> Start | None:
        """A first incumbent with columns and duals; None when there is no solution at all."""

    def root(self) -> Node:
        """The node that admits every solution."""

    def price(self, duals: FloatArray, node: Node) -> Priced:
        """Evaluate the dual function and find the columns that attain it."""

    def clip(self, duals: FloatArray, node: Node) -> FloatArray:
        """Duals at least as good, such as none above what leaving a row to a fixed column costs."""

    def improve(self, priced: Priced, pool: Sequence[Column], x: FloatArray, node: Node) -> Solution | None:
        """A solution near the master's, if it is worth a look."""

    def tighten(self, priced: Priced, node: Node, cutoff: float) -> Node | None:
        """The node without what no solution below the cutoff has; None when that is next to nothing."""

    def admits(self, columns: Sequence[Column], node: Node) -> BoolArray:
        """Which columns the node admits."""

    def finish(self, priced: Priced, node: Node, cutoff: float) -> Finished | None:
        """Solve a node outright when little is left of it."""

    def branch(self, node: Node, pool: Sequence[Column], x: FloatArray) -> Sequence[Node]:
        """Nodes that share the node's solutions out and exclude the master's solution; none where that is whole."""


@dataclass(frozen=True)
class Settings:
    """How a search is steered.

    Attributes
    ----------
    smoothing
        Weight of the stability centre in the duals that are priced.
    warm_up
        Polyak steps at the root before the first linear program.
    """

    smoothing: float = 0.8
    warm_up: int = 0


@dataclass(order=True)
class _Open(Generic[Node]):
    """A node to be looked at, the least bound first."""

    bound: float
    order: int
    node: Node = field(compare=False)
    centre: FloatArray = field(compare=False)


def price_and_branch(problem: Problem[Node], limits: Limits, settings: Settings) -> Answer:
    """Solve a problem to the gap asked for, or as far as time allows."""
    began = time.perf_counter()
    start = problem.start()
    if start is None:
        return Answer(infeasible=True)
    return _Search(problem, start, limits, settings, began).run()


class _Search(Generic[Node]):
    """Best-first search with one pool of columns and one master for all nodes."""

    def __init__(self, problem: Problem[Node], start: Start, limits: Limits, settings: Settings, began: float) -> None:
        self.problem, self.settings = problem, settings
        self.incumbent = start.incumbent
        self.master = Master(problem.rows())
        self.master.add([*problem.fixed_columns(), *_distinct(start.columns)])
        self.open: list[_Open[Node]] = [_Open(start.bound, 0, problem.root(), start.duals)]
        self.closed = np.inf  # the least bound of nodes that are done with
        self.trace: list[Point] = []
        self.counters = {"nodes": 0, "iterations": 0, "columns": 0}
        self._order = itertools.count(1)
        self._gap = max(limits.gap, SMALLEST_GAP) / 2
        self._began = began
        self._until = np.inf if limits.time_limit_s is None else began + limits.time_limit_s

    @property
    def cutoff(self) -> float:
        """Value that a solution must beat to matter for the gap asked for."""
        return self.incumbent.value - self._gap * abs(self.incumbent.value)

    @property
    def bound(self) -> float:
        """Bound on the optimum: the least over all nodes, open and closed, and the incumbent."""
        return min([self.incumbent.value, self.closed, *(node.bound for node in self.open[:1])])

    def run(self) -> Answer:
        """Look at nodes until the gap is closed or time is up."""
        self._note(self.open[0].bound)
        while self.open and self.open[0].bound < self.cutoff and not self._late():
            node = heapq.heappop(self.open)
            self.counters["nodes"] += 1
            for child in self._explore(node):
                heapq.heappush(self.open, child)
            self._note(np.inf)
        self.counters["columns"] = len(self.master.pool)
        return Answer(
            decision=self.incumbent.decision,
            objective=self.incumbent.value,
            bound=self.bound,
            reason="time limit reached" if self._late() else None,
            counters=self.counters,
            trace=tuple(self.trace),
        )

    def _late(self) -> bool:
        check_interrupts()
        return time.perf_counter() > self._until

    def _note(self, bound: float) -> None:
        """Add to the trace, with the bound of the node in hand."""
        self.trace.append(Point(time.perf_counter() - self._began, self.incumbent.value, min(bound, self.bound)))

    def _offer(self, solution: Solution | None) -> None:
        if solution is not None and solution.value < self.incumbent.value * (1 - np.sign(solution.value) * 1e-13):
            self.incumbent = solution

    def _close(self, bound: float) -> list[_Open[Node]]:
        self.closed = min(self.closed, bound)
        return []

    def _explore(self, open_node: _Open[Node]) -> list[_Open[Node]]:
        """Bound a node until it is closed or its relaxation is solved; returns what is left to look at."""
        problem, master = self.problem, self.master
        node, centre, bound = open_node.node, open_node.centre, open_node.bound
        master.admit(problem.admits(master.pool, node))
        best = self._price(centre, node)
        fresh = [column for column in best.columns if column not in master]
        if self.settings.warm_up and self.counters["nodes"] == 1:
            best, centre, fresh = self._warm_up(best, centre, node)
        smoothing, last_distance = self.settings.smoothing, np.inf
        while True:
            bound = max(bound, best.bound)
            if bound >= self.cutoff:
                return self._close(bound)
            if self.incumbent.value - bound < FALL * last_distance:
                last_distance = self.incumbent.value - bound
                node = self._tightened(best, node)
                finished = problem.finish(best, node, self.cutoff)
                if finished is not None:
                    self._offer(finished.solution)
                    return self._close(max(bound, finished.bound))
            self._note(bound)
            if self._late():
                return [_Open(bound, next(self._order), node, centre)]
            admitted = problem.admits(fresh, node)
            master.add([column for column, good in zip(fresh, admitted.tolist(), strict=True) if good])
            relaxed = master.solve()
            priced, duals, fresh, smoothing = self._price_smoothed(relaxed, centre, bound, smoothing, node)
            if priced.bound > best.bound:
                best, centre = priced, duals
            if relaxed.value - bound < (self.incumbent.value - bound) / 2:
                self._offer(problem.improve(priced, master.pool, relaxed.x, node))
            if not fresh or relaxed.value - max(bound, best.bound) <= SOLVED * abs(relaxed.value):
                break
        bound = max(bound, best.bound)
        self._offer(problem.improve(best, master.pool, relaxed.x, node))
        if bound >= self.cutoff:
            return self._close(bound)
        if relaxed.uncovered > SOLVED:
            raise RuntimeError("rows stay uncovered: the penalty is too low")
        children = problem.branch(node, master.pool, relaxed.x)
        if not children:  # the master's solution is whole, and rounding alone keeps its value from the bound
            return self._close(bound)
        return [_Open(bound, next(self._order), child, centre) for child in children]

    def _price(self, duals: FloatArray, node: Node) -> Priced:
        self.counters["iterations"] += 1
        return self.problem.price(duals, node)

    def _tightened(self, priced: Priced, node: Node) -> Node:
        tighter = self.problem.tighten(priced, node, self.cutoff)
        if tighter is None:
            return node
        self.master.admit(self.problem.admits(self.master.pool, tighter))
        return tighter

    def _price_smoothed(
        self, relaxed: Relaxed, centre: FloatArray, bound: float, smoothing: float, node: Node
    ) -> tuple[Priced, FloatArray, list[Column], float]:
        """Price between the centre and the master's duals, nearer to these until a column enters or the bound closes.

        Returns the last pricing, its duals, the columns that enter, and the smoothing to go on with.
        """
        weight, tries = smoothing, 0
        while True:
            duals = self.problem.clip(weight * centre + (1 - weight) * relaxed.duals, node)
            priced = self._price(duals, node)
            fresh = [column for column in priced.columns if self._enters(column, relaxed)]
            if fresh or weight == 0 or max(bound, priced.bound) >= self.cutoff:
                break
            weight, tries = (0.0 if tries else weight / 2), tries + 1
        after = self.settings.smoothing if not tries else max(0.3 * self.settings.smoothing, weight)
        return priced, duals, fresh, after

    def _enters(self, column: Column, relaxed: Relaxed) -> bool:
        """Whether a column is new and would improve the master."""
        reduced = column.cost - column.values @ relaxed.duals[column.rows]
        if column.block is not None:
            reduced -= relaxed.block_duals[column.block]
        return bool(reduced < -ENTERING * max(1.0, abs(relaxed.value))) and column not in self.master

    def _warm_up(self, best: Priced, centre: FloatArray, node: Node) -> tuple[Priced, FloatArray, list[Column]]:
        """Polyak steps towards the incumbent's value: cheap, and far from the vertices that mislead a young master."""
        duals, length, failures = centre, 1.0, 0
        found = [list(best.columns)]
        priced = best
        for _ in range(self.settings.warm_up):
            if best.bound >= self.cutoff or self._late() or not np.any(priced.gradient):
                break
            step = length * (self.incumbent.value - priced.bound) / (priced.gradient @ priced.gradient)
            duals = self.problem.clip(duals + step * priced.gradient, node)
            priced = self._price(duals, node)
            found.append(list(priced.columns))
            if priced.bound > best.bound:
                best, centre, failures = priced, duals, 0
            elif (failures := failures + 1) == 6:
                length, failures = 0.6 * length, 0
            self._note(best.bound)
        late = [column for columns in found[-WARM_UP_MEMORY:] for column in columns]
        return best, centre, [column for column in _distinct(late) if column not in self.master]


def _distinct(columns: Sequence[Column]) -> list[Column]:
    return list({column.key: column for column in columns}.values())
