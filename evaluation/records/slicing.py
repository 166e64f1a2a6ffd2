"""Slicing's records: policies against certified solutions, the paper's layers, places of UAVs, the front, and scale."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from ...formulations.slicing.referee import judge
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.presets import SIZES, generate
from ...solvers.result import Limits, relative_gap
from ...solvers.slicing.two_layer import two_layer
from ...solvers.solve import solve
from .. import benchmark
from ..experiment import evaluate
from ..pareto import NAMES, pareto
from ..trained import cpu_minutes, run_folder, trained

RULES = ("random", "strongest-signal", "load-balancing", "load-balancing-any", "local-search", "equal-prices")
PAPERS = ("two-layer-maddpg", "maddpg", "mappo")
PRINTED, PRINTED_ON = "two-layer-maddpg-paper", 30  # as printed, and the users of the slots that it learns from
STUDENTS = ("imitation", "imitation-tuned")
SEEDS = range(5)
HELD_OUT_SEED, HELD_OUT = 3_000_000, 5
CERTIFIED_S, GAP = 60.0, 1e-3
CERTIFIED_BY_SIZE_S = {24: 60.0, 30: 120.0, 36: 240.0, 42: 360.0, 48: 360.0}
LEARNED_ON = (24, 30)  # users of the slots that imitation learns from: larger ones take long to certify
SIDES, ON_SIDES = (7, 13, 25), 3
LAYERED, FRONT_S = 5, 20.0


def policies(work: Path) -> pd.DataFrame:
    """Regret of rules and policies on held-out slots of all sizes, against certified solutions; 5 seeds."""
    tables, students = [], {name: _student(work, name) for name in STUDENTS}
    for users in SIZES:
        for preset, papers in ((f"paper-{users}", PAPERS), (f"fixed-{users}", PAPERS[:1])):
            runs = {name: _run(work, name, preset) for name in papers} | students
            if users == PRINTED_ON and papers is PAPERS:
                runs |= {PRINTED: _run(work, PRINTED, preset)}
            tables.append(_policies(work, preset, runs, CERTIFIED_BY_SIZE_S[users]))
    return pd.concat(tables)


def _policies(work: Path, preset: str, runs: dict[str, Path], certified_s: float) -> pd.DataFrame:
    """The same of one preset."""
    names = {"decomposition": "certified"} | {rule: rule for rule in RULES}
    names |= {f"policy:{run}": name for name, run in runs.items()}
    minutes = {name: cpu_minutes(run) for name, run in runs.items()}
    limits: dict[str, Any] = {"time_limit_s": certified_s, "gap": GAP}
    folder = work / "policies" / preset
    found = evaluate(_slots(preset), list(names), seeds=list(SEEDS), out=folder, resume=True, **limits).summary
    found["solver"] = found["solver"].map(names)
    found["cpu_minutes"] = [minutes.get(name) for name in found["solver"]]
    found.insert(0, "preset", preset)
    return found


def reuse(work: Path) -> pd.DataFrame:
    """What several users of a node on a subcarrier bring: certified solutions without and with, UAVs fixed."""
    lines = list[dict[str, Any]]()
    for users in LEARNED_ON:  # with more users, reuse has no bound worth the name
        for slot in _slots(f"fixed-{users}", LAYERED):
            for name, variant in (("without", slot), ("with", generate(f"fixed-{users}:reuse=yes", _seed(slot)))):
                found = solve(variant, time_limit_s=CERTIFIED_S, gap=GAP)
                lines.append(_line(f"{name} reuse", found.objective, found.bound) | {"users": users})
    return _means(lines)


def layers(work: Path) -> pd.DataFrame:
    """The joint optimum beside the paper's two layers; what they cost is conditional on P1's decision."""
    lines = list[dict[str, Any]]()
    for users in LEARNED_ON:
        for slot in _slots(f"paper-{users}", LAYERED):
            joint = solve(slot, time_limit_s=CERTIFIED_S, gap=GAP)
            parts = two_layer(slot, Limits(time_limit_s=CERTIFIED_S, gap=GAP))
            lines.append(_line("joint", joint.objective, joint.bound) | {"users": users})
            both, most = parts.first + parts.second, parts.first + parts.second_bound
            lines.append(_line("two layers", both, most) | {"users": users})
    return _means(lines)


def places(work: Path) -> pd.DataFrame:
    """What places for UAVs bring: the paper's fixed ones, and grids of finer mesh."""
    lines = list[dict[str, Any]]()
    presets = {"the paper's fixed places": "fixed-24"} | {f"{side} a side": f"paper-24:side={side}" for side in SIDES}
    for what, preset in presets.items():
        for slot in _slots(preset, ON_SIDES):
            found = solve(slot, time_limit_s=2 * CERTIFIED_S, gap=GAP)
            lines.append(_line(what, found.objective, found.bound) | {"users": 24})
    return _means(lines)


def front(work: Path) -> pd.DataFrame:
    """The front of a held-out slot with 24 users, UAVs fixed, and where rules and policies lie."""
    slot = generate("fixed-24", HELD_OUT_SEED)
    rows = pareto(slot, work / "front", time_limit_s=FRONT_S)
    points = rows[rows["undominated"]].assign(solver="front")
    names = {"load-balancing": "load-balancing", "local-search": "local-search"}
    names |= {f"policy:{_run(work, name, 'fixed-24')}": name for name in PAPERS}
    names |= {f"policy:{_student(work, name)}": name for name in STUDENTS}
    others = list[dict[str, Any]]()
    for solver, name in names.items():
        decision = solve(slot, solver).decision
        assert isinstance(decision, SlicingDecision)
        reached = judge(slot, decision).parts
        others.append({"solver": name, **{part: reached[part] for part in NAMES}, **_behind(rows, reached)})
    columns = ["solver", *NAMES, "throughput_bound_bps", "gap", "status"]
    return pd.concat([points, pd.DataFrame(others)])[[*columns, "throughput_behind_bps"]]


def _behind(rows: pd.DataFrame, reached: Any) -> dict[str, float]:
    """By how much the front's throughput is more at no worse delay and coverage (bit/s)."""
    as_good = rows[(rows["delay_s"] <= reached["delay_s"]) & (rows["coverage"] >= reached["coverage"])]
    return {"throughput_behind_bps": float(as_good["throughput_bps"].max() - reached["throughput_bps"])}


def scale(work: Path) -> pd.DataFrame:
    """Medians and maxima of the benchmark cases."""
    return benchmark.scale("slicing", work / "benchmark-slicing")


def _line(what: str, objective: float | None, bound: float | None) -> dict[str, Any]:
    return {"what": what, "objective": objective, "bound": bound, "gap": relative_gap(objective, bound)}


def _means(lines: list[dict[str, Any]]) -> pd.DataFrame:
    """Means over slots, and the largest gap."""
    table = pd.DataFrame(lines)
    keys = ["users", "what"]
    found = table.groupby(keys, sort=False).agg(
        slots=("gap", "size"), objective=("objective", "mean"), bound=("bound", "mean"), gap_max=("gap", "max")
    )
    return found.reset_index()


def _slots(preset: str, count: int = HELD_OUT) -> list[Slicing]:
    return [generate(preset, HELD_OUT_SEED + k) for k in range(count)]


def _seed(slot: Slicing) -> int:
    return int(slot.name.rpartition("-")[2])


def _run(work: Path, algorithm: str, preset: str) -> Path:
    """The run of an algorithm on one or several presets."""
    return trained("slicing", preset, algorithm, SEEDS, run_folder(work, algorithm, preset))


def _student(work: Path, algorithm: str) -> Path:
    return _run(work, algorithm, ";".join(f"paper-{users}" for users in LEARNED_ON))


RECORDS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "scale": scale,
    "policies": policies,
    "reuse": reuse,
    "layers": layers,
    "places": places,
    "front": front,
}
