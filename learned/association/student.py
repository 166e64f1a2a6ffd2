"""One seed of imitation on association: its networks, the running mean of their parameters, and a step further."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

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


class Student:
    """Networks that learn; what they have learned is the running mean of their parameters.

    Everything drawn in a step depends on the seed and the step's number alone.
    """

    def __init__(self, seed: int, settings: Settings) -> None:
        self.seed, self.settings = seed, settings
        self.network = Foresight(Size(settings.price_width, settings.width, settings.layers), seed)
        self.learned = self.network.averaged()
        self.lessons: SlotLessons | None = None
        self._optimiser = self._fresh_optimiser(self.network.price, 0.0)

    def _fresh_optimiser(self, module: nn.Module, decay: float) -> torch.optim.Optimizer:
        return torch.optim.AdamW(module.parameters(), betas=(0.9, 0.98), weight_decay=decay)

    def _rng(self, step: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, step])

    def learn_price(self, lessons: PriceLessons, step: int) -> dict[str, float]:
        """One step towards the prices along optima."""
        settings = self.settings
        rows = torch.from_numpy(self._rng(step).integers(len(lessons.price), size=settings.price_batch))
        features, price, ahead = (column[rows] for column in lessons)
        loss = (self.network.price(features) * price - ahead).square().mean()
        norm = self._descend(self.network.price, loss, settings.price_rate * half_cosine(step / settings.price_steps))
        self._average(settings.averaging, step)
        return {"price_error": math.sqrt(float(loss.detach())), "gradient_norm": float(norm)}

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
        norm = self._descend(self.network.link, loss, rate)
        self._average(settings.averaging, step)
        return {"loss": float(loss.detach()), "gradient_norm": float(norm)}

    def _collect(self, scenery: Scenery, step: int, days: Sequence[int]) -> None:
        """Make lessons: at first along the exact solver's days, later along the policy's own."""
        settings = self.settings
        if step == 0:
            self.network.price.load_state_dict(self.learned.price.state_dict())
            self._optimiser = self._fresh_optimiser(self.network.link or self.network, settings.weight_decay)
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
            self._optimiser = self._fresh_optimiser(link, settings.weight_decay)
        rng = self._rng(settings.price_steps + settings.link_steps + step)
        batch = lessons.take(rng.integers(len(lessons), size=settings.tuning_batch))
        tuning = reinforce_loss(link, batch, scenery, settings.samples, settings.entropy, rng)
        norm = self._descend(link, tuning.loss, settings.tuning_rate * half_cosine(step / settings.tuning_steps))
        self._average(settings.tuning_averaging, None)
        return {"entropy": float(tuning.entropy), "shortfall": tuning.shortfall, "gradient_norm": float(norm)}

    def _descend(self, module: nn.Module, loss: Tensor, rate: float) -> Tensor:
        self._optimiser.zero_grad()
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(module.parameters(), self.settings.largest_gradient)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.step()
        return norm

    @torch.no_grad()
    def _average(self, keep: float, step: int | None) -> None:
        """Let the running mean follow; at first, that is in small `step`, faster."""
        keep = keep if step is None else min(keep, (step + 1) / (step + 10))
        for mean, now in zip(self.learned.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit."""
        return {
            "network": self.network.state_dict(),
            "learned": self.learned.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "lessons": None if self.lessons is None else self.lessons.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.network.load_state_dict(state["network"])
        self.learned.load_state_dict(state["learned"])
        if state["lessons"] is not None:
            self.lessons = SlotLessons.of_state(state["lessons"])
            self._optimiser = self._fresh_optimiser(self.network.link or self.network, self.settings.weight_decay)
        self._optimiser.load_state_dict(state["optimiser"])
