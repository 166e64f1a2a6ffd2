"""Imitation of proven optima on association: prices of storage from the horizon, links from exact slots."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...instances.association import Association
from ...instances.association.presets import find, generate
from ...instances.errors import InputError
from ...instances.fields import FloatArray
from ...solvers.result import Answer, Limits
from ..imitation import ImitationLearner
from ..label_store import TRAINING_SEED, LabelStore, plan_all, split
from ..policy_file import PolicyFile, SeenArray, hash_numbers
from .foresight import Foresight, Scenery, Size, decision_of, play_exactly, play_links
from .horizon_labels import HorizonLabels
from .imitation_settings import IMITATION, PRICES, REINFORCED, Settings
from .prospects import FEATURES
from .student import PriceLessons, Student

__all__ = ["IMITATION", "PRICES", "REINFORCED", "AssociationImitation", "ForesightPolicy"]


class AssociationImitation(ImitationLearner[HorizonLabels]):
    """S seeds of imitation on the same days.

    Parameters
    ----------
    preset
        A preset, or several with commas between (semicolons between variants), all of one shape.
    seeds
        Seeds of networks and of the order of labels; equal seeds learn equally whatever the others are.
    """

    def __init__(self, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        self.settings, self.presets = settings, split(preset, find)
        self.students = [Student(seed, settings) for seed in seeds]
        chunks = plan_all(self.presets, settings.label_days, settings.validation_days, settings.chunk_days)
        draw = partial(HorizonLabels.draw, largest_gap=settings.largest_gap)
        super().__init__(settings, LabelStore(chunks, draw, HorizonLabels.read, HorizonLabels.joined), self.students)

    def _prepare(self, folder: Path) -> SeenArray:
        settings, every = self.settings, len(self.store.chunks)
        labels = self.store.load(folder, every, validation=False)
        self._validation = self.store.load(folder, every, validation=True)
        self._validation_days = {preset: Scenery.of(known.instances) for preset, known in self._validation.items()}
        self._prices = _price_lessons(list(labels.values()))
        days = settings.slot_days if settings.link_steps else 0
        training = [generate(preset, TRAINING_SEED + day) for preset in self.presets for day in range(days)]
        if training and not any(len(instance.windows) for instance in training):
            raise InputError("has no satellite that ever reaches a station", ",".join(self.presets))
        self._training = Scenery.of(training) if training else None
        seen = [known.seen for known in [*labels.values(), *self._validation.values()]]
        return np.unique(np.concatenate([*seen, hash_numbers([instance.hash for instance in training])]))

    def _can_decide(self) -> bool:
        return not self.settings.link_steps or self.iteration > self.settings.price_steps

    def _step(self, at: int, step: int) -> dict[str, float]:
        settings, student = self.settings, self.students[at]
        if step < settings.price_steps:
            return student.learn_price(self._prices, step)
        assert self._training is not None
        tuned = step - settings.price_steps - settings.link_steps
        if tuned >= 0:
            return student.fine_tune(self._training, tuned)
        days = range(len(self._training.days.instances))
        return student.imitate(self._training, step - settings.price_steps, days)

    def _regret(self) -> dict[str, list[float]]:
        return {
            preset: [
                float(np.mean(1 - _values(student.learned, self._validation_days[preset]) / known.optimum))
                for student in self.students
            ]
            for preset, known in self._validation.items()
        }

    def _network(self) -> dict[str, Any]:
        return {name: getattr(self.settings, name) for name in ("price_width", "width", "layers")}


def _values(foresight: Foresight, scenery: Scenery) -> FloatArray:
    """Objectives that the networks come to on days."""
    worlds = range(len(scenery.days.instances))
    if foresight.link is not None:
        return play_links(foresight, scenery, np.array(worlds)).value
    return np.concatenate([play_exactly(foresight, scenery, world)[0].value for world in worlds])


def _price_lessons(labels: Sequence[HorizonLabels]) -> PriceLessons:
    """Every station's price in every slot of the days."""
    features, price, ahead = [], [], []
    for known in labels:
        scenery = Scenery.of(known.instances)
        days, slots, stations = known.left.shape
        world, slot = np.divmod(np.arange(days * slots), slots)
        left = known.left.reshape(-1, stations)
        prospects = scenery.prospects
        storage = prospects.storage(world, left)
        utility = np.maximum(prospects.utility[world, None], 1e-12)
        features.append(prospects.features(world, slot, left).reshape(-1, FEATURES))
        price.append((prospects.weight[world, None] / storage / utility).ravel())
        ahead.append((known.ahead.reshape(-1, stations) / utility).ravel())
    return PriceLessons(*(torch.from_numpy(np.concatenate(column)).float() for column in (features, price, ahead)))


@dataclass(frozen=True)
class ForesightPolicy:
    """Networks of one seed as a solver; they take instances of any size.

    Attributes
    ----------
    samples
        1: every satellite's likeliest link. More: the best of so many draws of each slot, see `foresight.play_links`.
        Slots that are decided exactly need no draws.
    """

    foresight: Foresight
    samples: int

    @classmethod
    def of(cls, file: PolicyFile, seed: int, samples: int) -> "ForesightPolicy":
        """The networks of one trained seed."""
        layers = file.network.get("layers")
        if not isinstance(layers, int) or layers < 0:
            raise InputError("is missing or no number from 0 up", "network.layers", str(file.path))
        foresight = Foresight(Size(file.network_size("price_width"), file.network_size("width"), layers))
        file.fill(foresight, seed, stacked=False)
        return cls(foresight, samples)

    def __call__(self, instance: Association, limits: Limits) -> Answer:
        """Decide slot by slot."""
        scenery = Scenery.of([instance])
        if self.foresight.link is None:
            return Answer(play_exactly(self.foresight, scenery, 0)[1])
        played = play_links(self.foresight, scenery, np.zeros(1, np.int64), self.samples, limits.seed)
        return Answer(decision_of(scenery, 0, played.choice[0]))
