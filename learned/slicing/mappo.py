"""Multi-agent proximal policy optimisation: six agents act at once, one critic sees everything (Yu et al. 2022).

An agent's numbers are logistic functions of normal draws, around what its actor says.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ...instances.errors import InputError
from ..layers import generators
from ..settings import above_zero, at_least, linear, schedules, shares
from .agents import Actors, Perceptron, Pools, TeamPolicy, WalkLearner, live
from .environment import AGENTS, SlicingEnvironment

__all__ = ["TUNED", "ProximalLearner", "Settings", "TeamPolicy"]

COUNTS = ("updates", "unit", "environments", "epochs", "width", "worlds", "slots", "validation_worlds")


@dataclass(frozen=True)
class Settings:
    """Hyperparameters.

    Attributes
    ----------
    priority
        Whether H users are served first, then L, then C.
    updates, unit
        Of each seed, and those between validations.
    environments
        Of each seed; each lives a whole walk before every update.
    epochs
        Gradient steps of an update.
    learning_rate
        Of all updates: the first, the last, and the share of the way between them.
    clip
        How far the chance of an action may move from 1 over what it was, before it no longer counts.
    value_weight, entropy
        Of the critic's squared error, and of the draws' entropy (nats).
    deviation
        Of the normal draws at first.
    largest_gradient
        Norm at which gradients are cut.
    width
        Of the networks.
    worlds, slots, validation_worlds
        Walks to learn from, slots of each, and slots to validate on.
    """

    priority: bool
    updates: int
    unit: int
    environments: int
    epochs: int
    learning_rate: tuple[float, float, float]
    gamma: float
    clip: float
    value_weight: float
    entropy: float
    deviation: float
    largest_gradient: float
    width: int
    worlds: int
    slots: int
    validation_worlds: int

    def __post_init__(self) -> None:
        at_least(self, 1, COUNTS)
        shares(self, ["gamma"])
        at_least(self, 0, ["value_weight", "entropy"])
        above_zero(self, ("clip", "deviation", "largest_gradient"))
        schedules(self, ["learning_rate"])
        if self.environments * self.slots == 1:
            raise InputError("is 1 with walks of one slot, so that there is nothing to compare with", "environments")

    @property
    def layered(self) -> bool:
        """All agents act at once."""
        return False


# The paper only names the algorithm. Slots do not couple, so what follows a slot does not count.
TUNED = Settings(
    priority=True,
    updates=600,
    unit=50,
    environments=32,
    epochs=5,
    learning_rate=(1e-3, 1e-4, 1.0),
    gamma=0.0,
    clip=0.2,
    value_weight=0.5,
    entropy=0.0,
    deviation=1.0,
    largest_gradient=1.0,
    width=128,
    worlds=200,
    slots=4,
    validation_worlds=50,
)


class Proximal(nn.Module):
    """Actors with the logarithms of their deviations, and the critic; chances are of what an action has a use for."""

    def __init__(self, environment: SlicingEnvironment, settings: Settings, seeds: Sequence[int]) -> None:
        super().__init__()
        features, actions, width = environment.features, environment.actions, settings.width
        rngs = generators(seeds)
        self.actors = Actors(features, actions, width, rngs)
        self.critic = Perceptron(AGENTS * features, width, 1, rngs)
        self.log_deviation = nn.Parameter(torch.full((len(seeds), 1, AGENTS, actions), math.log(settings.deviation)))

    def log_chance(self, observation: Tensor, drawn: Tensor, used: Tensor) -> Tensor:
        """Of draws (S, N, agents, actions), shape (S, N, agents)."""
        mean = self.actors.scores(observation, slice(0, AGENTS))
        away = (drawn - mean) / self.log_deviation.exp()
        each = -0.5 * away.square() - self.log_deviation - 0.5 * math.log(2 * math.pi)
        return (each * used).sum(-1)

    def value(self, observation: Tensor) -> Tensor:
        """What the critic expects, (S, N)."""
        found: Tensor = self.critic(observation.flatten(2))[..., 0]
        return found


class Batch(NamedTuple):
    """Slots that were lived.

    Attributes
    ----------
    observation, drawn : tensor, shape (S, N, agents, ...)
    log_chance : tensor, shape (S, N, agents)
    returns : tensor, shape (S, N)
    used : tensor, shape (agents, actions)
        Which parts of actions have a use.
    """

    observation: Tensor
    drawn: Tensor
    log_chance: Tensor
    returns: Tensor
    used: Tensor


def losses(network: Proximal, batch: Batch, settings: Settings) -> Tensor:
    """Of actors and critic together, shape (S,)."""
    value = network.value(batch.observation)
    ahead = batch.returns - value.detach()
    ahead = (ahead - ahead.mean(1, keepdim=True)) / (ahead.std(1, keepdim=True) + 1e-8)
    ratio = (network.log_chance(batch.observation, batch.drawn, batch.used) - batch.log_chance).exp()
    kept = ratio.clamp(1 - settings.clip, 1 + settings.clip)
    gain = torch.minimum(ratio * ahead[..., None], kept * ahead[..., None]).mean((1, 2))
    entropy = (network.log_deviation * batch.used).sum((1, 2, 3)) / batch.used.sum()
    error = (value - batch.returns).square().mean(1)
    return settings.value_weight * error - gain - settings.entropy * entropy


class ProximalLearner(WalkLearner):
    """MAPPO of S seeds; a step is an update.

    Parameters
    ----------
    preset
        What walks are drawn from: a preset, or several with commas between (semicolons between variants) that differ
        in their users; these take turns.
    """

    def __init__(self, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        self.settings = settings
        pools = Pools.of(preset, settings)
        self.network = Proximal(pools.training[0], settings, seeds)
        super().__init__(pools, self.network, self.network.actors, seeds, settings)

    def _learn_until(self, last: int) -> dict[str, Any]:
        settings, seeds = self.settings, len(self._rngs)
        sums, norms, begun = torch.zeros(seeds), torch.zeros(seeds), self.steps
        while self.steps < last:
            batch = self._live()
            rate = linear(settings.learning_rate, self.progress)
            for _ in range(settings.epochs):
                norms += self._descend(losses(self.network, batch, settings), rate, settings.largest_gradient)
            sums += batch.returns.mean(1)
            self.steps += 1
        done = last - begun
        return {
            "step": self.steps,
            "return": (sums / done).tolist(),
            "gradient_norm": (norms / done / settings.epochs).tolist(),
            "deviation": self.network.log_deviation.detach().exp().mean((1, 2, 3)).tolist(),
        }

    def _live(self) -> Batch:
        """A walk of every environment."""
        seeds, count = len(self._rngs), self.settings.environments
        environment = self._begun(self.steps)
        observations, draws, rewards = list[Tensor](), list[Tensor](), list[Tensor]()

        def act(seen: Tensor, who: slice) -> Tensor:
            mean = self.network.actors.scores(seen, who)
            noise = np.stack([rng.normal(size=mean.shape[1:]) for rng in self._rngs])
            drawn = mean + torch.from_numpy(noise).float() * self.network.log_deviation.exp()
            draws.append(drawn)
            return torch.sigmoid(drawn)

        while not environment.over:
            lived = live(environment, act, seeds, layered=False)
            observations.append(torch.from_numpy(lived.observation))
            rewards.append(torch.from_numpy(lived.earned.objective).float().view(seeds, count))
        for t in range(len(rewards) - 2, -1, -1):
            rewards[t] = rewards[t] + self.settings.gamma * rewards[t + 1]
        observation, drawn, used = torch.cat(observations, 1), torch.cat(draws, 1), torch.from_numpy(environment.used)
        with torch.no_grad():
            chance = self.network.log_chance(observation, drawn, used)
        return Batch(observation, drawn, chance, torch.cat(rewards, 1), used)
