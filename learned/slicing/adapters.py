"""Slicing for other people's code: Gymnasium (one joint action) and PettingZoo (six agents, one a slice and layer).

Every reset draws a fresh walk, so these never repeat an instance. All agents act at once; users whom the stations
serve are not served from the sky, too. Numbers of an action that have no use are ignored.
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from pettingzoo import ParallelEnv

from ..environment import Float32Array
from .environment import AGENT_NAMES, AGENTS, SlicingEnvironment


def _fresh(preset: str, slots: int, rng: np.random.Generator) -> SlicingEnvironment:
    return SlicingEnvironment.draw(preset, int(rng.integers(2**31)), 1, slots)


def _box(*shape: int) -> "Box[np.float32]":
    return Box(0.0, 1.0, shape, np.float32)


class SlicingGym(gymnasium.Env[Float32Array, Float32Array]):
    """One agent that acts for all six: observations (6, features), actions (6, actions); the reward is the objective.

    Parameters
    ----------
    preset
        What walks are drawn from; a preset's name.
    slots
        Slots of an episode.
    """

    def __init__(self, preset: str, slots: int) -> None:
        self.preset, self.slots = preset, slots
        shape = _fresh(preset, 1, np.random.default_rng(0))
        self.observation_space = _box(AGENTS, shape.features)
        self.action_space = _box(AGENTS, shape.actions)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Begin a fresh walk."""
        super().reset(seed=seed)
        self._environment = _fresh(self.preset, self.slots, self.np_random)
        return self._environment.observe()[0], {}

    def step(self, action: Float32Array) -> tuple[Float32Array, float, bool, bool, dict[str, Any]]:
        """Serve, and go to the next slot; the info has the decision."""
        environment = self._environment
        earned = environment.step(np.asarray(action, float)[None])
        info = {"decision": environment.slots.decision(environment.served, 0)}
        return environment.observe()[0], float(earned.objective[0]), environment.over, False, info


class SlicingParallel(ParallelEnv):  # type: ignore[misc]
    """Six agents, ``station_H`` to ``sky_C``; each is paid what its users win by its layer.

    Parameters
    ----------
    preset
        What walks are drawn from; a preset's name.
    slots
        Slots of an episode.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "skybound_slicing", "render_modes": []}

    def __init__(self, preset: str, slots: int) -> None:
        self.preset, self.slots = preset, slots
        self._rng = np.random.default_rng()
        shape = _fresh(preset, 1, np.random.default_rng(0))
        self.render_mode = None
        self.possible_agents = AGENT_NAMES
        self.agents: list[str] = []
        self.observation_spaces = {agent: _box(shape.features) for agent in AGENT_NAMES}
        self.action_spaces = {agent: _box(shape.actions) for agent in AGENT_NAMES}
        self.state_space = _box(AGENTS * shape.features)

    def observation_space(self, agent: str) -> "Box[np.float32]":
        """What an agent sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> "Box[np.float32]":
        """What an agent says."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Float32Array], dict[str, dict[str, Any]]]:
        """Begin a fresh walk."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        self._environment = _fresh(self.preset, self.slots, self._rng)
        self.agents = self.possible_agents[:]
        return self._seen(self.agents), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Float32Array]) -> tuple[dict[str, Any], ...]:
        """Serve, and go to the next slot."""
        agents, environment = self.agents, self._environment
        action = np.stack([np.asarray(actions[agent], float) for agent in agents])
        earned = environment.step(action[None])
        paid = dict(zip(agents, earned.own[0].tolist(), strict=True))
        over = environment.over
        self.agents = [] if over else agents
        infos: dict[str, dict[str, Any]] = {agent: {} for agent in agents}
        return self._seen(agents), paid, dict.fromkeys(agents, over), dict.fromkeys(agents, False), infos

    def state(self) -> Float32Array:
        """What is known of the whole, for training only."""
        state: Float32Array = self._environment.observe()[0].ravel()
        return state

    def _seen(self, agents: list[str]) -> dict[str, Float32Array]:
        return dict(zip(agents, self._environment.observe()[0], strict=True))
