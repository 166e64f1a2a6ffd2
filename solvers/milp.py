"""The explicit Pyomo model of any problem, solved through the fast path or by any solver that Pyomo knows."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.log import LoggingIntercept
from pyomo.opt import TerminationCondition
from pyomo.opt.base.solvers import UnknownSolver

from ..formulations.problems import FORMULATIONS, Model
from ..formulations.templates import templates
from ..instances.arguments import of_kind
from ..instances.errors import InputError
from ..instances.record import Instance
from ..instances.solution import Status
from .claims import Ending, proven_bound
from .highs import CompiledModel
from .interrupts import check_interrupts
from .reductions import reduced, restored
from .refinement import Improver, solve_by_refinement
from .result import BOUND_ALONE, Answer, Limits, ModelSolver

# What solvers call the relative gap, the threads and the seed.
OPTIONS = {
    "appsi_highs": {"gap": "mip_rel_gap", "threads": "threads", "seed": "random_seed"},
    "cbc": {"gap": "ratioGap", "threads": "threads", "seed": "randomSeed"},
    "cplex": {"gap": "mip_tolerances_mipgap", "threads": "threads", "seed": "randomseed"},
    "glpk": {"gap": "mipgap"},
    "gurobi": {"gap": "MIPGap", "threads": "Threads", "seed": "Seed"},
    "scip": {"gap": "limits/gap", "seed": "randomization/randomseedshift"},
}
# What is looked for when there is no solver of the name asked for.
COMMON = ("appsi_highs", "cbc", "cplex", "glpk", "gurobi", "highs", "mosek", "scip", "scip_direct", "xpress")
# How solvers end that take Ctrl-C for themselves, as SCIP does.
INTERRUPTED = (TerminationCondition.userInterrupt, TerminationCondition.resourceInterrupt)


def _ending(condition: TerminationCondition, has_solution: bool) -> Ending:
    """How a Pyomo solver's run ended."""
    if condition == TerminationCondition.infeasible:
        return Ending.INFEASIBLE
    if condition == TerminationCondition.optimal:
        return Ending.SOLVED
    return Ending.FEASIBLE if has_solution else Ending.STOPPED


def _engine(name: str) -> Any:
    """The solver that Pyomo has under this name; None when it has none, or does not find it on this machine."""
    with LoggingIntercept(module="pyomo", level=logging.WARNING):
        engine = pyo.SolverFactory(name)
        found = not isinstance(engine, UnknownSolver) and engine.available(exception_flag=False)
    return engine if found else None


def solver_of_models(name: str) -> ModelSolver:
    """``milp`` or ``pyomo:NAME``.

    Raises
    ------
    InputError
        When it is another solver.
    """
    if of_kind(name, str, "solver") == "milp":
        return solve_milp
    if name.startswith("pyomo:"):
        return pyomo_solver(name.removeprefix("pyomo:"))
    raise InputError(f'is "{name}", which does not take a model', "solver")


def solve_milp(instance: Instance, limits: Limits, model: pyo.ConcreteModel | None = None) -> Answer:
    """Solve the explicit model, or one that somebody added constraints to, in HiGHS.

    Where the problem's model is a bound that can be refined, it is solved until bound and decision meet.
    """
    module = FORMULATIONS[instance.problem].milp
    if model is None and hasattr(module, "refine"):
        return solve_refined(module, instance, limits)
    return solve_stated(module, instance, limits, model)


SafeBound = Callable[[Any, float], float]


def solve_refined(
    module: Any,
    instance: Instance,
    limits: Limits,
    improver: Improver | None = None,
    safe: SafeBound | None = None,
    first: Callable[[Any, Limits], Any] | None = None,
) -> Answer:
    """Solve the model of a module in HiGHS, refined until bound and decision meet (see `refinement`).

    Parameters
    ----------
    module
        States the model (`Model`) and has ``refine(model, instance)``, which says what ``build`` is to be given next.
    improver
        Makes what improves decisions of an instance, which may be in other units.
    safe
        Returns the bound that holds whatever HiGHS's tolerances hide, of an instance and a bound.
    first
        Returns what ``build`` is given first, of an instance and limits.
    """
    small, factor = reduced(instance, limits)
    improve = None if improver is None else improver(small)
    relaxation = _Stated(module, small, safe, None if first is None else first(small, limits))
    return restored(solve_by_refinement(small, relaxation, limits, improve), factor)


class _Stated:
    """A refinable model in HiGHS."""

    def __init__(self, module: Any, instance: Instance, safe: SafeBound | None, first: Any) -> None:
        self._module, self._instance, self._safe = module, instance, safe
        self._refinement = first
        self._model: Any = None

    def solve(self, limits: Limits) -> Answer:
        with templates():
            self._model = self._module.build(self._instance, self._refinement)
        answer = _solve_model(self._module, self._model, self._instance, limits, time.monotonic())
        if answer.bound is None or self._safe is None:
            return answer
        return replace(answer, bound=self._safe(self._instance, answer.bound))

    def refine(self) -> bool:
        self._refinement = self._module.refine(self._model, self._instance)
        return self._refinement is not None


def solve_stated(module: Model, instance: Instance, limits: Limits, model: pyo.ConcreteModel | None = None) -> Answer:
    """The same with a module that states the model."""
    began, factor = time.monotonic(), 1.0
    if model is None:
        instance, factor = reduced(instance, limits)
        with templates():
            model = module.build(instance)
    answer = _solve_model(module, model, instance, limits, began)
    if answer.reason is None and not module.EXACT:
        answer = replace(answer, reason=BOUND_ALONE)
    return restored(answer, factor)


def _solve_model(module: Model, model: pyo.ConcreteModel, instance: Instance, limits: Limits, began: float) -> Answer:
    """Solve a model; the time limit counts from a moment on."""
    check_interrupts()
    compiled = CompiledModel(model, limits.threads)
    if limits.start is not None:
        module.start(model, instance, limits.start)
    left = None if limits.time_limit_s is None else limits.time_limit_s - (time.monotonic() - began)
    outcome = compiled.solve(time_limit_s=left, gap=limits.gap, start=limits.start is not None)
    infeasible = outcome.status is Status.INFEASIBLE
    return Answer(
        decision=None if outcome.x is None else module.extract(model, instance),
        infeasible=infeasible,
        objective=outcome.objective if module.EXACT else None,
        bound=outcome.bound,
        reason=compiled.explain() if infeasible else outcome.reason,
        counters={"nodes": outcome.nodes, "lp_iterations": outcome.lp_iterations},
        trace=outcome.trace,
    )


def pyomo_solver(name: str) -> ModelSolver:
    """A solver that hands the explicit model to the Pyomo solver of this name.

    Raises
    ------
    InputError
        When Pyomo does not know the solver or does not find it.
    """
    engine = _engine(name)
    if engine is None:
        found = ", ".join(common for common in COMMON if _engine(common) is not None) or "none of the common ones"
        raise InputError(f'"pyomo:{name}": Pyomo finds no such solver here, but {found}', "solver")

    def solve(instance: Instance, limits: Limits, model: pyo.ConcreteModel | None = None) -> Answer:
        module, factor = FORMULATIONS[instance.problem].milp, 1.0
        if model is None:
            instance, factor = reduced(instance, limits)
            model = module.build(instance)
        options: dict[str, Any] = {"load_solutions": False}
        if limits.time_limit_s is not None:
            options["timelimit"] = limits.time_limit_s
        for key, value in (("gap", limits.gap), ("threads", limits.threads), ("seed", limits.seed)):
            if option := OPTIONS.get(name, {}).get(key):
                engine.options[option] = value
        if limits.start is not None and engine.warm_start_capable():
            module.start(model, instance, limits.start)
            options["warmstart"] = True
        with LoggingIntercept(module="pyomo", level=logging.WARNING):
            try:
                results = engine.solve(model, **options)
            except Exception as error:  # noqa: BLE001 - whatever other people's code raises
                return Answer(failure=f"{name} failed: {str(error).strip() or type(error).__name__}")
            ended = results.solver.termination_condition
            if ended in INTERRUPTED:
                raise KeyboardInterrupt
            found = len(results.solution) > 0
            if found:
                model.solutions.load_from(results)
        objective = next(model.component_data_objects(pyo.Objective, active=True))
        problem = results.problem
        maximise = objective.sense == pyo.maximize
        reported = problem.upper_bound if maximise else problem.lower_bound
        bound = float(reported) if isinstance(reported, int | float) else None
        incumbent = float(pyo.value(objective)) if found else None
        ending = _ending(ended, found)
        answer = Answer(
            decision=module.extract(model, instance) if found else None,
            infeasible=ending is Ending.INFEASIBLE,
            objective=incumbent if module.EXACT else None,
            bound=proven_bound(ending, bound, incumbent, maximise=maximise, default=0.0),
            reason=None if ended == TerminationCondition.optimal else f"{name} ended with {ended}",
        )
        return restored(answer, factor)

    return solve
