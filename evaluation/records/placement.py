"""Placement's records: policies against the optimum, the price of even sharing, and the scale of exact solving."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from ...instances.fields import FloatArray
from ...instances.problems import generate
from ...solvers.solve import solve
from .. import benchmark
from ..experiment import evaluate
from ..statistics import interval
from ..trained import cpu_minutes, trained

PRESETS = ("paper", "congested", "congested-40", "congested-100")
SIZES = "congested,congested-40,congested-100"  # one network of edges serves all sizes
HEURISTICS = ("random", "greedy", "regret", "best-response", "local-search")
TEAMS = ("iql", "vdn", "qmix")
STUDENTS = ("imitation", "imitation-rl")
SEEDS = range(5)
HELD_OUT_SEED, HELD_OUT = 3_000_000, 200
BUDGET_CPU_S = 30 * 60
SAMPLES = 64


def policies(work: Path) -> pd.DataFrame:
    """Regret of heuristics and policies on 200 held-out slots of each preset, 5 seeds, CPU time of training charged."""
    tables = []
    for preset in PRESETS:
        runs = {f"{name}": _trained(work, name, preset) for name in TEAMS}
        runs |= {name: _trained(work, name, SIZES) for name in STUDENTS}
        names = {"column-generation": "optimum"} | {name: name for name in HEURISTICS}
        for name, run in runs.items():
            names |= {f"policy:{run}": name, f"policy:{run}?samples={SAMPLES}": f"{name}, best of {SAMPLES}"}
        slots = [generate("placement", preset, HELD_OUT_SEED + k) for k in range(HELD_OUT)]
        folder = work / "policies" / preset
        found = evaluate(slots, list(names), seeds=list(SEEDS), out=folder, resume=True, against="local-search").summary
        found.insert(0, "preset", preset)
        found["cpu_minutes"] = [_cpu_minutes(name) for name in found["solver"]]
        found["solver"] = found["solver"].map(names)
        tables.append(found)
    return pd.concat(tables)


def _trained(work: Path, algorithm: str, preset: str) -> Path:
    folder = work / "runs" / f"{algorithm}-{preset.replace(',', '+')}"
    return trained("placement", preset, algorithm, SEEDS, folder, budget_cpu_s=BUDGET_CPU_S)


def _cpu_minutes(solver: str) -> float | None:
    """CPU time of a policy's training (min)."""
    if not solver.startswith("policy:"):
        return None
    return cpu_minutes(Path(solver.removeprefix("policy:").partition("?")[0]))


def sharing(work: Path) -> pd.DataFrame:
    """What even shares cost: (optimum with them - optimum with optimal ones) / the latter, 100 slots a preset."""
    lines = []
    for preset in PRESETS:
        lost = np.array([_lost(preset, HELD_OUT_SEED + k) for k in range(100)])
        low, high = interval(lost[:, None], np.zeros(len(lost)), _mean, np.random.default_rng(0))
        lines.append(
            {"preset": preset, "slots": len(lost), "mean": lost.mean(), "low": low, "high": high, "max": lost.max()}
        )
    return pd.DataFrame(lines)


def _lost(preset: str, seed: int) -> float:
    even, optimal = (solve(generate("placement", name, seed)).objective for name in (preset, f"{preset}-optimal"))
    assert even is not None
    assert optimal is not None
    return (even - optimal) / optimal


def _mean(values: FloatArray) -> float:
    return float(values.mean())


def scale(work: Path) -> pd.DataFrame:
    """Medians and maxima of the benchmark cases."""
    return benchmark.scale("placement", work / "benchmark")


RECORDS: dict[str, Callable[[Path], pd.DataFrame]] = {"scale": scale, "sharing": sharing, "policies": policies}
