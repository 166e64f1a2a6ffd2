"""Linear and mixed-integer programs as arrays, held in HiGHS and solved again after changes."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
import scipy.sparse as sp
from highspy import HighsModelStatus

from ..instances.errors import EngineError
from ..instances.fields import BoolArray, FloatArray, IntArray
from ..instances.solution import Status
from .claims import Ending, proven_bound
from .interrupts import interruptible
from .result import Point

_STOPPED = (
    HighsModelStatus.kTimeLimit,
    HighsModelStatus.kIterationLimit,
    HighsModelStatus.kSolutionLimit,
    HighsModelStatus.kInterrupt,
)

ENDINGS = {
    Status.OPTIMAL: Ending.SOLVED,
    Status.FEASIBLE: Ending.FEASIBLE,
    Status.INFEASIBLE: Ending.INFEASIBLE,
    Status.NO_SOLUTION: Ending.STOPPED,
    Status.ERROR: Ending.FAILED,
}
LARGEST = 1e15  # factor that HiGHS takes


@dataclass(frozen=True)
class Arrays:
    """A program: optimise cost x + offset subject to row_lower <= matrix x <= row_upper, lower <= x <= upper.

    Attributes
    ----------
    cost, lower, upper : array, shape (columns,)
    integer : array of bool, shape (columns,)
    matrix : sparse, shape (rows, columns)
    row_lower, row_upper : array, shape (rows,)
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    matrix: Any
    row_lower: FloatArray
    row_upper: FloatArray
    offset: float = 0.0
    maximise: bool = False


@dataclass(frozen=True)
class Outcome:
    """What HiGHS found.

    Attributes
    ----------
    objective, bound
        Value of `x` and the dual bound, None where there is none. The bound of a program without integers is its
        optimum, and None when it was not solved to the end: a stopped LP proves nothing.
    x : array, shape (columns,), or None
    row_dual : array, shape (rows,), or None
        Change of the optimum per unit of a row's right-hand side; only without integers.
    """

    status: Status
    objective: float | None
    bound: float | None
    x: FloatArray | None
    row_dual: FloatArray | None
    nodes: int
    lp_iterations: int
    reason: str | None = None
    trace: tuple[Point, ...] = field(default=())


class LinearProgram:
    """A program in HiGHS that can be changed and solved again from where it stood."""

    def __init__(self, arrays: Arrays, threads: int = 1, options: Mapping[str, Any] | None = None) -> None:
        """Hand the program over in one piece.

        Parameters
        ----------
        arrays
            The program.
        threads
            Threads that HiGHS may use.
        options
            Options of HiGHS that the caller knows better.

        Raises
        ------
        EngineError
            When a factor of the rows is larger than HiGHS takes.
        """
        self.integer, self._maximise = bool(arrays.integer.any()), arrays.maximise
        self._highs = highspy.Highs()
        self._set("output_flag", False)
        self._set("threads", threads)
        # HiGHS 1.13 presolves some programs with integers whose columns have no ends to wrong optima.
        ends = np.concatenate([arrays.lower, arrays.upper])
        self._presolve = "off" if self.integer and not np.isfinite(ends).all() else "choose"
        self._set("presolve", self._presolve)
        for option, value in (options or {}).items():
            self._set(option, value)
        columns, rows = len(arrays.cost), len(arrays.row_lower)
        matrix = sp.csc_array(arrays.matrix, shape=(rows, columns))
        largest = float(np.abs(matrix.data).max(initial=0.0))
        if largest > LARGEST:
            raise EngineError(f"the model has factors up to {largest:.2g}; HiGHS takes none above {LARGEST:g}")
        sense = highspy.ObjSense.kMaximize if arrays.maximise else highspy.ObjSense.kMinimize
        self._call(
            "passModel",
            columns,
            rows,
            matrix.nnz,
            int(highspy.MatrixFormat.kColwise),
            int(sense),
            arrays.offset,
            arrays.cost,
            arrays.lower,
            arrays.upper,
            arrays.row_lower,
            arrays.row_upper,
            matrix.indptr[:-1].astype(np.int32) if columns else np.zeros(0, np.int32),
            matrix.indices.astype(np.int32),
            matrix.data.astype(float),
            arrays.integer.astype(np.int32),
        )

    def _set(self, option: str, value: Any) -> None:
        self._call("setOptionValue", option, value)

    def _call(self, name: str, *arguments: Any) -> None:
        if getattr(self._highs, name)(*arguments) == highspy.HighsStatus.kError:
            raise RuntimeError(f"HiGHS refused {name}")

    @property
    def columns(self) -> int:
        """Number of columns."""
        return int(self._highs.getNumCol())

    def solve(
        self,
        *,
        time_limit_s: float | None = None,
        gap: float = 0.0,
        start: FloatArray | None = None,
        log: Callable[[str], None] | None = None,
    ) -> Outcome:
        """Solve, from the last basis when there is one.

        Parameters
        ----------
        time_limit_s
            Wall-clock limit of this call (s).
        gap
            Relative gap at which a program with integers is solved.
        start : array, shape (columns,)
            A feasible point to start from (with integers only).
        log
            Gets every line that HiGHS prints.
        """
        # HiGHS compares its limit with the time of all runs so far.
        self._set("time_limit", np.inf if time_limit_s is None else self._highs.getRunTime() + max(time_limit_s, 0.0))
        if self.integer:
            self._set("mip_rel_gap", gap)
            self._set("mip_abs_gap", 0.0)
        if self.integer and start is not None:
            solution = highspy.HighsSolution()
            solution.col_value = start.tolist()
            self._call("setSolution", solution)
        trace: list[Point] = []
        with self._listening(trace, log):
            if self.integer:
                self._run_interruptibly()
            else:
                self._highs.run()
            if self._highs.getModelStatus() == HighsModelStatus.kUnboundedOrInfeasible:
                self._set("presolve", "off")
                self._highs.run()
                self._set("presolve", self._presolve)
        return self._outcome(tuple(trace))

    @contextlib.contextmanager
    def _listening(self, trace: list[Point], log: Callable[[str], None] | None) -> Iterator[None]:
        """Collect incumbents and bounds while integers are branched on, and pass on what HiGHS prints."""

        def note(event: Any) -> None:
            out = event.data_out
            trace.append(Point(out.running_time, _finite(out.mip_primal_bound), _finite(out.mip_dual_bound)))

        def line(event: Any) -> None:
            if log is not None:
                log(event.message.rstrip("\n"))

        events = [(self._highs.cbMipLogging, note)] * self.integer + [(self._highs.cbLogging, line)] * (log is not None)
        self._set("output_flag", bool(events))
        self._set("log_to_console", False)
        if log is not None:
            self._set("log_file", os.devnull)  # a listener gets lines only where some place other than it would
        for source, listener in events:
            source.subscribe(listener)
        try:
            yield
        finally:
            for source, listener in events:
                source.unsubscribe(listener)

    def _run_interruptibly(self) -> None:
        interrupted = threading.Event()

        def check(event: Any) -> None:
            event.interrupt(interrupted.is_set())

        places = self._highs.cbMipInterrupt, self._highs.cbSimplexInterrupt, self._highs.cbIpmInterrupt
        for place in places:
            place.subscribe(check)
        try:
            interruptible(self._highs.run, interrupted.set)
        finally:
            for place in places:
                place.unsubscribe(check)

    def _outcome(self, trace: tuple[Point, ...]) -> Outcome:
        """Read what HiGHS has."""
        highs, model_status = self._highs, self._highs.getModelStatus()
        info = highs.getInfo()
        found = info.primal_solution_status == highspy.kSolutionStatusFeasible
        solution = highs.getSolution()
        x = np.array(solution.col_value) if found else None
        objective = info.objective_function_value if found else None
        reason = None
        if model_status == HighsModelStatus.kOptimal:
            status = Status.OPTIMAL
        elif model_status == HighsModelStatus.kInfeasible:
            status = Status.INFEASIBLE
        elif model_status in _STOPPED:
            status = Status.FEASIBLE if found else Status.NO_SOLUTION
            reason = highs.modelStatusToString(model_status).lower()
        elif model_status == HighsModelStatus.kModelEmpty:
            return Outcome(
                Status.OPTIMAL, highs.getObjectiveOffset()[1], highs.getObjectiveOffset()[1], np.zeros(0), None, 0, 0
            )
        else:
            status, reason = Status.ERROR, highs.modelStatusToString(model_status)
        claimed = info.mip_dual_bound if self.integer else objective if status is Status.OPTIMAL else None
        bound = proven_bound(ENDINGS[status], claimed, objective, maximise=self._maximise)
        return Outcome(
            status,
            objective,
            bound,
            x,
            np.array(solution.row_dual) if found and not self.integer and solution.dual_valid else None,
            max(int(info.mip_node_count), 0),
            max(int(info.simplex_iteration_count), 0) + max(int(info.ipm_iteration_count), 0),
            reason,
            trace,
        )

    def relax(self) -> None:
        """Drop the integrality of all columns."""
        self.integer = False
        columns = np.arange(self.columns, dtype=np.int32)
        self._call("changeColsIntegrality", self.columns, columns, np.zeros(self.columns, np.uint8))

    def change_costs(self, columns: IntArray, cost: FloatArray) -> None:
        """Give columns new costs."""
        self._call("changeColsCost", len(columns), columns.astype(np.int32), cost)

    def change_bounds(self, columns: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Give columns new bounds."""
        self._call("changeColsBounds", len(columns), columns.astype(np.int32), lower, upper)

    def change_rows(self, rows: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Give rows new bounds."""
        self._call("changeRowsBounds", len(rows), rows.astype(np.int32), lower, upper)

    def add_columns(self, cost: FloatArray, lower: FloatArray, upper: FloatArray, matrix: Any) -> None:
        """Append columns; `matrix` is sparse, shape (rows, new columns)."""
        matrix = sp.csc_array(matrix)
        self._call(
            "addCols",
            len(cost),
            cost,
            lower,
            upper,
            matrix.nnz,
            matrix.indptr[:-1].astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data.astype(float),
        )

    def conflict(self, time_limit_s: float) -> IntArray | None:
        """Rows of an irreducible infeasible subset, integers relaxed; None when none was found in time."""
        self._set("iis_strategy", 22)
        self._set("time_limit", self._highs.getRunTime() + max(time_limit_s, 0.0))
        status, subset = self._highs.getIis()
        found = status != highspy.HighsStatus.kError and subset.valid_ and len(subset.row_index_) > 0
        return np.array(subset.row_index_, np.int64) if found else None


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
