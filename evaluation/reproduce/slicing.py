"""Figures 3 to 12 of the slicing paper, with the best decisions known and proven bounds.

Figure 3 is the paper's algorithm as printed (`-paper` settings). All others have MADDPG with our hyperparameters, each
scheme trained for each number of users. Figures 4 to 6, 8 and 9 compare schemes of load balancing where several
users of a node may share a subcarrier, as overloaded stations must; the best decisions known and their bound are
without that, and no bound on these schemes. Figure 8 is without load balancing and Figure 9 with the paper's
priorities **[choice: the text says of Figure 8 that a station is overloaded, and of Figure 9 nothing]**. Figure 7 is of
a slot without sharing, in which places of UAVs are certified.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...formulations.slicing.referee import judge
from ...instances.fields import FloatArray
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import SLICES
from ...instances.slicing.presets import CAPACITY, FIXED_M
from ...solvers.result import relative_gap
from ..trained import metrics, run_folder, trained
from .certified import BEST
from .drawing import Curves, draw
from .slicing_map import draw_map
from .slicing_schemes import (
    BALANCING,
    FULL,
    METHODS,
    PRIORITY,
    QUICK,
    SHOWN,
    UNBALANCED,
    Effort,
    Scheme,
    best_known,
    decisions,
    largest_gap,
    make_ready,
)

__all__ = ["FIGURES", "FULL", "QUICK", "Effort"]

BOUND = "bound"
APART = ", no reuse"  # behind what is of slots in which a subcarrier of a node has one user
UNTRAINED = {"zero prices, not trained": "zero-prices"}  # what imitation is to be read beside
MAPPED = ("two-layer MADDPG", "imitation")  # methods in Figure 7
FULL_STATION = "the stations' capacity"
NODES = {
    "BS 1": ("station", 0),
    "BS 2": ("station", 1),
    "UAV 1": ("uav", 0),
    "UAV 2": ("uav", 1),
    "LEO": ("satellite", 0),
}


class Measure(NamedTuple):
    """What is drawn of decisions: a part of the objective or the objective itself, in the axis' unit."""

    part: str
    title: str
    axis: str
    scale: float = 1.0
    logarithmic: bool = False

    def of(self, instance: Slicing, decision: SlicingDecision) -> float:
        """Its value."""
        verdict = judge(instance, decision)
        value = verdict.objective if self.part == OBJECTIVE.part else verdict.parts[self.part]
        assert value is not None
        return value * self.scale


OBJECTIVE = Measure("objective", "objective", "objective of a slot")
MEASURES = (
    Measure("throughput_bps", "throughput of H users", "sum of rates (Mbit/s)", 1e-6),
    Measure("delay_s", "delay of L users", "mean delay (ms)", 1e3, logarithmic=True),
    Measure("coverage", "coverage of C users", "covered (%)", 100.0),
)
Value = Callable[[Slicing, SlicingDecision], float]


def figure_3(out: Path, effort: Effort) -> Path:
    """What each agent's users win over training."""
    preset, algorithm = f"paper-{SHOWN}", "two-layer-maddpg-paper"
    folder, changes = run_folder(out, algorithm, preset), effort.changes(algorithm)
    run = trained("slicing", preset, algorithm, effort.seeds, folder, changes=changes)
    rows = [
        {"method": f"{layer} {letter}", "seed": seed, "x": unit["step"], "y": value}
        for layer in ("station", "sky")
        for letter in SLICES
        for unit in metrics(run)
        for seed, value in zip(effort.seeds, unit[f"validation_own/{layer}_{letter}"], strict=True)
    ]
    title = "Figure 3: what users win by layer and slice, over training"
    axis = "won by users (of the objective)"
    return draw(Curves(title, "updates", axis, pd.DataFrame(rows), "", effort.training_note), out / "figure-3")


def _compared(number: int, measure: Measure, schemes: Mapping[str, Scheme | str], behind: str) -> Callable[..., Path]:
    """A figure of schemes against the number of users: a measure, and the objective with its bound."""

    def figure(out: Path, effort: Effort) -> Path:
        make_ready(out, effort, [scheme for scheme in schemes.values() if isinstance(scheme, Scheme)])
        panels = []
        for own in (measure, OBJECTIVE):
            rows = [row for name, scheme in schemes.items() for row in _curve(out, effort, name, scheme, own.of)]
            if own is OBJECTIVE:
                rows += _bound(out, effort, BOUND + behind)
            rows += _curve(out, effort, BEST + behind, None, own.of)  # last: over the bound
            table = pd.DataFrame(rows)
            table["x"] //= len(SLICES)
            title = f"Figure {number}: {own.title}" if own is measure else own.title
            note = effort.note(largest_gap(out, effort))
            panels.append(Curves(title, "users of a slice", own.axis, table, BEST + behind, note, own.logarithmic))
        return draw(panels, out / f"figure-{number}")

    return figure


def figure_7(out: Path, effort: Effort) -> Path:
    """Where users are and UAVs stand."""
    seed = effort.seeds[0]
    instance, best = decisions(out, effort, None, SHOWN)[-1][0]
    found = best_known(out, effort, SHOWN)[0]
    places = {BEST: _uavs_m(instance, best)}
    for name in MAPPED:
        places[name] = _uavs_m(*decisions(out, effort, METHODS[name], SHOWN)[seed][0])
    places["fixed (the paper's)"] = FIXED_M
    title = f"Figure 7: where UAVs stand in a held-out slot, {SHOWN // len(SLICES)} users a slice"
    gap = relative_gap(found.objective, found.bound) or 0.0
    note = f"policies of seed {seed}; certified solutions within {100 * gap:.2f} % of the bound,\n"
    note += "with lines from stations (solid) and UAVs (dotted); hollow: served by the satellite, or not"
    return draw_map(instance, places, best, title, note, out / "figure-7")


def _uavs_m(instance: Slicing, decision: SlicingDecision) -> FloatArray:
    """Where UAVs stand (m), shape (uavs, 2)."""
    return instance.uavs.candidates[decision.uav_candidate]


def _loads(number: int, name: str, scheme: Scheme) -> Callable[[Path, Effort], Path]:
    """A figure of how many users every node serves."""

    def figure(out: Path, effort: Effort) -> Path:
        make_ready(out, effort, [scheme])
        panels = []
        for title, own in ((f"Figure {number}: {name}", scheme), (BEST + APART, None)):
            rows = [row for node, place in NODES.items() for row in _curve(out, effort, node, own, _load_of(place))]
            rows += [{"method": FULL_STATION, "seed": -1, "x": users, "y": CAPACITY} for users in effort.sizes]
            note = effort.note(largest_gap(out, effort))
            panels.append(Curves(title, "users", "users served", pd.DataFrame(rows), FULL_STATION, note))
        return draw(panels, out / f"figure-{number}")

    return figure


def _load_of(place: tuple[str, int]) -> Value:
    """How many users a node serves."""
    return lambda _, decision: sum(one is not None and (one.layer, one.node) == place for one in decision.serve)


FIGURES: dict[int, Callable[[Path, Effort], Path]] = {
    3: figure_3,
    **{4 + k: _compared(4 + k, measure, BALANCING, APART) for k, measure in enumerate(MEASURES)},
    7: figure_7,
    8: _loads(8, "loads without load balancing", UNBALANCED),
    9: _loads(9, "loads with priorities", PRIORITY),
    **{10 + k: _compared(10 + k, measure, {**METHODS, **UNTRAINED}, "") for k, measure in enumerate(MEASURES)},
}


def _curve(out: Path, effort: Effort, name: str, scheme: Scheme | str | None, value: Value) -> list[dict[str, Any]]:
    """Mean over the held-out slots of each size, of every seed; x is the number of users."""
    return [
        {"method": name, "seed": seed, "x": users, "y": float(np.mean([value(*case) for case in cases]))}
        for users in effort.sizes
        for seed, cases in decisions(out, effort, scheme, users).items()
    ]


def _bound(out: Path, effort: Effort, name: str) -> list[dict[str, Any]]:
    """The mean bound of the held-out slots of each size."""
    mean = {users: np.mean([found.bound for found in best_known(out, effort, users)]) for users in effort.sizes}
    return [{"method": name, "seed": -1, "x": users, "y": bound} for users, bound in mean.items()]
