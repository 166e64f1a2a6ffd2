"""Training by deep Q-learning: act in turn, learn from the replay, validate, keep each seed's best network."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..instances.fields import BoolArray, FloatArray, IntArray
from .best_networks import BestNetworks
from .dqn import QNetwork, Settings, errors, loss
from .environment import TurnEnvironment
from .layers import clip_gradients
from .transitions import TransitionReplay

Choose = Callable[[FloatArray, BoolArray], IntArray]


def best_actions(values: FloatArray, mask: BoolArray) -> IntArray:
    """The possible action of largest value, of arrays (..., actions)."""
    return np.asarray(np.where(mask, values, -np.inf).argmax(-1))


@torch.no_grad()
def values_of(network: QNetwork, observation: np.ndarray[Any, Any]) -> FloatArray:
    """Values of actions for observations (S B, features), seed by seed, as (S B, actions)."""
    seeds = len(network.out.weight)
    rows = torch.from_numpy(observation).view(seeds, -1, observation.shape[-1])
    values: Tensor = network(rows)
    return np.asarray(values.flatten(0, 1).double().numpy())


def play(network: QNetwork, environment: TurnEnvironment, world: IntArray, choose: Choose = best_actions) -> FloatArray:
    """One episode in each world, shape (S B,), B a seed of the network; their returns."""
    environment.reset(world)
    total = np.zeros(len(world))
    while not environment.over.all():
        total += environment.step(choose(values_of(network, environment.observe()), environment.mask))
    return total


class QLearner:
    """S seeds of deep Q-learning, each with B environments of its own.

    Parameters
    ----------
    environment, validation
        Where to learn, and where to compare networks.
    seeds
        Seeds of networks, worlds and exploration; equal seeds learn equally whatever the others are.
    """

    def __init__(
        self, settings: Settings, environment: TurnEnvironment, validation: TurnEnvironment, seeds: Sequence[int]
    ) -> None:
        self.settings, self.environment, self.validation = settings, environment, validation
        self.steps = 0
        features, actions = environment.features, environment.actions
        self.network, self.target = (
            QNetwork(features, settings.hidden, actions, dueling=settings.dueling, seeds=seeds) for _ in range(2)
        )
        self._parameters = list(self.network.parameters())
        self._optimiser = torch.optim.Adam(self._parameters)
        self._rngs = [np.random.default_rng(seed) for seed in seeds]
        fields: dict[str, tuple[tuple[int, ...], Any]] = {
            "observation": ((features,), np.float32),
            "next_observation": ((features,), np.float32),
            "next_mask": ((actions,), bool),
            "action": ((), np.int64),
            "reward": ((), np.float32),
            "ended": ((), bool),
        }
        priority = settings.priority if settings.prioritised else 0.0
        self._replay = TransitionReplay(len(seeds), settings.capacity, fields, priority)
        self._best = BestNetworks(self.network, len(seeds))
        self._learned = 0

    @property
    def progress(self) -> float:
        """Share of the steps done."""
        return self.steps / self.settings.steps

    def step(self) -> dict[str, Any]:
        """One unit: some steps in fresh episodes, learning as they go, then validation; one number a seed."""
        last = min(self.steps + self.settings.unit, self.settings.steps)
        everywhere = len(self._rngs) * self.settings.environments
        self._return, self._ended = np.zeros(everywhere), np.zeros((2, everywhere))
        self.environment.reset(self._worlds(np.arange(everywhere)))
        reports: list[tuple[Tensor, Tensor]] = []
        while self.steps < last:
            self._act()
            self.steps += 1
            if self.steps % self.settings.learn_every == 0 and self._replay.size >= self.settings.warm_up:
                reports.append(self._learn())
        metrics: dict[str, Any] = {"step": self.steps, "exploration": self.settings.epsilon(self.steps)}
        episodes, total = self._ended.reshape(2, len(self._rngs), -1).sum(2)
        if episodes.all():
            metrics["return"] = (total / episodes).tolist()
        if reports:
            losses, norms = (torch.stack(several).mean(0).tolist() for several in zip(*reports, strict=True))
            metrics |= {"loss": losses, "gradient_norm": norms}
        return metrics | {"validation_return": self._validate().tolist()}

    def _worlds(self, which: IntArray) -> IntArray:
        """New worlds for some environments, each drawn by its seed."""
        owner = which // self.settings.environments
        return np.array([self._rngs[seed].integers(self.environment.worlds) for seed in owner], np.int64)

    def _act(self) -> None:
        """One step everywhere, kept in the replay; what is over begins anew."""
        environment, seeds = self.environment, len(self._rngs)
        observation, mask = environment.observe(), environment.mask
        action = self._explore(values_of(self.network, observation), mask)
        reward = environment.step(action)
        over = environment.over
        self._return += reward
        transition = {
            "observation": observation,
            "next_observation": environment.observe(),
            "next_mask": environment.mask,
            "action": action,
            "reward": reward,
            "ended": over,
        }
        self._replay.add({name: value.reshape(seeds, -1, *value.shape[1:]) for name, value in transition.items()})
        if over.any():
            which = np.flatnonzero(over)
            self._ended[:, which] += np.stack([np.ones(len(which)), self._return[which]])
            self._return[which] = 0.0
            environment.begin(which, self._worlds(which))

    def _explore(self, values: FloatArray, mask: BoolArray) -> IntArray:
        """Epsilon-greedy: any possible action, each equally likely, with probability epsilon."""
        environments, actions = self.settings.environments, mask.shape[1]
        lots = np.concatenate([rng.random((environments, actions + 1)) for rng in self._rngs])
        random = np.where(mask, lots[:, 1:], -1.0).argmax(1)
        return np.where(lots[:, 0] < self.settings.epsilon(self.steps), random, best_actions(values, mask))

    def _learn(self) -> tuple[Tensor, Tensor]:
        """One gradient step; loss and gradient norm of each seed."""
        settings = self.settings
        at, likelier, lived = self._replay.sample(settings.batch, self._rngs)
        correction = likelier ** -settings.exponent(self.steps)
        weight = torch.from_numpy(correction / correction.max(1, keepdims=True)).float()
        tensors = {name: torch.from_numpy(values) for name, values in lived.items()}
        self._optimiser.param_groups[0]["lr"] = settings.rate(self.steps)
        self._optimiser.zero_grad()
        error = errors(self.network, self.target, tensors, settings.gamma, double=settings.double)
        losses = loss(error, weight, settings.largest_error)
        torch.autograd.backward(losses.sum())
        norm = clip_gradients(self._parameters, settings.largest_gradient)
        self._optimiser.step()
        if settings.prioritised:
            self._replay.learned(at, error.detach().double().numpy())
        self._learned += 1
        if self._learned % settings.target_every == 0:
            self.target.load_state_dict(self.network.state_dict())
        return losses.detach(), norm

    def _validate(self) -> Tensor:
        """Mean greedy return of each seed over all validation worlds; better networks than before are kept."""
        seeds, worlds = len(self._rngs), self.validation.worlds
        returns = play(self.network, self.validation, np.tile(np.arange(worlds), seeds))
        found = torch.from_numpy(returns.reshape(seeds, worlds).mean(1))
        self._best.offer(self.network, found)
        return found

    def conclude(self) -> None:
        """Nothing is left to do: every unit ends with a validation."""

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit; a unit begins fresh episodes."""
        return {
            "steps": self.steps,
            "learned": self._learned,
            "network": self.network.state_dict(),
            "target": self.target.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "replay": self._replay.state(),
            "generators": [rng.bit_generator.state for rng in self._rngs],
            "best": self._best.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.steps, self._learned = state["steps"], state["learned"]
        self.network.load_state_dict(state["network"])
        self.target.load_state_dict(state["target"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._replay.load_state(state["replay"])
        for rng, known in zip(self._rngs, state["generators"], strict=True):
            rng.bit_generator.state = known
        self._best.load_state(state["best"])

    def policy(self) -> dict[str, Any]:
        """The best network of each seed, with what is needed to use it."""
        settings, environment = self.settings, self.environment
        return {
            "network": {
                "features": environment.features,
                "actions": environment.actions,
                "hidden": list(settings.hidden),
                "dueling": settings.dueling,
            },
            **self._best.policy(),
        }
