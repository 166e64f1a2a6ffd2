"""Which links together: an integer program over links that are listed, with planes above what they are worth.

Whatever their powers, links of a subcarrier are worth no more than a bound at some prices of powers, and what these
cost. So every vector of prices gives a plane above the worth of links by their powers, and the program, whose powers
keep to the budgets, bounds all decisions of the links that are listed. Planes at the prices that the links chosen have
among themselves make it exact where worths are concave in powers; where they are not, links are taken twice, once with
less power and once with more, and planes are nearer to what either is worth.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...instances.fields import FloatArray, IntArray
from ...instances.solution import Status
from ..linear_program import Arrays, LinearProgram
from .cells import Cells, Pattern
from .laws import COVERED, LOW

EXACT = {"primal_feasibility_tolerance": 1e-10, "mip_feasibility_tolerance": 1e-10}
SLACK = 1e-7  # of goals, so that rounding does not make them out of reach


class Choice:
    """Which of some patterns' links are taken together.

    Parameters
    ----------
    patterns
        Of links that are all different.
    """

    def __init__(self, cells: Cells, patterns: Sequence[Pattern]) -> None:
        self._cells, self._patterns = cells, list(patterns)
        self._points, self._bounds = list[FloatArray](), list[list[float]]()  # of planes, and of all patterns at each

    def add_planes(self, point: FloatArray, tolerance: float) -> None:
        """Add the planes of some prices of budgets and goals."""
        self._points.append(point)
        self._bounds.append([self._cells.again(pattern, point, tolerance).bound for pattern in self._patterns])

    def split(self, chosen: int, link: int, share: float, tolerance: float) -> None:
        """Tell a pattern's powers apart by whether a link has at most or at least such a share of its budget.

        One of the two has the pattern's number.
        """
        pattern = self._patterns[chosen]
        most, least = pattern.most.copy(), pattern.least.copy()
        most[link] = least[link] = share
        for half in (pattern._replace(least=least), pattern._replace(most=most)):
            found = [self._cells.again(half, point, tolerance).bound for point in self._points]
            if not np.isfinite(found).all():  # covered users cannot keep to their budgets
                continue
            if self._patterns[chosen] is not pattern:
                self._patterns.append(self._patterns[chosen])
                for bounds in self._bounds:
                    bounds.append(bounds[chosen])
            self._patterns[chosen] = half
            for bounds, bound in zip(self._bounds, found, strict=True):
                bounds[chosen] = bound

    def best(self, threads: int, time_limit_s: float | None, gap: float) -> tuple[dict[int, Pattern], float | None]:
        """The patterns whose links are chosen, by their numbers; and a bound on what any are worth.

        Their powers, and what they are worth and reach, are as planes have it, which may be too good. Where goals
        cannot be reached, the bound is minus infinity.
        """
        program = self._program()
        outcome = LinearProgram(program, threads, EXACT).solve(time_limit_s=time_limit_s, gap=gap)
        if outcome.status is Status.INFEASIBLE:
            return {}, -np.inf
        if outcome.x is None:
            return {}, outcome.bound
        count = len(self._patterns)
        taken, worth, caps, power = np.split(outcome.x, [count, 2 * count, 3 * count])
        shares = np.split(power, np.cumsum([len(pattern.users) for pattern in self._patterns])[:-1])
        found = dict[int, Pattern]()
        for c in np.flatnonzero(taken > 0.5).tolist():
            own = self._patterns[c]
            reached = own.reached.copy()
            reached[1:] = caps[c]
            found[c] = own._replace(
                share=np.clip(shares[c], own.least, own.most), worth=float(worth[c]), reached=reached
            )
        return found, outcome.bound

    def _program(self) -> Arrays:
        """Columns are: whether links are chosen, what they are worth, what they add to the goal of delays, and powers.

        What they add to that is in caps.
        """
        cells, patterns, rows = self._cells, self._patterns, self._cells.rows
        number = {cell: c for c, cell in enumerate(cells.alike)}
        count, links = len(patterns), [len(pattern.users) for pattern in patterns]
        size = sum(links)
        of, user = np.repeat(np.arange(count), links), np.concatenate([pattern.users for pattern in patterns])
        budget = np.concatenate([rows.first[pattern.cell[0]] + pattern.nodes for pattern in patterns])
        station = np.repeat([pattern.cell[0] == 0 for pattern in patterns], links)
        place = rows.places + np.concatenate([pattern.nodes for pattern in patterns])
        goals = len(rows.most) - rows.goals
        covered = np.array([pattern.reached[0] if goals else 0.0 for pattern in patterns])
        low = np.bincount(of, rows.laws.kind[user] == LOW, count)
        own = [pattern.cell for pattern in patterns]
        one = _ones(np.array([number[cell] for cell in own]), np.arange(count), (len(number), count))
        counted = _ones(user, of, (rows.users, count))
        placed = _ones((place - rows.places)[station], of[station], (rows.goals - rows.places, count))
        spent = _ones(budget - rows.users, np.arange(size), (rows.places - rows.users, size))
        links_of = _ones(of, np.arange(size), (count, size))
        ends = [np.concatenate([getattr(pattern, name) for pattern in patterns]) for name in ("least", "most")]
        blocks: list[Any] = [
            [counted, sp.csr_array((rows.users, count)), None, None],
            [placed, None, None, None],
            [one, None, None, None],
            [None, None, None, spent],
            [links_of.T * ends[0][:, None], None, None, -sp.eye_array(size)],
            [-links_of.T * ends[1][:, None], None, None, sp.eye_array(size)],
            [-sp.diags_array(low), None, sp.eye_array(count), None],
        ]
        most = [
            np.ones(rows.users),
            rows.most[rows.places : rows.goals],
            np.array([len(alike) for alike in cells.alike.values()], float),
            rows.most[rows.users : rows.places],
            np.zeros(2 * size + count),
        ]
        if (factors := self._thresholds()).shape[0]:
            blocks.append([factors[:, :count], None, None, factors[:, count:]])
            most.append(np.zeros(factors.shape[0]))
        if goals:
            blocks += [[_row(-covered), None, None, None], [None, None, _row(-np.ones(count)), None]]
            most.append(rows.most[rows.goals :] + SLACK)
        dearest = np.full(count, np.inf)
        for point, bounds in zip(self._points, self._bounds, strict=True):
            bound, price = np.array(bounds), links_of * point[budget]
            of_covered, of_saved = point[rows.goals :] if goals else np.zeros(2)
            dearest = np.minimum(dearest, np.maximum(bound + price.sum(1), 0.0))
            worth = -sp.diags_array(bound - of_covered * covered)
            blocks.append([worth, sp.eye_array(count), of_saved * sp.eye_array(count), -price])
            most.append(np.zeros(count))
        every = np.concatenate(most)
        return Arrays(
            cost=np.repeat([0.0, 1.0, 0.0], [count, count, count + size]),
            lower=np.zeros(3 * count + size),
            upper=np.concatenate([np.ones(count), dearest, np.full(count, float(len(rows.laws.kind))), np.ones(size)]),
            integer=np.arange(3 * count + size) < count,
            matrix=sp.block_array(blocks, format="csr"),
            row_lower=np.full(len(every), -np.inf),
            row_upper=every,
            maximise=True,
        )

    def _thresholds(self) -> sp.csr_array:
        """That covered users' SINRs reach the threshold, so far their links are chosen: factors of patterns and shares.

        Of a row for every covered link, divided by what makes its own share's factor at most 1.
        """
        laws, count = self._cells.rows.laws, len(self._patterns)
        entries, rows, first = list[tuple[IntArray, IntArray, FloatArray]](), 0, count
        for c, pattern in enumerate(self._patterns):
            heard = self._cells.layers[pattern.cell[0]].snr[pattern.cell[1]][pattern.users[:, None], pattern.nodes]
            of, size = np.append(c, first + np.arange(len(heard))), 1 + len(heard)
            for link in np.flatnonzero(laws.kind[pattern.users] == COVERED).tolist():
                factor = laws.threshold * heard[link]
                factor[link] = -heard[link, link]
                value = np.append(laws.threshold, factor) / max(heard[link, link], 1.0)
                entries.append((np.full(size, rows), of, value))
                rows += 1
            first += len(heard)
        if not entries:
            return sp.csr_array((0, first))
        row, column, values = (np.concatenate(part) for part in zip(*entries, strict=True))
        return sp.csr_array((values, (row, column)), shape=(rows, first))


def _ones(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> sp.csr_array:
    return sp.csr_array((np.ones(len(row)), (row, column)), shape)


def _row(values: FloatArray) -> sp.csr_array:
    return sp.csr_array(values[None])
