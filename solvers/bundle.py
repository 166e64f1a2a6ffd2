"""Minimising a convex function that is a sum of maxima, such as a Lagrangian bound, by linear programs over a box.

The function is a sum over blocks of the largest of many linear pieces. Each evaluation gives one piece a block, and
the sum of the largest pieces known is a model from below. The next point minimises the model within a box about the
best point so far; the box shrinks where the model promised too much (Marsten, Hogan and Blankenship 1975).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..instances.fields import FloatArray
from .master import Column, Master, Rows

SHRINK = 0.85
PROMISE = 0.05  # share of the promised decrease below which a step counts as failed


class Evaluated(NamedTuple):
    """The function at a point, and for each block the piece that is largest there.

    Attributes
    ----------
    pieces
        Columns whose values are the slopes, and whose costs are minus the value at 0.
    """

    value: float
    pieces: Sequence[Column]


class Minimum(NamedTuple):
    """The best point found, and the model's value there at last: near the least value if the box did not bind."""

    point: FloatArray
    value: float
    model: float


def minimise(
    evaluate: Callable[[FloatArray], Evaluated],
    start: FloatArray,
    least: FloatArray,
    blocks: int,
    radius: float,
    steps: int,
    enough: Callable[[float, float], bool],
    known: Sequence[Column] = (),
) -> Minimum:
    """Minimise from a start; O(steps) evaluations and linear programs.

    Parameters
    ----------
    evaluate
        The function; every block's largest piece must be worth at least 0 everywhere.
    start, least : array
        Point to begin with, and lower bounds of all points.
    radius
        Half the width of the first box.
    enough
        Given the best value and the model's, whether to stop.
    known
        Pieces to begin with.
    """
    rows = len(start)
    master = Master(Rows(np.zeros(rows), np.zeros(rows), blocks, 0.0))
    walls = [Column(None, np.array([r]), np.array([side]), 0.0, -1) for side in (1.0, -1.0) for r in range(rows)]
    master.add(walls)
    found = evaluate(start)
    best, best_value, model = start, found.value, -np.inf
    master.add(_new(master, [*known, *found.pieces]))
    for _ in range(steps):
        master.reprice(len(walls), np.concatenate([best + radius, -np.maximum(best - radius, least)]))
        relaxed = master.solve()
        model = -relaxed.value
        if enough(best_value, model):
            break
        found = evaluate(np.maximum(relaxed.duals, least))
        master.add(_new(master, found.pieces))
        if best_value - found.value < PROMISE * (best_value - model):
            radius *= SHRINK
        if found.value < best_value:
            best, best_value = np.maximum(relaxed.duals, least), found.value
    return Minimum(best, best_value, model)


def _new(master: Master, columns: Sequence[Column]) -> list[Column]:
    return list({column.key: column for column in columns if column not in master}.values())
