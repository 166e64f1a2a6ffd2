"""The best pairs of a slot, and the slots' caches and servers."""

import itertools

import numpy as np
import pytest
from skybound.instances.provisioning.presets import generate
from skybound.solvers.provisioning.decomposition import best_places
from skybound.solvers.provisioning.pairs import Slot, best_pairs
from skybound.solvers.solve import solve


def worth(slot, pair):
    taken = np.flatnonzero(pair[:, 0] >= 0)
    leo, geo = pair[taken].T
    return slot.value[leo, slot.kind[taken, leo], geo].sum()


def test_a_program_that_is_fractional_is_branched_on():
    """Two relays of one place and satellites of one: odd circles of preferences make halves worth more than wholes."""
    rng, seen = np.random.default_rng(1), 0
    for _ in range(150):
        kind = rng.integers(0, 2, (4, 3))
        slot = Slot(kind, rng.integers(-3, 12, (3, 2, 3)).astype(float))
        leo, geo = rng.integers(1, 3, 3), rng.integers(1, 3, 3)
        found = best_pairs(slot, leo, geo, 1e-9)
        seen += found.fractional
        options = [(-1, -1), *itertools.product(range(3), range(3))]
        best = 0.0
        if found.fractional or rng.random() < 0.03:
            for choice in itertools.product(options, repeat=4):
                pair = np.array(choice)
                used = [np.bincount(column[column >= 0], minlength=3) for column in pair.T]
                if (used[0] <= leo).all() and (used[1] <= geo).all():
                    best = max(best, worth(slot, pair))
            assert worth(slot, found.pair) == pytest.approx(best)
            assert found.bound == pytest.approx(best)
    assert seen


def test_places_that_do_not_pay_stay_empty():
    place, bound = best_places(np.array([[3.0, -1.0], [2.0, -2.0], [1.0, 0.5]]), np.array([1, 5]))
    assert place.tolist() == [0, -1, 1]
    assert bound == pytest.approx(3.5)


def test_there_may_be_no_places():
    place, bound = best_places(np.zeros((3, 0)), np.zeros(0, np.int64))
    assert (place.tolist(), bound) == ([-1, -1, -1], 0.0)


def test_time_is_kept_and_the_bound_holds():
    """Without time nothing is taken, and everybody might have had the best."""
    instance = generate("tight:slots=20", 0)
    known = solve(instance).objective
    found = solve(instance, time_limit_s=0.0)
    assert found.objective == 0
    assert found.reason == "time limit reached after 0 of 20 slots"
    assert found.bound >= known
