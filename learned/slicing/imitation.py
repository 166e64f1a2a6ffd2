"""Imitation of certified prices on slicing, fine-tuning by their bound or by reward, and the policy as a solver."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...formulations.slicing.referee import judge
from ...instances.errors import InputError
from ...instances.fields import FloatArray
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.presets import find
from ...solvers.interrupts import noting_interrupts
from ...solvers.result import Answer, Limits
from ...solvers.slicing.by_prices import decide_by_prices
from ...solvers.slicing.everywhere import SharedBound
from ...solvers.slicing.placements import placements
from ..averaged_student import AveragedStudent
from ..imitation import ImitationLearner
from ..label_store import LabelStore, plan_all, split
from ..policy_file import PolicyFile, SeenArray
from ..settings import half_cosine
from .imitation_settings import IMITATION, REINFORCED, TUNED, Settings
from .price_labels import PriceLabels
from .price_network import PriceNetwork, Sight

__all__ = ["IMITATION", "REINFORCED", "TUNED", "PricePolicy", "SlicingImitation"]


class Lessons(NamedTuple):
    """The slots of a preset.

    Attributes
    ----------
    stations
        How many there are.
    sight
        What is seen of all slots.
    prices : tensor, shape (slots, rows)
        Over the scale.
    instances
        The slots themselves.
    bounds
        What prices prove.
    """

    stations: int
    sight: Sight
    prices: Tensor
    instances: list[Slicing]
    bounds: list[SharedBound]

    @classmethod
    def of(cls, labels: PriceLabels) -> "Lessons":
        """The slots that are labelled."""
        instances = labels.instances
        sight = Sight.joined([Sight.of(own) for own in instances])
        if (sight.scale <= 0).any():
            raise InputError("has slots in which no user is worth anything", "preset")
        prices = torch.from_numpy(labels.prices).float() / sight.scale[:, None]
        return cls(instances[0].nodes[0], sight, prices, instances, [SharedBound(own) for own in instances])


class Student(AveragedStudent[PriceNetwork]):
    """One seed; everything drawn in a step depends on the seed and the step's number alone."""

    def __init__(self, seed: int, settings: Settings) -> None:
        self.seed, self.settings = seed, settings
        super().__init__(PriceNetwork(settings.width, settings.layers, seed), settings.largest_gradient)
        self._begin(self.network, settings.weight_decay)

    def learn(self, presets: Sequence[Lessons], step: int) -> dict[str, float]:
        """One step, of what it is time for, on one preset after the other."""
        settings, rng = self.settings, np.random.default_rng([self.seed, step])
        lessons = presets[step % len(presets)]
        if step < settings.imitation_steps:
            return self._imitate(lessons, rng, step)
        return self._fine_tune(lessons, rng, step - settings.imitation_steps)

    def _imitate(self, lessons: Lessons, rng: np.random.Generator, step: int) -> dict[str, float]:
        """Expect the prices of the certified solution; roots, so that small prices count, too."""
        settings = self.settings
        rows = torch.from_numpy(rng.integers(len(lessons.prices), size=settings.batch))
        said = self.network(lessons.sight.take(rows), lessons.stations)
        loss = (said.sqrt() - lessons.prices[rows].sqrt()).square().mean()
        rate = settings.learning_rate * min(1.0, (step + 1) / settings.warm_up)
        norm = self._descend(loss, rate * half_cosine(step / settings.imitation_steps))
        self._average(settings.averaging, step)
        return {"price_error": float(loss.detach().sqrt()), "gradient_norm": norm}

    def _fine_tune(self, lessons: Lessons, rng: np.random.Generator, step: int) -> dict[str, float]:
        """Follow the slope of what the prices come to; labels are not looked at."""
        settings = self.settings
        if step == 0:
            self.network.load_state_dict(self.learned.state_dict())
            self._begin(self.network, settings.weight_decay)
        rows = rng.integers(len(lessons.prices), size=settings.tuning_batch)
        sight = lessons.sight.take(torch.from_numpy(rows))
        said = self.network(sight, lessons.stations) * sight.scale[:, None]
        points = said.detach().double().numpy()
        if settings.disturbance:
            worth = partial(_value, tried=settings.tried)
            tried = [
                slope_of_reward(partial(worth, lessons.instances[row]), point, settings.disturbance, rng)
                for row, point in zip(rows, points, strict=True)
            ]
        else:
            tried = [lessons.bounds[row].at(point) for row, point in zip(rows, points, strict=True)]
        slope = torch.from_numpy(np.stack([slope for _, slope in tried])).float()
        rate = settings.tuning_rate * half_cosine(step / settings.tuning_steps)
        norm = self._descend((slope * said).sum(1).mean(), rate)
        self._average(settings.tuning_averaging)
        name = "loss" if settings.disturbance else "bound"
        return {name: float(np.mean([value for value, _ in tried])), "gradient_norm": norm}


def slope_of_reward(
    worth: Callable[[FloatArray], float], point: FloatArray, disturbance: float, rng: np.random.Generator
) -> tuple[float, FloatArray]:
    """What a slot loses, and its slope in the mean of the prices, by one disturbance of their logarithms up and down.

    The likelihood-ratio gradient of a normal policy, with the other of the pair as baseline (REINFORCE, Williams 1992).
    """
    noise = rng.standard_normal(len(point))
    up, down = (worth(point * np.exp(sign * disturbance * noise)) for sign in (1, -1))
    return -(up + down) / 2, -(up - down) / (2 * disturbance) * noise / point


class SlicingImitation(ImitationLearner[PriceLabels]):
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
        draw = partial(
            PriceLabels.draw,
            wanted_gap=settings.wanted_gap,
            time_limit_s=settings.time_limit_s,
            largest_gap=settings.largest_gap,
        )
        super().__init__(settings, LabelStore(chunks, draw, PriceLabels.read, PriceLabels.joined), self.students)

    def _prepare(self, folder: Path) -> SeenArray:
        every = len(self.store.chunks)
        labels, self._validation = (
            self.store.load(folder, every, validation=validation) for validation in (False, True)
        )
        self._lessons = [Lessons.of(known) for known in labels.values()]
        return np.unique(np.concatenate([known.seen for known in [*labels.values(), *self._validation.values()]]))

    def _step(self, at: int, step: int) -> dict[str, float]:
        with noting_interrupts():
            return self.students[at].learn(self._lessons, step)

    def _regret(self) -> dict[str, list[float]]:
        """To the bounds of the validation labels."""
        with noting_interrupts():
            return {
                preset: [self._shortfall(student.learned, known) for student in self.students]
                for preset, known in self._validation.items()
            }

    def _shortfall(self, network: PriceNetwork, known: PriceLabels) -> float:
        values = [_value(own, network.prices(own), self.settings.tried) for own in known.instances]
        scale = np.where(known.bound == 0, 1.0, np.abs(known.bound))
        return float(np.mean((known.bound - values) / scale))

    def _network(self) -> dict[str, Any]:
        return {name: getattr(self.settings, name) for name in ("width", "layers", "tried")}


def _value(instance: Slicing, prices: FloatArray, tried: int) -> float:
    """The objective that prices lead to."""
    decision = decide_by_prices(instance, prices, Limits(), tried).decision
    assert isinstance(decision, SlicingDecision)
    value = judge(instance, decision).objective
    assert value is not None
    return value


@dataclass(frozen=True)
class PricePolicy:
    """The network of one seed as a solver; it takes instances of any size.

    Attributes
    ----------
    tried
        Placements whose own prices are sought.
    """

    network: PriceNetwork
    tried: int

    @classmethod
    def of(cls, file: PolicyFile, seed: int, samples: int) -> "PricePolicy":
        """The network of one trained seed; `samples` are so many times more placements tried."""
        network = PriceNetwork(file.network_size("width"), file.network_size("layers"))
        file.fill(network, seed, stacked=False)
        return cls(network, samples * file.network_size("tried"))

    def __call__(self, instance: Slicing, limits: Limits) -> Answer:
        """Decide a slot."""
        if not len(placements(instance)):
            return decide_by_prices(instance, np.zeros(0), limits, self.tried)
        return decide_by_prices(instance, self.network.prices(instance), limits, self.tried)
