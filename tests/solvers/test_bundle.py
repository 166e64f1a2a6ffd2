"""The bundle method on functions whose minimum is known."""

import numpy as np
import pytest
from skybound.solvers.bundle import Evaluated, minimise
from skybound.solvers.master import Column


def largest(slopes, values, point):
    """A sum of blocks, each the largest of linear pieces, as the bundle wants it."""
    total, pieces = 0.0, []
    for block, (slope, value) in enumerate(zip(slopes, values, strict=True)):
        worth = slope @ point + value
        piece = int(worth.argmax())
        total += worth[piece]
        pieces.append(Column(block, np.arange(len(point)), slope[piece], -value[piece], block))
    return Evaluated(total, pieces)


@pytest.mark.parametrize("seed", range(10))
def test_meets_the_linear_programs_minimum(seed):
    """Minimum over x >= 0 of a sum of maxima, each at least 0; the whole linear program beside it."""
    from scipy.optimize import linprog

    rng = np.random.default_rng(seed)
    blocks, pieces, size = 3, 6, 4
    slopes, values = rng.normal(size=(blocks, pieces, size)), rng.uniform(0, 1, (blocks, pieces))
    slopes[:, 0], values[:, 0] = 0.0, 0.0
    rows = np.zeros((blocks * pieces, size + blocks))
    rows[:, :size] = slopes.reshape(-1, size)
    rows[np.arange(blocks * pieces), size + np.repeat(np.arange(blocks), pieces)] = -1
    whole = linprog(
        np.append(np.zeros(size), np.ones(blocks)),
        A_ub=rows,
        b_ub=-values.ravel(),
        bounds=[(0, 5)] * size + [(None, None)] * blocks,
    )
    found = minimise(
        lambda point: largest(slopes, values, point),
        np.full(size, 1.0),
        np.zeros(size),
        blocks,
        radius=4.0,
        steps=200,
        enough=lambda best, model: best - model < 1e-9,
    )
    assert found.value <= whole.fun + 1e-6 or whole.x[:size].max() < 5 - 1e-6
    assert found.value == pytest.approx(largest(slopes, values, found.point).value)
    if whole.x[:size].max() < 5 - 1e-6:
        assert found.value == pytest.approx(whole.fun, abs=1e-6)
