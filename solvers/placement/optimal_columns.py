"""Columns under optimal sharing: pricing is a branch and bound of its own (see `subsets`), branching is on hosts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.placement import Placement, PlacementDecision
from ...instances.record import Decision
from ..column_generation import Finished, Priced, Solution, Start
from ..master import Column
from ..transport import transport
from .batch import Costs
from .common_columns import PlacementColumns, solution, without
from .local_search import descend
from .subsets import cheapest_sets

STORED = 20_000  # sets that one pricing may find
ENTERED = 3  # sets of a device that enter the master at once
FIRST_STEPS = 30  # transport problems before the first master
TARGETS = np.linspace(0.3, 1.1, 17)  # multiples of the largest target that tightening tries


@dataclass(frozen=True)
class Node:
    """Hosts that users may have.

    Attributes
    ----------
    place : array of bool, shape (users, H)
    home_s, cloud_s : array, shape (users,)
        Delay there (s); inf where not allowed.
    """

    place: BoolArray
    home_s: FloatArray
    cloud_s: FloatArray


class Detail(NamedTuple):
    """What pricing leaves for tightening: the users' prices and the least reduced cost of each device."""

    prices: FloatArray
    least: FloatArray


class OptimalColumns(PlacementColumns):
    """Placement under optimal sharing, as `column_generation.Problem`.

    Loads are roots of work in seconds of the whole device, so that its computing delay is the square of their sum.
    """

    def __init__(self, instance: Placement, start: Decision | None) -> None:
        super().__init__(instance)
        self.costs = Costs.of([instance])
        self.root_s = np.sqrt(self.alone_s)
        self._given = start
        self._tried: set[bytes] = set()
        self._places = np.concatenate([[self.users], self.most, [self.cloud_places]])
        most = int(self.most.max(initial=1))
        self._found = np.zeros((STORED, most), np.int64)
        self._value, self._size = np.zeros(STORED), np.zeros(STORED, np.int64)

    def start(self) -> Start | None:
        """Step towards the best t of T^2 >= 2 t T - t^2: each gives a transport problem, its prices and a seating."""
        target, highest = np.zeros(self.devices), -np.inf
        columns: list[Column] = []
        best: Solution | None = None
        if isinstance(self._given, PlacementDecision):
            best = self._solution(self._given.host)
        duals = np.zeros(self.users + 1)
        for step in range(FIRST_STEPS):
            cost = self._linear(target)
            host, low, high, value, _ = transport(cost, self._places)
            if value == np.inf:
                return None
            if value - (target**2).sum() > highest:
                highest = value - (target**2).sum()
                price = (low + np.where(np.isfinite(high), high, low)) / 2
                duals = np.append((cost + price).min(1), -price[-1])
            if step < 2 or step % 3 == 2:
                found = self._solution(descend(self.costs, host))
                best = found if best is None or found.value < best.value else best
                columns += self._columns(found)
            reached = np.array([self.root_s[host == j + 1, j].sum() for j in range(self.devices)])
            target += (reached - target) * max(0.7 / (step + 1) ** 0.6, 0.05)
        assert best is not None
        return Start(best, columns, duals, 0.0)

    def _linear(self, target: FloatArray) -> FloatArray:
        """Costs of users when devices' squares are replaced by their tangents at the targets, less the constants."""
        cost = self.fixed_s.copy()
        cost[:, 1:-1] += 2 * target * self.root_s
        return cost

    def _solution(self, host: IntArray) -> Solution:
        return solution(self.costs.total_s(host[None])[0], host)

    def _column(self, device: int, users: IntArray) -> Column:
        cost = self.fixed_s[users, device + 1].sum() + self.root_s[users, device].sum() ** 2
        return self.column(device, users, float(cost))

    def _columns(self, found: Solution) -> list[Column]:
        assert isinstance(found.decision, PlacementDecision)
        return [self._column(j, users) for j, users in self.columns_of(found.decision.host)]

    def root(self) -> Node:
        """Every possible host."""
        return self._node(np.isfinite(self.fixed_s))

    def _node(self, place: BoolArray) -> Node:
        home, cloud = (np.where(place[:, k], self.fixed_s[:, k], np.inf) for k in (0, -1))
        return Node(place, home, cloud)

    def clip(self, duals: FloatArray, node: Node) -> FloatArray:
        """No user is worth more than its delay at home, while it may stay there."""
        return np.append(np.minimum(duals[:-1], node.home_s), duals[-1])

    def price(self, duals: FloatArray, node: Node) -> Priced:
        """Find the cheapest set of every device."""
        prices = duals[:-1]
        bound, gradient = self.apart(prices, node.home_s, node.cloud_s)
        least = np.zeros(self.devices)
        columns = []
        for j in range(self.devices):
            own = self.fixed_s[:, j + 1] - prices
            # A user that does not pay alone does not pay in company either.
            users = np.flatnonzero(node.place[:, j + 1] & (own + self.alone_s[:, j] < 0))
            if not len(users) or not self.most[j]:
                continue
            number, least[j] = cheapest_sets(
                own[users], self.root_s[users, j], 1.0, self.most[j], self._found, self._value, self._size
            )
            # Each set is cheaper than the one before it.
            for k in range(number - 1, max(number - 1 - ENTERED, -1), -1):
                members = users[self._found[k, : self._size[k]]]
                columns.append(self._column(j, np.sort(members)))
                if k == number - 1:
                    gradient[members] -= 1
        return Priced(bound + float(least.sum()), columns, gradient, Detail(prices, least))

    def tighten(self, priced: Priced, node: Node, cutoff: float) -> Node | None:
        """Drop hosts of users that alone lift the relaxed bound to the cutoff."""
        assert isinstance(priced.detail, Detail)
        prices, least = priced.detail
        slack = cutoff - priced.bound
        place = node.place.copy()
        for j in range(self.devices):
            users, most = np.flatnonzero(place[:, j + 1]), int(self.most[j])
            if most == 0 or not len(users):
                place[:, j + 1] = False
                continue
            own, root = self.fixed_s[users, j + 1] - prices[users], self.root_s[users, j]
            with_user = np.full(len(users), -np.inf)
            for target in root[np.argsort(own)[:most]].sum() * TARGETS:
                relaxed = own + 2 * target * root
                taken = np.sort(np.minimum(relaxed, 0.0))[:most]
                dearest = taken[-1] if len(taken) == most else 0.0
                with_user = np.maximum(with_user, taken.sum() - target**2 + np.maximum(0.0, relaxed - dearest))
            place[users[with_user - least[j] > slack], j + 1] = False
        place[:, 0] &= node.home_s - prices <= slack
        return None if place.sum() > 0.95 * node.place.sum() else self._node(place)

    def admits(self, columns: Sequence[Column], node: Node) -> BoolArray:
        """Users where the node allows them."""
        return without(columns, node.place) if columns else np.zeros(0, bool)

    def improve(self, priced: Priced, pool: Sequence[Column], x: FloatArray, node: Node) -> Solution | None:
        """The master's own solution where it is whole, else a seating at its marginal costs; moves and swaps after."""
        share = self.shares(pool, x)
        if np.abs(share - share.round()).max() < 1e-6:
            host = share.argmax(1)
        else:
            cost = self._linear((self.root_s * share[:, 1:-1]).sum(0))
            host = transport(cost, self._places)[0]
        if host.tobytes() in self._tried:
            return None
        self._tried.add(host.tobytes())
        if np.isinf(self.fixed_s[np.arange(self.users), host]).any():
            return None
        return self._solution(descend(self.costs, host))

    def finish(self, priced: Priced, node: Node, cutoff: float) -> Finished | None:
        """Nothing closes such a node faster than going on."""
        return None

    def branch(self, node: Node, pool: Sequence[Column], x: FloatArray) -> list[Node]:
        """Let the user with the share of a host nearest one half have that host, or not; nothing if all are whole."""
        share = self.shares(pool, x)
        user, host = np.unravel_index(np.abs(share - 0.5).argmin(), share.shape)
        if min(share[user, host], 1 - share[user, host]) < 1e-6:
            return []
        without_it, only_it = node.place.copy(), node.place.copy()
        without_it[user, host] = False
        only_it[user] = False
        only_it[user, host] = True
        return [self._node(without_it), self._node(only_it)]
