"""Training by value decomposition: live episodes, learn from the replay, validate, keep each seed's best network."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ..instances.fields import BoolArray, IntArray
from .environment import TeamEnvironment
from .replay import Arrays, EpisodeReplay
from .stacked_learner import StackedLearner
from .team_networks import AgentNetwork
from .value_decomposition import REWARDS, Settings, Team, loss

Choose = Callable[[Tensor, BoolArray], IntArray]


def best_actions(values: Tensor, mask: BoolArray) -> IntArray:
    """Each agent's possible action of largest value, shape (S, B, agents)."""
    best: IntArray = values.masked_fill(~torch.from_numpy(mask), -torch.inf).argmax(-1).numpy()
    return best


@torch.no_grad()
def live(agent: AgentNetwork, environment: TeamEnvironment, world: IntArray, choose: Choose) -> Arrays:
    """One episode in each world, shape (S, B), every seed acting in its own; arrays of shape (S, B, T, …).

    Parameters
    ----------
    choose
        Makes actions (S, B, agents) of values (S, B, agents, actions) and mask.
    """
    seeds, batch = world.shape
    agents, actions = environment.agents, environment.actions
    view = environment.reset(world.ravel())
    previous, hidden = torch.zeros(seeds, 1, batch * agents, actions), None
    lived: dict[str, list[np.ndarray[Any, Any]]] = defaultdict(list)
    for _ in range(environment.horizon):
        observation = torch.from_numpy(view.observation).view(seeds, 1, batch * agents, -1)
        values, hidden = agent(torch.cat([observation, previous], -1), hidden)
        mask = view.mask.reshape(seeds, batch, agents, actions)
        action = choose(values.view(seeds, batch, agents, actions), mask).reshape(-1, agents)
        previous = one_hot(torch.from_numpy(action), actions).view(previous.shape).float()
        step = {"observation": view.observation, "mask": view.mask, "state": view.state, "action": action}
        view, step["reward"] = environment.step(action)
        for name, value in step.items():
            lived[name].append(value.reshape(seeds, batch, *value.shape[1:]))
    return {name: np.stack(values, 2) for name, values in lived.items()}


class ValueLearner(StackedLearner):
    """S seeds of IQL, VDN or QMIX in one environment; steps are iterations: new episodes, and a gradient step.

    Parameters
    ----------
    environment, validation
        Where to learn, and where to compare networks.
    """

    def __init__(
        self, settings: Settings, environment: TeamEnvironment, validation: TeamEnvironment, seeds: Sequence[int]
    ) -> None:
        self.settings, self.environment, self.validation = settings, environment, validation
        self.team, self.target = (Team(settings, environment, seeds) for _ in range(2))
        super().__init__(self.team, self.team.agent, seeds, settings.iterations, settings.unit)
        agents, actions = environment.agents, environment.actions
        steps = environment.horizon
        fields: dict[str, tuple[tuple[int, ...], Any]] = {
            "observation": ((steps, agents, environment.features), np.float32),
            "mask": ((steps, agents, actions), bool),
            "state": ((steps, environment.state_features), np.float32),
            "action": ((steps, agents), np.int64),
            "reward": ((steps,), np.float32),
        }
        self._replay = EpisodeReplay(len(seeds), settings.capacity, fields)

    def _learn_until(self, last: int) -> dict[str, Any]:
        returns, losses, norms = [], [], []
        while self.steps < last:
            returns.append(self._live())
            seeds_loss, norm = self._learn()
            losses.append(seeds_loss)
            norms.append(norm)
            self.steps += 1
        return {
            "iteration": self.steps,
            "exploration": self.settings.epsilon(self.steps),
            "return": np.mean(returns, 0).tolist(),
            "loss": torch.stack(losses).mean(0).tolist(),
            "gradient_norm": torch.stack(norms).mean(0).tolist(),
        }

    def _live(self) -> np.ndarray[Any, Any]:
        """Live new episodes and keep them; the mean return of each seed."""
        shape, worlds = (self.settings.episodes,), self.environment.worlds
        world = np.stack([rng.integers(worlds, size=shape) for rng in self._rngs])
        episodes = live(self.team.agent, self.environment, world, self._explore)
        self._replay.add(episodes)
        mean: np.ndarray[Any, Any] = episodes["reward"].sum(2).mean(1)
        return mean

    def _explore(self, values: Tensor, mask: BoolArray) -> IntArray:
        """Epsilon-greedy: any possible action, each equally likely, with probability epsilon."""
        epsilon = self.settings.epsilon(self.steps)
        explores = np.stack([rng.random(mask.shape[1:3]) for rng in self._rngs]) < epsilon
        lots = np.stack([rng.random(mask.shape[1:]) for rng in self._rngs])
        return np.where(explores, np.where(mask, lots, -1.0).argmax(-1), best_actions(values, mask))

    def _learn(self) -> tuple[Tensor, Tensor]:
        """One gradient step; loss and gradient norm of each seed."""
        episodes = self._replay.sample(self.settings.batch, self._rngs)
        episodes["reward"] = REWARDS[self.settings.reward](episodes["reward"], self.environment.agents)
        tensors = {name: torch.from_numpy(values) for name, values in episodes.items()}
        losses = loss(self.team, self.target, tensors, self.settings.gamma, self.settings.largest_error)
        norm = self._descend(losses, self.settings.rate(self.steps), self.settings.largest_gradient)
        with torch.no_grad():
            for slow, fast in zip(self.target.parameters(), self._parameters, strict=True):
                slow.lerp_(fast, self.settings.target_rate)
        return losses.detach(), norm

    def _returns(self) -> Tensor:
        world = np.tile(np.arange(self.validation.worlds), (len(self._rngs), 1))
        lived = live(self.team.agent, self.validation, world, best_actions)
        return torch.from_numpy(lived["reward"].sum(2).mean(1))

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit."""
        return super().state() | {"target": self.target.state_dict(), "replay": self._replay.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        super().load_state(state)
        self.target.load_state_dict(state["target"])
        self._replay.load_state(state["replay"])

    def sizes(self) -> dict[str, Any]:
        """Sizes of the network."""
        return {
            "hidden": self.settings.hidden,
            "actions": self.environment.actions,
            "features": self.environment.features,
        }
