"""Six agents' networks for S seeds, and what they come to: pools of walks, play, and the policy as a solver."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ...instances.errors import InputError
from ...instances.fields import FloatArray
from ...instances.slicing import Slicing
from ...instances.slicing.instance import SLICES
from ...instances.slicing.presets import find
from ...solvers.result import Answer, Limits
from ...solvers.slicing.placements import placements
from ...solvers.slicing.rules import NOWHERE
from ..environment import Float32Array
from ..label_store import TRAINING_SEED, VALIDATION_SEED, split
from ..layers import Linear, generators
from ..policy_file import PolicyFile, SeenArray, hash_numbers
from ..stacked_learner import StackedLearner
from .environment import AGENT_NAMES, AGENTS, Earned, SlicingEnvironment

GROUND, SKY = slice(0, len(SLICES)), slice(len(SLICES), AGENTS)
SHAPE = "stations, UAVs, satellites and subcarriers"
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

    def __init__(self, features: int, actions: int, width: int, rngs: Sequence[torch.Generator]) -> None:
        super().__init__(Perceptron(features, width, actions, rngs) for _ in range(AGENTS))

    def scores(self, observation: Tensor, agents: slice) -> Tensor:
        """Before the logistic function: (S, N, some agents, features) to (S, N, agents, actions)."""
        own = list(self)[agents]
        return torch.stack([actor(observation[:, :, i]) for i, actor in enumerate(own)], 2)

    def forward(self, observation: Tensor, agents: slice = slice(0, AGENTS)) -> Tensor:
        """Actions of some agents, shape (S, N, agents, actions)."""
        return torch.sigmoid(self.scores(observation, agents))


class Settings(Protocol):
    """What both algorithms need of hyperparameters."""

    @property
    def layered(self) -> bool:
        """Whether the agents in the sky see first whom the stations serve."""

    @property
    def priority(self) -> bool:
        """Whether H users are served first, then L, then C."""

    @property
    def width(self) -> int:
        """Of the networks."""

    @property
    def updates(self) -> int:
        """Of each seed."""

    @property
    def unit(self) -> int:
        """Updates between validations."""

    @property
    def environments(self) -> int:
        """Of each seed."""

    @property
    def worlds(self) -> int:
        """Walks to learn from."""

    @property
    def slots(self) -> int:
        """Of each walk."""

    @property
    def validation_worlds(self) -> int:
        """Slots to validate on."""


class Pools(NamedTuple):
    """Walks of each preset to learn from and to validate on, and the hashes of all their slots.

    All environments have room for the users of the largest one, so that the same agents act in all.
    """

    training: list[SlicingEnvironment]
    validation: list[SlicingEnvironment]
    seen: SeenArray

    @classmethod
    def of(cls, presets: str, settings: Settings) -> "Pools":
        """Draw them; validation walks have one slot.

        Raises
        ------
        InputError
            When presets are unknown, have no users, or differ in more than these.
        """
        names = split(presets, find)
        most = max(SlicingEnvironment.draw(name, TRAINING_SEED, 1, 1).most for name in names)
        draw = partial(SlicingEnvironment.draw, priority=settings.priority, most=most)
        training = [draw(name, TRAINING_SEED, settings.worlds, settings.slots) for name in names]
        validation = [draw(name, VALIDATION_SEED, settings.validation_worlds, 1) for name in names]
        if len({_shape(own.slots.first) for own in training}) > 1:
            raise InputError(f"have other numbers of {SHAPE}", "preset")
        hashes = [own.hash for pool in (*training, *validation) for own in pool.slots.instances]
        return cls(training, validation, hash_numbers(hashes))


def _shape(instance: Slicing) -> tuple[int, ...]:
    """What the same agents can act in has the same of: `SHAPE`."""
    return *instance.nodes, instance.subcarriers


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


class WalkLearner(StackedLearner):
    """What learning on walks shares: a step is an update; the actors are what is kept.

    Parameters
    ----------
    network
        Learns by gradients.
    actors
        The part of it that decides.
    """

    def __init__(
        self, pools: Pools, network: nn.Module, actors: Actors, seeds: Sequence[int], settings: Settings
    ) -> None:
        self._training, self._validation, self._seen = pools
        self._actors, self._walk_settings = actors, settings
        super().__init__(network, actors, seeds, settings.updates, settings.unit)

    def _begun(self, number: int) -> SlicingEnvironment:
        """The environment of one preset after the other, at the beginning of drawn walks."""
        environment, count = self._training[number % len(self._training)], self._walk_settings.environments
        environment.reset(np.concatenate([rng.integers(environment.worlds, size=count) for rng in self._rngs]))
        return environment

    def step(self) -> dict[str, Any]:
        """One unit: some steps, then validation; what happened, one number a seed."""
        metrics = super().step()
        own = {f"validation_own/{name}": self._own[:, k].tolist() for k, name in enumerate(AGENT_NAMES)}
        return metrics | own

    def _returns(self) -> Tensor:
        """Means over all presets; what each agent's users win is kept beside them."""
        seeds, found, own = len(self._rngs), list[FloatArray](), list[FloatArray]()
        for environment in self._validation:
            environment.reset(np.tile(np.arange(environment.worlds), seeds))
            earned = live(environment, self._actors, seeds, layered=self._walk_settings.layered).earned
            found.append(earned.objective.reshape(seeds, -1).mean(1))
            own.append(earned.own.reshape(seeds, -1, AGENTS).mean(1))
        self._own = np.mean(own, 0)
        return torch.from_numpy(np.mean(found, 0))

    def sizes(self) -> dict[str, Any]:
        """Sizes of the actors, and how they are used."""
        settings = self._walk_settings
        sizes = {"width": settings.width, "layered": settings.layered, "priority": settings.priority}
        pool = self._training[0]
        sizes |= {"most": pool.most, "features": pool.features, "actions": pool.actions}
        return sizes | {"shape": list(_shape(pool.slots.first))}

    def policy(self) -> dict[str, Any]:
        """The best actors of each seed, with what is needed to use them and the slots that they have seen."""
        return super().policy() | {"seen": torch.from_numpy(self._seen)}


@dataclass(frozen=True)
class TeamPolicy:
    """Six trained agents as a solver.

    Attributes
    ----------
    layered, priority
        As in `Settings`.
    samples
        1: what they do. More: the best of that and actions disturbed by more and more noise.
    """

    file: PolicyFile
    actors: Actors
    layered: bool
    priority: bool
    samples: int

    @classmethod
    def of(cls, file: PolicyFile, seed: int, samples: int) -> "TeamPolicy":
        """The actors of one trained seed."""
        features, actions, width = (file.network_size(name) for name in ("features", "actions", "width"))
        actors = Actors(features, actions, width, generators([0]))
        file.fill(actors, seed)
        layered, priority = (file.network.get(name) for name in ("layered", "priority"))
        if not isinstance(layered, bool) or not isinstance(priority, bool):
            raise InputError("has no layered or priority that is true or false", "network", str(file.path))
        return cls(file, actors, layered, priority, samples)

    def __call__(self, instance: Slicing, limits: Limits) -> Answer:
        """Decide a slot."""
        if not len(placements(instance)):
            return Answer(infeasible=True, reason=NOWHERE)
        here, there = list(_shape(instance)), self.file.network.get("shape")
        if here != there:
            raise InputError(f"has {SHAPE} {here}, the policy was trained for {there}", "instance")
        most = self.file.network_size("most")
        environment = SlicingEnvironment([[instance]], priority=self.priority, most=most)
        environment.reset(np.zeros(self.samples, np.int64))
        rng = np.random.default_rng(limits.seed)
        deviation = np.concatenate([[0.0], np.geomspace(COOLEST, HOTTEST, self.samples - 1)])

        def act(seen: Tensor, who: slice) -> Tensor:
            action = self.actors(seen, who)
            noise = rng.normal(size=action.shape) * deviation[None, :, None, None]
            disturbed: Tensor = action + torch.from_numpy(noise).float()
            return disturbed.clamp(0, 1)

        earned = live(environment, act, 1, layered=self.layered).earned
        return Answer(environment.slots.decision(environment.served, int(earned.objective.argmax())))
