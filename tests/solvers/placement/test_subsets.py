"""The cheapest set of users under optimal sharing, against all sets."""

from itertools import combinations

import numpy as np
import pytest
from skybound.solvers.placement.subsets import cheapest_sets


def enumerated(a, s, speed, most):
    sets = (list(c) for size in range(most + 1) for c in combinations(range(len(a)), size))
    return min(a[c].sum() + s[c].sum() ** 2 / speed for c in sets)


@pytest.mark.parametrize("twins", [False, True])
def test_finds_the_cheapest_set(twins):
    rng = np.random.default_rng(1)
    found, value, size = np.zeros((100, 5), np.int64), np.zeros(100), np.zeros(100, np.int64)
    empty = 0
    for _ in range(300):
        users, most = int(rng.integers(1, 11)), int(rng.integers(1, 6))
        a = rng.integers(-4, 2, users).astype(float) if twins else rng.uniform(-4, 2, users)
        s = np.ones(users) if twins else rng.uniform(0, 2, users)
        speed = rng.uniform(1, 10)
        number, best = cheapest_sets(a, s, speed, most, found, value, size)
        assert best == pytest.approx(enumerated(a, s, speed, most), abs=1e-12)
        empty += number == 0
        if number:
            last = found[number - 1, : size[number - 1]]
            assert len(set(last)) == len(last) <= most
            assert a[last].sum() + s[last].sum() ** 2 / speed == pytest.approx(best)
            assert (np.diff(value[:number]) < 0).all()
    assert 0 < empty < 150


def test_a_full_store_still_gives_the_best_value():
    rng = np.random.default_rng(2)
    a, s = rng.uniform(-4, 0, 10), rng.uniform(0, 2, 10)
    none = np.zeros((1, 4), np.int64), np.zeros(1), np.zeros(1, np.int64)
    assert cheapest_sets(a, s, 3.0, 4, *none)[1] == pytest.approx(enumerated(a, s, 3.0, 4))
