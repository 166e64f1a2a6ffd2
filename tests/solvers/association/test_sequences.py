"""Trajectories of storage as a bound, and the search through sequences of choices."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from skybound.instances.association.presets import generate
from skybound.solvers.association.groups import Groups
from skybound.solvers.association.sequences import layers, search
from skybound.solvers.association.slot_choices import Choices
from skybound.solvers.association.trajectories import Loads, Multipliers, Trajectories, multipliers_at

SLOTS, CHOICES = 5, 4


def value(loads, capacity, utility, weight):
    left, total = capacity.copy(), 0.0
    for load in loads:
        if (load >= left).any():
            return -np.inf
        total += utility * load.sum() - weight * (load / left).sum()
        left = left - load
    return total


class Case:
    """Five slots of one group and four choices each, all sequences tried, and random multipliers."""

    def __init__(self, seed, *, full=False):
        rng = np.random.default_rng(seed)
        self.instance = generate("headline:slots=5", 0)
        stations = self.instance.stations
        self.load = rng.uniform(0, 25, (SLOTS, CHOICES, stations)) * (rng.random((SLOTS, CHOICES, stations)) < 0.7)
        self.load[:, 0] = 0.0
        if full:  # one sequence fills all stations but for next to nothing
            capacity = self.load[:, 1].sum(0) * (1 + 1e-7)
            self.instance = replace(self.instance, capacity=capacity, storage_price=10.0 * (seed % 2))
        else:
            self.instance = replace(self.instance, capacity=self.load.max(1).sum(0) + 10.0)
        self.most = self.load.max(1) + 1e-9
        self.choices = Choices(
            np.repeat(np.arange(SLOTS), CHOICES),
            self.load.reshape(-1, stations),
            np.zeros((SLOTS * CHOICES, self.instance.channels), np.int64),
        )
        none = Groups.reduced(self.instance)[0]
        self.groups = none._replace(slot=np.arange(SLOTS), most=self.most)
        weights = self.instance.utility_weight, self.instance.price_weight
        self.values = {
            picked: value(self.load[np.arange(SLOTS), picked], self.instance.capacity, *weights)
            for picked in product(range(CHOICES), repeat=SLOTS)
        }
        self.best = max(self.values.values())
        start = multipliers_at(self.instance, self.load[:, 1], self.most)
        self.multipliers = Multipliers(
            start.load + rng.normal(0, 0.05, start.load.shape), rng.uniform(0, 2, start.curve.shape), start.reference
        )

    def trajectories(self, states, *, listed):
        capacity = self.instance.capacity
        low = np.maximum(capacity - np.vstack([np.zeros(len(capacity)), self.most.cumsum(0)]), 0.0)
        loads = Loads.of(self.choices.group, self.choices.load, SLOTS) if listed else None
        return Trajectories(self.instance, self.most, states, low, np.tile(capacity, (SLOTS + 1, 1)), loads)

    def worth(self):
        load, curve, reference = (part[:, None] for part in self.multipliers)
        bend = self.load / reference - np.log(reference / (reference - self.load))
        return (load * self.load - self.instance.price_weight * curve * bend).sum(2)


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_trajectories_bound_every_sequence(seed, listed):
    """At any multipliers; more states bound as well, and nearer."""
    case = Case(seed)
    bounds = []
    for states in (150, 1_200):
        worth, _ = case.trajectories(states, listed=listed).price(case.multipliers)
        bounds.append(case.worth().max(1).sum() + worth.sum())
    assert bounds[0] >= bounds[1] - 1e-9 or listed
    assert min(bounds) >= case.best - 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_trajectories_bound_sequences_that_fill_the_stations(seed):
    """Also without any multipliers; lists of loads would not, and are refused."""
    case = Case(seed, full=True)
    none = np.zeros_like(case.multipliers.load)
    for multipliers in (case.multipliers, Multipliers(none, none, case.multipliers.reference)):
        case.multipliers = multipliers
        worth, _ = case.trajectories(300, listed=False).price(multipliers)
        assert case.worth().max(1).sum() + worth.sum() >= case.best - 1e-9
    with pytest.raises(ValueError, match="may run out"):
        case.trajectories(300, listed=True)


@pytest.mark.parametrize("seed", range(10))
def test_a_narrowed_grid_keeps_all_better_sequences(seed):
    case = Case(seed)
    trajectories = case.trajectories(400, listed=False)
    worth, _ = trajectories.price(case.multipliers)
    bound = case.worth().max(1).sum() + worth.sum()
    target = np.quantile([v for v in case.values.values() if np.isfinite(v)], 0.9)
    trajectories.narrow(worth, bound - target)
    least, most = trajectories.stored()
    for picked, found in case.values.items():
        if found >= target:
            stored = np.vstack([np.zeros(case.instance.stations), case.load[np.arange(SLOTS), picked].cumsum(0)])
            step = case.instance.capacity / 400
            assert (stored >= least - step).all()
            assert (stored <= most + step).all()


@pytest.mark.parametrize("width", [2, 10_000])
@pytest.mark.parametrize("seed", range(20))
def test_the_search_bounds_and_finds_the_best_of_all_sequences(seed, width):
    case = Case(seed)
    trajectories = case.trajectories(2_000, listed=True)
    trajectories.price(case.multipliers)
    known = layers(case.instance, case.groups, case.choices, case.worth().max(1), trajectories.ahead)
    found = search(known, -1.0, width)
    weights = case.instance.utility_weight, case.instance.price_weight
    assert found.bound >= case.best - 1e-9
    if found.chosen is not None:
        assert value(case.choices.load[found.chosen], case.instance.capacity, *weights) == pytest.approx(found.value)
    if width > 2:
        assert found.value == pytest.approx(case.best, abs=1e-9)
        assert found.bound == pytest.approx(case.best, abs=1e-9)
        again = search(known, case.best + 1e-9, width)
        assert again.chosen is None
        assert again.bound == case.best + 1e-9
