"""Provisioning's records: policies against the optimum, A2C and A3C, management, domains, information, and scale."""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...instances.fields import FloatArray
from ...instances.json_files import read_json, write_json
from ...instances.provisioning import Provisioning
from ...instances.provisioning.presets import generate
from ...solvers.provisioning.information import expected, simulated
from .. import benchmark
from ..experiment import evaluate
from ..trained import cpu_minutes, metrics, trained

PRESETS = ("paper", "tight")
PAPERS_SETTING = "paper"
KNOWING = ("current", "previous")
RULES = ("random", "fixed", "greedy", "best-first")
ACTORS = ("a2c", "a3c")
STUDENTS = ("imitation", "imitation-rl")
SEEDS = range(5)
HELD_OUT_SEED, HELD_OUT = 3_000_000, 20
SAMPLED, SAMPLES = 2, 16
BUDGETS_CPU_S, BUDGETED = (60, 200, 600), 5
MANAGED = (
    "transmission",
    "caching",
    "computing",
    "transmission+caching",
    "transmission+computing",
    "caching+computing",
    "transmission+caching+computing",
)
DOMAINS = (1, 2, 4)
DRAWS, NORMAL = 200, 1.96
TINY = "tight:slots=3,users=2,resources=1/1/1/1,capacities=1/1/1/1"  # all of whose joint states can be counted


def policies(work: Path) -> pd.DataFrame:
    """Regret of rules and policies on held-out trajectories, by what is known, 5 seeds, CPU time charged."""
    return pd.concat([_table(work, preset, knowing, 1) for preset in PRESETS for knowing in KNOWING])


def sampled(work: Path) -> pd.DataFrame:
    """The same of the best of 16 draws of every slot, by what is known of it, on fewer trajectories."""
    return pd.concat([_table(work, preset, knowing, SAMPLES) for preset in PRESETS for knowing in KNOWING])


def _table(work: Path, preset: str, knowing: str, samples: int) -> pd.DataFrame:
    runs = {name: _run(work, name, _of(preset, knowing)) for name in ACTORS}
    if preset == PAPERS_SETTING:
        runs |= {name: _run(work, name, _of(preset, knowing)) for name in (f"{actor}-paper" for actor in ACTORS)}
    runs |= {name: _run(work, name, _everywhere()) for name in STUDENTS}
    names = {"decomposition": "optimum"}
    if samples == 1:
        names |= {rule: rule for rule in RULES} | {f"policy:{run}": name for name, run in runs.items()}
    else:
        names |= {f"policy:{run}?samples={samples}": f"{name}, best of {samples}" for name, run in runs.items()}
    minutes = {f"policy:{run}": cpu_minutes(run) for run in runs.values()}
    instances = _instances(_of(preset, knowing), HELD_OUT if samples == 1 else SAMPLED)
    folder = work / "policies" / f"{preset}-{knowing}-{samples}"
    found = evaluate(instances, list(names), seeds=list(SEEDS), out=folder, resume=True).summary
    found["cpu_minutes"] = [minutes.get(name.partition("?")[0]) for name in found["solver"]]
    return _named(found, names, preset=preset, knowing=knowing)


def actors(work: Path) -> pd.DataFrame:
    """A2C and A3C on the same budgets of CPU time: time, updates and regret on held-out trajectories of `paper`."""
    instances, lines = _instances(PAPERS_SETTING, BUDGETED), list[dict[str, Any]]()
    for budget in BUDGETS_CPU_S:
        for algorithm in ACTORS:
            folder = work / "budgets" / f"{algorithm}-{budget}"
            clock = folder.with_suffix(".json")
            if not clock.exists():
                began = time.perf_counter()
                trained("provisioning", PAPERS_SETTING, algorithm, SEEDS, folder, budget_cpu_s=budget)
                write_json(clock, {"seconds": time.perf_counter() - began})
            out = work / "budgets" / f"{algorithm}-{budget}-rows"
            names = ["decomposition", f"policy:{folder}"]
            own = evaluate(instances, names, seeds=list(SEEDS), out=out, resume=True).summary.iloc[1]
            last = metrics(folder)[-1]
            lines.append(
                {
                    "algorithm": algorithm,
                    "budget_cpu_s": budget,
                    "cpu_s": last["cpu_s"],
                    "seconds": read_json(clock)["seconds"],
                    "updates": np.mean(last["step"]),
                    **own.filter(like="regret_high_mean"),
                }
            )
    return pd.DataFrame(lines)


def management(work: Path) -> pd.DataFrame:
    """What is lost when some of the three resources are managed and fixed rules have the others."""
    names = {"decomposition": "optimum", "fixed": "none"} | {f"managed:{parts}": parts for parts in MANAGED}
    return _compared(work, "management", names)


def domains(work: Path) -> pd.DataFrame:
    """What a controller for each domain loses against a global one, to the optimum, by a rule, and learned."""
    inner = {"decomposition": "optimum", "best-first": "best-first", "greedy": "greedy"}
    inner[f"policy:{_run(work, 'imitation', _everywhere())}"] = "imitation"
    names = {f"domains:{count}:{place}": f"{name}, {count}" for count in DOMAINS for place, name in inner.items()}
    return _compared(work, "domains", {"decomposition": "bound"} | names)


def information(work: Path) -> pd.DataFrame:
    """What knowing a slot's states is worth: exactly where all states can be counted, by simulation elsewhere."""
    tiny, lines = generate(TINY, HELD_OUT_SEED), list[dict[str, Any]]()
    values = {knowing: expected(tiny, knowing) for knowing in KNOWING}
    lines += [_line(TINY, f"best policy, {knowing}", "exact", [value]) for knowing, value in values.items()]
    for preset in (TINY, *PRESETS):
        instance = generate(preset, HELD_OUT_SEED)
        for knowing in KNOWING:
            drawn = simulated(instance, knowing, DRAWS, np.random.default_rng(0))
            lines.append(_line(preset, f"best policy, {knowing}", "simulated", drawn))
    return pd.DataFrame(lines)


def scale(work: Path) -> pd.DataFrame:
    """Medians and maxima of the benchmark cases."""
    return benchmark.scale("provisioning", work / "benchmark-provisioning")


def _compared(work: Path, record: str, names: dict[str, str]) -> pd.DataFrame:
    """Solvers on held-out trajectories of both presets, by what is known."""
    tables = []
    for preset in PRESETS:
        for knowing in KNOWING:
            folder = work / record / f"{preset}-{knowing}"
            instances = _instances(_of(preset, knowing), HELD_OUT)
            found = evaluate(instances, list(names), seeds=list(SEEDS), out=folder, resume=True).summary
            tables.append(_named(found, names, preset=preset, knowing=knowing))
    return pd.concat(tables)


def _named(table: pd.DataFrame, names: dict[str, str], **columns: str) -> pd.DataFrame:
    """With solvers as they are called, and what the table is of before them."""
    table = table.assign(solver=table["solver"].map(names))
    for column, value in reversed(columns.items()):
        table.insert(0, column, value)
    return table


def _line(preset: str, policy: str, how: str, values: Sequence[float] | FloatArray) -> dict[str, Any]:
    """Mean reward of a trajectory (units) with its 95 % interval; an exact one is a point."""
    mean, spread = float(np.mean(values)), 0.0
    if len(values) > 1:
        spread = NORMAL * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    line = {"preset": preset, "policy": policy, "how": how, "draws": len(values)}
    return line | {"mean": mean, "mean_low": mean - spread, "mean_high": mean + spread}


def _instances(preset: str, count: int) -> list[Provisioning]:
    return [generate(preset, HELD_OUT_SEED + k) for k in range(count)]


def _of(preset: str, knowing: str) -> str:
    return f"{preset}:information={knowing}"


def _everywhere() -> str:
    """What imitation learns on: all presets at once, both kinds of information."""
    return ";".join(_of(preset, knowing) for preset in PRESETS for knowing in KNOWING)


def _run(work: Path, algorithm: str, preset: str) -> Path:
    """The run of an algorithm."""
    place = "all" if ";" in preset else preset.replace(":information=", "-")
    return trained("provisioning", preset, algorithm, SEEDS, work / "runs" / f"{algorithm}-{place}")


RECORDS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "scale": scale,
    "policies": policies,
    "sampled": sampled,
    "actors": actors,
    "management": management,
    "domains": domains,
    "information": information,
}
