"""Training by deep Q-learning: act in turn, learn from the replay, validate, keep each seed's best network."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..instances.fields import BoolArray, FloatArray, IntArray
from .dqn import QNetwork, Settings, errors, loss
from .environment import TurnEnvironment
from .stacked_learner import StackedLearner
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


class QLearner(StackedLearner):
    """S seeds of deep Q-learning, each with B environments of its own; a step is one in all of them.

    Parameters
    ----------
    environment, validation
        Where to learn, and where to compare networks.
    """

    def __init__(
        self, settings: Settings, environment: TurnEnvironment, validation: TurnEnvironment, seeds: Sequence[int]
    ) -> None:
        self.settings, self.environment, self.validation = settings, environment, validation
        features, actions = environment.features, environment.actions
        self.network, self.target = (
            QNetwork(features, settings.hidden, actions, dueling=settings.dueling, seeds=seeds) for _ in range(2)
        )
        super().__init__(self.network, self.network, seeds, settings.steps, settings.unit)
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
        self._learned = 0

    def _learn_until(self, last: int) -> dict[str, Any]:
        """In fresh episodes."""
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
        return metrics

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
        error = errors(self.network, self.target, tensors, settings.gamma, double=settings.double)
        losses = loss(error, weight, settings.largest_error)
        norm = self._descend(losses, settings.rate(self.steps), settings.largest_gradient)
        if settings.prioritised:
            self._replay.learned(at, error.detach().double().numpy())
        self._learned += 1
        if self._learned % settings.target_every == 0:
            self.target.load_state_dict(self.network.state_dict())
        return losses.detach(), norm

    def _returns(self) -> Tensor:
        seeds, worlds = len(self._rngs), self.validation.worlds
        returns = play(self.network, self.validation, np.tile(np.arange(worlds), seeds))
        return torch.from_numpy(returns.reshape(seeds, worlds).mean(1))

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit; a unit begins fresh episodes."""
        more = {"learned": self._learned, "target": self.target.state_dict(), "replay": self._replay.state()}
        return super().state() | more

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        super().load_state(state)
        self._learned = state["learned"]
        self.target.load_state_dict(state["target"])
        self._replay.load_state(state["replay"])

    def sizes(self) -> dict[str, Any]:
        """Sizes of the network."""
        return {
            "features": self.environment.features,
            "actions": self.environment.actions,
            "hidden": list(self.settings.hidden),
            "dueling": self.settings.dueling,
        }
