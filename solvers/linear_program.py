"""Linear and mixed-integer programs as arrays, held in HiGHS and solved again after changes.

HiGHS has absolute tolerances. Costs, rows and continuous columns in other units than those are multiplied by powers of
two on the way in, and what HiGHS says of them is divided on the way out. Reduced costs may have the wrong sign by
`DUAL_TOLERANCE`, and solutions better by less than `CUTOFF` are not looked for: bounds of programs with integers are
loosened by that where some column gains as little.
"""

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
from .result import CLAIM_TOLERANCE, Point

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
DUAL_TOLERANCE = 1e-10  # of programs with integers; the least that HiGHS takes
CUTOFF = 1e-6  # HiGHS's, of objectives of programs with integers
LARGEST_RATIO = 2.0**20  # of factors in a row of integers that is presolved
LEAST_GAIN = 1e-4  # of a column over its range, that no such reduced cost can hide
LEAST_COST, LEAST_OF_LP = 1.0, 2.0**-10  # largest cost of a program that is left as it is; bounds of LPs are made safe
LEAST_FACTOR, LARGEST_LEFT = 2.0**-10, 2.0**20  # largest factor of a row, or cost, that is left as it is


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
        if self.integer:
            self._set("dual_feasibility_tolerance", DUAL_TOLERANCE)
        self._presolve = "off" if self.integer and not _presolvable(arrays) else "choose"
        self._set("presolve", self._presolve)
        for option, value in (options or {}).items():
            self._set(option, value)
        columns, rows = len(arrays.cost), len(arrays.row_lower)
        matrix = sp.csc_array(arrays.matrix, shape=(rows, columns))
        span = arrays.upper - arrays.lower
        finite = np.isfinite(span)
        gain = np.abs(arrays.cost) * np.where(finite, span, 1.0)
        largest_gain = gain[finite].max(initial=0.0) or gain.max(initial=0.0)
        self._cost_scale = float(_scale(largest_gain, LEAST_COST if self.integer else LEAST_OF_LP))
        hidden = (gain > 0) & (gain * self._cost_scale < LEAST_GAIN)
        certain = not (self.integer and hidden.any())
        continuous = ~arrays.integer & self.integer & finite
        self._column_scale = np.where(continuous, _scale(span, LEAST_FACTOR), 1.0)
        span = span * self._column_scale
        matrix = sp.csc_array(matrix * (1 / self._column_scale)) if (self._column_scale != 1.0).any() else matrix
        self._slack = 0.0 if certain else CUTOFF + DUAL_TOLERANCE * float(span[finite].sum())
        self._row_scale = _scale(_largest_of_rows(matrix), LEAST_FACTOR)
        matrix = _rows_times(matrix, self._row_scale)
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
            arrays.offset * self._cost_scale,
            arrays.cost * self._cost_scale / self._column_scale,
            arrays.lower * self._column_scale,
            arrays.upper * self._column_scale,
            arrays.row_lower * self._row_scale,
            arrays.row_upper * self._row_scale,
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

    def _loosened(self, bound: float) -> float:
        """A bound of HiGHS, less certain by what reduced costs of the wrong sign can hide."""
        if self._slack <= CLAIM_TOLERANCE * abs(bound):
            return bound
        return bound + self._slack if self._maximise else bound - self._slack

    def _real(self, value: float) -> float | None:
        """An objective of HiGHS in the program's unit; None where it is infinite."""
        return float(value) / self._cost_scale if np.isfinite(value) else None

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
            self._set("mip_rel_gap", gap / 2)  # the rest is for the tolerance of the bound
            self._set("mip_abs_gap", 0.0)
        if self.integer and start is not None:
            solution = highspy.HighsSolution()
            solution.col_value = (start * self._column_scale).tolist()
            self._call("setSolution", solution)
        trace: list[Point] = []
        with self._listening(trace, log):
            self._run()
            if self._highs.getModelStatus() in self._doubtful:
                self._set("presolve", "off")
                self._run()
                self._set("presolve", self._presolve)
        return self._outcome(tuple(trace))

    @contextlib.contextmanager
    def _listening(self, trace: list[Point], log: Callable[[str], None] | None) -> Iterator[None]:
        """Collect incumbents and bounds while integers are branched on, and pass on what HiGHS prints."""

        def note(event: Any) -> None:
            out = event.data_out
            incumbent, bound = self._real(out.mip_primal_bound), self._real(self._loosened(out.mip_dual_bound))
            trace.append(Point(out.running_time, incumbent, bound))

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

    @property
    def _doubtful(self) -> tuple[HighsModelStatus, ...]:
        """What presolve is not believed: of small ranges of columns it makes infeasible programs."""
        doubtful = [HighsModelStatus.kUnboundedOrInfeasible]
        if self.integer and self._presolve != "off":
            doubtful.append(HighsModelStatus.kInfeasible)
        return tuple(doubtful)

    def _run(self) -> None:
        """Let HiGHS solve; Ctrl-C is heard in programs with integers."""
        if not self.integer:
            self._highs.run()
            return
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
        x = np.array(solution.col_value) / self._column_scale if found else None
        objective = self._real(info.objective_function_value) if found else None
        reason = None
        if model_status == HighsModelStatus.kOptimal:
            status = Status.OPTIMAL
        elif model_status == HighsModelStatus.kInfeasible:
            status = Status.INFEASIBLE
        elif model_status in _STOPPED:
            status = Status.FEASIBLE if found else Status.NO_SOLUTION
            reason = highs.modelStatusToString(model_status).lower()
        elif model_status == HighsModelStatus.kModelEmpty:
            offset = self._real(highs.getObjectiveOffset()[1])
            return Outcome(Status.OPTIMAL, offset, offset, np.zeros(0), None, 0, 0)
        else:
            status, reason = Status.ERROR, highs.modelStatusToString(model_status)
        claimed = objective if status is Status.OPTIMAL else None
        if self.integer:
            claimed = self._real(self._loosened(info.mip_dual_bound))
        bound = proven_bound(ENDINGS[status], claimed, objective, maximise=self._maximise)
        return Outcome(
            status,
            objective,
            bound,
            x,
            np.array(solution.row_dual) * self._row_scale / self._cost_scale
            if found and not self.integer and solution.dual_valid
            else None,
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
        cost = cost * self._cost_scale / self._column_scale[columns]
        self._call("changeColsCost", len(columns), columns.astype(np.int32), cost)

    def change_bounds(self, columns: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Give columns new bounds."""
        scale = self._column_scale[columns]
        self._call("changeColsBounds", len(columns), columns.astype(np.int32), lower * scale, upper * scale)

    def change_rows(self, rows: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Give rows new bounds."""
        scale = self._row_scale[rows]
        self._call("changeRowsBounds", len(rows), rows.astype(np.int32), lower * scale, upper * scale)

    def add_columns(self, cost: FloatArray, lower: FloatArray, upper: FloatArray, matrix: Any) -> None:
        """Append columns; `matrix` is sparse, shape (rows, new columns)."""
        matrix = _rows_times(sp.csc_array(matrix), self._row_scale)
        self._column_scale = np.append(self._column_scale, np.ones(len(cost)))
        self._call(
            "addCols",
            len(cost),
            cost * self._cost_scale,
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


def _scale(largest: FloatArray, least: float) -> FloatArray:
    """Powers of two that bring values to between 1 and 2; 1 for 0 and for values from `least` to `LARGEST_LEFT`."""
    left = (largest == 0) | ((largest >= least) & (largest <= LARGEST_LEFT)) | ~np.isfinite(largest)
    return np.where(left, 1.0, 2.0 ** -np.floor(np.log2(np.where(left, 1.0, largest))))


def _presolvable(arrays: Arrays) -> bool:
    """Whether HiGHS can be trusted to presolve a program with integers.

    Its version 1.13 presolves some to wrong optima: with columns that have no ends, and with rows of integers alone
    whose factors are of very different sizes.
    """
    if not (np.isfinite(arrays.lower) & np.isfinite(arrays.upper)).all():
        return False
    matrix = sp.csr_array(arrays.matrix, shape=(len(arrays.row_lower), len(arrays.cost)))
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    size = np.abs(matrix.data)
    largest, least = np.zeros(matrix.shape[0]), np.full(matrix.shape[0], np.inf)
    np.maximum.at(largest, row, size)
    np.minimum.at(least, row[size > 0], size[size > 0])
    whole = np.ones(matrix.shape[0], bool)
    whole[row[~arrays.integer[matrix.indices]]] = False
    return not (whole & (largest > LARGEST_RATIO * least)).any()


def _largest_of_rows(matrix: Any) -> FloatArray:
    """Largest absolute factor of each row, 0 for an empty one."""
    largest = np.zeros(matrix.shape[0])
    np.maximum.at(largest, matrix.indices, np.abs(matrix.data))
    return largest


def _rows_times(matrix: Any, scale: FloatArray) -> Any:
    """A sparse matrix by columns with its rows multiplied; itself where nothing changes."""
    if (scale == 1.0).all():
        return matrix
    return sp.csc_array((matrix.data * scale[matrix.indices], matrix.indices, matrix.indptr), shape=matrix.shape)
