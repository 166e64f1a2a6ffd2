"""The environment for other people's code: Gymnasium (one agent) and PettingZoo (one agent a satellite, in turn).

Every reset draws a fresh day, so these never repeat an instance; `info["action_mask"]` tells the possible actions, and
an impossible one is no link.
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from pettingzoo import AECEnv

from ...instances.association.presets import generate
from ...solvers.association.days import Days
from ..environment import Float32Array
from .environment import AssociationEnvironment

LARGEST = 2.0  # of features


def _fresh(preset: str, observation: str, rng: np.random.Generator) -> AssociationEnvironment:
    """An environment of one fresh day; days without turns are passed over."""
    while True:
        days = Days.of([generate(preset, int(rng.integers(2**31)))])
        if days.nobody:
            return AssociationEnvironment(days, observation)


def _box(features: int) -> "Box[np.float32]":
    return Box(-LARGEST, LARGEST, (features,), np.float32)


class AssociationGym(gymnasium.Env[Float32Array, np.int64]):
    """One agent that decides for the satellites in turn; actions are (station + 1) K + channel, 0 is no link.

    Parameters
    ----------
    preset
        What days are drawn from; a preset's name.
    observation
        A name of `observations.OBSERVATIONS`.
    """

    def __init__(self, preset: str, observation: str = "gains") -> None:
        self.preset, self.observation = preset, observation
        shape = _fresh(preset, observation, np.random.default_rng(0))
        self.observation_space = _box(shape.features)
        self.action_space = Discrete(shape.actions)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Begin a fresh day."""
        super().reset(seed=seed)
        self._environment = _fresh(self.preset, self.observation, self.np_random)
        return self._seen()

    def step(self, action: np.int64) -> tuple[Float32Array, float, bool, bool, dict[str, Any]]:
        """Decide for the satellite in turn."""
        reward = self._environment.step(np.array([action]))[0]
        seen, info = self._seen()
        return seen, float(reward), bool(self._environment.over[0]), False, info

    def _seen(self) -> tuple[Float32Array, dict[str, Any]]:
        environment = self._environment
        return environment.observe()[0], {"action_mask": environment.mask[0].astype(np.int8)}


class AssociationAEC(AECEnv):  # type: ignore[misc]
    """One agent a satellite, ``satellite_0`` on, which acts whenever it is its turn; all share the reward.

    Parameters
    ----------
    preset
        What days are drawn from; a preset's name.
    observation
        A name of `observations.OBSERVATIONS`.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "skybound_association",
        "render_modes": [],
        "is_parallelizable": False,
    }

    def __init__(self, preset: str, observation: str = "gains") -> None:
        super().__init__()
        self.preset, self.observation = preset, observation
        self._rng = np.random.default_rng()
        shape = _fresh(preset, observation, np.random.default_rng(0))
        self.render_mode = None
        self.possible_agents = [f"satellite_{i}" for i in range(shape.days.shape[0])]
        self.agents: list[str] = []
        self.observation_spaces = {agent: _box(shape.features) for agent in self.possible_agents}
        self.action_spaces = {agent: Discrete(shape.actions) for agent in self.possible_agents}

    def observation_space(self, agent: str) -> "Box[np.float32]":
        """What an agent sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """An agent's links."""
        return self.action_spaces[agent]

    def observe(self, agent: str) -> Float32Array:
        """What the agent in turn sees; the others see nothing."""
        seen: Float32Array = self._environment.observe()[0]
        return seen if agent == self.agent_selection else np.zeros_like(seen)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin a fresh day."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._environment = _fresh(self.preset, self.observation, self._rng)
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self._pass_on()

    def step(self, action: int | None) -> None:
        """Decide for the satellite in turn."""
        if self.terminations[self.agent_selection]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[self.agent_selection] = 0.0
        reward = float(self._environment.step(np.array([action]))[0])
        self.rewards = dict.fromkeys(self.agents, reward)
        self._accumulate_rewards()
        self._pass_on()

    def _pass_on(self) -> None:
        """Name the next satellite, or end the day."""
        environment = self._environment
        if environment.over[0]:
            self.terminations = dict.fromkeys(self.agents, True)
            self.agent_selection = self.agents[0]
            return
        self.agent_selection = self.possible_agents[environment.days.satellite[environment.turn[0]]]
        self.infos[self.agent_selection] = {"action_mask": environment.mask[0].astype(np.int8)}
