"""Figures 6 to 15 of the association paper, with the optimum: training, satellites, slots, and the stations' storage.

Figures 6 to 8 are the paper's algorithm as printed (`-paper` settings): all satellites have turns, a network of 156
inputs. It belongs to 120 satellites; Figures 9 to 15 have the family with our hyperparameters, which takes any number
of satellites and is trained once, on the paper's setting, for all of them.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...formulations.association.referee import loads
from ...instances.association import Association, AssociationDecision
from ...instances.association.presets import generate
from ...instances.fields import FloatArray
from ...learned.association.dqn import PAPER
from ...learned.label_store import VALIDATION_SEED
from ...solvers.solve import solve
from ..trained import metrics, trained
from .drawing import Curves, bands, draw
from .optimum import OPTIMUM, optimum

FAMILY = {"DQN": "dqn", "DDQN": "ddqn", "Dueling-DQN": "dueling", "PSDDQN": "psddqn"}
RULES = {"random": "random", "greedy (the paper's)": "greedy"}
HELD_OUT_SEED = 3_000_000
TURNS = 120 * 30  # of a day, by which the paper's episodes are counted
PAPERS_RATE = 5e-3
TRAINING = (6, 7, 8)  # figures of training
RATES = (5e-2, PAPERS_RATE, 5e-4)


@dataclass(frozen=True, eq=False)
class Effort:
    """How much is done.

    Attributes
    ----------
    papers, tuned
        Hyperparameters other than the algorithms' own, with the paper's settings and with ours.
    held_out
        Days that methods are compared on.
    satellites
        Points of Figure 9.
    """

    seeds: Sequence[int]
    papers: Mapping[str, Any]
    tuned: Mapping[str, Any]
    held_out: int
    satellites: Sequence[int]

    @property
    def training_note(self) -> str:
        """What figures of training say of it."""
        episodes = self.papers.get("steps", PAPER.steps) // TURNS
        days = self.papers.get("validation_worlds", PAPER.validation_worlds)
        return f"{episodes} episodes, {len(self.seeds)} seeds, {days} validation days, {bands(len(self.seeds))}"

    @property
    def note(self) -> str:
        """What the other figures say of it."""
        trained = f"trained for {self.tuned['steps']:,} steps, " if "steps" in self.tuned else ""
        return f"{trained}{len(self.seeds)} seeds, {self.held_out} held-out days, {bands(len(self.seeds))}"


FULL = Effort(range(5), {}, {}, 20, (60, 80, 100, 120, 140))
_FEW = {"worlds": 10, "validation_worlds": 3}
QUICK = Effort(
    range(3),
    {"steps": 36_000, "unit": 7_200, **_FEW},
    {"steps": 1_000, "unit": 500, "warm_up": 1_600, **_FEW},
    3,
    (60, 100, 140),
)


def figure_6(out: Path, effort: Effort) -> Path:
    """Reward of PSDDQN over episodes."""
    run = _papers(out, effort, PAPERS_RATE)
    rows = [*_over_training(run, effort, "PSDDQN", "validation_return"), *_optimum_line(run, effort)]
    return _drawn(out, 6, "objective of validation days over training", "episodes", "objective of a day", rows, effort)


def figure_7(out: Path, effort: Effort) -> Path:
    """Loss of PSDDQN over episodes."""
    run = _papers(out, effort, PAPERS_RATE)
    rows = _over_training(run, effort, "PSDDQN", "loss")
    return _drawn(out, 7, "loss over training, (29)", "episodes", "loss", rows, effort, logarithmic=True)


def figure_8(out: Path, effort: Effort) -> Path:
    """Reward of PSDDQN with several learning rates."""
    runs = {rate: _papers(out, effort, rate) for rate in RATES}
    rows = [
        row
        for rate, run in runs.items()
        for row in _over_training(run, effort, f"learning rate {rate:g}", "validation_return")
    ]
    rows += _optimum_line(runs[PAPERS_RATE], effort)
    return _drawn(out, 8, "objective over training, by learning rate", "episodes", "objective of a day", rows, effort)


def figure_9(out: Path, effort: Effort) -> Path:
    """Utility against the number of satellites."""
    rows = [
        {"method": course.method, "seed": course.seed, "x": satellites, "y": course.value[-1]}
        for satellites in effort.satellites
        for course in _courses(out, effort, f"paper:satellites={satellites}")
    ]
    return _drawn(
        out, 9, "objective against the number of satellites", "satellites", "objective of a day", rows, effort
    )


def figure_10(out: Path, effort: Effort) -> Path:
    """Utility over the slots of a day."""
    rows = _by_slot(_courses(out, effort, "paper"), lambda course: course.value)
    return _drawn(out, 10, "objective over the slots of a day", "slots", "objective so far", rows, effort)


def _capacity(station: int) -> Callable[[Path, Effort], Path]:
    """The figure of one station's remaining capacity."""

    def figure(out: Path, effort: Effort) -> Path:
        rows = _by_slot(_courses(out, effort, "paper"), lambda course: course.left[:, station])
        number, title = 11 + station, f"remaining capacity of station {station + 1}"
        return _drawn(out, number, title, "slots", "storage left (data units)", rows, effort)

    return figure


FIGURES: dict[int, Callable[[Path, Effort], Path]] = {
    6: figure_6,
    7: figure_7,
    8: figure_8,
    9: figure_9,
    10: figure_10,
    **{11 + station: _capacity(station) for station in range(5)},
}


def _drawn(
    out: Path,
    number: int,
    title: str,
    x: str,
    y: str,
    rows: list[dict[str, Any]],
    effort: Effort,
    *,
    logarithmic: bool = False,
) -> Path:
    title = f"Figure {number}: {title}"
    table = pd.DataFrame(rows, columns=["method", "seed", "x", "y"])
    note = effort.training_note if number in TRAINING else effort.note
    return draw(Curves(title, x, y, table, OPTIMUM, note, logarithmic), out / f"figure-{number}")


def _papers(out: Path, effort: Effort, rate: float) -> Path:
    """PSDDQN with the paper's settings but for the learning rate."""
    folder = out / "runs" / f"psddqn-paper-{rate:g}"
    changes = {"learning_rate": (rate, rate), **effort.papers}
    return trained("association", "paper", "psddqn-paper", effort.seeds, folder, changes=changes)


def _over_training(run: Path, effort: Effort, method: str, measure: str) -> list[dict[str, Any]]:
    return [
        {"method": method, "seed": seed, "x": unit["step"] / TURNS, "y": value}
        for unit in metrics(run)
        if measure in unit
        for seed, value in zip(effort.seeds, unit[measure], strict=True)
    ]


def _optimum_line(run: Path, effort: Effort) -> list[dict[str, Any]]:
    """The mean optimum of the validation days, over all of training."""
    days = effort.papers.get("validation_worlds", PAPER.validation_worlds)
    mean = np.mean([optimum(generate("paper", VALIDATION_SEED + k)).objective for k in range(days)])
    return [{"method": OPTIMUM, "seed": -1, "x": unit["step"] / TURNS, "y": mean} for unit in metrics(run)]


class Course(NamedTuple):
    """How days went for a method and seed, on average.

    Attributes
    ----------
    value : array, shape (T + 1,)
        Objective of the slots so far.
    left : array, shape (T + 1, J)
        Storage left (data units).
    """

    method: str
    seed: int
    value: FloatArray
    left: FloatArray


@functools.cache
def _courses(out: Path, effort: Effort, preset: str) -> list[Course]:
    """The courses of all methods on the held-out days of a preset."""
    days = [generate(preset, HELD_OUT_SEED + k) for k in range(effort.held_out)]
    found = []
    for method, algorithm in FAMILY.items():
        folder = out / "runs" / algorithm
        run = trained("association", "paper", algorithm, effort.seeds, folder, changes=effort.tuned)
        found += [_course(days, method, f"policy:{run}?seed={seed}", seed) for seed in effort.seeds]
    for method, name in RULES.items():
        seeds = effort.seeds if name == "random" else [-1]
        found += [_course(days, method, name, seed) for seed in seeds]
    return [*found, _course(days, OPTIMUM, None, -1)]


def _course(days: Sequence[Association], method: str, solver: str | None, seed: int) -> Course:
    """A solver's course, or the optimum's."""
    results = [solve(day, solver, seed=max(seed, 0)) if solver else optimum(day) for day in days]
    courses = [_of_day(day, result.decision) for day, result in zip(days, results, strict=True)]
    value, left = (np.mean(column, 0) for column in zip(*courses, strict=True))
    return Course(method, seed, value, left)


def _of_day(day: Association, decision: Any) -> tuple[FloatArray, FloatArray]:
    """Objective so far and storage left after each slot, the beginning included."""
    assert isinstance(decision, AssociationDecision)
    load = loads(day, decision.links)
    left = day.capacity - np.vstack([np.zeros(day.stations), load.cumsum(0)])
    price = np.divide(day.price_weight, left[:-1], out=np.zeros(load.shape), where=load > 0)
    earned = ((day.utility_weight - price) * load).sum(1)
    return np.append(0.0, earned.cumsum()), left


def _by_slot(courses: Sequence[Course], measure: Callable[[Course], FloatArray]) -> list[dict[str, Any]]:
    return [
        {"method": course.method, "seed": course.seed, "x": slot, "y": value}
        for course in courses
        for slot, value in enumerate(measure(course))
    ]
