"""Which patterns together: an integer program over patterns that are known.

Whether links are chosen is integral; their powers are mixtures of those that are known for these links. A mixture
covers whom all of its parts cover, as covering is linear in the powers, and the budgets are used to the end. Delays
are not, so a mixture may miss a goal that it seems to reach.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from ...instances.fields import FloatArray, IntArray
from ..linear_program import Arrays, LinearProgram
from .cells import Cells, Pattern, Rows

EXACT = {"primal_feasibility_tolerance": 1e-10, "mip_feasibility_tolerance": 1e-10}  # budgets are not overdrawn by more
LEAST = 1e-6  # of a mixture's parts


def choose(
    patterns: Sequence[Pattern],
    worth: FloatArray,
    cells: Cells,
    *,
    budgets: bool,
    mixed: bool,
    threads: int,
    time_limit_s: float | None,
    gap: float,
) -> tuple[list[Pattern] | None, float | None]:
    """Patterns of most worth, one a subcarrier, within what cells share; and a bound on what any are worth.

    Parameters
    ----------
    worth : array, shape (patterns,)
    budgets
        Whether they and goals count.
    mixed
        Whether powers may be mixed.
    """
    rows, number = cells.rows, {cell: c for c, cell in enumerate(cells.alike)}
    kinds: dict[tuple[object, ...], int] = {}
    kind = np.array([kinds.setdefault(pattern.links, len(kinds)) for pattern in patterns], np.int64)
    first = [int(c) for c in np.unique(kind, return_index=True)[1]]
    cell = np.array([number[patterns[c].cell] for c in first], np.int64)
    count, size = len(kinds), len(patterns)
    counted = [_entries(rows, patterns[c], budgets=False) for c in first]
    drawn = [_entries(rows, pattern, budgets=True) for pattern in patterns]
    shared = sp.hstack([_matrix(counted, len(rows.most)), _matrix(drawn, len(rows.most))])
    one = sp.csr_array((np.ones(count), (cell, np.arange(count))), (len(number), count + size))
    parts = sp.hstack([-sp.eye_array(count), sp.csr_array((np.ones(size), (kind, np.arange(size))), (count, size))])
    most = rows.most.copy()
    if not budgets:
        most[rows.users : rows.places] = most[rows.goals :] = np.inf
    columns = np.ones(count + size)
    program = Arrays(
        cost=np.append(np.zeros(count), worth),
        lower=0 * columns,
        upper=columns,
        integer=np.append(np.ones(count, bool), np.full(size, not mixed)),
        matrix=sp.vstack([shared, one, parts]),
        row_lower=np.concatenate([np.full(len(most) + len(number), -np.inf), np.zeros(count)]),
        row_upper=np.concatenate([most, [len(alike) for alike in cells.alike.values()], np.zeros(count)]),
        maximise=True,
    )
    outcome = LinearProgram(program, threads, EXACT).solve(time_limit_s=time_limit_s, gap=gap)
    if outcome.x is None:
        return None, outcome.bound
    return _mixtures(patterns, kind, outcome.x[:count], outcome.x[count:]), outcome.bound


def _entries(rows: Rows, pattern: Pattern, *, budgets: bool) -> tuple[FloatArray, FloatArray]:
    """What a pattern takes of the budgets and goals, or of everything else."""
    row, taken = rows.used(pattern)
    own = (((row >= rows.users) & (row < rows.places)) | (row >= rows.goals)) == budgets
    return row[own], taken[own]


def _matrix(entries: Sequence[tuple[FloatArray, FloatArray]], height: int) -> sp.csc_array:
    """A column for each."""
    row = np.concatenate([own for own, _ in entries])
    taken = np.concatenate([own for _, own in entries])
    start = np.cumsum([0, *(len(own) for own, _ in entries)])
    return sp.csc_array((taken, row, start), (height, len(entries)))


def _mixtures(patterns: Sequence[Pattern], kind: IntArray, chosen: FloatArray, part: FloatArray) -> list[Pattern]:
    """One pattern for each kind chosen."""
    found = []
    for g in np.flatnonzero(chosen > 0.5):
        own = np.flatnonzero((kind == g) & (part > LEAST)).tolist()
        share = np.average([patterns[c].share for c in own], axis=0, weights=part[own])
        found.append(patterns[own[0]]._replace(share=share))
    return found
