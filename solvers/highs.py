"""The fast path: a Pyomo model compiled to arrays, handed to HiGHS in one piece, and read back.

What Pyomo's compiler does on the way, and what is done about it: a range becomes two rows (joined again here), fixed
and unused variables have no column (they keep or get a value on the way back), maximisation would be negated (the
sense is kept instead), and a constant row that does not hold raises (it is an infeasible outcome here). The compiler
is not safe in threads; use processes.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.common.gc_manager import PauseGC
from pyomo.common.log import LoggingIntercept
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from ..instances.fields import FloatArray, IntArray
from ..instances.solution import Status
from .linear_program import Arrays, LinearProgram, Outcome

IIS_TIME_LIMIT_S = 10.0
NAMED_ROWS = 10  # of each family


class CompiledModel:
    """A Pyomo model in HiGHS.

    Attributes
    ----------
    program
        The program in HiGHS, None when a constant row makes the model infeasible.
    variables
        The Pyomo variable of each column.
    constraints
        The Pyomo constraint of each row.
    """

    def __init__(self, model: pyo.ConcreteModel, threads: int = 1, options: Mapping[str, Any] | None = None) -> None:
        """Compile a model and hand it over.

        Raises
        ------
        ValueError
            When the model is not linear or has not exactly one objective.
        """
        self.model = model
        self.program: LinearProgram | None = None
        self.impossible: str | None = None
        try:
            # Pyomo 6.10 calls a method of its own that it deprecates, and says so to the user.
            with PauseGC(), LoggingIntercept(module="pyomo.core.base.param", level=logging.ERROR):
                form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
                self.arrays, self.constraints = _arrays(form)
        except InfeasibleConstraintException as error:
            name = str(error).split("'")[1]
            self.impossible = described(model.find_component(name))
            return
        self.variables = form.columns
        self.program = LinearProgram(self.arrays, threads, options)

    def solve(
        self,
        *,
        time_limit_s: float | None = None,
        gap: float = 0.0,
        start: bool = False,
        log: Callable[[str], None] | None = None,
    ) -> Outcome:
        """Solve, and give the variables their values when a point was found.

        Parameters
        ----------
        time_limit_s, gap, log
            As for `LinearProgram.solve`.
        start
            Whether the variables' present values are a feasible point to start from.
        """
        if self.program is None:
            return Outcome(Status.INFEASIBLE, None, None, None, None, 0, 0, self.impossible)
        at = np.array([v.value for v in self.variables], float) if start else None
        outcome = self.program.solve(time_limit_s=time_limit_s, gap=gap, start=at, log=log)
        if outcome.x is not None:
            self._load(outcome.x)
        return outcome

    def _load(self, x: FloatArray) -> None:
        """Give every variable a value; one that no row and no cost mentions gets the admitted one next to 0."""
        for variable, value in zip(self.variables, x.tolist(), strict=True):
            variable.set_value(value, skip_validation=True)
        columns = {id(variable) for variable in self.variables}
        for variable in self.model.component_data_objects(pyo.Var):
            if id(variable) not in columns and not variable.fixed:
                lower, upper = variable.bounds
                value = 0.0 if lower is None else max(lower, 0.0)
                variable.value = value if upper is None else min(upper, value)

    def explain(self, time_limit_s: float = IIS_TIME_LIMIT_S) -> str:
        """Why there is no solution: constraints that exclude each other, in domain words."""
        if self.program is None:
            return str(self.impossible)
        end = time.monotonic() + time_limit_s
        relaxed = LinearProgram(replace(self.arrays, integer=np.zeros_like(self.arrays.integer)))
        # The paper's own constraints say more than those that only make the model linear.
        auxiliary = np.flatnonzero([not (c.parent_component().doc or "").startswith("(") for c in self.constraints])
        free = np.full(len(auxiliary), np.inf)
        relaxed.change_rows(auxiliary, -free, free)
        conflict = relaxed.conflict(end - time.monotonic())
        if conflict is None:
            relaxed.change_rows(auxiliary, self.arrays.row_lower[auxiliary], self.arrays.row_upper[auxiliary])
            conflict = relaxed.conflict(end - time.monotonic())
        if conflict is None:
            return self._families_to_blame(end - time.monotonic())
        return "; ".join(self._named(conflict))

    def _named(self, rows: IntArray) -> Iterator[str]:
        """Rows in domain words, the smaller families of constraints first and a few of each."""
        families: dict[str, list[int]] = {}
        for row in rows.tolist():
            families.setdefault(self.constraints[row].parent_component().name, []).append(row)
        for own in sorted(families.values(), key=len):
            for row in own[:NAMED_ROWS]:
                yield described(self.constraints[row], self.arrays.row_lower[row], self.arrays.row_upper[row])
            if len(own) > NAMED_ROWS:
                yield f"and {len(own) - NAMED_ROWS} more constraints like the last"

    def _families_to_blame(self, time_limit_s: float) -> str:
        """Names of constraints that integers cannot satisfy together: each in turn is left out where it may be."""
        program = LinearProgram(self.arrays)
        end = time.monotonic() + time_limit_s
        to_blame = []
        for family in {c.parent_component().name: c.parent_component() for c in self.constraints}.values():
            rows = np.flatnonzero([c.parent_component() is family for c in self.constraints])
            program.change_rows(rows, np.full(len(rows), -np.inf), np.full(len(rows), np.inf))
            if program.solve(time_limit_s=end - time.monotonic()).status is not Status.INFEASIBLE:
                program.change_rows(rows, self.arrays.row_lower[rows], self.arrays.row_upper[rows])
                to_blame.append(family.name)
        return "no decision satisfies " + " and ".join(to_blame) + " together"


def _arrays(form: Any) -> tuple[Arrays, list[pyo.Constraint]]:
    """A compiled form with its ranges joined to one row each."""
    if len(form.objectives) != 1:
        raise ValueError(f"the model has {len(form.objectives)} objectives, not one")
    constraints = [row.constraint for row in form.rows]
    kind = np.array([row.bound_type for row in form.rows], np.int64)
    rhs = np.asarray(form.rhs, np.float64)
    lower, upper = np.where(kind <= 0, rhs, -np.inf), np.where(kind >= 0, rhs, np.inf)
    # A range stands as two rows of one constraint, the upper side first.
    second = np.array([a is b for a, b in pairwise(constraints)], bool)
    first = np.flatnonzero(second)
    lower[first] = lower[first + 1]
    keep = np.ones(len(kind), bool)
    keep[first + 1] = False
    objective = form.objectives[0]
    cost = form.c.tocsr()[[0]].toarray()[0] if form.c.shape[1] else np.zeros(0)
    bounds = [v.bounds for v in form.columns]
    arrays = Arrays(
        cost=cost,
        lower=np.array([-np.inf if lb is None else lb for lb, _ in bounds], float),
        upper=np.array([np.inf if ub is None else ub for _, ub in bounds], float),
        integer=np.array([v.is_integer() or v.is_binary() for v in form.columns], np.bool_),
        matrix=form.A if keep.all() else form.A.tocsr()[keep],
        row_lower=lower[keep],
        row_upper=upper[keep],
        offset=float(form.c_offset[0]),
        maximise=objective.sense == pyo.maximize,
    )
    return arrays, [c for c, k in zip(constraints, keep, strict=True) if k]


def described(constraint: pyo.Constraint, lower: float = -np.inf, upper: float = np.inf) -> str:
    """A constraint in the words of its ``doc``, with its indices, ``{lower}`` and ``{upper}`` filled in."""
    component = constraint.parent_component()
    if not component.doc:
        return str(constraint.name)
    index = constraint.index()
    places = () if index is None else index if isinstance(index, tuple) else (index,)
    return str(component.doc).format(*places, lower=lower, upper=upper)
