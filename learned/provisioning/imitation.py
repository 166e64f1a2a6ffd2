"""Imitation of proven optima on provisioning, fine-tuning by reinforcement, and the policy as a solver."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ...instances.errors import InputError
from ...instances.fields import IntArray
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.presets import find
from ...solvers.result import Answer, Limits
from ..averaged_student import AveragedStudent
from ..imitation import ImitationLearner
from ..label_store import LabelStore, plan_all, split
from ..policy_file import PolicyFile, SeenArray
from ..settings import half_cosine
from .imitation_settings import IMITATION, REINFORCED, Settings
from .slot_decoder import decide
from .slot_labels import SlotLabels
from .slot_loss import imitation_loss, reinforce_loss
from .slot_network import Size, SlotNetwork
from .slot_part import Part, choice_of, options_of
from .worlds import Worlds

__all__ = ["IMITATION", "REINFORCED", "ProvisioningImitation", "SlotPolicy"]


class Lessons(NamedTuple):
    """The slots of a preset.

    Attributes
    ----------
    parts
        Nobody has decided yet.
    options
        What the optimum takes of each part, shape (slots, users).
    scale : array, shape (parts, slots)
        What a part's values are shares of (units).
    """

    parts: list[Part]
    options: list[IntArray]
    scale: np.ndarray

    @classmethod
    def of(cls, labels: SlotLabels) -> "Lessons":
        """The slots of all instances."""
        pool = Worlds(labels.instances)
        parts = Part.of(pool)
        choice = labels.choice.reshape(-1, *labels.choice.shape[2:])
        return cls(parts, options_of(choice, parts), np.repeat(pool.scale.T, pool.slots, 1))


class Student(AveragedStudent[SlotNetwork]):
    """One seed; everything drawn in a step depends on the seed and the step's number alone."""

    def __init__(self, seed: int, settings: Settings) -> None:
        self.seed, self.settings = seed, settings
        super().__init__(SlotNetwork(_size(settings), seed), settings.largest_gradient)
        self._begin(self.network, settings.weight_decay)

    def learn(self, presets: Sequence[Lessons], step: int) -> dict[str, float]:
        """One step, of what it is time for, on one preset after the other."""
        settings, rng = self.settings, np.random.default_rng([self.seed, step])
        lessons = presets[step % len(presets)]
        if step < settings.imitation_steps:
            return self._imitate(lessons, rng, step)
        return self._fine_tune(lessons, rng, step - settings.imitation_steps)

    def _imitate(self, lessons: Lessons, rng: np.random.Generator, step: int) -> dict[str, float]:
        """Take what the optimum takes."""
        settings = self.settings
        slots = rng.integers(len(lessons.parts[0]), size=settings.batch)
        losses = [
            imitation_loss(network, part.take(slots), option[slots], rng)
            for (network, part), option in zip(self.network.parts(lessons.parts), lessons.options, strict=True)
        ]
        rate = settings.learning_rate * min(1.0, (step + 1) / settings.warm_up)
        loss = torch.stack(losses).sum()
        norm = self._descend(loss, rate * half_cosine(step / settings.imitation_steps))
        self._average(settings.averaging, step)
        return {"loss": float(loss.detach()), "gradient_norm": norm}

    def _fine_tune(self, lessons: Lessons, rng: np.random.Generator, step: int) -> dict[str, float]:
        """Make the better of several draws likelier; the optimum's options are not looked at."""
        settings = self.settings
        if step == 0:
            self.network.load_state_dict(self.learned.state_dict())
            self._begin(self.network, settings.weight_decay)
        slots = rng.integers(len(lessons.parts[0]), size=settings.tuning_batch)
        tunings = [
            reinforce_loss(network, part.take(slots), settings.samples, settings.entropy, rng)
            for network, part in self.network.parts(lessons.parts)
        ]
        loss = torch.stack([tuning.loss for tuning in tunings]).sum()
        norm = self._descend(loss, settings.tuning_rate * half_cosine(step / settings.tuning_steps))
        self._average(settings.tuning_averaging)
        return {
            "entropy": float(np.mean([tuning.entropy for tuning in tunings])),
            "shortfall": float(np.mean([tuning.shortfall for tuning in tunings])),
            "gradient_norm": norm,
        }


class ProvisioningImitation(ImitationLearner[SlotLabels]):
    """S seeds of imitation on the same slots.

    Parameters
    ----------
    preset
        A preset, or several with commas between (semicolons between variants), of any sizes.
    seeds
        Seeds of networks and of the order of labels; equal seeds learn equally whatever the others are.
    """

    def __init__(self, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        self.settings = settings
        self.students = [Student(seed, settings) for seed in seeds]
        chunks = plan_all(split(preset, find), settings.label_worlds, settings.validation_worlds, settings.chunk_worlds)
        draw = partial(SlotLabels.draw, largest_gap=settings.largest_gap)
        super().__init__(settings, LabelStore(chunks, draw, SlotLabels.read, SlotLabels.joined), self.students)

    def _prepare(self, folder: Path) -> SeenArray:
        every = len(self.store.chunks)
        labels, self._validation = (
            self.store.load(folder, every, validation=validation) for validation in (False, True)
        )
        self._lessons = [Lessons.of(known) for known in labels.values()]
        self._validating = {preset: Lessons.of(known) for preset, known in self._validation.items()}
        return np.unique(np.concatenate([known.seen for known in [*labels.values(), *self._validation.values()]]))

    def _step(self, at: int, step: int) -> dict[str, float]:
        return self.students[at].learn(self._lessons, step)

    def _regret(self) -> dict[str, list[float]]:
        return {preset: [self._shortfall(student, preset) for student in self.students] for preset in self._validating}

    def _shortfall(self, student: Student, preset: str) -> float:
        """What is missing to the optima of all instances together."""
        known = self._validating[preset]
        decided = decide(student.learned, known.parts)
        value = sum(float(part.earned @ scale) for part, scale in zip(decided, known.scale, strict=True))
        optimum = float(self._validation[preset].optimum.sum())
        return (optimum - value) / optimum if optimum > 0 else 0.0

    def _network(self) -> dict[str, Any]:
        return _size(self.settings)._asdict()


def _size(settings: Settings) -> Size:
    return Size(settings.width, settings.layers, settings.trials)


@dataclass(frozen=True)
class SlotPolicy:
    """Networks of one seed as a solver; they take instances of any size.

    Attributes
    ----------
    samples
        1: what is likeliest. More: the best of so many draws of each slot, by what is known.
    """

    network: SlotNetwork
    samples: int

    @classmethod
    def of(cls, file: PolicyFile, seed: int, samples: int) -> "SlotPolicy":
        """The networks of one trained seed."""
        layers = file.network.get("layers")
        if not isinstance(layers, int) or layers < 0:
            raise InputError("is missing or no number from 0 up", "network.layers", str(file.path))
        network = SlotNetwork(Size(file.network_size("width"), layers, file.network_size("trials")))
        file.fill(network, seed, stacked=False)
        return cls(network, samples)

    def __call__(self, instance: Provisioning, limits: Limits) -> Answer:
        """Decide for the users of all slots."""
        parts = decide(self.network, Part.of(Worlds([instance])), self.samples, limits.seed)
        return Answer(ProvisioningDecision(choice_of(parts, instance.slots)[0]))
