"""Local search: a subcarrier's pattern is replaced by a better one, then powers are dealt anew, then UAVs move.

Every node's budget is dealt out to its subcarriers, so they share nothing but users and places. A subcarrier may take
users from others for what they are worth there: what these lose is at most that, so every step improves the objective.
A node has one user a subcarrier also where it might have more, which is seldom better and takes long to find out.
"""

import numpy as np

from ...formulations.slicing.links import worths
from ...formulations.slicing.values import distances_m
from ...instances.fields import FloatArray, IntArray
from ...instances.slicing import Service, Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS, STATION, UAV
from ..interrupts import check_interrupts
from ..reductions import in_reduced_units
from ..result import Answer, Limits
from .cells import Cells, Pattern, Rows
from .laws import COVERED
from .placements import placements
from .rules import NOWHERE, heard_best

BETTER = 1e-9  # relative: what counts as better
TOLERANCE = 1e-7  # of a pattern's powers
DEALS = 3  # times that powers are dealt anew
NEVER = 1e9  # price of who cannot be had


@in_reduced_units
def solve_local_search(instance: Slicing, limits: Limits) -> Answer:
    """Begin with UAVs where users hear them best and nobody served, and improve until nothing does."""
    places = placements(instance)
    if not len(places):
        return Answer(infeasible=True, reason=NOWHERE)
    best = _Dealt(instance, heard_best(instance, places)[0])
    best.improve()
    allowed = {tuple(place) for place in places.tolist()}
    moving = True
    while moving:
        moving = False
        for v in range(instance.nodes[UAV]):
            for q in range(len(instance.uavs.candidates)):
                moved = best.candidate.copy()
                moved[v] = q
                if q != best.candidate[v] and tuple(moved.tolist()) in allowed:
                    check_interrupts()
                    other = best.moved(moved)
                    if other.total > best.total * (1 + BETTER):
                        other.improve()
                        best, moving = other, True
    return Answer(best.decision())


class _Dealt:
    """Subcarriers with their part of every budget, and the pattern that each of them uses.

    Attributes
    ----------
    part : array a layer, shape (N, nodes)
        Of the budget.
    """

    def __init__(self, instance: Slicing, candidate: IntArray) -> None:
        self.instance, self.candidate = instance, candidate
        self._rows = Rows.of(instance)
        self._cells = Cells(instance, self._rows, candidate)
        self._whole = list(self._cells.layers)
        self._distance = distances_m(instance, candidate)
        self.used = dict[tuple[int, int], Pattern]()
        subcarriers = instance.subcarriers
        self.part = [np.full((subcarriers, nodes), 1 / max(1, subcarriers)) for nodes in instance.nodes]
        self._deal()

    @property
    def total(self) -> float:
        """What all users are worth."""
        return sum(pattern.worth for pattern in self.used.values())

    def _deal(self) -> None:
        """Let subcarriers know their parts."""
        for layer, (own, part) in enumerate(zip(self._whole, self.part, strict=True)):
            self._cells.layers[layer] = own._replace(snr=own.snr * part[:, None, :], reuse=False)

    def moved(self, candidate: IntArray) -> "_Dealt":
        """With UAVs elsewhere, whose subcarriers are taken up anew."""
        other = _Dealt(self.instance, candidate)
        other.used = {cell: pattern for cell, pattern in self.used.items() if cell[0] != UAV}
        other.part = [other.part[layer] if layer == UAV else part for layer, part in enumerate(self.part)]
        other._deal()
        for n in range(self.instance.subcarriers):
            other._replace((UAV, n))
        return other

    def improve(self) -> None:
        """Replace patterns until nothing improves, deal out what is left of budgets, and begin again."""
        cells = [(layer, n) for layer, own in enumerate(self.part) if own.size for n in range(len(own))]
        for _ in range(DEALS):
            while sum(self._replace(cell) for cell in cells):
                check_interrupts()
            self._deal_anew()

    def _replace(self, cell: tuple[int, int]) -> bool:
        """Take a better pattern for a subcarrier, if there is one."""
        held = dict[int, tuple[tuple[int, int], float]]()
        served = np.zeros(self.instance.nodes[STATION], np.int64)
        for other, pattern in self.used.items():
            if other != cell:
                held |= {int(k): (other, worth) for k, worth in zip(pattern.users, self._each(pattern), strict=True)}
                if other[0] == STATION:
                    np.add.at(served, pattern.nodes, 1)
        point = np.zeros(len(self._rows.most))
        for k, (_, worth) in held.items():
            point[k] = worth
        point[self._rows.places :] = np.where(served < self.instance.station_capacity, 0.0, NEVER)
        now = self.used[cell].worth if cell in self.used else 0.0
        found, _ = self._cells.best(cell, point, now, TOLERANCE)
        if found is None or found.worth - point[found.users].sum() <= now + BETTER * max(1.0, self.total):
            return False
        if cell[0] == STATION:
            np.add.at(served, found.nodes, 1)
            if (served > self.instance.station_capacity).any():
                return False
        self.used[cell] = found
        for k in found.users.tolist():
            if k in held:
                self._without(held[k][0], k)
        return True

    def _without(self, cell: tuple[int, int], user: int) -> None:
        """Take a user from a subcarrier."""
        pattern = self.used.pop(cell)
        left = pattern.users != user
        if left.any():
            rest = pattern._replace(users=pattern.users[left], nodes=pattern.nodes[left])
            self.used[cell] = self._again(rest)

    def _again(self, pattern: Pattern) -> Pattern:
        return self._cells.again(pattern, np.zeros(len(self._rows.most)), TOLERANCE)

    def _each(self, pattern: Pattern) -> FloatArray:
        """What each link of a pattern is worth."""
        layer, n = pattern.cell
        heard = self._cells.layers[layer].snr[n][pattern.users[:, None], pattern.nodes] * pattern.share
        ratio = heard.diagonal() / (1 + heard.sum(1) - heard.diagonal())
        return worths(self.instance, pattern.users, self._distance[layer][pattern.users, pattern.nodes], ratio)

    def _deal_anew(self) -> None:
        """Give what is left of budgets to all links but those of covered users, and to idle subcarriers."""
        spent = [np.zeros_like(part) for part in self.part]
        hungry = [np.ones_like(part) for part in self.part]
        for (layer, n), pattern in self.used.items():
            np.add.at(spent[layer][n], pattern.nodes, pattern.share * self.part[layer][n, pattern.nodes])
            hungry[layer][n, pattern.nodes] = self._rows.laws.kind[pattern.users] != COVERED
        for layer, (used, wanting) in enumerate(zip(spent, hungry, strict=True)):
            left = np.maximum(1 - used.sum(0), 0.0) / np.maximum(wanting.sum(0), 1.0)
            self.part[layer] = used + wanting * left
        self._deal()
        self.used = {cell: self._again(pattern) for cell, pattern in self.used.items()}

    def decision(self) -> SlicingDecision:
        """UAVs and services."""
        serve: list[Service | None] = [None] * len(self.instance.slices)
        for (layer, n), pattern in self.used.items():
            share = pattern.share * self.part[layer][n, pattern.nodes]
            power_w = share * self.instance.budgets_w[layer][pattern.nodes]
            for k, v, power in zip(pattern.users, pattern.nodes, power_w, strict=True):
                serve[k] = Service(LAYERS[layer], int(v), n, float(power))
        return SlicingDecision(self.candidate, tuple(serve))
