"""The transport kernel against the assignment of SciPy."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from skybound.solvers.transport import transport


def by_assignment(cost, places):
    """A place of a host is a column of its own."""
    copies = np.repeat(cost, places, axis=1)
    try:
        rows, columns = linear_sum_assignment(copies)
    except ValueError:
        return np.inf
    return copies[rows, columns].sum() if len(rows) == len(cost) else np.inf


@pytest.mark.parametrize("kind", ["ties", "reals", "wide"])
def test_value_and_dual_agree(kind):
    rng = np.random.default_rng(0)
    infeasible = 0
    for _ in range(400):
        users, hosts = int(rng.integers(1, 12)), int(rng.integers(1, 6))
        cost = {
            "ties": rng.integers(0, 4, (users, hosts)).astype(float),
            "reals": rng.random((users, hosts)),
            "wide": 10.0 ** rng.uniform(-6, 6, (users, hosts)),
        }[kind]
        cost[rng.random(cost.shape) < 0.3] = np.inf
        places = rng.integers(0, 4, hosts)
        host, low, high, value, bound = transport(cost, places)
        known = by_assignment(cost, places)
        assert value == pytest.approx(known, rel=1e-9)
        if np.isinf(known):
            infeasible += 1
            continue
        assert (np.bincount(host, minlength=hosts) <= places).all()
        assert cost[np.arange(users), host].sum() == pytest.approx(value)
        assert bound == pytest.approx(known, rel=1e-9, abs=1e-12)
        assert (low <= high + 1e-9 * (1 + known)).all()
    assert 0.05 * 400 < infeasible < 0.9 * 400


def test_prices_are_what_a_place_is_worth():
    """Two users at 1 and 3 want host 0 with one place, else 5 and 9: the place is worth at least 4 and at most 6."""
    cost = np.array([[1.0, 5.0], [3.0, 9.0]])
    host, low, high, value, bound = transport(cost, np.array([1, 2]))
    assert host.tolist() == [1, 0]
    assert (value, bound) == (8.0, 8.0)
    assert (low[0], high[0]) == (4.0, 6.0)
