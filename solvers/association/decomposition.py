"""Association to proven optimality: price, narrow the storage, list what is left, and search its sequences.

1. Groups touch each other through the stations' storage alone, so one price a station bounds the optimum
   (`station_prices`); pricing a group is a search over tables of subsets of its satellites (`slot_choices`).
2. The bound and the incumbent narrow what each station can have stored before each slot, which sharpens the bound.
3. Where that stops at a gap, a price a slot and station with the stations' exact trajectories bounds more sharply
   (`trajectories`, `coupling`).
4. When the gap is small, all choices within it are listed, and the same goes on with the lists alone.
5. The sequences of what is left are searched with the past paid exactly (`sequences`).
"""

import time
from typing import NamedTuple

import numpy as np

from ...instances.association import Association, AssociationDecision
from ...instances.fields import FloatArray
from ..interrupts import check_interrupts
from ..result import Answer, Limits, Point
from .coupling import Best, Coupled, Coupling, flat
from .groups import MOST_SATELLITES, Groups, decision
from .incumbents import Incumbent, fitting, improved, nothing, per_slot
from .sequences import layers, search
from .slot_choices import Choices, Terms, best_choices, list_choices
from .station_prices import Bound, Stations, Stored, least_bound, tightened
from .storage_price import least_rests
from .trajectories import REACH, Loads, Multipliers, Trajectories, multipliers_at

LISTED_GAP = 1e-3  # relative gap from which listing is tried
FAR = 0.01  # relative gap from which station prices are not worth another round
ROOM = 20_000  # choices listed of a group
PAIRED = 60  # choices of a group that are exchanged in pairs
LITTLE = 0.03  # relative narrowing of the storage below which another round is not worth it
COARSE, FINE = 2e-6, 1e-7  # relative distances to the least bound by station prices
NEAR = 0.03  # distance to the least bound by trajectories over that to the incumbent
# Prices tried beside the best ones: few where a group's best value takes a search, many where it is read off a list.
FEW = (0.5, 0.75, 0.9, 0.97, 1.03, 1.1, 1.3, 2.0)
MANY = (*(1 - np.geomspace(0.003, 0.5, 10)), *(1 + np.geomspace(0.003, 0.8, 10)))
# States of the grid of storage and steps of the bundle: on all choices, round by round, and on lists.
ROUNDS = ((1_000, 25), (2_000, 50), (4_000, 50), (4_000, 50))
LIST_STATES, LIST_STEPS = 20_000, 25
RADIUS, LIST_RADIUS = 0.02, 0.001  # of the first box of multipliers
NARROW, WIDER, WIDEST = 2_000, 4, 512_000  # nodes a layer of a search, and by how much more where it does not help
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
                lists = self._listed(self._terms(bound.price, storage), bound.best, bound.value)
                if lists is not None:
                    self._finish(lists, storage.shift)
                    break
            if stuck:
                self._follow()
                break
            self._narrow(bound, storage)
            far = self.bound - self.incumbent.value > FAR * abs(self.incumbent.value)
            stuck = self.counters["rounds"] > (1 if far else 2) and (far or self._width() > (1 - LITTLE) * width)
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
        return Storage(anywhere, anywhere, self.most.max(0) + STRICT)

    def _known(self) -> Storage:
        """The intervals found, and the shift at which the incumbent's loads have little rest."""
        instance = self.instance
        high = instance.capacity - self.stored.low[:-1]
        low = np.maximum(instance.capacity - self.stored.high[:-1], STRICT * instance.capacity)
        load = per_slot(instance, self.groups, self.incumbent.load)
        typical = (load**2).sum(0) / np.maximum(load.sum(0), STRICT) / 2
        return Storage(low, high, np.maximum(typical, (self.most - low).max(0)) + STRICT)

    def _stations(self, shift: FloatArray) -> Stations:
        instance = self.instance
        return Stations(instance.price_weight, instance.capacity, shift, self.stored.low[-1], self.stored.high[-1])

    def _best_at(self, price: FloatArray, storage: Storage) -> Best:
        self.counters["pricings"] += 1
        return best_choices(self.groups, self._terms(price, storage), self.instance.channels)

    def _terms(self, price: FloatArray, storage: Storage) -> Terms:
        value = np.tile(self.instance.utility_weight - price, (self.instance.slots, 1))
        return Terms(value, np.full(value.shape, self.instance.price_weight), *storage)

    def _priced(self, storage: Storage) -> Bound:
        """The least bound, and an incumbent from the choices met on the way."""
        self.counters["rounds"] += 1
        stations = self._stations(storage.shift)
        bound, met = least_bound(self._price, lambda price: self._best_at(price, storage), stations, COARSE)
        self._price = bound.price
        self.bound = min(self.bound, bound.value)
        self._offer(bound.choices, flat(met))
        self._note()
        return bound

    def _offer(self, best: Choices, known: Choices) -> None:
        """Improve the incumbent and what fits of the relaxation's choices by the choices known."""
        for start in (self.incumbent, fitting(self.instance, best)):
            found = improved(self.instance, start, known)
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

    def _listed(self, terms: Terms, best: FloatArray, bound: float) -> Choices | None:
        """All choices that a solution better than the incumbent can have; None when they are too many."""
        return list_choices(self.groups, terms, self.instance.channels, best - self._slack(bound), ROOM)

    def _slack(self, bound: float) -> float:
        """What a solution better than the incumbent loses at most, rounding included."""
        return bound - self.incumbent.value + SLACK * abs(bound)

    def _follow(self) -> None:
        """Bound by trajectories, round by round nearer to the incumbent's, then list and finish."""
        met: list[Choices] = []
        for states, steps in ROUNDS:
            trajectories = self._trajectories(states)
            start = self._multipliers()
            coupling = Coupling(self.instance, self.groups, trajectories, self._best_coupled, start.reference)
            coupled = coupling.least(start, self._chosen(), RADIUS, steps, self._enough)
            met += coupling.met
            self.bound = min(self.bound, coupled.value)
            self._offer(coupled.choices, flat(met))
            known = flat([*met, self._chosen()])
            self._search(known, coupled, trajectories, NARROW)
            self._exchange_pairs(known, coupled)
            self._note()
            if self._closed() or self._late():
                return
            trajectories.narrow(coupled.worth, self._slack(coupled.value))
            self.stored = Stored(*trajectories.stored())
        lists = self._listed(self._coupled_terms(coupled.multipliers), coupled.best, coupled.value)
        if lists is not None:
            self._finish(lists, self._known().shift)

    def _finish(self, choices: Choices, shift: FloatArray) -> None:
        """Narrow storage and lists by each other, then by trajectories, and search the sequences of what is left."""
        while True:
            bound, worth = self._priced_lists(choices, shift)
            choices = choices.take(worth >= bound.best[choices.group] - self._slack(bound.value))
            width = self._width()
            self._narrow_lists(bound, choices, shift)
            if self._closed() or self._late():
                return
            if self._width() > (1 - LITTLE) * width:
                break
        self._couple(choices, self._at_prices(bound.price, shift))

    def _couple(self, choices: Choices, start: Multipliers) -> None:
        """Drop choices by trajectories and search the sequences of what is left, wider where that does not help."""
        trajectories = self._trajectories(LIST_STATES)
        width, gap = NARROW, self.bound - self.incumbent.value
        while width <= WIDEST and not self._closed() and not self._late():
            size = len(choices.group)
            trajectories.loads = Loads.of(self.groups.slot[choices.group], choices.load, self.instance.slots)
            coupling = Coupling(
                self.instance,
                self.groups,
                trajectories,
                lambda at, own=choices: _best_of(own, self._coupled_worth(own, at)),  # type: ignore[misc]
                start.reference,
            )
            coupled = coupling.least(start, self._chosen(), LIST_RADIUS, LIST_STEPS, self._enough)
            start = coupled.multipliers
            self.bound = min(self.bound, max(coupled.value, self.incumbent.value))
            self.bound = min(self.bound, self._search(choices, coupled, trajectories, width))
            worth = self._coupled_worth(choices, start)
            choices = choices.take(worth >= coupled.best[choices.group] - self._slack(coupled.value))
            before, gap = gap, self.bound - self.incumbent.value
            if len(choices.group) > (1 - LITTLE) * size and gap > (1 - LITTLE) * before:
                width *= WIDER
            self.counters["choices"] = len(choices.group)
            self._note()

    def _priced_lists(self, choices: Choices, shift: FloatArray) -> tuple[Bound, FloatArray]:
        """The least bound over listed choices, and what each of them is worth at its prices."""
        worth = self._worth(choices, shift)
        bound, _ = least_bound(
            self._price, lambda price: _best_of(choices, worth - choices.load @ price), self._stations(shift), FINE
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

    def _trajectories(self, states: int) -> Trajectories:
        low, high = self.instance.capacity - self.stored.high, self.instance.capacity - self.stored.low
        return Trajectories(self.instance, self.most, states, low, high)

    def _multipliers(self) -> Multipliers:
        return multipliers_at(self.instance, per_slot(self.instance, self.groups, self.incumbent.load), self.most)

    def _at_prices(self, price: FloatArray, shift: FloatArray) -> Multipliers:
        """Multipliers that say what one price a station says, at storage in the middle of what is known."""
        known = self._known()
        reference = np.maximum((known.low + known.high) / 2, REACH * self.most)
        weight = self.instance.price_weight
        load = self.instance.utility_weight - price - weight * (1 / (reference + shift) - 1 / reference)
        return Multipliers(load, np.ones(load.shape), reference)

    def _enough(self, bound: float, model: float) -> bool:
        """Whether minimising the bound is over: it closes the gap, its model is near, or time is up."""
        incumbent = self.incumbent.value
        return self._late() or bound <= incumbent or bound - model <= NEAR * max(bound - incumbent, 0.0)

    def _coupled_terms(self, multipliers: Multipliers) -> Terms:
        reference = multipliers.reference
        weight = self.instance.price_weight * multipliers.curve
        return Terms(multipliers.load, weight, reference, reference, np.zeros(self.instance.stations))

    def _best_coupled(self, multipliers: Multipliers) -> Best:
        self.counters["pricings"] += 1
        return best_choices(self.groups, self._coupled_terms(multipliers), self.instance.channels)

    def _coupled_worth(self, choices: Choices, multipliers: Multipliers) -> FloatArray:
        """What choices are worth to their groups, shape (choices,)."""
        slot = self.groups.slot[choices.group]
        load, curve, reference = (part[slot] for part in multipliers)
        bend = choices.load / reference - np.log(reference / (reference - choices.load))
        return np.asarray((load * choices.load - self.instance.price_weight * curve * bend).sum(1))

    def _exchange_pairs(self, known: Choices, coupled: Coupled) -> None:
        """Improve the incumbent by two groups at a time, with the choices worth most."""
        worth = self._coupled_worth(known, coupled.multipliers)
        order = np.lexsort((-worth, known.group))
        _, rank = np.unique(np.column_stack([known.group, known.load.round(9)]), axis=0, return_index=True)
        order = order[np.isin(order, rank)]
        place = np.arange(len(order)) - np.searchsorted(known.group[order], known.group[order])
        some = known.take(order[place < PAIRED])
        self.incumbent = improved(self.instance, self.incumbent, some, pairs=True)

    def _chosen(self) -> Choices:
        """The incumbent's choices."""
        return Choices(np.arange(len(self.groups.slot)), self.incumbent.load, self.incumbent.pattern)

    def _search(self, choices: Choices, coupled: Coupled, trajectories: Trajectories, width: int) -> float:
        """Search sequences for a better incumbent; returns what bounds all solutions of these choices."""
        known = layers(self.instance, self.groups, choices, coupled.best, trajectories.ahead)
        found = search(known, self.incumbent.value, width)
        self.counters["nodes"] += found.nodes
        if found.chosen is not None:
            own = choices.take(found.chosen)
            self.incumbent = Incumbent(found.value, own.load, own.pattern)
        return found.bound


def _best_of(choices: Choices, value: FloatArray) -> Best:
    """The best value of each group's choices, ordered by group, and one that has it."""
    first = np.flatnonzero(np.diff(choices.group, prepend=-1))
    best = np.maximum.reduceat(value, first)
    having = np.flatnonzero(value == best[choices.group])
    chosen = having[np.unique(choices.group[having], return_index=True)[1]]
    return best, choices.take(chosen)
