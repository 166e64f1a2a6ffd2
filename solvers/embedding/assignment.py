"""Assignment of some rows to columns at least cost, with the dual values that prove it; compiled."""

from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray

NEVER = 1e18  # cost of what cannot be


class Assignment(NamedTuple):
    """Room for an assignment and its outcome.

    Attributes
    ----------
    row_value, column_value : array, shape (rows + 1,) and (columns + 1,)
        Dual values: cost less both is at least 0, and 0 where assigned.
    row_of : array, shape (columns + 1,)
        Place in the list of rows, -1 for none.
    """

    row_value: FloatArray
    column_value: FloatArray
    row_of: IntArray
    least: FloatArray
    way: IntArray
    used: BoolArray


def assignment_room(rows: int, columns: int) -> Assignment:
    """Room for so many rows and columns."""
    return Assignment(
        np.zeros(rows + 1),
        np.zeros(columns + 1),
        np.zeros(columns + 1, np.int64),
        np.zeros(columns + 1),
        np.zeros(columns + 1, np.int64),
        np.zeros(columns + 1, bool),
    )


@compiled
def assign(cost: FloatArray, rows: IntArray, out: Assignment) -> float:
    """Least cost of giving each of the rows listed a column of its own, `NEVER` when there is no way.

    By shortest augmenting paths, O(rows^2 columns).
    """
    columns = cost.shape[1]
    out.column_value[:] = 0.0
    out.row_of[:] = -1
    out.row_value[:] = 0.0
    for i in range(len(rows)):
        column = columns  # a column that is not there, with which row i begins
        out.row_of[columns] = i
        out.least[:] = NEVER
        out.used[:] = False
        while True:
            out.used[column] = True
            at, delta, following = out.row_of[column], NEVER, -1
            for j in range(columns):
                if not out.used[j]:
                    reduced = cost[rows[at], j] - out.row_value[at] - out.column_value[j]
                    if cost[rows[at], j] < NEVER and reduced < out.least[j]:
                        out.least[j], out.way[j] = reduced, column
                    if out.least[j] < delta:
                        delta, following = out.least[j], j
            if following < 0:
                return NEVER
            for j in range(columns + 1):
                if out.used[j]:
                    out.row_value[out.row_of[j]] += delta
                    out.column_value[j] -= delta
                elif out.least[j] < NEVER:
                    out.least[j] -= delta
            column = following
            if out.row_of[column] < 0:
                break
        while column != columns:
            out.row_of[column] = out.row_of[out.way[column]]
            column = out.way[column]
    total = 0.0
    for j in range(columns):
        if out.row_of[j] >= 0:
            total += cost[rows[out.row_of[j]], j]
    return total


@compiled
def cheapest(cost: FloatArray, rows: IntArray, out: Assignment) -> float:
    """The same where rows may share a column."""
    out.column_value[:] = 0.0
    total = 0.0
    for i in range(len(rows)):
        out.row_value[i] = cost[rows[i]].min()
        if out.row_value[i] >= NEVER:
            return NEVER
        total += out.row_value[i]
    return total
