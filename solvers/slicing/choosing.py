"""Which links together: an integer program over links that are listed, with planes above what they are worth.

Whatever their powers, links of a subcarrier are worth no more than a bound at some prices of powers, and what these
cost. So every vector of prices gives a plane above the worth of links by their powers, and the program, whose powers
keep to the budgets, bounds all decisions of the links that are listed. Planes at the prices that the links chosen have
among themselves make it exact where worths are concave in powers.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...instances.fields import FloatArray
from ...instances.solution import Status
from ..linear_program import Arrays, LinearProgram
from .cells import Cells, Pattern
from .laws import LOW

# HiGHS 1.13 presolves some of these programs, where their columns have no ends, to wrong optima.
EXACT = {"primal_feasibility_tolerance": 1e-10, "mip_feasibility_tolerance": 1e-10, "presolve": "off"}
SLACK = 1e-7  # of goals, so that rounding does not make them out of reach


class Choice:
    """Which of some patterns' links are taken together.

    Columns are: whether links are chosen, what they are worth, what they add to the goal of delays (caps), and powers.

    Parameters
    ----------
    patterns
        Of links that are all different.
    """

    def __init__(self, cells: Cells, patterns: Sequence[Pattern]) -> None:
        rows, number = cells.rows, {cell: c for c, cell in enumerate(cells.alike)}
        self._cells, self._patterns = cells, patterns
        count = len(patterns)
        links = [len(pattern.users) for pattern in patterns]
        self._pattern, size = np.repeat(np.arange(count), links), sum(links)
        user = np.concatenate([pattern.users for pattern in patterns])
        self._budget = np.concatenate([rows.first[pattern.cell[0]] + pattern.nodes for pattern in patterns])
        station = np.repeat([pattern.cell[0] == 0 for pattern in patterns], links)
        place = rows.places + np.concatenate([pattern.nodes for pattern in patterns])
        cell = [number[pattern.cell] for pattern in patterns]
        goals = len(rows.most) - rows.goals
        self._covered = np.array([pattern.reached[0] if goals else 0.0 for pattern in patterns])
        low = np.bincount(self._pattern, rows.laws.kind[user] == LOW, count)
        self._dearest = np.full(count, np.inf)
        self._links_of = _ones(self._pattern, np.arange(size), (count, size))
        counted = _ones(user, self._pattern, (rows.users, count))
        placed = _ones((place - rows.places)[station], self._pattern[station], (rows.goals - rows.places, count))
        one = _ones(np.array(cell), np.arange(count), (len(number), count))
        spent = _ones(self._budget - rows.users, np.arange(size), (rows.places - rows.users, size))
        blocks: list[Any] = [
            [counted, sp.csr_array((rows.users, count)), None, None],
            [placed, None, None, None],
            [one, None, None, None],
            [None, None, None, spent],
            [-self._links_of.T, None, None, sp.eye_array(size)],
            [-sp.diags_array(low), None, sp.eye_array(count), None],
        ]
        most = [
            np.ones(rows.users),
            rows.most[rows.places : rows.goals],
            np.array([len(alike) for alike in cells.alike.values()], float),
            rows.most[rows.users : rows.places],
            np.zeros(size + count),
        ]
        if goals:
            blocks += [[_row(-self._covered), None, None, None], [None, None, _row(-np.ones(count)), None]]
            most.append(rows.most[rows.goals :] + SLACK)
        self._matrix, self._most = [sp.block_array(blocks, format="csr")], most

    def add_planes(self, point: FloatArray, tolerance: float) -> None:
        """Add the planes of some prices of budgets and goals."""
        cells, patterns = self._cells, self._patterns
        bound = np.array([cells.again(pattern, point, tolerance).bound for pattern in patterns])
        covered, saved = point[cells.rows.goals :] if len(point) > cells.rows.goals else np.zeros(2)
        count, price = len(patterns), self._links_of * point[self._budget]
        self._dearest = np.minimum(self._dearest, np.maximum(bound + price.sum(1), 0.0))
        plane = [
            -sp.diags_array(bound - covered * self._covered),
            sp.eye_array(count),
            saved * sp.eye_array(count),
            -price,
        ]
        self._matrix.append(sp.hstack(plane, format="csr"))
        self._most.append(np.zeros(count))

    def best(self, threads: int, time_limit_s: float | None, gap: float) -> tuple[list[Pattern], float | None]:
        """The patterns whose links are chosen, as they were given; and a bound on what any of all are worth.

        Where goals cannot be reached, the bound is minus infinity.
        """
        count, size = len(self._patterns), len(self._budget)
        most = np.concatenate(self._most)
        low = np.full(count, float(len(self._cells.rows.laws.kind)))
        program = Arrays(
            cost=np.repeat([0.0, 1.0, 0.0], [count, count, count + size]),
            lower=np.zeros(3 * count + size),
            upper=np.concatenate([np.ones(count), self._dearest, low, np.ones(size)]),
            integer=np.arange(3 * count + size) < count,
            matrix=sp.vstack(self._matrix),
            row_lower=np.full(len(most), -np.inf),
            row_upper=most,
            maximise=True,
        )
        outcome = LinearProgram(program, threads, EXACT).solve(time_limit_s=time_limit_s, gap=gap)
        if outcome.status is Status.INFEASIBLE:
            return [], -np.inf
        if outcome.x is None:
            return [], outcome.bound
        return [self._patterns[c] for c in np.flatnonzero(outcome.x[:count] > 0.5).tolist()], outcome.bound


def _ones(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sp.csr_array:
    return sp.csr_array((np.ones(len(row)), (row, column)), shape)


def _row(values: FloatArray) -> sp.csr_array:
    return sp.csr_array(values[None])
