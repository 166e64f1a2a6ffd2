"""The Python interface: what the command line does, with typed objects and data frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..formulations.problems import FORMULATIONS
from ..instances.files import load, load_solution
from ..instances.problems import PROBLEMS, generate
from ..instances.record import Decision, Instance
from ..instances.solution import Solution
from ..solvers.registry import SOLVERS
from ..solvers.result import Limits, Result
from ..solvers.solve import run
from ..solvers.solve import solve as solve_by_name
from .contestants import POLICY
from .verify import Report
from .verify import verify as judge

if TYPE_CHECKING:
    from ..learned.training import Outcome
    from .experiment import Evaluation

__all__ = ["build", "catalogue", "evaluate", "export", "generate", "load", "solve", "train", "verify"]


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
        trained policy; None is the problem's best exact solver.
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
        The problem's explicit Pyomo model with constraints of your own, for ``milp`` (then the default) and
        ``pyomo:NAME``; the result says that it is modified.

    Raises
    ------
    InputError
        When there is no such solver.
    """
    if solver is not None and solver.startswith(POLICY):
        from ..learned.policy import load as load_policy

        policy = load_policy(solver.removeprefix(POLICY), instance.problem)
        return run(policy, solver, instance, Limits(time_limit_s, gap, seed, start, threads))
    return solve_by_name(
        instance,
        solver,
        time_limit_s=time_limit_s,
        gap=gap,
        seed=seed,
        start=start,
        threads=threads,
        model=model,
    )


def build(instance: Instance) -> Any:
    """The explicit Pyomo model of an instance, to read, to change and to give back to `solve`."""
    return FORMULATIONS[instance.problem].milp.build(instance)


def verify(instance: Instance, solution: Solution | Result | str | Path, gap: float = 1e-6) -> Report:
    """Hold a solution (or its file, or a result) against the referee: decision, objective, bound and status."""
    if isinstance(solution, Result):
        solution = solution.solution()
    elif isinstance(solution, str | Path):
        solution = load_solution(solution, instance)
    return judge(instance, solution, gap)


def export(instance: Instance, folder: str | Path, formats: Sequence[str] = ("lp", "mps", "cpsat")) -> list[Path]:
    """Write an instance's explicit models; returns the files."""
    from .export import export as write

    return write(instance, folder, formats)


def train(
    problem: str,
    preset: str,
    algorithm: str,
    out: str | Path,
    *,
    seeds: Sequence[int] = (0,),
    budget_cpu_minutes: float | None = None,
    resume: bool = False,
    hyperparameters: Mapping[str, Any] | None = None,
) -> "Outcome":
    """Train a policy; the run's folder is then ``policy:FOLDER`` wherever a solver is asked for.

    Parameters
    ----------
    problem, preset, algorithm
        Names (`skybound list`).
    out
        Folder of the run.
    seeds
        Seeds trained side by side.
    budget_cpu_minutes
        CPU time after which no new unit of work begins (min).
    resume
        Go on with the run in the folder.
    hyperparameters
        Other than the algorithm's own, by name.

    Raises
    ------
    InputError
        When something is unknown, or the folder holds another run.
    """
    from ..learned.algorithms import train as train_policy

    budget_cpu_s = None if budget_cpu_minutes is None else 60 * budget_cpu_minutes
    return train_policy(
        problem, preset, algorithm, seeds, out, budget_cpu_s=budget_cpu_s, resume=resume, changes=hyperparameters
    )


def evaluate(instances: Sequence[Instance | str | Path], solvers: Sequence[str], **options: Any) -> "Evaluation":
    """Run solvers and policies on the same instances; see `skybound.evaluation.experiment.evaluate` for the options."""
    from .experiment import evaluate as compare

    loaded = [instance if isinstance(instance, Instance) else load(instance) for instance in instances]
    return compare(loaded, solvers, **options)


def catalogue() -> dict[str, Any]:
    """Problems with their solvers, presets and algorithms, by name."""
    from ..learned.algorithms import ALGORITHMS

    return {
        "problems": {
            name: {
                "solvers": [
                    {"name": entry.name, "kind": entry.kind, "exact": entry.exact} for entry in SOLVERS[name].values()
                ],
                "presets": list(problem.presets),
                "algorithms": list(ALGORITHMS.get(name, {})),
            }
            for name, problem in PROBLEMS.items()
        }
    }
