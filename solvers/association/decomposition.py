"""Association to proven optimality: price, narrow the storage, list what is left, and walk through it.

1. Groups touch each other through the stations' storage alone, so one price a station bounds the optimum
   (`station_prices`); pricing a group is a dynamic programme over its satellites (`slot_choices`).
2. The bound and the incumbent narrow what each station can have stored before each slot, which sharpens the bound.
3. When the gap is small, all choices within it are listed, and the same goes on with the lists alone.
4. The sequences of what is left are walked through with the past paid exactly (`sequences`).
"""

import time

import numpy as np

from ...instances.association import Association, AssociationDecision
from ...instances.fields import FloatArray
from ..interrupts import check_interrupts
from ..result import Answer, Limits, Point
from .groups import MOST_SATELLITES, Groups, decision
from .incumbents import Incumbent, fitting, improved, nothing, per_slot
from .sequences import Walk, layers
from .slot_choices import Choices, Storage, best_choices, joined, list_choices
from .station_prices import Best, Bound, Stations, Stored, least_bound, tightened
from .storage_price import least_rests

LISTED_GAP = 1e-3  # relative gap from which listing is tried
ROOM = 20_000  # choices listed of a group
LITTLE = 0.03  # relative narrowing of the storage below which another round is not worth it
COARSE, FINE = 2e-6, 1e-7  # relative distances to the least bound
# Prices tried beside the best ones: few where a group's best value takes a search, many where it is read off a list.
FEW = (0.5, 0.75, 0.9, 0.97, 1.03, 1.1, 1.3, 2.0)
MANY = (*(1 - np.geomspace(0.003, 0.5, 10)), *(1 + np.geomspace(0.003, 0.8, 10)))
STRICT = 1e-9  # share of the capacity that stays free: storage must stay positive
SLACK = 1e-12  # relative: what rounding of sums may hide


def solve_decomposition(instance: Association, limits: Limits) -> Answer:
    """Solve by station prices, lists of choices and their sequences."""
    groups = Groups.of(instance)
    if groups is None:
        return Answer(reason=f"a group of stations sees more than {MOST_SATELLITES} satellites at once")
    if not len(groups.slot):
        return Answer(decision(groups, np.zeros((0, instance.channels), np.int64)), objective=0.0, bound=0.0)
    return _Search(instance, groups, limits).run()


class _Search:
    """Bound, incumbent and storage intervals, and how they get nearer to each other."""

    def __init__(self, instance: Association, groups: Groups, limits: Limits) -> None:
        self.instance, self.groups, self.limits = instance, groups, limits
        self.incumbent = nothing(groups, instance.channels)
        self.most = per_slot(instance, groups, groups.most)
        self.bound = float(instance.utility_weight * self.most.sum())
        whole = (1 - STRICT) * instance.capacity
        high = np.minimum(np.vstack([np.zeros(instance.stations), self.most.cumsum(0)]), whole)
        self.stored = Stored(np.zeros(high.shape), high)
        self.counters = {"pricings": 0, "rounds": 0, "choices": 0, "nodes": 0}
        self.trace: list[Point] = []
        self._began = time.perf_counter()
        self._price = np.full(instance.stations, instance.utility_weight / 2)

    def run(self) -> Answer:
        """Go through the steps until the gap is closed or time is up."""
        storage, stuck = self._unknown(), False
        while not self._closed() and not self._late():
            bound = self._priced(storage)
            width = self._width()
            if self._closed() or self._late():
                break
            if stuck or bound.value - self.incumbent.value <= LISTED_GAP * abs(self.incumbent.value):
                lists = self._listed(bound, storage)
                if lists is not None:
                    self._finish(lists, storage.shift)
                if stuck or lists is not None:
                    break
            self._narrow(bound, storage)
            stuck = self.counters["rounds"] > 2 and self._width() > (1 - LITTLE) * width
            storage = self._known()
        return Answer(
            decision=self._decision(),
            objective=self.incumbent.value,
            bound=self.bound,
            reason=None if self._closed() else "time limit reached" if self._late() else "no more progress",
            counters=self.counters,
            trace=tuple(self.trace),
        )

    def _decision(self) -> AssociationDecision:
        return decision(self.groups, self.incumbent.pattern)

    def _closed(self) -> bool:
        return self.bound - self.incumbent.value <= self.limits.gap * abs(self.bound) / 2

    def _late(self) -> bool:
        check_interrupts()
        limit = self.limits.time_limit_s
        return limit is not None and time.perf_counter() - self._began > limit

    def _note(self) -> None:
        self.trace.append(Point(time.perf_counter() - self._began, self.incumbent.value, self.bound))

    def _width(self) -> float:
        return float((self.stored.high - self.stored.low).sum())

    def _unknown(self) -> Storage:
        """Any storage: with a shift of all a slot can store, q is at least 0, its limit at infinite storage."""
        anywhere = np.full(self.most.shape, 1e12)
        return Storage(anywhere, anywhere, self.most.max(0) + STRICT, self.instance.channels)

    def _known(self) -> Storage:
        """The intervals found, and the shift at which the incumbent's loads have little rest."""
        instance = self.instance
        high = instance.capacity - self.stored.low[:-1]
        low = np.maximum(instance.capacity - self.stored.high[:-1], STRICT * instance.capacity)
        load = per_slot(instance, self.groups, self.incumbent.load)
        typical = (load**2).sum(0) / np.maximum(load.sum(0), STRICT) / 2
        return Storage(low, high, np.maximum(typical, self.most.max(0) / 4) + STRICT, instance.channels)

    def _stations(self, shift: FloatArray) -> Stations:
        instance = self.instance
        return Stations(instance.price_weight, instance.capacity, shift, self.stored.low[-1], self.stored.high[-1])

    def _best_at(self, price: FloatArray, storage: Storage) -> Best:
        self.counters["pricings"] += 1
        value = np.broadcast_to(self.instance.utility_weight - price, self.most.shape)
        return best_choices(self.groups, np.ascontiguousarray(value), self.instance.price_weight, storage)

    def _priced(self, storage: Storage) -> Bound:
        """The least bound, and an incumbent from the choices met on the way."""
        self.counters["rounds"] += 1
        stations = self._stations(storage.shift)
        bound, met = least_bound(self._price, lambda price: self._best_at(price, storage), stations, COARSE)
        self._price = bound.price
        self.bound = min(self.bound, bound.value)
        order = np.argsort(np.concatenate([choices.group for choices in met]), kind="stable")
        self._offer(bound.choices, joined(met).take(order))
        self._note()
        return bound

    def _offer(self, best: Choices, known: Choices) -> None:
        """Improve the incumbent and what fits of the relaxation's choices by the choices known."""
        for start in (self.incumbent, fitting(self.instance, self.groups, best)):
            found = improved(self.instance, self.groups, start, known)
            if found.value > self.incumbent.value:
                self.incumbent = found

    def _narrow(self, bound: Bound, storage: Storage) -> None:
        stations = self._stations(storage.shift)
        target = self.incumbent.value - SLACK * abs(self.incumbent.value)
        narrower = tightened(
            self.stored,
            bound,
            target,
            self.groups.slot,
            lambda price: self._best_at(price, storage)[0],
            stations,
            FEW,
        )
        self.stored = narrower.consistent(np.zeros(self.most.shape), self.most)

    def _listed(self, bound: Bound, storage: Storage) -> Choices | None:
        """All choices within the gap; None when they are too many."""
        value = np.ascontiguousarray(np.broadcast_to(self.instance.utility_weight - bound.price, self.most.shape))
        least = bound.best - self._slack(bound)
        return list_choices(self.groups, value, self.instance.price_weight, storage, least, ROOM)

    def _slack(self, bound: Bound) -> float:
        """What a solution better than the incumbent loses at most, rounding included."""
        return bound.value - self.incumbent.value + SLACK * abs(bound.value)

    def _finish(self, choices: Choices, shift: FloatArray) -> None:
        """Narrow storage and lists by each other, then walk through the sequences of what is left."""
        while True:
            bound, worth = self._priced_lists(choices, shift)
            kept = worth >= bound.best[choices.group] - self._slack(bound)
            choices, worth = choices.take(kept), worth[kept]
            width = self._width()
            self._narrow_lists(bound, choices, shift)
            if self._closed() or self._late():
                return
            if self._width() > (1 - LITTLE) * width:
                break
        self._walk(choices, worth, bound.price, shift)

    def _priced_lists(self, choices: Choices, shift: FloatArray) -> tuple[Bound, FloatArray]:
        """The least bound over listed choices, and what each of them is worth at its prices."""
        worth = self._worth(choices, shift)
        bound, _ = least_bound(
            self._price, lambda price: _best_listed(choices, worth - choices.load @ price), self._stations(shift), FINE
        )
        self._price = bound.price
        self.bound = min(self.bound, bound.value)
        self._offer(bound.choices, choices)
        self._note()
        return bound, worth - choices.load @ bound.price

    def _worth(self, choices: Choices, shift: FloatArray) -> FloatArray:
        """What choices are worth at most without prices, shape (choices,)."""
        storage, slot = self._known(), self.groups.slot[choices.group]
        rest = least_rests(choices.load, storage.low[slot], storage.high[slot], shift)
        worth = self.instance.utility_weight * choices.load.sum(1) - self.instance.price_weight * rest.sum(1)
        return np.where((choices.load > storage.high[slot]).any(1), -np.inf, worth)

    def _narrow_lists(self, bound: Bound, choices: Choices, shift: FloatArray) -> None:
        worth = self._worth(choices, shift)
        first = np.searchsorted(choices.group, np.arange(len(self.groups.slot)))
        narrower = tightened(
            self.stored,
            bound,
            self.incumbent.value - SLACK * abs(self.incumbent.value),
            self.groups.slot,
            lambda price: np.maximum.reduceat(worth - choices.load @ price, first),
            self._stations(shift),
            MANY,
        )
        least, most = (
            per_slot(self.instance, self.groups, extreme.reduceat(choices.load, first))
            for extreme in (np.minimum, np.maximum)
        )
        self.stored = narrower.consistent(least, most)

    def _walk(self, choices: Choices, worth: FloatArray, price: FloatArray, shift: FloatArray) -> None:
        """Walk through the sequences of the choices left."""
        self.counters["choices"] = len(choices.group)
        found, order = layers(self.instance, choices.load, choices.group, worth, price, shift)
        walk = Walk(found, self.incumbent.value)
        while not walk.done and not self._late():
            walk.go_on()
        self.counters["nodes"] = walk.steps
        if walk.chosen is not None:
            chosen = order[walk.chosen]
            self.incumbent = Incumbent(walk.value, choices.load[chosen], choices.pattern[chosen])
        if walk.done:
            self.bound = self.incumbent.value
        self._note()


def _best_listed(choices: Choices, value: FloatArray) -> Best:
    """The best value of each group's listed choices, and one that has it."""
    first = np.flatnonzero(np.diff(choices.group, prepend=-1))
    best = np.maximum.reduceat(value, first)
    having = np.flatnonzero(value == best[choices.group])
    chosen = having[np.unique(choices.group[having], return_index=True)[1]]
    return best, choices.take(chosen)
