"""The explicit Pyomo model of any problem, solved through the fast path or by any solver that Pyomo knows."""

import logging
import time
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
    """Solve the explicit model, or one that somebody added constraints to, in HiGHS."""
    return solve_stated(FORMULATIONS[instance.problem].milp, instance, limits, model)


def solve_stated(module: Model, instance: Instance, limits: Limits, model: pyo.ConcreteModel | None = None) -> Answer:
    """The same with a module that states the model."""
    began, factor = time.monotonic(), 1.0
    if model is None:
        instance, factor = reduced(instance, limits)
        with templates():
            model = module.build(instance)
    check_interrupts()
    compiled = CompiledModel(model, limits.threads)
    if limits.start is not None:
        module.start(model, instance, limits.start)
    left = None if limits.time_limit_s is None else limits.time_limit_s - (time.monotonic() - began)
    outcome = compiled.solve(time_limit_s=left, gap=limits.gap, start=limits.start is not None)
    infeasible = outcome.status is Status.INFEASIBLE
    answer = Answer(
        decision=None if outcome.x is None else module.extract(model, instance),
        infeasible=infeasible,
        objective=outcome.objective if module.EXACT else None,
        bound=outcome.bound,
        reason=compiled.explain() if infeasible else outcome.reason or (None if module.EXACT else BOUND_ALONE),
        counters={"nodes": outcome.nodes, "lp_iterations": outcome.lp_iterations},
        trace=outcome.trace,
    )
    return restored(answer, factor)


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
