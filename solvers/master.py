"""The restricted master of a column generation: a linear program over the columns known so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ..instances.fields import BoolArray, FloatArray, IntArray
from .linear_program import Arrays, LinearProgram


class Column(NamedTuple):
    """One way to serve some coupling rows.

    Attributes
    ----------
    block
        Which convexity row it shares with the other columns of its block; None for none.
    rows, values : array
        Coupling rows and the column's coefficients in them.
    cost
        Cost of using it once.
    kind
        Whatever the problem wants to know of it again.
    """

    block: int | None
    rows: IntArray
    values: FloatArray
    cost: float
    kind: int

    @property
    def key(self) -> tuple[int, bytes]:
        """Equal for equal columns."""
        return self.kind, self.rows.tobytes() + self.values.tobytes()


@dataclass(frozen=True)
class Rows:
    """Rows of a master.

    Attributes
    ----------
    lower, upper : array
        Bounds of the coupling rows.
    blocks
        Number of blocks, each with a row "at most one column".
    penalty
        Cost of not covering a coupling row by one unit; above what any solution saves by that.
    """

    lower: FloatArray
    upper: FloatArray
    blocks: int
    penalty: float


@dataclass(frozen=True)
class Relaxed:
    """The master's solution.

    Attributes
    ----------
    value
        Its optimum; not a bound on the problem.
    duals, block_duals : array
        Of the coupling rows and of the convexity rows.
    x : array
        Use of each column of the pool.
    uncovered
        Sum of what artificial columns cover.
    """

    value: float
    duals: FloatArray
    block_duals: FloatArray
    x: FloatArray
    uncovered: float


class Master:
    """Columns in HiGHS, solved again from the last basis.

    HiGHS is made when the first solution is asked for: many small instances are closed before.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.pool: list[Column] = []
        self._keys: set[tuple[int, bytes]] = set()
        self._program: LinearProgram | None = None
        self._handed_over = 0
        self._admitted: BoolArray = np.zeros(0, bool)
        self._changed = False
        self._covered = np.flatnonzero(rows.lower > 0)

    def __contains__(self, column: Column) -> bool:
        return column.key in self._keys

    def add(self, columns: Sequence[Column]) -> None:
        """Put new columns into the pool, admitted."""
        self.pool += columns
        self._keys.update(column.key for column in columns)
        self._admitted = np.append(self._admitted, np.ones(len(columns), bool))

    def admit(self, mask: BoolArray) -> None:
        """Admit only the columns of the pool that `mask` has."""
        self._changed |= not np.array_equal(mask, self._admitted)
        self._admitted = mask

    def reprice(self, count: int, cost: FloatArray) -> None:
        """Give the first columns of the pool other costs."""
        self.pool[:count] = [
            column._replace(cost=c) for column, c in zip(self.pool[:count], cost.tolist(), strict=True)
        ]
        if self._handed_over and self._program is not None:
            self._program.change_costs(len(self._covered) + np.arange(count), cost)

    def solve(self) -> Relaxed:
        """Solve over the admitted columns."""
        program = self._program or self._begin()
        self._hand_over(program)
        if self._changed:
            columns = len(self._covered) + np.arange(len(self.pool))
            program.change_bounds(columns, np.zeros(len(columns)), np.where(self._admitted, np.inf, 0.0))
            self._changed = False
        outcome = program.solve()
        if outcome.x is None or outcome.row_dual is None or outcome.objective is None:
            raise RuntimeError(f"the restricted master was not solved: {outcome.reason or outcome.status}")
        coupling, artificial = len(self.rows.lower), len(self._covered)
        return Relaxed(
            outcome.objective,
            outcome.row_dual[:coupling],
            outcome.row_dual[coupling:],
            outcome.x[artificial:],
            float(outcome.x[:artificial].sum()),
        )

    def _begin(self) -> LinearProgram:
        """A program with the rows and one artificial column a row that must be covered."""
        lower, upper, blocks = self.rows.lower, self.rows.upper, self.rows.blocks
        covered, count = self._covered, len(self._covered)
        self._program = LinearProgram(
            Arrays(
                cost=np.full(count, self.rows.penalty),
                lower=np.zeros(count),
                upper=np.full(count, np.inf),
                integer=np.zeros(count, bool),
                matrix=sp.csc_array((np.ones(count), (covered, np.arange(count))), shape=(len(lower) + blocks, count)),
                row_lower=np.append(lower, np.full(blocks, -np.inf)),
                row_upper=np.append(upper, np.ones(blocks)),
            ),
            # New columns keep the last basis primal feasible, so the primal simplex goes on from it.
            options={"presolve": "off", "simplex_strategy": 4, "parallel": "off"},
        )
        return self._program

    def _hand_over(self, program: LinearProgram) -> None:
        new = self.pool[self._handed_over :]
        if not new:
            return
        coupling = len(self.rows.lower)
        convex = [np.zeros(0, np.int64) if c.block is None else np.array([coupling + c.block]) for c in new]
        sizes = [len(c.rows) + len(block) for c, block in zip(new, convex, strict=True)]
        rows = np.concatenate([part for c, block in zip(new, convex, strict=True) for part in (c.rows, block)])
        values = np.concatenate(
            [part for c, b in zip(new, convex, strict=True) for part in (c.values, np.ones(len(b)))]
        )
        program.add_columns(
            np.array([c.cost for c in new]),
            np.zeros(len(new)),
            np.full(len(new), np.inf),
            sp.csc_array((values, rows, np.append(0, np.cumsum(sizes))), shape=(coupling + self.rows.blocks, len(new))),
        )
        self._handed_over = len(self.pool)
