"""Imitation of proven optima on placement, over one or several sizes at once, and fine-tuning by reinforcement."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...instances.errors import InputError
from ...instances.fields import IntArray
from ..policy_file import SeenArray
from .imitation_policy import ImitationPolicy
from .imitation_settings import IMITATION, REINFORCED, Settings
from .label_store import LabelStore
from .labels import Labels, from_targets
from .student import Student

__all__ = ["IMITATION", "REINFORCED", "ImitationLearner", "ImitationPolicy"]


class Lessons:
    """In what order a seed sees labels: every step a batch of one shape, every label of it once before any twice.

    Parameters
    ----------
    groups
        Labels by shape; a shape's share of the steps is its share of all pairs.
    batch_pairs
        Size of a batch.
    """

    def __init__(self, seed: int, groups: Sequence[Labels], steps: int) -> None:
        self._seed, self._groups = seed, groups
        weight = np.array([len(group) * group.pairs for group in groups], float)
        chosen = np.random.default_rng([seed, 0]).choice(len(groups), steps, p=weight / weight.sum())
        self._group = chosen
        # How many steps before this one were of the same shape.
        self._turn = np.array([np.count_nonzero(chosen[:step] == group) for step, group in enumerate(chosen)])

    def batch(self, step: int, pairs: int) -> Labels:
        """The labels of a step, in a batch of about so many pairs."""
        labels = self._groups[self._group[step]]
        size = min(len(labels), max(1, pairs // labels.pairs))
        rounds, at = divmod(int(self._turn[step]), len(labels) // size)
        order: IntArray = np.random.default_rng([self._seed, 1, int(self._group[step]), rounds]).permutation(
            len(labels)
        )
        batch: Labels = labels.take(order[at * size : (at + 1) * size])
        return batch


class ImitationLearner:
    """S seeds of imitation on the same labels, one after the other in each unit of work.

    Parameters
    ----------
    preset
        A preset, or several with commas between.
    seeds
        Seeds of networks and of the order of labels; equal seeds learn equally whatever the others are.
    """

    def __init__(self, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        self.settings, self.seeds = settings, seeds
        if settings.targets is not None and not Path(settings.targets).exists():
            raise InputError("is not there", file=settings.targets)
        self.store = LabelStore(preset, settings)
        self.chunks = self.iteration = 0
        self.students = [Student(seed, settings) for seed in seeds]
        self._best = [_copied(student.mean) for student in self.students]
        self._best_return = [-np.inf] * len(seeds)
        self._folder = Path()
        self._lessons: list[Lessons] = []
        self._validation: dict[str, Labels] = {}
        self._seen = np.empty(0, np.uint64)

    def open(self, folder: Path) -> None:
        """Keep labels in a run's folder."""
        self._folder = folder / "labels"

    @property
    def progress(self) -> float:
        """Share of the units done."""
        chunks, units = len(self.store.chunks), -(-self.settings.steps // self.settings.unit)
        return (self.chunks + self.iteration / self.settings.steps * units) / (chunks + units)

    def step(self) -> dict[str, Any]:
        """One unit: some labels, or some steps of every seed, and validation when it is due."""
        if self.chunks < len(self.store.chunks):
            chunk = self.store.chunks[self.chunks]
            self.store.make(chunk, self._folder)
            self.chunks += 1
            return {"preset": chunk.preset, "labels": len(chunk.seeds)}
        self._prepare()
        last = min(self.iteration + self.settings.unit, self.settings.steps)
        reports = [
            self._learn(student, lessons, last) for student, lessons in zip(self.students, self._lessons, strict=True)
        ]
        self.iteration = last
        metrics = {"iteration": last} | {name: [report[name] for report in reports] for name in reports[0]}
        if last % self.settings.validate == 0 or last == self.settings.steps:
            metrics |= self._validate()
        return metrics

    def _prepare(self) -> None:
        """Load the labels once all are there."""
        if self._lessons:
            return
        settings, store, every = self.settings, self.store, len(self.store.chunks)
        self._validation = store.load(self._folder, every, validation=True)
        if settings.targets is None:
            groups = list(store.load(self._folder, every, validation=False).values())
        else:
            groups = from_targets(Path(settings.targets), settings.largest_gap)
        self._seen = _hashes([*groups, *self._validation.values()])
        self._lessons = [Lessons(seed, groups, settings.steps) for seed in self.seeds]

    def _learn(self, student: Student, lessons: Lessons, last: int) -> dict[str, float]:
        """A seed's steps of a unit; means of what they report."""
        settings = self.settings
        reports: dict[str, list[float]] = defaultdict(list)
        for step in range(self.iteration, last):
            if step < settings.imitation_steps:
                report = student.imitate(lessons.batch(step, settings.batch_pairs), step)
            else:
                if step == settings.imitation_steps:
                    student.begin_fine_tuning()
                report = student.fine_tune(lessons.batch(step, settings.rollout_pairs // settings.samples), step)
            for name, value in report.items():
                reports[name].append(value)
        return {name: float(np.mean(values)) for name, values in reports.items()}

    def _validate(self) -> dict[str, Any]:
        """Mean greedy regret of each seed on each preset; a network that is better on average is kept."""
        regret = {
            preset: [student.regret(labels) for student in self.students] for preset, labels in self._validation.items()
        }
        found = -np.mean(list(regret.values()), 0)
        for at, student in enumerate(self.students):
            if found[at] > self._best_return[at]:
                self._best[at], self._best_return[at] = _copied(student.mean), float(found[at])
        named = {f"validation_regret/{preset}": values for preset, values in regret.items()}
        return {"validation_return": found.tolist(), **named}

    def conclude(self) -> None:
        """Validate what has been learned since the last validation."""
        if self.iteration % self.settings.validate and self.iteration < self.settings.steps:
            self._prepare()
            self._validate()

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit."""
        return {
            "chunks": self.chunks,
            "iteration": self.iteration,
            "students": [student.state() for student in self.students],
            "best": self._best,
            "best_return": self._best_return,
            "seen": torch.from_numpy(self._seen),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises
        ------
        InputError
            When the labels are not those that the state has learned from.
        """
        self.chunks, self.iteration = state["chunks"], state["iteration"]
        for student, known in zip(self.students, state["students"], strict=True):
            student.load_state(known)
        self._best, self._best_return = state["best"], state["best_return"]
        if self.iteration:
            self._prepare()
            if not np.array_equal(self._seen, state["seen"].numpy()):
                raise InputError(
                    "has other labels than the run began with", file=str(self.settings.targets or self._folder)
                )

    def policy(self) -> dict[str, Any]:
        """The best network of each seed, with what is needed to use it and the instances that it has seen."""
        settings = self.settings
        return {
            "network": {name: getattr(settings, name) for name in ("width", "layers", "heads", "loads", "head_width")},
            "parameters": {name: torch.stack([best[name] for best in self._best]) for name in self._best[0]},
            "validation_return": self._best_return,
            "seen": torch.from_numpy(self._seen),
        }


def _copied(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def _hashes(groups: Sequence[Labels]) -> SeenArray:
    return np.sort(np.concatenate([labels.seen for labels in groups]))
