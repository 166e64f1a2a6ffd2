"""The command line: what the Python interface does, for terminals and for machines."""

import importlib.metadata
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ..instances.errors import ConflictError, EngineError, InputError
from ..instances.files import load, load_solution, save, save_solution
from ..instances.problems import generate as draw
from ..instances.record import Decision, Instance
from ..solvers.result import MOST_THREADS
from .arguments import PATH, Files, Gap, Json, Out, Seed, Seeds, TimeLimit, assignment, nonempty_path, numbers
from .model_size import MAX_MB
from .terminal import counted, print_catalogue, print_front, print_report, print_results, print_summary, shown


class Commands(TyperGroup):
    """All commands; Ctrl-C ends them with a message."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        writes = any(word.partition("=")[0] == "--out" for word in ctx.args)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            print("skybound: interrupted" + "; what was finished is kept" * writes, file=sys.stderr)
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    add_completion=False,
)


def main() -> None:
    """Run the command line; bad input, and output that cannot be written, end with a message and exit code 2."""
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except (InputError, EngineError) as error:
        print(f"skybound: {error}", file=sys.stderr)
        sys.exit(2)
    except ConflictError as error:
        print(f"skybound: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        # What is still to be printed goes nowhere, so that leaving does not fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # nobody reads on
            sys.exit(1)
        print(f"skybound: {error.filename or 'output'}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)


def _version(asked: bool) -> None:
    if asked:
        print(f"skybound {importlib.metadata.version('skybound')}")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """How far from the optimum is the learned policy?

    Exact optima, bounds and policies for space-air-ground networks.
    """


@app.command()
def generate(
    problem: Annotated[str, typer.Argument(help="A problem, such as placement.")],
    preset: Annotated[str, typer.Option(help="One of the problem's presets (see `skybound list`).")],
    out: Out,
    seed: Annotated[int, typer.Option(help="First seed.", min=0, max=2**63 - 1)] = 0,
    count: Annotated[int, typer.Option(help="Instances to draw, with seeds one after the other.", min=1)] = 1,
    as_json: Json = False,
) -> None:
    """Draw instances of a preset.

    Example: `skybound generate placement --preset congested --seed 0 --count 10 --out instances`
    """
    for k in shown(range(seed, seed + count), "drawing"):
        instance = draw(problem, preset, k)
        path = out / f"{instance.name}.json"
        save(instance, path)
        _say(as_json, {"file": str(path), "hash": instance.hash}, str(path))


@app.command()
def solve(
    files: Files,
    solver: Annotated[
        str | None, typer.Option(help="Solver, `pyomo:NAME`, `policy:PATH` or `policy:shipped`; the problem's default.")
    ] = None,
    time_limit: TimeLimit = None,
    gap: Gap = 1e-6,
    seed: Seed = 0,
    start: Annotated[Path | None, typer.Option(help="Solution file to start from (one instance only).", **PATH)] = None,
    threads: Annotated[int, typer.Option(help="Threads that a solver may use.", min=1, max=MOST_THREADS)] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for solution files.", **PATH)] = None,
    as_json: Json = False,
) -> None:
    """Solve instances, by default to proven optimality.

    Example: `skybound solve instances/*.json --time-limit 60 --out solutions`

    Exit code 1 when an instance has no solution, is infeasible, or its solver failed.
    """
    from .api import solve as solve_one

    instances = _load_all(files)
    if start is not None and len(instances) != 1:
        raise InputError("goes with one instance", "--start")
    begin = None if start is None else _decision(start, instances[0])
    results = []
    try:
        for instance, path in shown(list(zip(instances, _solution_paths(files, out), strict=True)), "solving"):
            result = solve_one(
                instance, solver, time_limit_s=time_limit, gap=gap, seed=seed, start=begin, threads=threads
            )
            results.append(result)
            if path is not None:
                save_solution(result.solution(), path)
            if as_json:
                print(json.dumps(result.to_json()), flush=True)
    finally:  # also of what is finished when Ctrl-C comes
        if results and not as_json:
            print_results([result.to_json() for result in results])
    raise typer.Exit(0 if all(result.status.has_decision for result in results) else 1)


@app.command()
def verify(
    instance: Annotated[Path, typer.Argument(parser=nonempty_path, metavar="INSTANCE", help="Instance file.")],
    solution: Annotated[Path, typer.Argument(parser=nonempty_path, metavar="SOLUTION", help="Solution file.")],
    gap: Gap = 1e-6,
    as_json: Json = False,
) -> None:
    """Hold a solution against the referee: its decision, its objective, its bound and its status.

    Example: `skybound verify x.json x.solution.json`

    Exit code 1 when there is no decision or something does not hold.
    """
    from .verify import verify as judge

    found = load(instance)
    report = judge(found, load_solution(solution, found), gap)
    if as_json:
        print(json.dumps(report.to_json()))
    else:
        print_report(report.to_json())
    raise typer.Exit(0 if report.passed else 1)


@app.command()
def export(
    files: Files,
    out: Out,
    form: Annotated[list[str] | None, typer.Option("--format", help="lp, mps or cpsat; all by default.")] = None,
    solution: Annotated[
        Path | None, typer.Option(help="Also write this solution as a start file (.sol).", **PATH)
    ] = None,
    values: Annotated[
        Path | None, typer.Option(help="Read another solver's values, write a solution file.", **PATH)
    ] = None,
    max_mb: Annotated[float, typer.Option(help="Size up to which a file is written (MB).", min=0.0)] = MAX_MB,
    yes: Annotated[bool, typer.Option("--yes", help="Write files of any size.")] = False,
    as_json: Json = False,
) -> None:
    """Write instances as models for other solvers, and read their answers back.

    Example: `skybound export x.json --format lp --out models`, then, with the values that another solver found for it,
    `skybound export x.json --values x.sol --out solutions`
    """
    from . import export as models

    instances = _load_all(files)
    if solution and values:
        raise InputError("does not go with --values", "--solution")
    if (solution or values) and len(instances) != 1:
        raise InputError("goes with one instance", "--solution" if solution else "--values")
    stems = [_stem(file) for file in files]
    if len(set(stems)) < len(stems):
        raise InputError("two instance files have the same name", "--out")
    written: list[Path] = []
    for instance, stem in zip(instances, stems, strict=True):
        if values is not None:
            path = out / f"{stem}.solution.json"
            save_solution(models.imported_solution(instance, values), path)
            written.append(path)
            continue
        limit = None if yes else max_mb
        forms = form or tuple(models.SUFFIXES)
        written += models.export(instance, out, forms, stem, max_mb=limit, announce=_announce)
        if solution is not None:
            models.export_start(instance, _decision(solution, instance), out / f"{stem}.sol")
            written.append(out / f"{stem}.sol")
    for path in written:
        _say(as_json, {"file": str(path)}, str(path))


@app.command()
def targets(
    folder: Annotated[Path, typer.Argument(parser=nonempty_path, metavar="DIR", help="Folder of instance files.")],
    out: Annotated[Path, typer.Option(help="File to write (.jsonl.gz).", **PATH)],
    solver: Annotated[str | None, typer.Option(help="Solver that finds the targets; the problem's default.")] = None,
    time_limit: TimeLimit = None,
    as_json: Json = False,
) -> None:
    """Solve a folder of instances and write them with their optima as a supervised data set.

    Each line of the file is one JSON object with the instance, the solution and its proven gap. Instances without a
    solution are left out. After an interruption, the same command goes on.

    Example: `skybound targets instances --out targets.jsonl.gz`

    Exit code 1 when an instance is left out: it is infeasible, or no solution was found within the limit.
    """
    from ..learned.targets import write_targets

    files = sorted(path for path in folder.glob("*") if path.name.endswith((".json", ".json.gz")))
    if not files:
        raise InputError("has no instance files (.json, .json.gz)", file=str(folder))
    with counted("solving") as progress:
        written = write_targets(_load_all(files), out, solver, time_limit_s=time_limit, progress=progress)
    words = f"{written.targets} targets in {out}"
    if written.left_out:
        words += f"; {len(written.left_out)} instances without a solution left out: {', '.join(written.left_out)}"
    _say(as_json, {"file": str(out)} | written._asdict(), words)
    raise typer.Exit(1 if written.left_out else 0)


@app.command()
def train(
    problem: Annotated[str, typer.Argument(help="A problem, such as placement.")],
    preset: Annotated[str, typer.Option(help="Preset that training instances are drawn from.")],
    algorithm: Annotated[str, typer.Option(help="Learning algorithm (see `skybound list`).")],
    out: Annotated[Path, typer.Option(help="Folder of the run.", **PATH)],
    seeds: Seeds = "0",
    budget: Annotated[float | None, typer.Option(help="CPU time of the whole run (min).", min=0)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    change: Annotated[list[str] | None, typer.Option("--set", help="A hyperparameter, NAME=VALUE (JSON).")] = None,
    as_json: Json = False,
) -> None:
    """Train a policy. Ctrl-C keeps what is finished; `--resume` goes on.

    Example: `skybound train placement --preset congested --algorithm imitation --seeds 0-4 --budget 10 --out run`, then
    `skybound solve x.json --solver policy:run` or `policy:run?samples=64`
    """
    from .api import train as train_policy

    changes = dict(assignment(text) for text in change or ())
    outcome = train_policy(
        problem,
        preset,
        algorithm,
        out,
        seeds=numbers(seeds),
        budget_cpu_minutes=budget,
        resume=resume,
        hyperparameters=changes,
    )
    came_to = (
        f"policy:{out}" if outcome.policy else "nothing has been validated yet, so there is no policy; --resume goes on"
    )
    words = f"{outcome.stopped} after {outcome.units} units, {outcome.cpu_s / 60:.1f} CPU minutes; {came_to}"
    _say(
        as_json,
        {"run": str(out)} | {key: getattr(outcome, key) for key in ("stopped", "units", "cpu_s", "policy")},
        words,
    )
    raise typer.Exit(130 if outcome.stopped == "interrupted" else 0 if outcome.policy else 1)


@app.command()
def evaluate(
    files: Files,
    solvers: Annotated[str, typer.Option(help="Solvers, separated by commas.")],
    out: Out,
    seeds: Seeds = "0",
    time_limit: TimeLimit = None,
    gap: Gap = 1e-6,
    against: Annotated[str | None, typer.Option(help="One of the solvers, to take the others' difference to.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue after an interruption.")] = False,
    allow_seen: Annotated[
        bool, typer.Option("--allow-seen", help="Admit instances that a policy was trained on.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run solvers and policies on the same instances and compare them.

    Example: `skybound evaluate instances/*.json --solvers column-generation,greedy,random --seeds 0-4 --out table`

    Exit code 1 when a decision beats what another solver has proven: one of the two is wrong, and the run ends.
    """
    from .experiment import evaluate as compare

    with counted("evaluating") as progress:
        found = compare(
            _load_all(files),
            [name.strip() for name in solvers.split(",")],
            seeds=numbers(seeds),
            time_limit_s=time_limit,
            gap=gap,
            out=out,
            resume=resume,
            allow_seen=allow_seen,
            against=against,
            progress=progress,
        )
    if as_json:
        print(found.summary.to_json(orient="records", lines=True), end="")
    else:
        print_summary(found.summary)
        print(f"rows and summary in {out}")


@app.command()
def reproduce(
    problem: Annotated[str, typer.Argument(help="A problem, such as placement.")],
    out: Out,
    figure: Annotated[list[int] | None, typer.Option(help="Figure of the paper; all by default.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Minutes instead of hours; the figures say what is less.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Draw a paper's figures with the optimum in them; goes on where an earlier call stopped.

    Example: `skybound reproduce placement --figure 5 --quick --out figures`
    """
    from .reproduce import reproduce as draw_figures

    for picture in draw_figures(problem, out, figure, quick=quick):
        rows = picture.with_suffix(".csv")
        _say(as_json, {"picture": str(picture), "rows": str(rows)}, f"{picture} and {rows}")


@app.command()
def pareto(
    file: Annotated[Path, typer.Argument(help="Instance file of slicing.", parser=nonempty_path, metavar="FILE")],
    out: Out,
    time_limit: Annotated[float | None, typer.Option(help="Limit of each problem on the way (s).", min=0)] = None,
    gap: Annotated[
        float, typer.Option(help="Relative gap of throughput at which a point counts as optimal.", min=0)
    ] = 1e-3,
    as_json: Json = False,
) -> None:
    """Find the front of throughput, delay and coverage of a slicing instance, with a bound for every point.

    Example: `skybound pareto instances/slicing-fixed-24-0.json --time-limit 20 --out front`
    """
    from .pareto import pareto as find

    (instance,) = _load_all([file])
    with counted("solving") as progress:
        rows = find(instance, out, time_limit_s=time_limit, gap=gap, progress=progress)
    best = rows[rows["undominated"]].drop(columns="undominated")
    if as_json:
        print(best.to_json(orient="records", lines=True), end="")
    else:
        print_front(best, float(rows.attrs["hypervolume_bps"]))


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """List problems with their solvers, presets and algorithms.

    Example: `skybound list --json`
    """
    from .api import catalogue

    known = catalogue()
    if as_json:
        print(json.dumps(known))
    else:
        print_catalogue(known["problems"])


def _load_all(files: Sequence[Path]) -> list[Instance]:
    return [load(path) for path in files]


def _decision(path: Path, instance: Instance) -> Decision:
    """The decision in a solution file."""
    decision = load_solution(path, instance).decision
    if decision is None:
        raise InputError("has no decision", file=str(path))
    return decision


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".json").removesuffix(".instance")


def _solution_paths(files: Sequence[Path], out: Path | None) -> list[Path | None]:
    """Where each instance's solution goes; two files of one name would overwrite each other."""
    if out is None:
        return [None] * len(files)
    if out.exists() and not out.is_dir():
        raise InputError("is not a folder", file=str(out))
    paths = [out / f"{_stem(file)}.solution.json" for file in files]
    if len(set(paths)) < len(paths):
        raise InputError("two instance files have the same name", "--out")
    return list(paths)


def _announce(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _say(as_json: bool, data: dict[str, Any], words: str) -> None:
    print(json.dumps(data) if as_json else words)


if __name__ == "__main__":
    main()
