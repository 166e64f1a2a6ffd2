"""The environment for other people's code: Gymnasium (one joint action) and PettingZoo (one agent a user).

Every reset draws a fresh world, so these never repeat an instance; `info["action_mask"]` tells the possible hosts.
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from pettingzoo import ParallelEnv

from ...instances.placement.presets import Preset
from ..environment import Float32Array, View
from .environment import PlacementEnvironment, Trajectories


def _fresh(preset: Preset, slots: int, rng: np.random.Generator) -> PlacementEnvironment:
    return PlacementEnvironment(Trajectories.draw(preset, 1, slots, int(rng.integers(2**63))))


def _box(*shape: int) -> "Box[np.float32]":
    return Box(-1.0, 1.0, shape, np.float32)


class PlacementGym(gymnasium.Env[Float32Array, np.ndarray]):
    """One agent that chooses a host for every user; observations have shape (users, features).

    Parameters
    ----------
    preset
        What worlds are drawn from.
    slots
        Slots of an episode.
    """

    def __init__(self, preset: Preset, slots: int) -> None:
        self.preset, self.slots = preset, slots
        shape = _fresh(preset, 1, np.random.default_rng(0))
        self.observation_space = _box(shape.agents, shape.features)
        self.action_space = MultiDiscrete([shape.actions] * shape.agents)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Begin in a fresh world."""
        super().reset(seed=seed)
        self._environment = _fresh(self.preset, self.slots, self.np_random)
        self._left = self.slots
        view = self._environment.reset(np.zeros(1, np.int64))
        return view.observation[0], _info(view)

    def step(self, action: np.ndarray) -> tuple[Float32Array, float, bool, bool, dict[str, Any]]:
        """Place all users and go to the next slot; the info has the placement that it came to."""
        view, reward = self._environment.step(np.asarray(action, np.int64)[None])
        self._left -= 1
        info = _info(view) | {"host": self._environment.host[0]}
        return view.observation[0], float(reward[0]), self._left == 0, False, info


def _info(view: View) -> dict[str, Any]:
    return {"action_mask": view.mask[0].astype(np.int8)}


class PlacementParallel(ParallelEnv):  # type: ignore[misc]
    """One agent a user, ``user_0`` on; all share the reward.

    Parameters
    ----------
    preset
        What worlds are drawn from.
    slots
        Slots of an episode.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "skybound_placement", "render_modes": []}

    def __init__(self, preset: Preset, slots: int) -> None:
        self.preset, self.slots = preset, slots
        self._rng = np.random.default_rng()
        shape = _fresh(preset, 1, np.random.default_rng(0))
        self.render_mode = None
        self.possible_agents = [f"user_{i}" for i in range(shape.agents)]
        self.agents: list[str] = []
        self.observation_spaces = {agent: _box(shape.features) for agent in self.possible_agents}
        self.action_spaces = {agent: Discrete(shape.actions) for agent in self.possible_agents}
        self.state_space = _box(shape.state_features)

    def observation_space(self, agent: str) -> "Box[np.float32]":
        """What an agent sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """An agent's hosts."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Float32Array], dict[str, dict[str, Any]]]:
        """Begin in a fresh world."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._environment = _fresh(self.preset, self.slots, self._rng)
        self._left = self.slots
        self.agents = self.possible_agents[:]
        return self._seen(self._environment.reset(np.zeros(1, np.int64)))

    def step(self, actions: dict[str, int]) -> tuple[dict[str, Any], ...]:
        """Place all users and go to the next slot."""
        agents = self.agents
        view, reward = self._environment.step(np.array([[actions[agent] for agent in agents]], np.int64))
        self._left -= 1
        observations, infos = self._seen(view)
        self.agents = agents if self._left else []
        ended = dict.fromkeys(agents, self._left == 0)
        return observations, dict.fromkeys(agents, float(reward[0])), ended, dict.fromkeys(agents, False), infos

    def state(self) -> Float32Array:
        """What is known of the whole, for training only."""
        state: Float32Array = self._view.state[0]
        return state

    def _seen(self, view: View) -> tuple[dict[str, Float32Array], dict[str, dict[str, Any]]]:
        self._view = view
        masks = view.mask[0].astype(np.int8)
        observations = dict(zip(self.agents, view.observation[0], strict=True))
        return observations, {agent: {"action_mask": mask} for agent, mask in zip(self.agents, masks, strict=True)}
