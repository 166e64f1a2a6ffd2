"""What a search for the optimum knows: incumbent, bound, and what each station can have stored before each slot."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...instances.association import Association, AssociationDecision
from ...instances.fields import FloatArray
from ..interrupts import check_interrupts
from ..result import Answer, Limits, Point
from .groups import Groups, Relaxed, decision
from .incumbents import fitting, improved, nothing, per_slot, started
from .relaxed_groups import bounds
from .slot_choices import Choices, Priced, best_choices
from .station_prices import Stations, Stored
from .terms import Terms
from .trajectories import Loads, Trajectories, room_for_lists

LITTLE = 0.03  # relative change below which a step has not helped
NEAR = 0.03  # distance to a least bound over that to the incumbent
FAR = 1e12  # storage over the capacity that is as good as infinite
STRICT = 1e-9  # share of the capacity that stays free: storage must stay positive
SLACK = 1e-12  # relative: what rounding of sums may hide


class Storage(NamedTuple):
    """What is known of the storage before each slot, and the shift by which its price is split.

    Attributes
    ----------
    low, high : array, shape (slots, stations)
        Interval of H (data units).
    shift : array, shape (stations,)
    """

    low: FloatArray
    high: FloatArray
    shift: FloatArray


class State:
    """Incumbent and bound, and how they get nearer to each other.

    Attributes
    ----------
    began
        When (s), by `time.perf_counter`.
    relaxed
        Groups whose patterns are not all there, and do not bound what they can do.
    most : array, shape (slots, stations)
        More than can be stored in a slot (data units).
    stored
        What stations can have stored in solutions better than the incumbent.
    price : array, shape (stations,)
        The last station prices.
    """

    def __init__(
        self, instance: Association, groups: Groups, limits: Limits, began: float, relaxed: Sequence[Relaxed]
    ) -> None:
        self.instance, self.groups, self.limits, self.relaxed = instance, groups, limits, list(relaxed)
        self.incumbent = nothing(groups, instance.channels)
        if isinstance(limits.start, AssociationDecision):
            self.incumbent = started(instance, groups, limits.start.links)
        self.most = per_slot(instance, groups, groups.most)
        self.bound = float(instance.utility_weight * self.most.sum())
        whole = (1 - STRICT) * instance.capacity
        high = np.minimum(np.vstack([np.zeros(instance.stations), self.most.cumsum(0)]), whole)
        self.stored = Stored(np.zeros(high.shape), high)
        self.price = np.full(instance.stations, instance.utility_weight / 2)
        self.counters = {"pricings": 0, "rounds": 0, "choices": 0, "nodes": 0}
        self._trace: list[Point] = []
        self._began = began

    def answer(self) -> Answer:
        """What is known now."""
        return Answer(
            decision=decision(self.groups, self.incumbent.pattern),
            objective=self.incumbent.value,
            bound=self.bound,
            reason=None if self.closed else "time limit reached" if self.late else "no more progress",
            counters=self.counters,
            trace=tuple(self._trace),
        )

    @property
    def closed(self) -> bool:
        """Whether bound and incumbent are near enough."""
        return self.bound - self.incumbent.value <= self.limits.gap * abs(self.bound) / 2

    @property
    def late(self) -> bool:
        """Whether time is up."""
        check_interrupts()
        limit = self.limits.time_limit_s
        return limit is not None and time.perf_counter() - self._began > limit

    @property
    def gap(self) -> float:
        """Bound minus incumbent, relative to the incumbent."""
        return (self.bound - self.incumbent.value) / max(abs(self.incumbent.value), STRICT)

    @property
    def width(self) -> float:
        """Of the intervals of what is stored, in all (data units)."""
        return float((self.stored.high - self.stored.low).sum())

    @property
    def target(self) -> float:
        """Value that better solutions exceed, rounding included."""
        return self.incumbent.value - SLACK * abs(self.incumbent.value)

    def slack(self, bound: float) -> float:
        """What a solution better than the incumbent loses to a bound at most, rounding included."""
        return bound - self.incumbent.value + SLACK * abs(bound)

    def enough(self, bound: float, model: float) -> bool:
        """Whether minimising a bound is over: it closes the gap, its model from below is near, or time is up."""
        to_incumbent = bound - self.incumbent.value
        return self.late or to_incumbent <= 0 or bound - model <= NEAR * to_incumbent

    def bounded(self, bound: float) -> None:
        """Note that no solution better than the incumbent is better than that."""
        self.bound = min(self.bound, max(bound, self.incumbent.value))
        self._trace.append(Point(time.perf_counter() - self._began, self.incumbent.value, self.bound))

    def offer(self, best: Choices, known: Choices) -> None:
        """Improve the incumbent and what fits of a relaxation's choices by the choices known."""
        for start in (self.incumbent, fitting(self.instance, best)):
            found = improved(self.instance, start, known, lambda: self.late)
            if found.value > self.incumbent.value:
                self.incumbent = found

    @property
    def chosen(self) -> Choices:
        """The incumbent's choices."""
        return Choices(np.arange(len(self.groups.slot)), self.incumbent.load, self.incumbent.pattern)

    @property
    def load(self) -> FloatArray:
        """What the incumbent stores, shape (slots, stations)."""
        return per_slot(self.instance, self.groups, self.incumbent.load)

    def anywhere(self) -> Storage:
        """Any storage: with a shift of all that a slot can store, q is at least 0, its limit at infinite storage."""
        far = np.broadcast_to(FAR * np.maximum(1.0, self.instance.capacity), self.most.shape)
        return Storage(far, far, self.most.max(0) + STRICT)

    def storage(self) -> Storage:
        """The intervals found, and the shift at which the incumbent's loads have little rest."""
        capacity, load = self.instance.capacity, self.load
        low = np.maximum(capacity - self.stored.high[:-1], STRICT * capacity)
        typical = (load**2).sum(0) / np.maximum(load.sum(0), STRICT) / 2
        shift = typical + np.maximum(0.0, (self.most - low).max(0)) + STRICT
        return Storage(low, capacity - self.stored.low[:-1], shift)

    def best(self, terms: Terms) -> Priced:
        """What the groups are worth at these terms."""
        self.counters["pricings"] += 1
        found = best_choices(self.groups, terms, self.instance.channels)
        if self.relaxed:
            own, value, load = [one.group for one in self.relaxed], found.value.copy(), found.load.copy()
            value[own], load[own] = bounds(self.relaxed, self.groups, terms, self.instance.channels)
            found = Priced(value, load, found.choices)
        return found

    def stations(self, shift: FloatArray) -> Stations:
        """What station prices need to know."""
        instance = self.instance
        return Stations(instance.price_weight, instance.capacity, shift, self.stored.low[-1], self.stored.high[-1])

    def trajectories(self, states: int, loads: Loads | None = None) -> Trajectories:
        """A grid of so many states of the storage that is known to be possible."""
        capacity = self.instance.capacity
        low, high = capacity - self.stored.high, capacity - self.stored.low
        return Trajectories(self.instance, self.most, states, low, high, loads)

    def room_for_lists(self, states: int) -> bool:
        """Whether trajectories of so many states can take listed loads."""
        return room_for_lists(self.instance, states, self.instance.capacity - self.stored.high)
