"""What the figures of the slicing paper compare: trained schemes, and certified solutions."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.presets import SIZES, generate
from ...instances.solution import Solution
from ...learned.slicing import mappo
from ...learned.slicing.imitation_settings import IMITATION
from ...learned.slicing.maddpg import PAPER, TUNED
from ...solvers.result import relative_gap
from ...solvers.solve import solve
from ..parallel import side_by_side
from ..trained import run_folder, trained
from .certified import certified
from .drawing import bands

HELD_OUT_SEED = 3_000_000
SHOWN = 30  # users in Figures 3 and 7


@dataclass(frozen=True, eq=False)
class Effort:
    """How much is done.

    Attributes
    ----------
    papers, teams, proximal, ours
        Hyperparameters other than the algorithms' own: of MADDPG as printed and as we set it, MAPPO, and imitation.
    sizes
        Users, of presets such as ``paper-24``; `SHOWN` among them.
    held_out
        Slots of each size that schemes are compared on.
    time_limit_s
        For the best decision of a slot (s).
    """

    seeds: Sequence[int]
    papers: Mapping[str, Any]
    teams: Mapping[str, Any]
    proximal: Mapping[str, Any]
    ours: Mapping[str, Any]
    sizes: Sequence[int]
    held_out: int
    time_limit_s: float

    def changes(self, algorithm: str) -> Mapping[str, Any]:
        """Hyperparameters of an algorithm."""
        others = {"two-layer-maddpg-paper": self.papers, "mappo": self.proximal, "imitation": self.ours}
        return others.get(algorithm, self.teams)

    @property
    def training_note(self) -> str:
        """What the figure of training says of it."""
        updates = self.papers.get("updates", PAPER.updates)
        fewer = "" if updates == PAPER.updates else f" (the paper: {PAPER.updates:,})"
        slots = self.papers.get("validation_worlds", PAPER.validation_worlds)
        seeds = len(self.seeds)
        return f"{updates:,} updates{fewer}, {seeds} seeds, {slots} validation slots, {bands(seeds)}"

    def note(self, gap: float) -> str:
        """What the other figures say of it, and of the largest gap between best decision and bound."""
        updates = f"MADDPG: {self.teams.get('updates', TUNED.updates):,} updates (the paper: {PAPER.updates:,})"
        slots = f"{len(self.seeds)} seeds, {self.held_out} held-out slots a size"
        certified = f"certified solutions within {100 * gap:.2f} % of the bound"
        return "\n".join([f"{updates}, {slots}, {certified},", bands(len(self.seeds)), *self._less()])

    def _less(self) -> list[str]:
        """Where less is done than by default, a line for each algorithm."""
        changed = (
            (self.teams, "MADDPG", TUNED),
            (self.proximal, "MAPPO", mappo.TUNED),
            (self.ours, "imitation", IMITATION),
        )
        lines = list[str]()
        for changes, name, usual in changed:
            less = {key: value for key, value in changes.items() if key != "unit" and value < getattr(usual, key)}
            if less:
                words = (f"{key.replace('_', ' ')} {value} of {getattr(usual, key)}" for key, value in less.items())
                lines.append(f"{name}: {', '.join(words)}")
        return lines


FULL = Effort(range(5), {}, {}, {}, {}, SIZES, 5, 360.0)
_FEW = {"worlds": 20, "slots": 4, "validation_worlds": 10}
_FEW_LABELS = {"label_worlds": 4, "validation_worlds": 1, "imitation_steps": 300, "validate": 300, "batch": 4}
QUICK = Effort(
    range(2),
    {"updates": 400, "unit": 50, **_FEW},
    {"updates": 60, "unit": 20, **_FEW},
    {"updates": 40, "unit": 20, **_FEW},
    _FEW_LABELS,
    (24, 30),
    2,
    10.0,
)


class Scheme(NamedTuple):
    """A way to train, and the slots it is for.

    Attributes
    ----------
    algorithm
        Name of the algorithm.
    preset
        With a place for the number of users.
    priority
        Whether H users are served first, then L, then C.
    together
        Users of the largest slots to learn from, where one training serves all sizes; otherwise each size has its own.
    """

    algorithm: str
    preset: str
    priority: bool = True
    together: int | None = None


PRIORITY = Scheme("two-layer-maddpg", "reuse-{}")
UNBALANCED = Scheme("two-layer-maddpg", "reuse-{}:capacity=48")
BALANCING = {
    "priority (the paper's)": PRIORITY,
    "no priority": Scheme("two-layer-maddpg", "reuse-{}", priority=False),
    "no load balancing": UNBALANCED,
}
METHODS = {
    "two-layer MADDPG": Scheme("two-layer-maddpg", "paper-{}"),
    "fixed UAVs": Scheme("two-layer-maddpg", "fixed-{}"),
    "MADDPG": Scheme("maddpg", "paper-{}"),
    "MAPPO": Scheme("mappo", "paper-{}"),
    "imitation": Scheme("imitation", "paper-{}", together=30),  # larger ones take long to certify
}


def make_ready(out: Path, effort: Effort, schemes: Iterable[Scheme]) -> None:
    """Train schemes and certify held-out slots, side by side; what was finished before is not done again."""
    slots: list[Callable[[], object]] = [
        partial(_certify, out, effort, users, k) for users in effort.sizes for k in range(effort.held_out)
    ]
    runs: dict[object, Callable[[], object]] = {
        (scheme.algorithm, scheme.priority, _presets(effort, scheme, users)): partial(
            run_of, out, effort, scheme, users
        )
        for scheme in schemes
        for users in effort.sizes
    }
    side_by_side([*reversed(slots), *reversed(runs.values())], "training and certifying")  # largest sizes first


def _certify(out: Path, effort: Effort, users: int, k: int) -> None:
    certified(_slots(effort, "paper-{}", users)[k], out / "certified", effort.time_limit_s)


Case = tuple[Slicing, SlicingDecision]


@functools.cache
def decisions(out: Path, effort: Effort, scheme: Scheme | str | None, users: int) -> dict[int, list[Case]]:
    """Held-out slots of a size with a scheme's decisions, by seed.

    Those of a rule, which is given by its name, and the best ones known, for which nothing is given, are of seed -1.
    """
    if isinstance(scheme, str):
        return {-1: [_case(slot, solve(slot, scheme).decision) for slot in _slots(effort, "paper-{}", users)]}
    if scheme is None:
        found = zip(_slots(effort, "paper-{}", users), best_known(out, effort, users), strict=True)
        return {-1: [_case(slot, best.decision) for slot, best in found]}
    slots, run = _slots(effort, scheme.preset, users), run_of(out, effort, scheme, users)
    return {
        seed: [_case(slot, solve(slot, f"policy:{run}?seed={seed}").decision) for slot in slots]
        for seed in effort.seeds
    }


def _case(slot: Slicing, decision: Any) -> Case:
    assert isinstance(decision, SlicingDecision)
    return slot, decision


@functools.cache
def best_known(out: Path, effort: Effort, users: int) -> list[Solution]:
    """The best decisions known in the held-out slots of a size, with bounds."""
    slots = _slots(effort, "paper-{}", users)
    return [certified(slot, out / "certified", effort.time_limit_s) for slot in slots]


def _slots(effort: Effort, preset: str, users: int) -> list[Slicing]:
    return [generate(preset.format(users), HELD_OUT_SEED + k) for k in range(effort.held_out)]


def run_of(out: Path, effort: Effort, scheme: Scheme, users: int) -> Path:
    """A scheme's run that decides slots of a size."""
    presets = _presets(effort, scheme, users)
    others = {} if scheme.priority else {"priority": False}
    folder = run_folder(out, scheme.algorithm if scheme.priority else f"{scheme.algorithm}-any", presets)
    changes = dict(effort.changes(scheme.algorithm)) | others
    return trained("slicing", presets, scheme.algorithm, effort.seeds, folder, changes=changes)


def largest_gap(out: Path, effort: Effort) -> float:
    """Between the best decision known and its bound, over all held-out slots."""
    found = [best for users in effort.sizes for best in best_known(out, effort, users)]
    return max(relative_gap(best.objective, best.bound) or 0.0 for best in found)


def _presets(effort: Effort, scheme: Scheme, users: int) -> str:
    """What a scheme that decides slots of a size learns from."""
    sizes = [users] if scheme.together is None else [size for size in effort.sizes if size <= scheme.together]
    return ";".join(scheme.preset.format(size) for size in sizes)
