"""A subcarrier of a layer is a cell; cells share users, places at stations, and budgets, which have prices here.

The sum of the best patterns of all cells at some prices, and what the prices cost, bounds the optimum.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ...formulations.slicing.values import gains
from ...instances.fields import FloatArray, IntArray
from ...instances.slicing import Service, Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS
from ..master import Column
from .laws import COVERED, LOW, Laws, delay_less, spare_s
from .link_bounds import Layer, Prices, alone, least_rates, links_of
from .patterns import HURRIED, MOST_EFFORT, TO_LIST, search
from .powers import best_powers

MOST_LISTED = 5_000  # patterns of a cell


class Pattern(NamedTuple):
    """Links on a subcarrier.

    Attributes
    ----------
    cell
        Layer and subcarrier.
    users, nodes : array, shape (links,)
    share : array, shape (links,)
        Powers over budgets.
    worth
        At these powers, beside goals.
    reached : array, shape (goals,)
        What it adds to goals.
    bound
        On the worth at any of its powers, with goals, less what powers cost at the prices it was found at.
    least, most : array, shape (links,)
        Powers that it may have, over budgets; those of covered users follow from the others'.
    """

    cell: tuple[int, int]
    users: IntArray
    nodes: IntArray
    share: FloatArray
    worth: float
    reached: FloatArray
    bound: float
    least: FloatArray
    most: FloatArray


class Goals(NamedTuple):
    """What must be reached at least: users covered, and the sum over L users of the cap less their delays (s)."""

    covered: int
    saved_s: float


class Rows(NamedTuple):
    """What cells share: users first, then budgets of all nodes, then places at stations, then goals.

    Attributes
    ----------
    laws
        What users are worth beside goals.
    users
        How many.
    first : array, shape (layers,)
        Row of the budget of each layer's first node.
    places
        Row of the first station's places.
    goals
        Row of the first goal, of which there are two or none: users covered, and what delays are below their cap in
        all, in caps.
    most : array, shape (rows,)
        How much there is of each; minus what must be reached.
    cap_s
        The delays' cap.
    """

    laws: Laws
    users: int
    first: IntArray
    places: int
    goals: int
    most: FloatArray
    cap_s: float

    @classmethod
    def of(cls, instance: Slicing, goals: Goals | None = None) -> "Rows":
        """Those of an instance."""
        users, nodes = len(instance.slices), instance.nodes
        first = users + np.cumsum([0, *nodes[:-1]])
        places = users + sum(nodes)
        cap_s = instance.delay_cap_s
        wanted = [] if goals is None else [-float(goals.covered), -goals.saved_s / cap_s]
        most = np.concatenate([np.ones(places), np.full(nodes[0], float(instance.station_capacity)), wanted])
        return cls(Laws.of(instance), users, first, places, places + nodes[0], most, cap_s)

    def prices(self, point: FloatArray, layer: int, nodes: int) -> Prices:
        """Those of a layer."""
        budget = point[self.first[layer] : self.first[layer] + nodes]
        place = point[self.places : self.goals] if layer == 0 else np.zeros(nodes)
        return Prices(self._laws_at(point), point[: self.users], place, budget)

    def _laws_at(self, point: FloatArray) -> Laws:
        """With what goals add."""
        if self.goals == len(point):
            return self.laws
        covered, saved = point[self.goals :]
        more = np.array([0.0, saved / self.cap_s, covered])
        return self.laws._replace(worth=self.laws.worth + more[self.laws.kind])

    def used(self, pattern: Pattern) -> tuple[IntArray, FloatArray]:
        """What a pattern takes: rows, and how much of each."""
        links = len(pattern.users)
        rows = [pattern.users, self.first[pattern.cell[0]] + pattern.nodes]
        taken = [np.ones(links), pattern.share]
        if pattern.cell[0] == 0:
            rows.append(self.places + pattern.nodes)
            taken.append(np.ones(links))
        rows.append(np.arange(self.goals, len(self.most)))
        taken.append(-pattern.reached)
        return np.concatenate(rows), np.concatenate(taken)

    def piece(self, block: int, patterns: Sequence[Pattern], times: int, kind: int) -> Column:
        """What patterns, so many times, are worth at any prices, as a piece of a bundle."""
        drawn, worth = np.zeros(len(self.most)), 0.0
        for pattern in patterns:
            row, taken = self.used(pattern)
            np.add.at(drawn, row, times * taken)
            worth += times * pattern.worth
        row = np.flatnonzero(drawn)
        return Column(block, row, -drawn[row], -worth, kind)


class Cells:
    """All cells of an instance whose UAVs stand somewhere; those of a layer that are alike count as one.

    Parameters
    ----------
    late
        Whether time is up: patterns are then sought for a moment only, and bounds are weak.

    Attributes
    ----------
    alike
        Subcarriers of the same gains, by layer and the first of them.
    """

    def __init__(
        self, instance: Slicing, rows: Rows, candidate: IntArray, late: Callable[[], bool] = lambda: False
    ) -> None:
        self.instance, self.candidate, self.rows, self._late = instance, candidate, rows, late
        each = zip(gains(instance, candidate), instance.budgets_w, spare_s(instance, candidate), strict=True)
        self.layers = [
            Layer(
                np.ascontiguousarray(np.moveaxis(gain * budget[:, None] / instance.noise_w, 2, 0)),
                spare,
                least_rates(rows.laws, spare),
                instance.intra_cell_reuse,
            )
            for gain, budget, spare in each
        ]
        self.alike = dict[tuple[int, int], list[int]]()
        for layer, own in enumerate(self.layers):
            first = dict[bytes, int]()
            for n in range(instance.subcarriers if instance.nodes[layer] else 0):
                same = first.setdefault(own.snr[n].tobytes(), n)
                self.alike.setdefault((layer, same), []).append(n)

    def scale(self) -> float:
        """What users are worth in the mean, without interference and prices."""
        if not self.alike or not self.rows.users:
            return 0.0
        free = np.zeros(len(self.rows.most))
        found = np.zeros(self.rows.users)
        for layer, n in self.alike:
            own = self.layers[layer]
            worth = alone(own, n, self.rows.prices(free, layer, own.spare.shape[1]))
            found = np.maximum(found, worth.max(1))
        return float(found.mean())

    def best(
        self, cell: tuple[int, int], point: FloatArray, floor: float, tolerance: float
    ) -> tuple[Pattern | None, float]:
        """The best pattern of a cell above `floor` less prices, and a bound on what any is worth less them."""
        found, bound, _ = self._search(cell, point, floor, 1, tolerance)
        return (found[0] if found else None), bound

    def all(self, cell: tuple[int, int], point: FloatArray, floor: float, tolerance: float) -> list[Pattern] | None:
        """All patterns of a cell that are worth more than `floor` less prices; None when they are too many."""
        found, _, complete = self._search(cell, point, floor, MOST_LISTED, tolerance)
        return found if complete and len(found) < MOST_LISTED else None

    def again(self, pattern: Pattern, point: FloatArray, tolerance: float) -> Pattern:
        """The same links at the best of its powers for other prices."""
        layer, subcarrier = pattern.cell
        own, share = self.layers[layer], np.empty(len(pattern.users))
        prices = self.rows.prices(point, layer, own.spare.shape[1])
        links = links_of(own, subcarrier, prices, pattern.users, pattern.nodes)
        net, bound, _ = best_powers(links, pattern.least, pattern.most, -np.inf, tolerance, share)
        reached = self._reached(pattern.cell, pattern.users, pattern.nodes, share)
        worth = net + prices.budget[pattern.nodes] @ share - point[self.rows.goals :] @ reached
        return pattern._replace(share=share, worth=float(worth), reached=reached, bound=bound)

    def _reached(self, cell: tuple[int, int], users: IntArray, nodes: IntArray, share: FloatArray) -> FloatArray:
        """What links with such powers add to goals."""
        if self.rows.goals == len(self.rows.most):
            return np.zeros(0)
        own, laws = self.layers[cell[0]], self.rows.laws
        heard = own.snr[cell[1]][users[:, None], nodes] * share
        rate = np.log1p(heard.diagonal() / (1 + heard.sum(1) - heard.diagonal()))
        saved = 0.0
        for k, v, fast in zip(users, nodes, rate, strict=True):
            if laws.kind[k] == LOW and fast > laws.arriving[k]:
                saved += max(0.0, delay_less(fast, own.spare[k, v], laws.sent[k], laws.waiting[k], laws.arriving[k]))
        return np.array([float((laws.kind[users] == COVERED).sum()), saved / self.rows.cap_s])

    def _search(
        self, cell: tuple[int, int], point: FloatArray, floor: float, room: int, tolerance: float
    ) -> tuple[list[Pattern], float, bool]:
        own = self.layers[cell[0]]
        users, nodes = own.spare.shape
        most = users if own.reuse else min(users, nodes)
        user, node = np.empty((room, most), np.int64), np.empty((room, most), np.int64)
        share, worth, bound = np.empty((room, most)), np.empty(room), np.empty(room)
        prices = self.rows.prices(point, cell[0], nodes)
        effort = HURRIED if self._late() else MOST_EFFORT * (1 if room == 1 else TO_LIST)
        args = (floor, room == 1, effort, tolerance, user, node, share, worth, bound)
        count, least, complete = search(own, cell[1], prices, *args)
        found = []
        for r in range(min(count, room)):
            links = int((user[r] >= 0).sum())
            paid = prices.user[user[r, :links]].sum() + prices.place[node[r, :links]].sum()
            who, where, power = user[r, :links], node[r, :links], share[r, :links]
            reached = self._reached(cell, who, where, power)
            whole = worth[r] + paid + prices.budget[where] @ power - point[self.rows.goals :] @ reached
            ends = (np.zeros(links), np.ones(links))
            found.append(Pattern(cell, who, where, power, float(whole), reached, bound[r] + paid, *ends))
        return found, least, complete

    def decision(self, patterns: Sequence[Pattern]) -> SlicingDecision:
        """Some patterns as a decision."""
        serve: list[Service | None] = [None] * self.rows.users
        free = {cell: iter(subcarriers) for cell, subcarriers in self.alike.items()}
        for pattern in patterns:
            layer, subcarrier = pattern.cell[0], next(free[pattern.cell])
            power_w = pattern.share * self.instance.budgets_w[layer][pattern.nodes]
            for k, v, power in zip(pattern.users, pattern.nodes, power_w, strict=True):
                serve[k] = Service(LAYERS[layer], int(v), subcarrier, float(power))
        return SlicingDecision(self.candidate, tuple(serve))
