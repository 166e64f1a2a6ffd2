"""Solvers and policies on the same instances: one row a run, kept as soon as it is finished, and a summary."""

import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..formulations.problems import FORMULATIONS
from ..instances.arguments import instance_list, seed_list, texts
from ..instances.errors import InputError
from ..instances.fields import FloatArray
from ..instances.json_files import atomic, parse_json, read_json, write_json
from ..instances.record import Decision, Instance
from ..instances.solution import Status
from ..solvers.result import Limits, Result, relative_gap
from ..solvers.solve import run
from .conflicts import Conflict, conflict_error, find_conflict, write_evidence
from .contestants import Contestant, contestant
from .statistics import interval, iqm, regret

PROVEN = 1e-6  # relative distance of objective and bound at which an optimum is known
MEASURES = "measures."  # before the names of what else a paper reports
ROW_KEYS = ("instance", "hash", "solver", "seed", "status", "objective", "bound", "gap", "runtime_s", "reason")


@dataclass(frozen=True)
class Evaluation:
    """What an experiment found.

    Attributes
    ----------
    rows
        One row an (instance, solver, seed): the result, the best proven bound and best known objective of the instance
        over all rows, `regret` against the optimum where these two agree to 1e-6 (else None), and the interval
        [`regret_low`, `regret_high`] that they allow; and what else the problem's paper reports, as `measures.AR`.
    summary
        One row a solver: mean and interquartile mean of the regret over the instances whose optimum is proven (their
        share is `optimum_known`), the same of `regret_high` over all that have a bound, the mean of `regret_low`, the
        mean gap to the bound, time, share proven, and means of what else the paper reports. Means of several instances
        have 95 % stratified bootstrap intervals.
    """

    rows: pd.DataFrame
    summary: pd.DataFrame


def evaluate(
    instances: Sequence[Instance],
    solvers: Sequence[str],
    *,
    seeds: Sequence[int] = (0,),
    time_limit_s: float | None = None,
    gap: float = 1e-6,
    out: str | Path | None = None,
    resume: bool = False,
    allow_seen: bool = False,
    against: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Run solvers on instances and compare them.

    Parameters
    ----------
    instances
        Instances of one problem, each once.
    solvers
        Names of solvers, ``policy:PATH`` for trained ones. Solvers that draw nothing run with the first seed only.
    seeds
        Seeds of solvers that draw; of policies, the trained seeds.
    time_limit_s, gap
        Limits of each run.
    out
        Folder for the rows and the summary (CSV, Parquet where pyarrow is installed); each row is kept as soon as it is
        finished.
    resume
        Continue in `out` after an interruption.
    allow_seen
        Evaluate policies on instances that they were trained or validated on, too; such rows have `seen`.
    against
        One of the solvers, whose regret is taken off every other's on the same instance, seed by seed where both have
        the same seeds: `difference_mean` with its interval.
    progress
        Called with finished and all runs.

    Raises
    ------
    InputError
        When the instances are not of one problem, a solver is unknown, a policy has seen an instance, or an argument
        cannot be.
    ConflictError
        When a decision beats what another solver has proven. The rows until then are kept in `out`, those two with
        status ``conflict``, and the instance and both decisions in its folder ``conflict``.
    """
    instances = instance_list(instances)
    problem = _one_problem(instances)
    solvers, seeds, limits = texts(solvers, "solvers"), seed_list(seeds), Limits(time_limit_s, gap)
    if against is not None and against not in solvers:
        raise InputError(f'is "{against}", which is not among the solvers', "against")
    if not solvers or not seeds:
        raise InputError("must not be empty", "seeds" if solvers else "solvers")
    contestants = [contestant(problem, name) for name in solvers]
    for entry in contestants:
        for instance in instances:
            if entry.seen(instance.hash) and not allow_seen:
                raise InputError(f"{entry.name} was trained or validated on it", file=instance.name)
    settings = {"problem": problem, "time_limit_s": limits.time_limit_s, "gap": limits.gap}
    folder = None if out is None else Path(out)
    store = _Rows(folder, settings, resume)
    todo = [(instance, entry, seed) for instance in instances for entry in contestants for seed in entry.seeds(seeds)]
    results: list[Result] = []  # of the instance at hand
    for done, (instance, entry, seed) in enumerate(todo):
        if progress:
            progress(done, len(todo))
        if store.has(instance.hash, entry, seed):
            continue
        try:
            found = run(entry.solver(seed), entry.name, instance, replace(limits, seed=seed))
        except InputError as error:
            store.leave()
            where = error.file or instance.name
            raise InputError(f"{error.message} ({entry.name})", error.field, where) from None
        result = found.to_json()
        group = instance.provenance.get("preset")
        store.add(
            {key: result[key] for key in ROW_KEYS}
            | {"group": group if isinstance(group, str) else "", "seen": entry.seen(instance.hash)}
            | {"policy": entry.identity}
            | _measures(instance, found.decision)
        )
        results = [*(other for other in results if other.hash == instance.hash), found]
        if conflict := store.find_conflict(problem, instance.hash, entry.name, seed):
            evidence = None if folder is None else folder / "conflict"
            if evidence is not None:
                write_evidence(instance, results, evidence)
            raise conflict_error(instance, conflict, _options(limits), evidence)
    wanted = {(instance.hash, entry.name, seed) for instance, entry, seed in todo}
    rows = _compared(pd.DataFrame([row for key, row in store.rows.items() if key in wanted]), problem)
    summary = summarise(rows, against)
    if folder is not None:
        _write_table(rows, folder / "rows")
        _write_table(summary, folder / "summary")
    return Evaluation(rows, summary)


def _options(limits: Limits) -> str:
    """The limits as options of the command line."""
    time_limit = "" if limits.time_limit_s is None else f" --time-limit {limits.time_limit_s:g}"
    return f"{time_limit} --gap {limits.gap:g}"


def _measures(instance: Instance, decision: Decision | None) -> dict[str, float | None]:
    """What else the problem's paper reports of a decision."""
    measures = {} if decision is None else FORMULATIONS[instance.problem].judge(instance, decision).measures
    return {MEASURES + name: value for name, value in measures.items()}


def _one_problem(instances: Sequence[Instance]) -> str:
    problems = {instance.problem for instance in instances}
    if len(problems) != 1:
        raise InputError("needs instances of one problem, got " + (", ".join(sorted(problems)) or "none"), "instances")
    hashes: dict[str, str] = {}
    for instance in instances:
        if instance.hash in hashes:
            raise InputError(f"is the same instance as {hashes[instance.hash]}", file=instance.name)
        hashes[instance.hash] = instance.name
    return problems.pop()


class _Rows:
    """Finished rows, by (hash, solver, seed); appended to a file of JSON lines when there is a folder."""

    def __init__(self, folder: Path | None, settings: dict[str, Any], resume: bool) -> None:
        self.rows: dict[tuple[str, str, int], dict[str, Any]] = {}
        self._path = None if folder is None else folder / "rows.jsonl"
        self._made = folder is not None and not folder.exists()
        if folder is None or self._path is None:
            return
        note = folder / "settings.json"
        if resume and note.exists():
            if (before := read_json(note)) != settings:
                raise InputError(f"was begun with {before}, not {settings}", file=str(note))
            for row in self._finished(self._path):
                self.rows[row["hash"], row["solver"], row["seed"]] = row
        elif self._path.exists():
            raise InputError("exists already; resume, or choose another folder", file=str(self._path))
        write_json(note, settings)
        with atomic(self._path) as stream:  # without a line that an interruption cut off
            stream.write("".join(json.dumps(row) + "\n" for row in self.rows.values()).encode())

    def _finished(self, path: Path) -> Iterator[dict[str, Any]]:
        if path.exists():
            for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
                if line.endswith(b"\n"):
                    row = parse_json(line)
                    if not isinstance(row, dict) or not {*ROW_KEYS, "policy"} <= row.keys():
                        raise InputError("is not a row of an experiment", f"line {number}", str(path))
                    yield row

    def has(self, instance_hash: str, entry: Contestant, seed: int) -> bool:
        """Return whether there is a row that contradicts no other, of the same policy where it is one."""
        row = self.rows.get((instance_hash, entry.name, seed))
        return row is not None and row["policy"] == entry.identity and row["status"] != Status.CONFLICT

    def find_conflict(self, problem: str, instance_hash: str, solver: str, seed: int) -> Conflict | None:
        """Return a contradiction of a row with others of its instance; both rows then say so."""
        key = instance_hash, solver, seed
        others = [
            row
            for other, row in self.rows.items()
            if other[0] == instance_hash and other != key and row["status"] != Status.CONFLICT
        ]
        conflict = find_conflict(problem, self.rows[key], others)
        for row in conflict or ():
            self.add({**row, "status": str(Status.CONFLICT)})
        return conflict

    def leave(self) -> None:
        """Take the folder away again where it was made for nothing."""
        if self._made and self._path is not None and not self.rows:
            shutil.rmtree(self._path.parent)

    def add(self, row: dict[str, Any]) -> None:
        self.rows[row["hash"], row["solver"], row["seed"]] = row
        if self._path is not None:
            with self._path.open("a") as stream:
                stream.write(json.dumps(row) + "\n")
                stream.flush()
                os.fsync(stream.fileno())


def _compared(rows: pd.DataFrame, problem: str) -> pd.DataFrame:
    """Put every row beside the best bound and the best objective known of its instance."""
    sense = FORMULATIONS[problem].sense
    minimise = sense == "minimise"
    numbers = ["objective", "bound", "gap"]
    rows = rows.astype(dict.fromkeys(numbers, float)).sort_values(
        ["group", "instance", "solver", "seed"], kind="stable"
    )
    rows["best_objective"] = rows.groupby("hash")["objective"].transform("min" if minimise else "max")
    rows["best_bound"] = rows.groupby("hash")["bound"].transform("max" if minimise else "min")
    rows["proven"] = rows["status"] == "optimal"

    def each(measure: Callable[[float, float], float | None], reference: str) -> pd.Series:
        pairs = zip(rows["objective"], rows[reference], strict=True)
        return pd.Series([None if np.isnan([a, b]).any() else measure(a, b) for a, b in pairs], rows.index, float)

    def measured(value: float, reference: float) -> float | None:
        return regret(value, reference, sense)

    known = zip(rows["best_objective"], rows["best_bound"], strict=True)
    proven = pd.Series(
        [(relative_gap(p, d) or 0.0) <= PROVEN if p == p and d == d else False for p, d in known], rows.index
    )
    rows["regret_low"] = each(measured, "best_objective")
    rows["regret_high"] = each(measured, "best_bound").where(~proven, rows["regret_low"])
    rows["regret"] = rows["regret_low"].where(proven)
    rows["optimum_known"] = proven
    rows["difference"] = (rows["objective"] - rows["best_objective"]).abs()
    rows["gap_to_bound"] = each(relative_gap, "best_bound")
    return rows.reset_index(drop=True)


def summarise(rows: pd.DataFrame, against: str | None = None) -> pd.DataFrame:
    """One line a solver; runs without a decision count in `solved` only."""
    tables = {name: _scores(own, "regret_high") for name, own in rows.groupby("solver", sort=False)}
    baseline = None if against is None else tables[against]
    lines = []
    for name, own in rows.groupby("solver", sort=False):
        line: dict[str, Any] = {
            "solver": name,
            "runs": len(own),
            "solved": own["objective"].notna().mean(),
            "proven": own["proven"].mean(),
        }
        table, exact = tables[name], _scores(own, "regret")
        line |= _estimate("regret_mean", exact, np.mean) | _estimate("regret_iqm", exact, iqm)
        line |= _estimate("regret_high_mean", table, np.mean) | _estimate("regret_high_iqm", table, iqm)
        if baseline is not None and name != against:
            # Of two that draw, each seed with its own counterpart: then the interval holds what both draw.
            paired = set(table.columns) == set(baseline.columns)
            less = table - baseline if paired else table.sub(baseline.mean(axis=1), axis=0)
            line |= _estimate("difference_mean", less.dropna(), np.mean)
        line |= {
            "gap_to_bound_mean": own["gap_to_bound"].mean(),
            "regret_low_mean": own["regret_low"].mean(),
            "optimum_known": own.groupby("hash")["optimum_known"].first().mean(),
        }
        line |= {"time_median_s": own["runtime_s"].median(), "time_max_s": own["runtime_s"].max()}
        line |= {f"{name}_mean": own[name].astype(float).mean() for name in own.columns if name.startswith(MEASURES)}
        lines.append(line)
    return pd.DataFrame(lines)


def _scores(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """A measure of a solver, instances by seeds; an instance without one for some seed is left out."""
    table = rows.pivot_table(index=["group", "hash"], columns="seed", values=measure, dropna=False)
    return table.dropna(how="any")


def _estimate(label: str, table: pd.DataFrame, statistic: Callable[[FloatArray], float]) -> dict[str, float]:
    """A statistic with its interval, nothing where there are no scores."""
    if not len(table):
        return {label: math.nan, f"{label}_low": math.nan, f"{label}_high": math.nan}
    scores, strata = table.to_numpy(), table.index.get_level_values("group").to_numpy()
    low, high = interval(scores, strata, statistic, np.random.default_rng(0))
    return {label: float(statistic(scores.ravel())), f"{label}_low": low, f"{label}_high": high}


def _write_table(table: pd.DataFrame, stem: Path) -> None:
    with atomic(stem.with_suffix(".csv")) as stream:
        table.to_csv(stream, index=False, lineterminator="\n")
    try:
        import pyarrow  # noqa: F401 - only whether it is there
    except ImportError:
        return
    with atomic(stem.with_suffix(".parquet")) as stream:
        table.to_parquet(stream)
