"""Advantage actor-critic (A2C): S seeds at once, each with its own environments in step (Mnih et al. 2016)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..settings import linear
from ..stacked_learner import StackedLearner
from .actor_critic import PAPER, TUNED, ActorPolicy, Pools, Settings, network_for, sizes_of
from .environment import ProvisioningEnvironment
from .rollout import losses, play, play_greedily

__all__ = ["PAPER", "TUNED", "ActorCriticLearner", "ActorPolicy", "Settings"]


class ActorCriticLearner(StackedLearner):
    """A2C of S seeds; a step is an update.

    Parameters
    ----------
    preset
        What instances are drawn from; a preset's name.
    """

    def __init__(self, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        self.settings = settings
        training, validation, self._seen = Pools.of(preset, settings)
        self.environment, self.validation = ProvisioningEnvironment(training), ProvisioningEnvironment(validation)
        self.network = network_for(self.environment.layout, settings, seeds)
        super().__init__(self.network, self.network, seeds, settings.updates, settings.unit)

    def _learn_until(self, last: int) -> dict[str, Any]:
        """In fresh trajectories."""
        settings, seeds = self.settings, len(self._rngs)
        worlds = [rng.integers(self.environment.worlds, size=settings.environments) for rng in self._rngs]
        self.environment.reset(np.concatenate(worlds))
        sums, norms = torch.zeros(seeds), torch.zeros(seeds)
        begun = self.steps
        while self.steps < last:
            played = play(self.network, self.environment, settings.steps, settings.lesson, self._rngs)
            rate = linear(settings.learning_rate, self.progress)
            norms += self._descend(losses(self.network, played, settings.lesson), rate, settings.largest_gradient)
            sums += played.reward.sum(-1).mean((0, 2))
            self.steps += 1
        done = last - begun
        return {
            "step": self.steps,
            "reward": (sums / done).tolist(),
            "gradient_norm": (norms / done).tolist(),
        }

    def _returns(self) -> Tensor:
        return torch.from_numpy(play_greedily(self.network, self.validation).mean(1))

    def sizes(self) -> dict[str, Any]:
        """Sizes of the network."""
        return sizes_of(self.environment.layout, self.settings)

    def policy(self) -> dict[str, Any]:
        """The best network of each seed, with what is needed to use it and the instances that it has seen."""
        return super().policy() | {"seen": torch.from_numpy(self._seen)}
