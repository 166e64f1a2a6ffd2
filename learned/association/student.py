"""One seed of imitation on association: a step of its price network, of its link network, and of fine-tuning."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..averaged_student import AveragedStudent
from ..settings import half_cosine
from .foresight import Foresight, Scenery, Size
from .imitation_settings import Settings
from .link_loss import imitation_loss, reinforce_loss
from .slot_lessons import SlotLessons, collected_lessons, exact_lessons


class PriceLessons(NamedTuple):
    """What storage is worth along optima, one row a (day, slot, station).

    Attributes
    ----------
    features : tensor, shape (rows, FEATURES)
    price, ahead : tensor, shape (rows,)
        xi kappa / H and what storage is worth ahead, over omega.
    """

    features: Tensor
    price: Tensor
    ahead: Tensor


class Student(AveragedStudent[Foresight]):
    """Networks that learn; everything drawn in a step depends on the seed and the step's number alone."""

    def __init__(self, seed: int, settings: Settings) -> None:
        self.seed, self.settings = seed, settings
        size = Size(settings.price_width, settings.width, settings.layers)
        super().__init__(Foresight(size, seed), settings.largest_gradient)
        self.lessons: SlotLessons | None = None
        self._begin(self.network.price, 0.0)

    def _rng(self, step: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, step])

    def learn_price(self, lessons: PriceLessons, step: int) -> dict[str, float]:
        """One step towards the prices along optima."""
        settings = self.settings
        rows = torch.from_numpy(self._rng(step).integers(len(lessons.price), size=settings.price_batch))
        features, price, ahead = (column[rows] for column in lessons)
        loss = (self.network.price(features) * price - ahead).square().mean()
        norm = self._descend(loss, settings.price_rate * half_cosine(step / settings.price_steps))
        self._average(settings.averaging, step)
        return {"price_error": math.sqrt(float(loss.detach())), "gradient_norm": norm}

    def imitate(self, scenery: Scenery, step: int, days: Sequence[int]) -> dict[str, float]:
        """One step of the link network towards the exact solver's decisions; new ones are made when it is time.

        Parameters
        ----------
        step
            Counted from the first of the link network.
        days
            Of the scenery, to learn from.
        """
        settings = self.settings
        self._collect(scenery, step, days)
        assert self.network.link is not None
        assert self.lessons is not None
        rng = self._rng(settings.price_steps + step)
        batch = self.lessons.take(rng.integers(len(self.lessons), size=settings.batch))
        loss = imitation_loss(self.network.link, batch, scenery, rng)
        share = step / settings.link_steps
        rate = settings.learning_rate * min(1.0, (step + 1) / settings.warm_up) * half_cosine(share)
        norm = self._descend(loss, rate)
        self._average(settings.averaging, step)
        return {"loss": float(loss.detach()), "gradient_norm": norm}

    def _collect(self, scenery: Scenery, step: int, days: Sequence[int]) -> None:
        """Make lessons: at first along the exact solver's days, later along the policy's own."""
        settings = self.settings
        if step == 0:
            self.network.price.load_state_dict(self.learned.price.state_dict())
            self._begin(self.network.link or self.network, settings.weight_decay)
            self.lessons = exact_lessons(self.learned, scenery, days)
            return
        every = settings.link_steps // (settings.collections + 1)
        if settings.collections and step % every == 0 and step // every <= settings.collections:
            chosen = self._rng(settings.price_steps + step).choice(
                days, min(settings.collected_days, len(days)), replace=False
            )
            assert self.lessons is not None
            own = collected_lessons(self.learned, scenery, chosen.tolist())
            self.lessons = SlotLessons.joined([self.lessons, own])

    def fine_tune(self, scenery: Scenery, step: int) -> dict[str, float]:
        """One step of reinforcement, counted from the first such; its lessons' decisions are not looked at."""
        settings, link, lessons = self.settings, self.network.link, self.lessons
        assert link is not None
        assert lessons is not None
        if step == 0:
            assert self.learned.link is not None
            link.load_state_dict(self.learned.link.state_dict())
            self._begin(link, settings.weight_decay)
        rng = self._rng(settings.price_steps + settings.link_steps + step)
        batch = lessons.take(rng.integers(len(lessons), size=settings.tuning_batch))
        tuning = reinforce_loss(link, batch, scenery, settings.samples, settings.entropy, rng)
        norm = self._descend(tuning.loss, settings.tuning_rate * half_cosine(step / settings.tuning_steps))
        self._average(settings.tuning_averaging)
        return {"entropy": float(tuning.entropy), "shortfall": tuning.shortfall, "gradient_norm": norm}

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit."""
        return super().state() | {"lessons": None if self.lessons is None else self.lessons.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        if state["lessons"] is not None:
            self.lessons = SlotLessons.of_state(state["lessons"])
            self._begin(self.network.link or self.network, self.settings.weight_decay)
        super().load_state(state)
