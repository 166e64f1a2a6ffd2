"""Benchmarks of record: ours and the alternative on the same seeds, in turns, in one run.

Every row is one run of one contender on one instance. Medians and maxima are printed, the raw rows are written as CSV,
and with ``--check`` the exit code is 1 where a median misses its target or a maximum is over three times it.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from ..instances.json_files import atomic
from ..instances.placement import Placement
from ..instances.placement.presets import Preset, World
from ..instances.problems import generate
from ..solvers.registry import SOLVERS
from ..solvers.result import SMALLEST_GAP, Result, relative_gap
from ..solvers.solve import solve

SEEDS = range(10)
COMPACT_LIMIT_S = 60.0
SLACK = 3  # a maximum may be so many times the target of the median


class Target(NamedTuple):
    """What a contender's rows must show: the median of a measure at most so much."""

    contender: str
    measure: str
    most: float


@dataclass(frozen=True)
class Case:
    """Contenders on the same instances.

    Attributes
    ----------
    contenders
        By name; each makes the measures of one run on the instance of a seed.
    targets
        What must hold.
    """

    name: str
    contenders: dict[str, Callable[[int], dict[str, Any]]]
    targets: Sequence[Target]

    def rows(self, seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Run all contenders on one seed after the other."""
        for seed in seeds:
            for contender, measure in self.contenders.items():
                yield {"case": self.name, "contender": contender, "seed": seed} | measure(seed)


def scale(
    problem: str,
    preset: str,
    target_s: float,
    *,
    certified: tuple[float, float] | None = None,
    proven: bool = True,
    faster: float | None = None,
) -> Case:
    """The problem's best exact solver beside the explicit model in HiGHS, which has a time limit.

    Parameters
    ----------
    target_s
        Of the best solver (s).
    certified
        A relative gap, and in what time it must be reached (s).
    proven
        Whether every instance must be proven optimal; otherwise the best solver has `target_s`.
    faster
        How many times faster than the explicit model the best solver must reach the gap that the model ends with.
    """
    best = next(iter(SOLVERS[problem]))
    milp = f"milp ({COMPACT_LIMIT_S:.0f} s)"
    model_gap: dict[int, float] = {}

    def row(result: Result) -> dict[str, Any]:
        return {
            "hash": result.hash,
            "seconds": result.runtime_s,
            "status": str(result.status),
            "objective": result.objective,
            "bound": result.bound,
            "gap": result.gap,
            "unproven": float(result.status != "optimal"),
        }

    def by_model(seed: int) -> dict[str, Any]:
        result = solve(generate(problem, preset, seed), "milp", time_limit_s=COMPACT_LIMIT_S)
        model_gap[seed] = np.inf if result.gap is None else result.gap
        return row(result) | {"seconds_to_same_gap": result.runtime_s}

    def by_best(seed: int) -> dict[str, Any]:
        result = solve(generate(problem, preset, seed), time_limit_s=None if proven else target_s)
        found = row(result) | {"seconds_to_same_gap": _seconds_to(model_gap[seed], result)}
        return found | ({} if certified is None else {"seconds_to_certify": _seconds_to(certified[0], result)})

    targets = [Target(best, "seconds", target_s), Target(best, "unproven", 0.0)] if proven else []
    if certified is not None:
        targets.append(Target(best, "seconds_to_certify", certified[1]))
    if faster is not None:
        targets.append(Target(best, f"seconds_to_same_gap / {milp}", 1 / faster))
    return Case(f"{problem} {preset}", {milp: by_model, best: by_best}, targets)


def _seconds_to(gap: float, result: Result) -> float:
    """When a result's bound and incumbent were first so near (s); infinite when they never were."""
    reached = [
        point.time_s
        for point in result.trace
        if (now := relative_gap(point.incumbent, point.bound)) is not None and now <= max(gap, SMALLEST_GAP)
    ]
    if result.gap is not None and result.gap <= gap:
        reached.append(result.runtime_s)
    return min(reached, default=np.inf)


def fast_path() -> Case:
    """Building a model of some 5,400 columns and handing it to HiGHS, against arrays filled by hand and appsi."""
    preset = Preset(400, 11, (0.5, 20), (20, 100), 0.2, (10, 10), 20)

    def instance(seed: int) -> Placement:
        rng = np.random.default_rng(seed)
        world = World.draw(preset, 1, rng)
        return world.instance(world.slots(rng), 0, name=f"fast-path-{seed}", provenance={})

    def by(hand_over: Callable[[Placement], int]) -> Callable[[int], dict[str, Any]]:
        def measure(seed: int) -> dict[str, Any]:
            drawn = instance(seed)
            began = time.perf_counter()
            columns = hand_over(drawn)
            return {"hash": drawn.hash, "seconds": time.perf_counter() - began, "columns": columns}

        return measure

    from . import hand_over

    contenders = {
        "fast path": by(hand_over.by_fast_path),
        "arrays": by(hand_over.by_arrays),
        "appsi_highs": by(hand_over.by_appsi),
    }
    targets = [Target("fast path", "seconds / arrays", 8.0), Target("fast path", "seconds / appsi_highs", 0.25)]
    return Case("fast path", contenders, targets)


def q_learning() -> Case:
    """Seconds for an environment step of deep Q-learning, beside Stable-Baselines3's at equal reuse of transitions."""
    from . import q_steps

    contenders: dict[str, Callable[[int], dict[str, Any]]] = {
        "ours": q_steps.ours,
        "stable-baselines3": q_steps.stable_baselines,
    }
    return Case("q-learning", contenders, [Target("ours", "seconds / stable-baselines3", 0.1)])


CASES: dict[str, Callable[[], Case]] = {
    "fast-path": fast_path,
    "q-learning": q_learning,
    "congested": lambda: scale("placement", "congested", 0.1),
    "congested-40": lambda: scale("placement", "congested-40", 0.1),
    "congested-100": lambda: scale("placement", "congested-100", 0.5),
    "large": lambda: scale("placement", "large", 2.0),
    "huge": lambda: scale("placement", "huge", 180.0, certified=(1e-3, 60.0)),
    "congested-optimal": lambda: scale("placement", "congested-optimal", 1.0),
    "congested-40-optimal": lambda: scale("placement", "congested-40-optimal", 3.0),
    "congested-100-optimal": lambda: scale("placement", "congested-100-optimal", 180.0),
    "association-paper": lambda: scale("association", "paper", 15.0, faster=100),
    "association-headline": lambda: scale("association", "headline", 15.0, faster=100),
    "association-headline-near": lambda: scale("association", "headline-near", 15.0, faster=100),
    "association-fading": lambda: scale("association", "fading", 15.0, faster=100),
    "association-steep": lambda: scale(
        "association", "steep", 120.0, certified=(1e-3, 120.0), proven=False, faster=100
    ),
    "association-steep-spread": lambda: scale(
        "association", "steep-spread", 150.0, certified=(1e-3, 120.0), proven=False, faster=100
    ),
}


def run(names: Sequence[str], seeds: Sequence[int], out: Path) -> tuple[pd.DataFrame, list[str]]:
    """Run cases; returns all rows and the targets that were missed.

    Parameters
    ----------
    names
        Names of `CASES`.
    seeds
        Seeds of the instances.
    out
        Folder of the raw rows.
    """
    console, frames, missed = Console(), [], []
    _warm()
    for name in names:
        case = CASES[name]()
        rows = pd.DataFrame(list(case.rows(seeds)))
        frames.append(rows)
        with atomic(out / f"{name}.csv") as stream:
            rows.to_csv(stream, index=False)
        console.print(_table(case, rows))
        for target in case.targets:
            values = _measured(rows, target)
            figures = f"median {values.median():.4g}, max {values.max():.4g}"
            line = f"{case.name}: {target.contender}: {target.measure}: {figures}"
            kept = values.median() <= target.most and values.max() <= SLACK * target.most
            console.print(f"  {'kept' if kept else 'MISSED'}: {line}, target {target.most:g}", highlight=False)
            if not kept:
                missed.append(line)
    return pd.concat(frames), missed


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """One line a case and contender: runs, medians and maxima of time and gap, runs proven optimal."""
    lines = []
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
            "gap_median": gap.median(),
            "gap_max": gap.max(),
            "seconds_to_certify_median": own["seconds_to_certify"].median(),
        }
        lines.append(line)
    return pd.DataFrame(lines)


def _warm() -> None:
    """Compile and import everything once: a record is of runs, not of the first call."""
    for problem, preset in (
        ("placement", "congested"),
        ("placement", "congested-optimal"),
        ("association", "headline"),
        ("association", "fading"),
        ("association", "steep-spread"),
    ):
        for solver in (None, "milp"):
            solve(generate(problem, preset, 1_000_000), solver, time_limit_s=10.0)


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
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="number of seeds from 0 (default %(default)s)")
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
