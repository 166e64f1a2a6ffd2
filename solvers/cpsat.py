"""The constraint model of any problem, solved by CP-SAT."""

import time

from ortools.sat.python import cp_model

from ..formulations.problems import FORMULATIONS
from ..formulations.scaled import ScaledModel
from ..instances.record import Instance
from .interrupts import interruptible
from .reductions import reduced, restored
from .result import BOUND_ALONE, CLAIM, Answer, Limits, Point


class _Trace(cp_model.CpSolverSolutionCallback):  # type: ignore[misc]
    """Notes each better solution."""

    def __init__(self, scaled: ScaledModel) -> None:
        super().__init__()
        self.points: list[Point] = []
        self._scaled = scaled

    def on_solution_callback(self) -> None:
        scaled = self._scaled
        value = self.objective_value / scaled.scale
        self.points.append(Point(self.wall_time, value, _safe_bound(scaled, self.best_objective_bound)))


def _safe_bound(scaled: ScaledModel, bound: float) -> float:
    """A bound on the real objective: what rounding the costs can hide is taken off."""
    if scaled.scale < 0:
        return min(bound / scaled.scale + scaled.error, scaled.trivial)
    return max(bound / scaled.scale - scaled.error, scaled.trivial)


def solve_cpsat(instance: Instance, limits: Limits) -> Answer:
    """Solve the constraint model."""
    began = time.monotonic()
    instance, factor = reduced(instance, limits)
    scaled = FORMULATIONS[instance.problem].cpsat.build(instance)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = limits.threads
    solver.parameters.random_seed = limits.seed % 2**31
    solver.parameters.relative_gap_limit = limits.gap / 10  # the rest is for rounding
    solver.parameters.cp_model_presolve = scaled.presolve
    solver.parameters.catch_sigint_signal = False
    if limits.time_limit_s is not None:
        solver.parameters.max_time_in_seconds = max(limits.time_limit_s - (time.monotonic() - began), 0.0)
    if limits.start is not None:
        for variable, value in scaled.hint(limits.start).items():
            scaled.model.add_hint(variable, value)
    trace = _Trace(scaled)
    words = {
        cp_model.INFEASIBLE: "the constraints exclude every decision",
        cp_model.OPTIMAL: None if scaled.exact else BOUND_ALONE,
    }
    status = interruptible(lambda: solver.solve(scaled.model, trace), solver.stop_search)
    if status == cp_model.MODEL_INVALID:
        raise RuntimeError(f"CP-SAT refuses the model: {scaled.model.validate().splitlines()[0]}")
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    infeasible = status == cp_model.INFEASIBLE
    objective = solver.objective_value / scaled.scale if found and scaled.exact else None
    answer = Answer(
        decision=scaled.extract(solver.value) if found else None,
        infeasible=infeasible,
        objective=objective,
        bound=None if infeasible else _safe_bound(scaled, solver.best_objective_bound),
        tolerance=CLAIM + (scaled.error / abs(objective) if objective else 0.0),
        reason=words.get(status, "time limit reached"),
        counters={"branches": int(solver.num_branches), "conflicts": int(solver.num_conflicts)},
        trace=tuple(trace.points),
    )
    return restored(answer, factor)
