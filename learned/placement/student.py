"""One seed of imitation: its network, the running mean of its parameters, and how both go a step further."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...solvers.placement.batch import Partial
from ..settings import half_cosine
from .decoder import decode
from .edge_network import EdgeNetwork, Size
from .fine_tuning import reinforce_loss
from .imitation_loss import imitation_loss
from .imitation_settings import Settings
from .labels import Labels


class Student:
    """A network that learns; what it has learned is the running mean of its parameters.

    Everything drawn in a step depends on the seed and the step's number alone.

    """

    def __init__(self, seed: int, settings: Settings) -> None:
        self.seed, self.settings = seed, settings
        size = Size(settings.width, settings.layers, settings.heads, settings.loads, settings.head_width)
        self.network = EdgeNetwork(size, seed)
        self.mean = copy.deepcopy(self.network).requires_grad_(False)
        self._optimiser = self._fresh_optimiser()

    @property
    def learned(self) -> nn.Module:
        """The running mean."""
        return self.mean

    def _fresh_optimiser(self) -> torch.optim.Optimizer:
        decay = self.settings.weight_decay
        return torch.optim.AdamW(self.network.parameters(), betas=(0.9, 0.98), weight_decay=decay)

    def imitate(self, labels: Labels, step: int) -> dict[str, float]:
        """One step of imitation on a batch of labels."""
        settings, rng = self.settings, np.random.default_rng([self.seed, 2, step])
        losses = imitation_loss(self.network, labels, settings.partial_states, rng)
        share = step / settings.imitation_steps
        rate = settings.learning_rate * min(1.0, (step + 1) / settings.warm_up) * half_cosine(share)
        norm = self._descend(losses.loss, rate)
        self._average(min(settings.averaging, (step + 1) / (step + 10)))
        parts = {"loss": losses.loss.detach(), "encoder": losses.encoder, "head": losses.head, "gradient_norm": norm}
        return {name: float(value) for name, value in parts.items()}

    def begin_fine_tuning(self) -> None:
        """Go on from the running mean, with an optimiser that knows nothing yet."""
        self.network.load_state_dict(self.mean.state_dict())
        self._optimiser = self._fresh_optimiser()

    def fine_tune(self, labels: Labels, step: int) -> dict[str, float]:
        """One step of reinforcement on instances; their optima are not looked at."""
        settings = self.settings
        rng = torch.Generator().manual_seed(int(np.random.SeedSequence([self.seed, 3, step]).generate_state(1)[0]))
        losses = reinforce_loss(self.network, labels.costs, settings.samples, settings.entropy, rng)
        share = (step - settings.imitation_steps) / settings.tuning_steps
        norm = self._descend(losses.loss, settings.tuning_rate * half_cosine(share))
        self._average(settings.tuning_averaging)
        parts = {"entropy": losses.entropy, "excess": losses.excess, "gradient_norm": norm}
        return {name: float(value) for name, value in parts.items()}

    def _descend(self, loss: Tensor, rate: float) -> Tensor:
        self._optimiser.zero_grad()
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.largest_gradient)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.step()
        return norm

    @torch.no_grad()
    def _average(self, keep: float) -> None:
        for mean, now in zip(self.mean.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def regret(self, labels: Labels) -> float:
        """Mean regret of greedy placements of what has been learned."""
        return float(labels.regret(decode(self.mean, Partial(labels.costs))).mean())

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit."""
        return {
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.network.load_state_dict(state["network"])
        self.mean.load_state_dict(state["mean"])
        self._optimiser.load_state_dict(state["optimiser"])
