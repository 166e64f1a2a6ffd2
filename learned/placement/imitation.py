"""Imitation of proven optima on placement, over one or several sizes at once, and fine-tuning by reinforcement."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...instances.errors import InputError
from ...instances.fields import IntArray
from ...instances.placement.presets import find
from ..imitation import ImitationLearner
from ..label_store import LabelStore, plan, split
from ..policy_file import SeenArray
from .imitation_policy import ImitationPolicy
from .imitation_settings import IMITATION, REINFORCED, Settings
from .labels import Labels, draw, from_targets
from .student import Student

__all__ = ["IMITATION", "REINFORCED", "ImitationPolicy", "PlacementImitation"]


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


class PlacementImitation(ImitationLearner[Labels]):
    """S seeds of imitation on the same placements.

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
        self.students = [Student(seed, settings) for seed in seeds]
        super().__init__(settings, _store(preset, settings), self.students)
        self._lessons: list[Lessons] = []
        self._validation: dict[str, Labels] = {}

    def _prepare(self, folder: Path) -> SeenArray:
        settings, store, every = self.settings, self.store, len(self.store.chunks)
        self._validation = store.load(folder, every, validation=True)
        if settings.targets is None:
            groups = list(store.load(folder, every, validation=False).values())
        else:
            groups = from_targets(Path(settings.targets), settings.largest_gap)
        self._lessons = [Lessons(seed, groups, settings.steps) for seed in self.seeds]
        return np.sort(np.concatenate([labels.seen for labels in [*groups, *self._validation.values()]]))

    def _step(self, at: int, step: int) -> dict[str, float]:
        settings, student, lessons = self.settings, self.students[at], self._lessons[at]
        if step < settings.imitation_steps:
            return student.imitate(lessons.batch(step, settings.batch_pairs), step)
        if step == settings.imitation_steps:
            student.begin_fine_tuning()
        return student.fine_tune(lessons.batch(step, settings.rollout_pairs // settings.samples), step)

    def _regret(self) -> dict[str, list[float]]:
        return {
            preset: [student.regret(labels) for student in self.students] for preset, labels in self._validation.items()
        }

    def _place(self) -> str:
        return self.settings.targets or super()._place()

    def _network(self) -> dict[str, Any]:
        return {name: getattr(self.settings, name) for name in ("width", "layers", "heads", "loads", "head_width")}


def _store(presets: str, settings: Settings) -> LabelStore[Labels]:
    """What is to be labelled: validation first, and training unless there is a file of targets."""
    chunks = []
    for pairs, validation in ((settings.validation_pairs, True), (settings.label_pairs, False)):
        if validation or settings.targets is None:
            for preset in split(presets, find):
                each = find(preset).users * (find(preset).devices + 2)
                size = max(1, settings.chunk_pairs // each)
                chunks += plan(preset, max(1, pairs // each), size, validation=validation)
    return LabelStore(chunks, partial(draw, largest_gap=settings.largest_gap), Labels.read, Labels.joined)
