"""Benchmarks of record: ours and the alternative on the same seeds, in turns, in one run.

Every row is one run of one contender on one instance. Medians and maxima are printed, the raw rows are written as CSV,
and with ``--check`` the exit code is 1 where a median misses its target or a maximum is over three times it; where the
target is of a share of many, where the mean misses it.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from ..instances.json_files import atomic
from ..instances.problems import generate
from ..solvers.solve import solve
from .benchmark_cases import CASES, CASES_OF, ONLINE, Case, Target

SEEDS = range(10)
SLACK = 3  # a maximum may be so many times the target of the median


def run(
    names: Sequence[str], seeds: Sequence[int], out: Path, *, resume: bool = False
) -> tuple[pd.DataFrame, list[str]]:
    """Run cases; returns all rows and the targets that were missed.

    Parameters
    ----------
    names
        Names of `CASES`.
    seeds
        Seeds of the instances.
    out
        Folder of the raw rows.
    resume
        Whether cases whose rows are in the folder are not run again.
    """
    console, frames, missed = Console(), [], []
    _warm()
    for name in names:
        case, file = CASES[name](), out / f"{name}.csv"
        if resume and file.exists():
            rows = pd.read_csv(file)
        else:
            rows = pd.DataFrame(list(case.rows(seeds)))
            with atomic(file) as stream:
                rows.to_csv(stream, index=False)
        frames.append(rows)
        console.print(_table(case, rows))
        for target in case.targets:
            values = _measured(rows, target)
            figures = f"mean {values.mean():.4g}, median {values.median():.4g}, max {values.max():.4g}"
            line = f"{case.name}: {target.contender}: {target.measure}: {figures}"
            kept = values.median() <= target.most and values.max() <= SLACK * target.most
            if target.of_mean:
                kept = values.mean() <= target.most
            console.print(f"  {'kept' if kept else 'MISSED'}: {line}, target {target.most:g}", highlight=False)
            if not kept:
                missed.append(line)
    return pd.concat(frames), missed


def scale(problem: str, out: Path) -> pd.DataFrame:
    """Medians and maxima of a problem's cases on all seeds; those whose rows are in the folder are not run again."""
    rows, _ = run(list(CASES_OF[problem]), SEEDS, out, resume=True)
    return summary(rows)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """One line a case and contender: medians and maxima of time and gap, runs proven, mean shares open."""
    measured = ["status", "objective", "gap", "seconds_to_certify"]
    rows = rows.reindex(columns=rows.columns.union(measured, sort=False))  # not every case has all of them
    shares, lines = [column for column in rows.columns if column.startswith("unproven after")], []
    for (case, contender), own in rows.groupby(["case", "contender"], sort=False):
        gap = own["gap"].astype(float)
        line = {
            "case": case,
            "contender": contender,
            "runs": len(own),
            "seconds_median": own["seconds"].median(),
            "seconds_max": own["seconds"].max(),
            "proven": (own["status"] == "optimal").sum() if own["status"].notna().any() else None,
            "without_gap": gap.isna().sum() if own["status"].notna().any() else None,
            "objective_median": own["objective"].astype(float).median(),
            "gap_median": gap.median(),
            "gap_max": gap.max(),
            "seconds_to_certify_median": own["seconds_to_certify"].astype(float).median(),
        }
        lines.append(line | {column: own[column].mean() for column in shares})
    return pd.DataFrame(lines)


def _warm() -> None:
    """Compile and import everything once: a record is of runs, not of the first call."""
    for problem, preset in (
        ("placement", "congested"),
        ("placement", "congested-optimal"),
        ("association", "headline"),
        ("association", "fading"),
        ("association", "steep-spread"),
        ("embedding", "small"),
        ("provisioning", "tight:slots=2"),
        ("slicing", "paper-24:users=6"),
    ):
        for solver in (None, "milp"):
            solve(generate(problem, preset, 1_000_000), solver, time_limit_s=10.0)
    solve(generate("embedding", "paper:requests=20", 1_000_000))
    for name in ONLINE:
        solve(generate("embedding", "single", 1_000_000), name)


def _measured(rows: pd.DataFrame, target: Target) -> pd.Series:
    """One value a seed; a measure "a / b" is a ratio to contender b on the same seed."""
    measure, _, other = target.measure.partition(" / ")
    by_seed = rows.pivot_table(index="seed", columns="contender", values=measure)
    values = by_seed[target.contender]
    return values / by_seed[other] if other else values


def _table(case: Case, rows: pd.DataFrame) -> Table:
    table = Table("contender", "runs", "median (s)", "max (s)", "proven", "median gap", "max gap", title=case.name)
    for contender, own in rows.groupby("contender", sort=False):
        proven = f"{(own['status'] == 'optimal').sum()}" if "status" in own else "-"
        gap = own["gap"].astype(float) if "gap" in own else pd.Series([np.nan])
        gaps = (
            [f"{gap.median():.2g}", f"{gap.max():.2g}" if gap.notna().all() else "none"] if "gap" in own else ["-", "-"]
        )
        table.add_row(
            str(contender),
            str(len(own)),
            f"{own['seconds'].median():.4f}",
            f"{own['seconds'].max():.4f}",
            proven,
            *gaps,
        )
    return table


def main() -> None:
    """Run the benchmarks named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m skybound.evaluation.benchmark", description=__doc__)
    parser.add_argument("--only", default=",".join(CASES), help="cases, separated by commas: %(default)s")
    parser.add_argument(
        "--seeds",
        type=int,
        default=len(SEEDS),
        help="number of seeds from 0, fewer in long cases (default %(default)s)",
    )
    parser.add_argument("--out", type=Path, default=Path("out/benchmark"), help="folder of the raw rows")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    chosen = parser.parse_args()
    names = chosen.only.split(",")
    if unknown := set(names) - set(CASES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(CASES)}")
    _, missed = run(names, range(chosen.seeds), chosen.out)
    sys.exit(1 if chosen.check and missed else 0)


if __name__ == "__main__":
    main()
