"""Training by value decomposition: live episodes, learn from the replay, validate, keep each seed's best network."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ..instances.fields import BoolArray, IntArray
from .best_networks import BestNetworks
from .environment import TeamEnvironment
from .layers import clip_gradients
from .replay import Arrays, EpisodeReplay
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


class ValueLearner:
    """S seeds of IQL, VDN or QMIX in one environment.

    Parameters
    ----------
    environment, validation
        Where to learn, and where to compare networks.
    seeds
        Seeds of networks, worlds and exploration; equal seeds learn equally whatever the others are.
    """

    def __init__(
        self, settings: Settings, environment: TeamEnvironment, validation: TeamEnvironment, seeds: Sequence[int]
    ) -> None:
        self.settings, self.environment, self.validation = settings, environment, validation
        self.iteration = 0
        self.team, self.target = (Team(settings, environment, seeds) for _ in range(2))
        self._parameters = list(self.team.parameters())
        self._optimiser = torch.optim.Adam(self._parameters)
        self._rngs = [np.random.default_rng(seed) for seed in seeds]
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
        self._best = BestNetworks(self.team.agent, len(seeds))

    @property
    def progress(self) -> float:
        """Share of the iterations done."""
        return self.iteration / self.settings.iterations

    def step(self) -> dict[str, Any]:
        """One unit: some iterations, then validation; what happened, one number a seed."""
        last = min(self.iteration + self.settings.unit, self.settings.iterations)
        returns, losses, norms = [], [], []
        while self.iteration < last:
            returns.append(self._live())
            seeds_loss, norm = self._learn()
            losses.append(seeds_loss)
            norms.append(norm)
            self.iteration += 1
        return {
            "iteration": self.iteration,
            "exploration": self.settings.epsilon(self.iteration),
            "return": np.mean(returns, 0).tolist(),
            "loss": torch.stack(losses).mean(0).tolist(),
            "gradient_norm": torch.stack(norms).mean(0).tolist(),
            "validation_return": self._validate().tolist(),
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
        epsilon = self.settings.epsilon(self.iteration)
        explores = np.stack([rng.random(mask.shape[1:3]) for rng in self._rngs]) < epsilon
        lots = np.stack([rng.random(mask.shape[1:]) for rng in self._rngs])
        return np.where(explores, np.where(mask, lots, -1.0).argmax(-1), best_actions(values, mask))

    def _learn(self) -> tuple[Tensor, Tensor]:
        """One gradient step; loss and gradient norm of each seed."""
        episodes = self._replay.sample(self.settings.batch, self._rngs)
        episodes["reward"] = REWARDS[self.settings.reward](episodes["reward"], self.environment.agents)
        tensors = {name: torch.from_numpy(values) for name, values in episodes.items()}
        self._optimiser.param_groups[0]["lr"] = self.settings.rate(self.iteration)
        self._optimiser.zero_grad()
        losses = loss(self.team, self.target, tensors, self.settings.gamma, self.settings.largest_error)
        torch.autograd.backward(losses.sum())
        norm = clip_gradients(self._parameters, self.settings.largest_gradient)
        self._optimiser.step()
        with torch.no_grad():
            for slow, fast in zip(self.target.parameters(), self._parameters, strict=True):
                slow.lerp_(fast, self.settings.target_rate)
        return losses.detach(), norm

    def _validate(self) -> Tensor:
        """Mean greedy return of each seed over all validation worlds; better networks than before are kept."""
        world = np.tile(np.arange(self.validation.worlds), (len(self._rngs), 1))
        lived = live(self.team.agent, self.validation, world, best_actions)
        found = torch.from_numpy(lived["reward"].sum(2).mean(1))
        self._best.offer(self.team.agent, found)
        return found

    def conclude(self) -> None:
        """Nothing is left to do: every unit ends with a validation."""

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit."""
        return {
            "iteration": self.iteration,
            "team": self.team.state_dict(),
            "target": self.target.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "replay": self._replay.state(),
            "generators": [rng.bit_generator.state for rng in self._rngs],
            "best": self._best.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.iteration = state["iteration"]
        self.team.load_state_dict(state["team"])
        self.target.load_state_dict(state["target"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._replay.load_state(state["replay"])
        for rng, known in zip(self._rngs, state["generators"], strict=True):
            rng.bit_generator.state = known
        self._best.load_state(state["best"])

    def policy(self) -> dict[str, Any]:
        """The best network of each seed, with what is needed to use it."""
        return {
            "network": {
                "hidden": self.settings.hidden,
                "actions": self.environment.actions,
                "features": self.environment.features,
            },
            **self._best.policy(),
        }
