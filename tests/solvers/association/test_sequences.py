"""The walk through sequences of choices."""

from itertools import product

import numpy as np
import pytest
from skybound.instances.association.presets import generate
from skybound.solvers.association.sequences import Walk, layers
from skybound.solvers.association.storage_price import least_rests


def value(loads, capacity, utility, weight):
    left, total = capacity.copy(), 0.0
    for load in loads:
        if (load >= left).any():
            return -np.inf
        total += utility * load.sum() - weight * (load / left).sum()
        left = left - load
    return total


@pytest.mark.parametrize("seed", range(40))
def test_finds_the_best_of_all_sequences(seed):
    """At any prices that are not negative, 0 included: they bound, and decide nothing."""
    rng = np.random.default_rng(seed)
    instance = generate("headline", 0)
    groups, stations, choices = 5, instance.stations, 4
    capacity = instance.capacity
    load = rng.uniform(0, 25, (groups, choices, stations)) * (rng.random((groups, choices, stations)) < 0.7)
    load[:, 0] = 0.0
    price = np.where(rng.random(stations) < 0.4, 0.0, rng.uniform(0, 0.7, stations))
    shift = np.full(stations, 13.0)
    most = np.concatenate([np.zeros((1, stations)), load.max(1).cumsum(0)[:-1]])
    low = np.maximum(capacity - most, 1e-6)
    rest = least_rests(load, low[:, None], np.broadcast_to(capacity, low.shape)[:, None], shift)
    utility, weight = instance.utility_weight, instance.price_weight
    worth = utility * load.sum(2) - weight * rest.sum(2) - load @ price
    group = np.repeat(np.arange(groups), choices)
    found, order = layers(instance, load.reshape(-1, stations), group, worth.ravel(), price, shift)
    walk = Walk(found, -1.0)
    while not walk.done:
        walk.go_on()
    best = max(value(sequence, capacity, utility, weight) for sequence in product(*load))
    assert walk.value == pytest.approx(best, abs=1e-9)
    chosen = load.reshape(-1, stations)[order[walk.chosen]]
    assert value(chosen, capacity, utility, weight) == pytest.approx(best, abs=1e-9)
