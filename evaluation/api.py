"""The Python interface: what the command line does, with typed objects and data frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..formulations.problems import FORMULATIONS
from ..instances.arguments import listed, nonnegative, of_kind, seed_list
from ..instances.files import load, load_solution, save_solution
from ..instances.files import save as save_instance
from ..instances.problems import PROBLEMS, generate
from ..instances.record import Decision, Instance
from ..instances.solution import Solution
from ..solvers.registry import PREFIXES, SOLVERS
from ..solvers.result import Result, Solver
from ..solvers.solve import solve
from .verify import Report
from .verify import verify as judge

if TYPE_CHECKING:
    import pandas as pd

    from ..learned.targets import Written
    from ..learned.training import Outcome
    from .experiment import Evaluation

__all__ = [
    "build",
    "catalogue",
    "evaluate",
    "export",
    "generate",
    "load",
    "save",
    "solve",
    "targets",
    "train",
    "verify",
]


def _policy(place: str, problem: str) -> Solver[Instance]:
    from ..learned.policy import load as load_policy

    return load_policy(place, problem)


PREFIXES["policy"] = _policy


def build(instance: Instance) -> Any:
    """The explicit Pyomo model of an instance, to read, to change and to give back to `solve`."""
    return FORMULATIONS[of_kind(instance, Instance, "instance").problem].milp.build(instance)


def verify(instance: Instance, solution: Solution | Result | Decision | str | Path, gap: float = 1e-6) -> Report:
    """Hold a solution (or its file, or a result) against the referee: decision, objective, bound and status.

    A decision alone, such as that of a rule of your own, is held against the constraints; its report has the objective.

    Raises
    ------
    InputError
        When the file cannot be read, or the decision is of another problem or does not fit the instance.
    """
    of_kind(instance, Instance, "instance")
    if isinstance(solution, Result):
        solution = solution.solution()
    elif isinstance(solution, str | Path):
        solution = load_solution(solution, instance)
    return judge(instance, solution, gap)


def export(instance: Instance, folder: str | Path, formats: Sequence[str] = ("lp", "mps", "cpsat")) -> list[Path]:
    """Write an instance's explicit models; returns the files."""
    from .export import export as write

    return write(instance, folder, formats)


def save(content: Instance | Solution | Result, path: str | Path) -> None:
    """Write an instance, or a solution (a result's own one), as its file; gzip when the name ends in ``.gz``.

    Raises
    ------
    InputError
        When the file cannot be written, or the content is something else.
    """
    if isinstance(content, Instance):
        save_instance(content, path)
    else:
        solution = content.solution() if isinstance(content, Result) else of_kind(content, Solution, "content")
        save_solution(solution, path)


def targets(
    instances: Sequence[Instance | str | Path],
    path: str | Path,
    solver: str | None = None,
    *,
    time_limit_s: float | None = None,
) -> "Written":
    """Solve instances and write them with their optima as a supervised data set; see `write_targets`.

    Raises
    ------
    InputError
        When there is no such solver, or a file cannot be read or written.
    """
    from ..learned.targets import write_targets

    return write_targets(_loaded(instances), path, solver, time_limit_s=time_limit_s)


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

    budget_cpu_s = None if budget_cpu_minutes is None else 60 * nonnegative(budget_cpu_minutes, "budget_cpu_minutes")
    return train_policy(
        of_kind(problem, str, "problem"),
        of_kind(preset, str, "preset"),
        of_kind(algorithm, str, "algorithm"),
        seed_list(seeds),
        out,
        budget_cpu_s=budget_cpu_s,
        resume=resume,
        changes=hyperparameters,
    )


def evaluate(instances: Sequence[Instance | str | Path], solvers: Sequence[str], **options: Any) -> "Evaluation":
    """Run solvers and policies on the same instances; see `skybound.evaluation.experiment.evaluate` for the options."""
    from .experiment import evaluate as compare

    return compare(_loaded(instances), solvers, **options)


def pareto(instance: Instance | str | Path, out: str | Path, **options: Any) -> "pd.DataFrame":
    """The front of throughput, delay and coverage of a slicing instance, proven point by point; see `pareto.pareto`.

    Raises
    ------
    InputError
        When it is no slicing instance, or a file cannot be read or written.
    """
    from .pareto import pareto as find

    (one,) = _loaded([instance])
    return find(one, Path(out), **options)


def _loaded(instances: Sequence[Instance | str | Path]) -> list[Instance]:
    """Instances, read from their files where they are paths."""
    return [load(given) if isinstance(given, str | Path) else given for given in listed(instances, "instances")]


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
