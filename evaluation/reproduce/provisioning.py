"""Figures 9 to 11 of the provisioning paper: what users bring against the fee for transmission, caching, computing.

A3C is the paper's algorithm as printed (`-paper` settings), trained at its own fees and used at all of them; rewards
enter its observations as shares of the largest, so that other fees look alike to it. Managing two of the three
resources leaves the third to a fixed rule. The left panel decides by the states of the slot, the right one by those of
the slot before, where the clairvoyant bound is the optimum of who knows the slot.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...formulations.provisioning.referee import judge
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.presets import FEES, generate
from ..experiment import MEASURES, evaluate
from ..trained import trained
from .drawing import Curves, bands, draw
from .optimum import OPTIMUM, optimum

KNOWING = {"current": "states of the slot known", "previous": "states of the slot before known"}
MANAGED = {
    "transmission+caching": "computing fixed",
    "transmission+computing": "caching fixed",
    "caching+computing": "transmission fixed",
}
CLAIRVOYANT = "clairvoyant bound"
HELD_OUT_SEED = 3_000_000


@dataclass(frozen=True, eq=False)
class Effort:
    """How much is done.

    Attributes
    ----------
    papers, ours
        Hyperparameters other than the algorithms' own, of A3C and of imitation.
    held_out
        Instances that methods are compared on.
    points
        Fees, as shares of the paper's.
    variant
        What is appended to the names of presets.
    """

    seeds: Sequence[int]
    papers: Mapping[str, Any]
    ours: Mapping[str, Any]
    held_out: int
    points: Sequence[float]
    variant: str

    @property
    def note(self) -> str:
        """What figures say of it."""
        updates = f"A3C trained for {self.papers['updates']:,} updates, " if "updates" in self.papers else ""
        return f"{updates}{len(self.seeds)} seeds, {self.held_out} held-out instances, {bands(len(self.seeds))}"


FULL = Effort(range(5), {}, {}, 10, np.linspace(0, 2, 9).tolist(), "")
QUICK = Effort(
    range(3),
    {"updates": 400, "unit": 200, "worlds": 8},
    {"imitation_steps": 100, "validate": 100, "label_worlds": 20, "batch": 16},
    2,
    (0.0, 0.5, 1.0, 2.0),
    "slots=20",
)


def _figure(number: int, part: str) -> Callable[[Path, Effort], Path]:
    """The figure of one part's fee."""

    def figure(out: Path, effort: Effort) -> Path:
        panels = []
        for information, knowing in KNOWING.items():
            rows = pd.DataFrame(
                [
                    row | {"x": getattr(FEES, part) * point}
                    for point in effort.points
                    for row in _at(out, effort, information, f"{part}_fee={getattr(FEES, part) * point:g}")
                ]
            )
            title = f"Figure {number}: {knowing}"
            panels.append(
                Curves(
                    title,
                    f"fee for {part} (units per Mbit/s)",
                    "reward per user and slot (units)",
                    rows,
                    OPTIMUM,
                    effort.note,
                )
            )
        return draw(panels, out / f"figure-{number}")

    return figure


FIGURES: dict[int, Callable[[Path, Effort], Path]] = {
    9: _figure(9, "transmission"),
    10: _figure(10, "caching"),
    11: _figure(11, "computing"),
}


def _at(out: Path, effort: Effort, information: str, fee: str) -> list[dict[str, Any]]:
    """Mean realised reward per user and slot of every method and seed at a fee (units)."""
    instances = _instances(effort, f"information={information},{fee}")
    names = {f"policy:{_a3c(out, effort, information)}": "A3C (the paper's)"}
    names |= {f"policy:{_imitation(out, effort)}": "imitation", "greedy": "greedy"}
    names |= {f"managed:{parts}": method for parts, method in MANAGED.items()}
    found = evaluate(instances, list(names), seeds=list(effort.seeds)).rows
    found["benefit"] = found[f"{MEASURES}realised"].astype(float) / (instances[0].users * instances[0].slots)
    mean = found.groupby(["solver", "seed"])["benefit"].mean()
    rows = [
        {"method": method, "seed": seed, "y": value}
        for solver, method in names.items()
        for seed, value in mean[solver].items()
    ]
    if information == "previous":
        knowing = _instances(effort, f"information=current,{fee}")
        rows.append({"method": CLAIRVOYANT, "seed": -1, "y": _best(knowing)})
    return [*rows, {"method": OPTIMUM, "seed": -1, "y": _best(instances)}]


def _best(instances: Sequence[Provisioning]) -> float:
    """Mean realised reward per user and slot of the proven optima (units)."""
    found = []
    for instance in instances:
        decision = optimum(instance).decision
        assert isinstance(decision, ProvisioningDecision)
        realised = judge(instance, decision).measures["realised"]
        assert realised is not None
        found.append(realised / (instance.users * instance.slots))
    return float(np.mean(found))


def _instances(effort: Effort, variant: str) -> list[Provisioning]:
    preset = _preset(effort, variant)
    return [generate(preset, HELD_OUT_SEED + k) for k in range(effort.held_out)]


def _preset(effort: Effort, variant: str) -> str:
    return "paper:" + ",".join(filter(None, (effort.variant, variant)))


def _a3c(out: Path, effort: Effort, information: str) -> Path:
    """A3C as printed, trained for one kind of information."""
    folder, preset = out / "runs" / f"a3c-{information}", _preset(effort, f"information={information}")
    return trained("provisioning", preset, "a3c-paper", effort.seeds, folder, changes=effort.papers)


def _imitation(out: Path, effort: Effort) -> Path:
    """Imitation, trained for both kinds of information."""
    presets = ";".join(_preset(effort, f"information={information}") for information in KNOWING)
    return trained("provisioning", presets, "imitation", effort.seeds, out / "runs" / "imitation", changes=effort.ours)
