"""One way to solve: ask a solver, let the referee judge, and report what holds."""

import dataclasses
import functools
import time
from typing import Any

from ..formulations.problems import FORMULATIONS
from ..formulations.verdict import violations_in_words
from ..instances.arguments import of_kind
from ..instances.errors import EngineError, InputError
from ..instances.record import Decision, Instance
from .claims import judged
from .interrupts import noting_interrupts
from .registry import find
from .result import SMALLEST_GAP, Answer, Limits, Result, Solver


def solve(
    instance: Instance,
    solver: str | None = None,
    *,
    time_limit_s: float | None = None,
    gap: float = 1e-6,
    seed: int = 0,
    start: Decision | None = None,
    threads: int = 1,
    model: Any = None,
) -> Result:
    """Solve an instance.

    Parameters
    ----------
    instance
        What to solve.
    solver
        Name of a solver (`skybound list`), ``pyomo:NAME`` for any solver that Pyomo finds, ``policy:PATH`` for a
        trained policy; None is the problem's default.
    time_limit_s
        Wall-clock limit (s).
    gap
        Relative gap between objective and bound at which a decision is optimal.
    seed
        Seed of whatever the solver draws.
    start
        A feasible decision to start from.
    threads
        Threads that an engine may use.
    model
        The problem's explicit Pyomo model with constraints of your own; for ``milp`` (then the default) and
        ``pyomo:NAME``. The result says that it is modified.

    Raises
    ------
    InputError
        When there is no such solver, it does not take a model, or an argument cannot be; names it.
    """
    of_kind(instance, Instance, "instance")
    limits = Limits(time_limit_s, gap, seed, start, threads)
    if model is None:
        name, found = find(instance.problem, solver)
        return run(found, name, instance, limits)
    from pyomo.environ import ConcreteModel

    from .milp import solver_of_models

    name = solver or "milp"
    of_kind(model, ConcreteModel, "model")
    result = run(functools.partial(solver_of_models(name), model=model), name, instance, limits)
    return dataclasses.replace(result, modified=True)


def run(solver: Solver[Instance], name: str, instance: Instance, limits: Limits) -> Result:
    """Ask a solver and report under this name; its claims are checked against the referee.

    Raises
    ------
    InputError
        When the start is not a feasible decision.
    """
    start_objective = None if limits.start is None else _start_objective(instance, limits.start)
    limits = dataclasses.replace(limits, gap=max(limits.gap, SMALLEST_GAP))
    began = time.perf_counter()
    with noting_interrupts():
        try:
            answer = solver(instance, limits)
        except EngineError as error:
            answer = Answer(failure=str(error))
    runtime_s = time.perf_counter() - began
    verdict = None if answer.decision is None else FORMULATIONS[instance.problem].judge(instance, answer.decision)
    status, bound, reason = judged(instance, answer, verdict, limits.gap, start_objective)
    return Result(
        problem=instance.problem,
        instance=instance.name,
        hash=instance.hash,
        solver=name,
        seed=limits.seed,
        status=status,
        decision=answer.decision if status.has_decision else None,
        objective=verdict.objective if verdict is not None and status.has_decision else None,
        bound=bound,
        parts=verdict.parts if verdict is not None and status.has_decision else {},
        runtime_s=runtime_s,
        reason=reason,
        counters=answer.counters,
        trace=answer.trace,
    )


def _start_objective(instance: Instance, start: Decision) -> float | None:
    """Return the referee's objective of the start, which must be feasible."""
    instance.check_decision(start, "start")
    verdict = FORMULATIONS[instance.problem].judge(instance, start)
    if verdict.violations:
        raise InputError(f"violates {violations_in_words(verdict.violations)}", "start")
    return verdict.objective
