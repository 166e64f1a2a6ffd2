"""Columns under even sharing: at a fixed count the cost of a column is linear, so pricing takes the cheapest users.

Branching on the counts suffices: at fixed counts the rest is a transport problem, which is integral. A node is closed
outright when few vectors of counts remain whose dual bound is below the cutoff: each is one transport problem.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.placement import Placement, PlacementDecision
from ...instances.record import Decision
from ..column_generation import Finished, Priced, Solution, Start
from ..master import Column
from .common_columns import PlacementColumns, solution, without
from .counts import descend_counts, seat_at_counts, total_s

SWAPS_UP_TO = 4  # devices among which the first descent also tries to swap places
FINISH = 20_000  # users times vectors of counts that are tried to close a node
COUNT_VECTORS = 1e8  # beyond it they are not even listed


class Node:
    """What a part of the placements may use.

    Attributes
    ----------
    level : array of bool, shape (devices, largest count + 1)
        Counts of each device.
    place : array of bool, shape (users, devices)
        Devices of each user.
    device, count : array, shape (L,)
        The positive counts in `level`, in order.
    who, cost_s : array, shape (L, K)
        For each of them the users that may be there, and what each costs at that count (s); inf fills up.
    first : array
        Where each device with positive counts begins in `device`.
    """

    def __init__(self, problem: "EvenColumns", level: BoolArray, place: BoolArray) -> None:
        self.level, self.place = level, place
        self.device, self.count = np.nonzero(level[:, 1:])
        self.count = self.count + 1
        self.used = np.unique(self.device)
        self.first = np.searchsorted(self.device, self.used)
        members = place.sum(0)
        width = min(problem.users, max(members.max(initial=0), self.count.max(initial=1)))
        # Users that may be there first.
        order = np.argsort(~place.T, axis=1, kind="stable")[:, :width]
        rows = np.arange(problem.devices)[:, None]
        transmit = problem.fixed_s[:, 1:-1].T[rows, order]
        transmit[np.arange(width) >= members[:, None]] = np.inf
        alone = problem.alone_s.T[rows, order]
        self.who = order[self.device]
        self.cost_s = transmit[self.device] + alone[self.device] * self.count[:, None]


class Detail(NamedTuple):
    """What pricing leaves for tightening: per level (row of the node) the reduced costs and the best sum.

    Attributes
    ----------
    node
        The node that was priced.
    reduced : array, shape (L, K)
        Reduced cost of each user.
    dearest : array, shape (L,)
        Reduced cost of the last user that is taken.
    value : array, shape (L,)
        Reduced cost of the best column at that count; inf where too few users may be there.
    best : array, shape (devices,)
        Least value of each device over all its counts, 0 at most where it may stay empty.
    """

    node: Node
    reduced: FloatArray
    dearest: FloatArray
    value: FloatArray
    best: FloatArray


class EvenColumns(PlacementColumns):
    """Placement under even sharing, as `column_generation.Problem`."""

    def __init__(self, instance: Placement, start: Decision | None) -> None:
        super().__init__(instance)
        self._given = start
        self._tried: set[bytes] = set()

    def start(self) -> Start | None:
        """Descend over counts; the prices of places there, and of one more user, make the first duals."""
        swaps = self.devices <= SWAPS_UP_TO
        count, found = descend_counts(self.fixed_s, self.alone_s, self.most, self.cloud_places, swaps)
        host, low, high, value, _ = found
        if value == np.inf:
            return None
        # What one more user costs those already there is a good price of a place, as far as places can have it.
        work = np.array([self.alone_s[host == j + 1, j].sum() for j in range(self.devices)])
        cloud = (low[-1] + high[-1]) / 2 if np.isfinite(high[-1]) else low[-1]
        price = np.concatenate([[0.0], np.clip(work, low[1:-1], high[1:-1]), [cloud]])
        at_counts = self.fixed_s.copy()
        at_counts[:, 1:-1] += count * self.alone_s
        best = solution(total_s(self.fixed_s, self.alone_s, host), host)
        if isinstance(self._given, PlacementDecision):
            given = total_s(self.fixed_s, self.alone_s, self._given.host)
            best = min(best, solution(given, self._given.host), key=lambda s: s.value)
        columns = [self._column(j, users) for j, users in self.columns_of(host)]
        return Start(best, columns, np.append((at_counts + price).min(1), -price[-1]), 0.0)

    def _column(self, device: int, users: IntArray) -> Column:
        cost = self.fixed_s[users, device + 1].sum() + len(users) * self.alone_s[users, device].sum()
        return self.column(device, users, float(cost))

    def root(self) -> Node:
        """Every count up to the capacity, every possible device."""
        level = np.arange(self.most.max(initial=0) + 1) <= self.most[:, None]
        return Node(self, level, np.isfinite(self.fixed_s[:, 1:-1]))

    def clip(self, duals: FloatArray, node: Node) -> FloatArray:
        """No user is worth more than its delay at home."""
        return np.append(np.minimum(duals[:-1], self.fixed_s[:, 0]), duals[-1])

    def price(self, duals: FloatArray, node: Node) -> Priced:
        """Take the n cheapest users for every device and count n: O(sum_j N_j I)."""
        prices = duals[:-1]
        bound, gradient = self.apart(prices, self.fixed_s[:, 0], self.fixed_s[:, -1])
        reduced = node.cost_s - prices[node.who]
        levels = np.arange(len(node.count))
        most = int(node.count.max(initial=1))
        taken = np.argpartition(reduced, most - 1, axis=1)[:, :most] if most < reduced.shape[1] else None
        least = reduced if taken is None else np.take_along_axis(reduced, taken, 1)
        order = np.argsort(least, axis=1)
        least = np.take_along_axis(least, order, 1)
        taken = order if taken is None else np.take_along_axis(taken, order, 1)
        with np.errstate(invalid="ignore"):
            value = np.cumsum(least, axis=1)[levels, node.count - 1] if len(levels) else np.zeros(0)
        best = np.where(node.level[:, 0], 0.0, np.inf) if self.devices else np.zeros(0)
        if len(levels):
            best[node.used] = np.minimum(best[node.used], np.minimum.reduceat(value, node.first))
        detail = Detail(node, reduced, least[levels, node.count - 1], value, best)
        chosen = self._chosen(detail)
        columns = []
        for level in self._neighbours(chosen, detail):
            users = node.who[level, taken[level, : node.count[level]]]
            columns.append(self._column(int(node.device[level]), np.sort(users)))
        for level in chosen:
            gradient[node.who[level, taken[level, : node.count[level]]]] -= 1
        return Priced(bound + float(best.sum()), columns, gradient, detail)

    @staticmethod
    def _chosen(detail: Detail) -> IntArray:
        """For each device the level that attains its best, if it does not stay empty."""
        attains = (detail.value == detail.best[detail.node.device]) & (detail.value < np.inf)
        _, first = np.unique(detail.node.device[attains], return_index=True)
        chosen: IntArray = np.flatnonzero(attains)[first]
        return chosen

    @staticmethod
    def _neighbours(chosen: IntArray, detail: Detail) -> IntArray:
        """The chosen levels and those next to them, which the master tends to mix."""
        near = np.unique(np.concatenate([chosen - 1, chosen, chosen + 1]))
        near = near[(near >= 0) & (near < len(detail.value))]
        useful: IntArray = near[detail.value[near] < np.inf]
        return useful

    def tighten(self, priced: Priced, node: Node, cutoff: float) -> Node | None:
        """Drop counts, and users of devices, that alone lift the bound to the cutoff."""
        detail = _detail(priced)
        seen, slack = detail.node, cutoff - priced.bound
        extra = detail.value - detail.best[seen.device]
        level, place = np.zeros_like(node.level), np.zeros_like(node.place)
        level[:, 0] = seen.level[:, 0] & (-detail.best <= slack)
        kept = extra <= slack
        level[seen.device[kept], seen.count[kept]] = True
        with np.errstate(invalid="ignore"):
            forced = extra[:, None] + np.maximum(0.0, detail.reduced - detail.dearest[:, None])
        at, k = np.nonzero((forced <= slack) & np.isfinite(detail.reduced))
        place[seen.who[at, k], seen.device[at]] = True
        level &= node.level
        place &= node.place
        if (level == node.level).all() and place.sum() > 0.9 * node.place.sum():
            return None
        return Node(self, level, place)

    def admits(self, columns: Sequence[Column], node: Node) -> BoolArray:
        """Counts and users as the node has them; home and cloud always."""
        if not columns:
            return np.zeros(0, bool)
        always = np.ones((self.users, 1), bool)
        good = without(columns, np.hstack([always, node.place, always]))
        device = np.array([-1 if c.block is None else c.block for c in columns])
        size = np.array([len(c.rows) for c in columns])
        on_device = device >= 0
        good[on_device] &= node.level[device[on_device], size[on_device]]
        return good

    def improve(self, priced: Priced, pool: Sequence[Column], x: FloatArray, node: Node) -> Solution | None:
        """Seat users at the master's mean counts, rounded and rounded up, and at those that pricing chose."""
        mean = self.shares(pool, x)[:, 1:-1].sum(0)
        detail = _detail(priced)
        priced_count = np.zeros(self.devices, np.int64)
        chosen = self._chosen(detail)
        priced_count[detail.node.device[chosen]] = detail.node.count[chosen]
        best: Solution | None = None
        for count in (np.round(mean), np.ceil(mean - 1e-9), priced_count):
            count = np.minimum(count.astype(np.int64), self.most)
            if count.tobytes() in self._tried:
                continue
            self._tried.add(count.tobytes())
            host, _, _, value, _ = seat_at_counts(self.fixed_s, self.alone_s, count, self.cloud_places)
            if value < np.inf:
                found = solution(total_s(self.fixed_s, self.alone_s, host), host)
                best = found if best is None or found.value < best.value else best
        return best

    def finish(self, priced: Priced, node: Node, cutoff: float) -> Finished | None:
        """Solve one transport problem for every vector of counts below the cutoff, if these are few."""
        detail = _detail(priced)
        levels = [np.flatnonzero(own) for own in node.level]
        if any(len(own) == 0 for own in levels):
            return Finished(np.inf, None)
        if sum(np.log(len(own)) for own in levels) > np.log(COUNT_VECTORS):
            return None
        value = np.full(detail.node.level.shape, np.inf)
        value[:, 0] = 0.0
        value[detail.node.device, detail.node.count] = detail.value
        counts, bounds = np.zeros((1, 0), np.int64), np.array([priced.bound])
        for j in range(self.devices):
            extended = bounds[:, None] + (value[j, levels[j]] - detail.best[j])
            at, k = np.nonzero(extended < cutoff)
            counts, bounds = np.column_stack([counts[at], levels[j][k]]), extended[at, k]
            if len(counts) * self.users > FINISH:
                return None
        return self._seat_all(counts, cutoff)

    def _seat_all(self, counts: IntArray, cutoff: float) -> Finished:
        best, least = None, cutoff
        for count in counts:
            host, _, _, value, bound = seat_at_counts(self.fixed_s, self.alone_s, count, self.cloud_places)
            least = min(least, bound)
            if value < (cutoff if best is None else best.value):
                best = solution(total_s(self.fixed_s, self.alone_s, host), host)
        return Finished(least, best)

    def branch(self, node: Node, pool: Sequence[Column], x: FloatArray) -> list[Node]:
        """Split the counts of the device whose columns disagree most about them; nothing where all counts are whole."""
        total, mean = np.zeros(self.devices), np.zeros(self.devices)
        low, high = np.full(self.devices, self.users), np.zeros(self.devices, np.int64)
        for k in np.flatnonzero(x > 1e-7).tolist():
            device, size = pool[k].block, len(pool[k].rows)
            if device is not None:
                total[device] += x[k]
                mean[device] += x[k] * size
                low[device], high[device] = min(low[device], size), max(high[device], size)
        low[total < 1 - 1e-7] = 0
        fraction = mean - np.floor(mean)
        score = np.where(low < high, np.minimum(fraction, 1 - fraction) + 1e-3 * (high - low), -1.0)
        device = int(score.argmax())
        if score[device] < 0:
            return []
        middle = min(max(int(mean[device] + 1e-9), int(low[device])), int(high[device]) - 1)
        upper = np.arange(node.level.shape[1]) > middle
        children = []
        for half in (~upper, upper):
            level = node.level.copy()
            level[device] &= half
            children.append(Node(self, level, node.place))
        return children


def _detail(priced: Priced) -> Detail:
    assert isinstance(priced.detail, Detail)
    return priced.detail
