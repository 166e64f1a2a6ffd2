"""Figures 4 to 7 of the placement paper: training curves, and delay against users and data size, with the optimum.

The paper trains for 1,000 iterations with the numbers of its Table 2; so do IQL, VDN and QMIX here (`-paper` settings).
RD is the paper's random rule. Delay is the sum over users of one slot; the optimum is proven on the same slots. The
agents' networks take any number of users, so they are trained once, on the paper's setting, for all four figures.
Figures 6 and 7 also have VDN with our hyperparameters, and the policy that comes with skybound, which learned from
optima of other presets.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ...instances.placement.presets import find
from ...instances.problems import generate
from ...instances.record import Instance
from ...learned.label_store import VALIDATION_SEED
from ...learned.placement.environment import Trajectories
from ...learned.value_decomposition import REWARDS
from ...solvers.solve import solve
from ..experiment import evaluate
from ..trained import metrics, trained
from .drawing import Curves, bands, draw
from .optimum import OPTIMUM, optimum

ALGORITHMS = {"VDN (the paper's)": "vdn-paper", "IQL": "iql-paper", "QMIX": "qmix-paper"}
TUNED = {"VDN (tuned)": "vdn"}
SHIPPED = {"policy:shipped": "imitation (shipped)"}
RANDOM = "RD"
HELD_OUT_SEED = 3_000_000
PAPER_ITERATIONS = 1_000


@dataclass(frozen=True)
class Effort:
    """How much is done.

    Attributes
    ----------
    changes
        Hyperparameters other than an algorithm's own.
    held_out
        Slots that trained policies are compared on.
    users, megabytes
        Points of Figures 6 and 7.
    """

    seeds: Sequence[int]
    changes: Mapping[str, int]
    held_out: int
    users: Sequence[int]
    megabytes: Sequence[float]

    @property
    def note(self) -> str:
        """What the figure says of it."""
        iterations = self.changes.get("iterations", PAPER_ITERATIONS)
        fewer = "" if iterations == PAPER_ITERATIONS else f" (the paper: {PAPER_ITERATIONS:,})"
        return f"{iterations:,} iterations{fewer}, {len(self.seeds)} seeds, {bands(len(self.seeds))}"


FULL = Effort(range(5), {}, 200, (18, 20, 22, 24), (0.5, 1.0, 1.5, 2.0))
QUICK = Effort(range(3), {"iterations": 60, "worlds": 100}, 20, (18, 20, 24), (0.5, 1.0, 2.0))


def figure_4(out: Path, effort: Effort) -> Path:
    """Average reward over training: (18), 0.7 R_L - 0.3 R_C."""
    rows = _training(out, effort)
    users = find("paper").users
    rows["y"] = REWARDS["paper"](-rows["y"].to_numpy(), users)
    title, reward = "Figure 4: reward on validation slots over training", "reward of a slot, 0.7 R_L - 0.3 R_C"
    return draw(Curves(title, "iteration", reward, rows, OPTIMUM, effort.note), out / "figure-4")


def figure_5(out: Path, effort: Effort) -> Path:
    """Average system delay over training, with RD."""
    rows = _training(out, effort)
    title = "Figure 5: system delay on validation slots over training"
    curves = Curves(title, "iteration", "delay of a slot (s)", rows, OPTIMUM, effort.note, logarithmic=True)
    return draw(curves, out / "figure-5")


def figure_6(out: Path, effort: Effort) -> Path:
    """System delay against the number of users."""
    rows = _sweep(out, effort, {users: f"paper:users={users}" for users in effort.users})
    title = "Figure 6: system delay on held-out slots against the number of users"
    return draw(Curves(title, "users", "delay of a slot (s)", rows, OPTIMUM, effort.note, True), out / "figure-6")


def figure_7(out: Path, effort: Effort) -> Path:
    """System delay against the data size of every twin."""
    rows = _sweep(out, effort, {size: f"paper:megabytes={size:g}" for size in effort.megabytes})
    title = "Figure 7: system delay on held-out slots against the data size"
    return draw(
        Curves(title, "data size (MB)", "delay of a slot (s)", rows, OPTIMUM, effort.note, True), out / "figure-7"
    )


FIGURES: dict[int, Callable[[Path, Effort], Path]] = {4: figure_4, 5: figure_5, 6: figure_6, 7: figure_7}


def _run(out: Path, effort: Effort, algorithm: str) -> Path:
    """Train, or go on with, one algorithm; its run folder."""
    folder = out / "runs" / algorithm
    return trained("placement", "paper", algorithm, effort.seeds, folder, changes=effort.changes)


def _training(out: Path, effort: Effort) -> pd.DataFrame:
    """Delay of validation slots over training, of RD and of the optimum (s)."""
    rows = []
    for method, algorithm in ALGORITHMS.items():
        for unit in metrics(_run(out, effort, algorithm)):
            for seed, value in zip(effort.seeds, unit["validation_return"], strict=True):
                rows.append({"method": method, "seed": seed, "x": unit["iteration"], "y": -value})
    points = sorted({row["x"] for row in rows})
    slots = _validation_slots()
    random = _delays(slots, "random", range(len(points)))
    least = _least_delay(slots)
    rows += [{"method": RANDOM, "seed": -1, "x": x, "y": y} for x, y in zip(points, random, strict=True)]
    rows += [{"method": OPTIMUM, "seed": -1, "x": x, "y": least} for x in points]
    return pd.DataFrame(rows)


@functools.cache
def _validation_slots() -> tuple[Instance, ...]:
    """The slots that training validates on."""
    from ...learned.placement.value_decomposition import PAPER

    pool = Trajectories.draw(find("paper"), PAPER.validation_worlds, 1, VALIDATION_SEED)
    return tuple(pool.instance(world, 0) for world in range(pool.worlds))


def _least_delay(slots: Iterable[Instance]) -> float:
    """Mean optimum over the slots (s)."""
    return float(np.mean([optimum(slot).objective for slot in slots]))


def _delays(slots: Iterable[Instance], solver: str, seeds: Iterable[int]) -> list[float]:
    """Mean delay of a solver over the slots, one number a seed (s)."""
    slots = list(slots)
    return [float(np.mean([solve(slot, solver, seed=seed).objective for slot in slots])) for seed in seeds]


def _sweep(out: Path, effort: Effort, presets: dict[float, str]) -> pd.DataFrame:
    """Mean delay on held-out slots of each preset, of every method and seed (s)."""
    rows = []
    trained = {f"policy:{_run(out, effort, algorithm)}": method for method, algorithm in (ALGORITHMS | TUNED).items()}
    names = trained | SHIPPED | {"random": RANDOM}
    for x, preset in presets.items():
        slots = [generate("placement", preset, HELD_OUT_SEED + k) for k in range(effort.held_out)]
        found = evaluate(slots, list(names), seeds=list(effort.seeds)).rows
        for (solver, seed), own in found.groupby(["solver", "seed"], sort=False):
            rows.append({"method": names[str(solver)], "seed": seed, "x": x, "y": own["objective"].mean()})
        rows.append({"method": OPTIMUM, "seed": -1, "x": x, "y": _least_delay(slots)})
    order = {method: k for k, method in enumerate([*names.values(), OPTIMUM])}
    return pd.DataFrame(rows).sort_values("method", key=lambda methods: methods.map(order), kind="stable")
