"""Annealing over known choices."""

from itertools import product

import numpy as np
import pytest
from skybound.instances.association.presets import generate
from skybound.solvers.association import annealing
from skybound.solvers.association.annealing import annealed
from skybound.solvers.association.incumbents import Incumbent
from skybound.solvers.association.slot_choices import Choices


def value(loads, instance):
    """Straight from the definition; minus infinity where storage ends."""
    left, total = instance.capacity.copy(), 0.0
    for load in loads:
        total += (instance.utility_weight * load - instance.price_weight * load / left).sum()
        left = left - load
        if (left[load > 0] <= 0).any():
            return -np.inf
    return total


@pytest.mark.parametrize("seed", range(8))
def test_the_best_of_few_choices_is_found(seed, monkeypatch):
    """Against all ways to choose, where storage is scarce; what is returned is worth what it says."""
    monkeypatch.setattr(annealing, "BLOCKS", 5)
    monkeypatch.setattr(annealing, "HOTTEST", 0.5)  # these choices are far apart
    instance, rng = generate("paper:slots=5,capacity=50", 0), np.random.default_rng(seed)
    loads = rng.uniform(0, 14, (5, 4, 5)) * (rng.random((5, 4, 5)) < 0.7)
    loads[:, 0] = 0.0
    choices = Choices(np.repeat(np.arange(5), 4), loads.reshape(20, 5), np.arange(20)[:, None])
    nothing = Incumbent(0.0, np.zeros((5, 5)), np.full((5, 1), -1))
    known = max(value([loads[g, c] for g, c in enumerate(picked)], instance) for picked in product(range(4), repeat=5))
    found = annealed(instance, nothing, choices, np.random.default_rng(seed), lambda: False)
    assert found.value == pytest.approx(known, rel=1e-9)
    assert value(found.load, instance) == pytest.approx(found.value, rel=1e-9)
    assert (choices.load[found.pattern[:, 0]] == found.load).all()


def test_it_never_ends_below_where_it_began():
    instance = generate("paper:slots=2,capacity=50", 0)
    load = np.full((2, 5), 3.0)
    good = Incumbent(value(load, instance), load, np.zeros((2, 1), np.int64))
    bad = Choices(np.arange(2), np.zeros((2, 5)), np.ones((2, 1), np.int64))
    found = annealed(instance, good, bad, np.random.default_rng(0), lambda: False)
    assert found.value == good.value
    assert (found.pattern == good.pattern).all()


def test_it_stops_when_time_is_up():
    instance = generate("paper:slots=2,capacity=50", 0)
    nothing = Incumbent(0.0, np.zeros((2, 5)), np.full((2, 1), -1))
    some = Choices(np.arange(2), np.ones((2, 5)), np.zeros((2, 1), np.int64))
    asked = []

    def late() -> bool:
        asked.append(True)
        return len(asked) > 3

    annealed(instance, nothing, some, np.random.default_rng(0), late)
    assert len(asked) == 4
