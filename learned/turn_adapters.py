"""Environments in turn for other people's code: Gymnasium (one agent decides all) and PettingZoo (agents in turn).

Every reset draws a fresh world, so these never repeat an instance; `info["action_mask"]` tells the possible actions,
in a tuple with an array a part where actions have several, as `MultiDiscrete.sample` expects.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete, Space
from pettingzoo import AECEnv

from .environment import Float32Array, TurnEnvironment

E = TypeVar("E", bound=TurnEnvironment)
Fresh = Callable[[np.random.Generator], E]  # draws an environment of one world that is not over


def _action_space(environment: TurnEnvironment, parts: Sequence[int] | None) -> Space[Any]:
    return Discrete(environment.actions) if parts is None else MultiDiscrete(list(parts))


def _info(environment: TurnEnvironment, parts: Sequence[int] | None) -> dict[str, Any]:
    mask = environment.mask[0].astype(np.int8)
    return {"action_mask": mask if parts is None else tuple(np.split(mask, np.cumsum(parts)[:-1]))}


class TurnGym(gymnasium.Env[Float32Array, Any], Generic[E]):
    """One agent that takes all turns.

    Parameters
    ----------
    largest
        Of any feature's size.
    parts
        How many choices each part of an action has; None where an action is one number.
    """

    def __init__(self, fresh: Fresh[E], largest: float, parts: Sequence[int] | None = None) -> None:
        self._fresh, self._parts = fresh, parts
        shape = fresh(np.random.default_rng(0))
        self.observation_space = Box(-largest, largest, (shape.features,), np.float32)
        self.action_space = _action_space(shape, parts)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Begin in a fresh world."""
        super().reset(seed=seed)
        self.environment = self._fresh(self.np_random)
        return self._seen()

    def step(self, action: Any) -> tuple[Float32Array, float, bool, bool, dict[str, Any]]:
        """Take a turn."""
        reward = self.environment.step(np.array([action]))[0]
        seen, info = self._seen()
        return seen, float(reward), bool(self.environment.over[0]), False, info

    def _seen(self) -> tuple[Float32Array, dict[str, Any]]:
        return self.environment.observe()[0], _info(self.environment, self._parts)


class TurnAEC(AECEnv, Generic[E]):  # type: ignore[misc]
    """Agents act whenever it is their turn; all share the reward.

    Parameters
    ----------
    agents
        Names.
    acting
        Whose turn it is in an environment of one world that is not over.
    largest
        Of any feature's size.
    parts
        As for `TurnGym`.
    """

    def __init__(
        self,
        fresh: Fresh[E],
        agents: Sequence[str],
        acting: Callable[[E], str],
        largest: float,
        parts: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self._fresh, self._acting, self._rng, self._parts = fresh, acting, np.random.default_rng(), parts
        shape = fresh(np.random.default_rng(0))
        self.render_mode = None
        self.possible_agents = list(agents)
        self.agents: list[str] = []
        self.observation_spaces = {
            agent: Box(-largest, largest, (shape.features,), np.float32) for agent in self.possible_agents
        }
        self.action_spaces = {agent: _action_space(shape, parts) for agent in self.possible_agents}

    def observation_space(self, agent: str) -> "Box[np.float32]":
        """What an agent sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space[Any]:
        """What an agent can do."""
        return self.action_spaces[agent]

    def observe(self, agent: str) -> Float32Array:
        """What the agent in turn sees; the others see nothing."""
        seen: Float32Array = self.environment.observe()[0]
        return seen if agent == self.agent_selection else np.zeros_like(seen)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin in a fresh world."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self.environment = self._fresh(self._rng)
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self._pass_on()

    def step(self, action: Any) -> None:
        """Take the turn of the agent in turn."""
        if self.terminations[self.agent_selection]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[self.agent_selection] = 0.0
        reward = float(self.environment.step(np.array([action]))[0])
        self.rewards = dict.fromkeys(self.agents, reward)
        self._accumulate_rewards()
        self._pass_on()

    def _pass_on(self) -> None:
        """Name the next agent, or end."""
        if self.environment.over[0]:
            self.terminations = dict.fromkeys(self.agents, True)
            self.agent_selection = self.agents[0]
            return
        self.agent_selection = self._acting(self.environment)
        self.infos[self.agent_selection] = _info(self.environment, self._parts)
