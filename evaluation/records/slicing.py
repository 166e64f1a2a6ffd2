"""Slicing's records: policies against certified solutions, the paper's layers, places of UAVs, the front, and scale."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from ...formulations.slicing.referee import judge
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.presets import SIZES, generate
from ...learned.policy_file import PolicyFile
from ...learned.slicing.imitation import IMITATION, PricePolicy
from ...solvers.result import Limits, relative_gap
from ...solvers.slicing.by_prices import decide_by_prices
from ...solvers.slicing.decomposition import shared_prices
from ...solvers.slicing.two_layer import two_layer
from ...solvers.solve import solve
from .. import benchmark
from ..experiment import MEASURES, Evaluation, evaluate
from ..pareto import NAMES, pareto
from ..reproduce.slicing_schemes import BALANCING, FULL, HELD_OUT_SEED, METHODS, Scheme, run_of
from ..statistics import mean_difference
from ..trained import cpu_minutes, run_folder, trained

RULES = ("random", "strongest-signal", "load-balancing", "load-balancing-any", "local-search", "zero-prices")
PAPERS = ("two-layer-maddpg", "maddpg", "mappo")
PRINTED, PRINTED_ON = "two-layer-maddpg-paper", "paper-30"
REPORTED = ("objective", *(MEASURES + name for name in ("throughput_mbps", "delay_ms", "coverage_percent")))
STUDENTS = ("imitation", "imitation-tuned", "imitation-rl")
SEEDS, HELD_OUT = FULL.seeds, FULL.held_out
CERTIFIED_S = {24: 60.0, 30: 120.0, 36: 240.0, 42: 360.0, 48: 360.0}
GAP, WIDER_GAP = 1e-3, 2e-3  # of certified solutions; of those of more users than `CERTIFIED`
SCHEMES = METHODS | BALANCING
METHOD, BALANCED = "two-layer MADDPG", "priority (the paper's)"
CLAIMS = (
    (METHOD, "fixed UAVs"),
    (METHOD, "MADDPG"),
    (METHOD, "MAPPO"),
    (BALANCED, "no priority"),
    (BALANCED, "no load balancing"),
)
LEARNED_ON = "paper-24;paper-30"  # what imitation learns from: larger slots take long to certify
CERTIFIED = (24, 30)
SIDES, ON_SIDES = (7, 13, 25), 3
PRICED, TRIED = (24, 30, 36), (1, 3, 9)
LAYERED, FRONT_S, LITTLE = 5, 20.0, 1e-9


def policies(work: Path) -> pd.DataFrame:
    """Regret of rules and policies on held-out slots of all sizes, against certified solutions; 5 seeds."""
    tables, students = [], {name: _run(work, name, LEARNED_ON) for name in STUDENTS}
    for users in SIZES:
        for preset, papers in ((f"paper-{users}", PAPERS), (f"fixed-{users}", PAPERS[:1])):
            runs = {name: _run(work, name, preset) for name in papers} | students
            if preset == PRINTED_ON:
                runs |= {PRINTED: _run(work, PRINTED, preset)}
            names = {"decomposition": "certified"} | {rule: rule for rule in RULES}
            names |= {f"policy:{run}": name for name, run in runs.items()}
            minutes = {name: cpu_minutes(run) for name, run in runs.items()}
            found = _evaluated(work, preset, list(names)).summary
            found["solver"] = found["solver"].map(names)
            found["cpu_minutes"] = [minutes.get(name) for name in found["solver"]]
            found.insert(0, "preset", preset)
            tables.append(found)
    return pd.concat(tables)


def claims(work: Path) -> pd.DataFrame:
    """What the paper's method comes to beyond those that the paper compares it with, over all sizes, with intervals."""
    return pd.DataFrame([_beyond(work, *pair) for pair in CLAIMS])


def _beyond(work: Path, better: str, worse: str) -> dict[str, Any]:
    """How much more of everything that the paper reports one scheme comes to than another, on the same walks."""
    line: dict[str, Any] = {"of": better, "less": worse}
    both = [pd.concat([_rows(work, SCHEMES[name], users) for users in SIZES]) for name in (better, worse)]
    for measure in REPORTED:
        one, other = (rows.pivot_table(index=["users", "slot"], columns="seed", values=measure) for rows in both)
        strata = one.index.get_level_values("users").to_numpy()
        mean, low, high = mean_difference(one.to_numpy(), other.to_numpy(), strata)
        name = measure.removeprefix(MEASURES)
        line |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    return line


def _rows(work: Path, scheme: Scheme, users: int) -> pd.DataFrame:
    """A scheme's runs on held-out slots."""
    preset, run = scheme.preset.format(users), run_of(work, FULL, scheme, users)
    rows = _evaluated(work, preset, [f"policy:{run}"]).rows
    return rows.assign(users=users, slot=rows["instance"].str.rpartition("-")[2].astype(int))


def _evaluated(work: Path, preset: str, solvers: list[str]) -> Evaluation:
    """Solvers on a preset's held-out slots; runs that were made before are not made again."""
    folder, users = work / "policies" / preset.replace(":", "-"), len(generate(preset, 0).slices)
    limits: dict[str, Any] = {"time_limit_s": CERTIFIED_S[users], "gap": GAP if users in CERTIFIED else WIDER_GAP}
    return evaluate(_slots(preset), solvers, seeds=list(SEEDS), out=folder, resume=True, **limits)


def reuse(work: Path) -> pd.DataFrame:
    """What several users of a node on a subcarrier bring: certified solutions without and with, UAVs fixed."""
    lines = list[dict[str, Any]]()
    for users in CERTIFIED:  # with more users, reuse has no bound worth the name
        for slot in _slots(f"fixed-{users}", LAYERED):
            for name, variant in (("without", slot), ("with", generate(f"fixed-{users}:reuse=yes", _seed(slot)))):
                found = solve(variant, time_limit_s=CERTIFIED_S[users], gap=GAP)
                lines.append(_line(f"{name} reuse", found.objective, found.bound) | {"users": users})
    return _means(lines)


def layers(work: Path) -> pd.DataFrame:
    """The joint optimum beside the paper's two layers.

    What they cost, over the joint objective, is conditional on P1's decision.
    """
    lines = list[dict[str, Any]]()
    for users in CERTIFIED:
        for slot in _slots(f"paper-{users}", LAYERED):
            joint = solve(slot, time_limit_s=CERTIFIED_S[users], gap=GAP)
            parts = two_layer(slot, Limits(time_limit_s=CERTIFIED_S[users], gap=GAP))
            assert joint.objective is not None
            price = 1 - (parts.first + parts.second) / joint.objective
            for what, value, bound in (
                ("joint", joint.objective, joint.bound),
                ("P1", parts.first, parts.first_bound),
                ("P2, given P1", parts.second, parts.second_bound),
            ):
                lines.append(_line(what, value, bound) | {"users": users, "price": price if what == "joint" else None})
    return _means(lines).rename(columns={"price": "price_of_decomposition"})


def places(work: Path) -> pd.DataFrame:
    """What places for UAVs bring: the paper's fixed ones, and grids of finer mesh."""
    lines = list[dict[str, Any]]()
    presets = {"the paper's fixed places": "fixed-24"} | {f"{side} a side": f"paper-24:side={side}" for side in SIDES}
    for what, preset in presets.items():
        for slot in _slots(preset, ON_SIDES):
            found = solve(slot, time_limit_s=2 * CERTIFIED_S[24], gap=GAP)
            lines.append(_line(what, found.objective, found.bound) | {"users": 24})
    return _means(lines)


def front(work: Path) -> pd.DataFrame:
    """The front of a held-out slot with 24 users, UAVs fixed, and where rules and policies lie.

    Their gap is to the bound on the throughput of whatever has no longer delay and no less coverage.
    """
    slot = generate("fixed-24", HELD_OUT_SEED)
    names = {rule: rule for rule in ("load-balancing", "local-search", "zero-prices")}
    names |= {f"policy:{_run(work, name, 'fixed-24')}": name for name in PAPERS}
    names |= {f"policy:{_run(work, name, LEARNED_ON)}": name for name in STUDENTS}
    reached = pd.DataFrame([{"solver": name} | _reached(slot, solver) for solver, name in names.items()])
    rows = pareto(slot, work / "front", time_limit_s=FRONT_S, delays_s=reached["delay_s"].tolist())
    reached["throughput_bound_bps"] = [
        float(rows["throughput_bound_bps"][(rows["delay_most_s"] >= d) & (rows["coverage_least"] <= c + LITTLE)].min())
        for d, c in zip(reached["delay_s"], reached["coverage"], strict=True)
    ]
    reached["gap"] = 1 - reached["throughput_bps"] / reached["throughput_bound_bps"]
    points = rows[rows["undominated"]].assign(solver="front")
    return pd.concat([points, reached])[["solver", *NAMES, "throughput_bound_bps", "gap", "status"]]


def _reached(slot: Slicing, solver: str) -> dict[str, float]:
    """Throughput (bit/s), delay (s) and coverage of what a solver decides."""
    decision = solve(slot, solver).decision
    assert isinstance(decision, SlicingDecision)
    parts = judge(slot, decision).parts
    return {name: float(parts[name] or 0.0) for name in NAMES}


def prices(work: Path) -> pd.DataFrame:
    """What decisions come to, and CPU seconds of one, by whose prices they start from and how many placements they try.

    Certified prices are the best that a network could expect; what their search takes is not in the seconds.
    """
    lines, file = list[dict[str, Any]](), PolicyFile.read(_run(work, "imitation", LEARNED_ON))
    networks = [PricePolicy.of(file, seed, 1).network for seed in SEEDS]
    for users in PRICED:
        bounds = _evaluated(work, f"paper-{users}", ["decomposition"]).rows.set_index("instance")["bound"]
        for slot in _slots(f"paper-{users}"):
            certified, _ = shared_prices(slot, Limits(time_limit_s=IMITATION.time_limit_s, gap=IMITATION.wanted_gap))
            points = {"zero": [0.0 * certified], "certified": [certified]}
            points["imitation"] = [network.prices(slot) for network in networks]
            for (name, own), tried in itertools.product(points.items(), TRIED):
                for point in own:
                    began = time.process_time()
                    decision = decide_by_prices(slot, point, Limits(), tried).decision
                    cpu_s = time.process_time() - began
                    assert isinstance(decision, SlicingDecision)
                    regret = relative_gap(judge(slot, decision).objective, float(bounds[slot.name]))
                    lines.append({"users": users, "prices": name, "tried": tried, "regret": regret, "cpu_s": cpu_s})
    means: pd.DataFrame = pd.DataFrame(lines).groupby(["users", "prices", "tried"], sort=False).mean()
    return means.reset_index()


def scale(work: Path) -> pd.DataFrame:
    """Medians and maxima of the benchmark cases."""
    return benchmark.scale("slicing", work / "benchmark-slicing")


def _line(what: str, objective: float | None, bound: float | None) -> dict[str, Any]:
    return {"what": what, "objective": objective, "bound": bound, "gap": relative_gap(objective, bound)}


def _means(lines: list[dict[str, Any]]) -> pd.DataFrame:
    """Means over slots, and the largest gap."""
    table = pd.DataFrame(lines)
    keys = ["users", "what"]
    columns = {"slots": ("gap", "size"), "objective": ("objective", "mean"), "bound": ("bound", "mean")}
    columns |= {"gap_max": ("gap", "max")} | ({"price": ("price", "mean")} if "price" in table else {})
    found: pd.DataFrame = table.groupby(keys, sort=False).agg(**columns)
    return found.reset_index()


def _slots(preset: str, count: int = HELD_OUT) -> list[Slicing]:
    return [generate(preset, HELD_OUT_SEED + k) for k in range(count)]


def _seed(slot: Slicing) -> int:
    return int(slot.name.rpartition("-")[2])


def _run(work: Path, algorithm: str, preset: str) -> Path:
    """The run of an algorithm on one preset or several."""
    return trained("slicing", preset, algorithm, SEEDS, run_folder(work, algorithm, preset))


RECORDS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "scale": scale,
    "policies": policies,
    "claims": claims,
    "reuse": reuse,
    "layers": layers,
    "places": places,
    "front": front,
    "prices": prices,
}
