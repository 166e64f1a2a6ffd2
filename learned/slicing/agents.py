"""Six agents' networks for S seeds, and what they come to: pools of walks, play, and the policy as a solver."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ...instances.errors import InputError
from ...instances.slicing import Slicing
from ...instances.slicing.instance import SLICES
from ...solvers.result import Answer, Limits
from ..environment import Float32Array
from ..label_store import TRAINING_SEED, VALIDATION_SEED
from ..layers import Linear, generators
from ..policy_file import PolicyFile, SeenArray, hash_numbers
from .environment import AGENTS, Earned, SlicingEnvironment

GROUND, SKY = slice(0, len(SLICES)), slice(len(SLICES), AGENTS)
COOLEST, HOTTEST = 0.02, 0.3  # deviations of samples' actions


class Perceptron(nn.Module):
    """Two hidden layers, of S seeds side by side: (S, N, inputs) to (S, N, outputs)."""

    def __init__(self, inputs: int, width: int, outputs: int, rngs: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.first, self.second = Linear(inputs, width, rngs), Linear(width, width, rngs)
        self.last = Linear(width, outputs, rngs)

    def forward(self, x: Tensor) -> Tensor:
        """Apply each seed's network to its rows."""
        seen: Tensor = self.last(torch.relu(self.second(torch.relu(self.first(x)))))
        return seen


class Actors(nn.ModuleList):
    """What each agent does: numbers from 0 to 1."""

    def __init__(self, features: int, actions: int, width: int, seeds: Sequence[int]) -> None:
        super().__init__(Perceptron(features, width, actions, generators(seeds)) for _ in range(AGENTS))

    def scores(self, observation: Tensor, agents: slice) -> Tensor:
        """Before the logistic function: (S, N, some agents, features) to (S, N, agents, actions)."""
        own = list(self)[agents]
        return torch.stack([actor(observation[:, :, i]) for i, actor in enumerate(own)], 2)

    def forward(self, observation: Tensor, agents: slice = slice(0, AGENTS)) -> Tensor:
        """Actions of some agents, shape (S, N, agents, actions)."""
        return torch.sigmoid(self.scores(observation, agents))


class Pools(NamedTuple):
    """Walks to learn from and to validate on, and the hashes of all their slots."""

    training: SlicingEnvironment
    validation: SlicingEnvironment
    seen: SeenArray

    @classmethod
    def of(cls, preset: str, worlds: int, slots: int, validation_worlds: int, *, priority: bool) -> "Pools":
        """Draw them; validation walks have one slot."""
        training = SlicingEnvironment.draw(preset, TRAINING_SEED, worlds, slots, priority=priority)
        validation = SlicingEnvironment.draw(preset, VALIDATION_SEED, validation_worlds, 1, priority=priority)
        hashes = [own.hash for pool in (training, validation) for own in pool.slots.instances]
        return cls(training, validation, hash_numbers(hashes))


class Lived(NamedTuple):
    """One slot of S seeds with E environments each.

    Attributes
    ----------
    observation, action : array, shape (S, E, agents, ...)
    earned
        Of all S E environments.
    """

    observation: Float32Array
    action: Float32Array
    earned: Earned


Act = Callable[[Tensor, slice], Tensor]  # observations (S, E, some agents, features), and which agents they are


@torch.no_grad()
def live(environment: SlicingEnvironment, act: Act, seeds: int, *, layered: bool) -> Lived:
    """Let the agents act in a slot.

    Parameters
    ----------
    layered
        Whether the agents in the sky see first whom the stations serve; otherwise all act at once.
    """
    shape = seeds, len(environment.world) // seeds, AGENTS

    def look() -> Tensor:
        return torch.from_numpy(environment.observe()).view(*shape, -1)

    observation = look()
    if layered:
        ground = act(observation[:, :, GROUND], GROUND)
        environment.serve_on_ground(ground.reshape(-1, *ground.shape[2:]).numpy())
        observation[:, :, SKY] = look()[:, :, SKY]
        sky = act(observation[:, :, SKY], SKY)
        action = torch.cat([ground, sky], 2)
        earned = environment.serve_from_sky(sky.reshape(-1, *sky.shape[2:]).numpy())
    else:
        action = act(observation, slice(0, AGENTS))
        earned = environment.step(action.reshape(-1, *action.shape[2:]).numpy())
    return Lived(observation.numpy(), action.numpy(), earned)


def validated(actors: Actors, environment: SlicingEnvironment, seeds: int, *, layered: bool) -> Tensor:
    """Mean objective of each seed over the first slots of all walks, shape (S,)."""
    environment.reset(np.tile(np.arange(environment.worlds), seeds))
    earned = live(environment, lambda seen, who: actors(seen, who), seeds, layered=layered).earned
    return torch.from_numpy(earned.objective.reshape(seeds, -1).mean(1))


@dataclass(frozen=True)
class TeamPolicy:
    """Six trained agents as a solver.

    Attributes
    ----------
    samples
        1: what they do. More: the best of that and actions disturbed by more and more noise.
    """

    file: PolicyFile
    actors: Actors
    samples: int

    @classmethod
    def of(cls, file: PolicyFile, seed: int, samples: int) -> "TeamPolicy":
        """The actors of one trained seed."""
        features, actions, width = (file.network_size(name) for name in ("features", "actions", "width"))
        actors = Actors(features, actions, width, [0])
        file.fill(actors, seed)
        return cls(file, actors, samples)

    def __call__(self, instance: Slicing, limits: Limits) -> Answer:
        """Decide a slot."""
        options = self.file.network
        try:
            environment = SlicingEnvironment([[instance]], priority=bool(options["priority"]))
        except InputError:
            return Answer(infeasible=True, reason="no placement of the UAVs keeps their distance")
        wanted = self.file.network_size("features"), self.file.network_size("actions")
        if (environment.features, environment.actions) != wanted:
            raise InputError("has other numbers of users or nodes than the policy was trained for", "instance")
        environment.reset(np.zeros(self.samples, np.int64))
        rng = np.random.default_rng(limits.seed)
        deviation = np.concatenate([[0.0], np.geomspace(COOLEST, HOTTEST, self.samples - 1)])

        def act(seen: Tensor, who: slice) -> Tensor:
            action = self.actors(seen, who)
            noise = rng.normal(size=action.shape) * deviation[None, :, None, None]
            disturbed: Tensor = action + torch.from_numpy(noise).float()
            return disturbed.clamp(0, 1)

        earned = live(environment, act, 1, layered=bool(options["layered"])).earned
        return Answer(environment.slots.decision(environment.served, int(earned.objective.argmax())))
