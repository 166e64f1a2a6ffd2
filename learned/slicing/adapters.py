"""Slicing for other people's code: Gymnasium (one joint action) and PettingZoo (six agents, one a slice and layer).

Every reset draws a fresh walk, so these never repeat an instance. All agents act at once; users whom the stations
serve are not served from the sky, too. Numbers of an action that have no use are ignored.
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.spaces import Box
from pettingzoo import ParallelEnv

from ...instances.arguments import whole
from ...instances.fields import FloatArray
from ..environment import FRESH_SEEDS, Float32Array
from .environment import AGENT_NAMES, AGENTS, SlicingEnvironment


def _fresh(preset: str, slots: int, rng: np.random.Generator) -> SlicingEnvironment:
    return SlicingEnvironment.draw(preset, int(rng.integers(*FRESH_SEEDS)), 1, slots)


def _going_on(environment: SlicingEnvironment | None) -> SlicingEnvironment:
    """An episode that has begun and is not over."""
    if environment is None or environment.over:
        raise ResetNeeded("reset() begins an episode, and the next one when it is over")
    return environment


def _checked(space: "gymnasium.Space[Float32Array]", action: Any, name: str) -> FloatArray:
    """An action of a space."""
    found = np.asarray(action, float)
    if found.shape != space.shape or not ((found >= 0) & (found <= 1)).all():
        raise InvalidAction(f"{name} must be numbers from 0 to 1 of shape {space.shape}, is of shape {found.shape}")
    return found


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

    Raises
    ------
    InputError
        When there is no such preset, or slots are no whole number from 1.
    """

    def __init__(self, preset: str, slots: int) -> None:
        self.preset, self.slots = preset, whole(slots, "slots", 1)
        self._environment: SlicingEnvironment | None = None
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
        environment = _going_on(self._environment)
        earned = environment.step(_checked(self.action_space, action, "the action")[None])
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
        self.preset, self.slots = preset, whole(slots, "slots", 1)
        self._environment: SlicingEnvironment | None = None
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
        return self._seen(self.agents, self._environment), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Float32Array]) -> tuple[dict[str, Any], ...]:
        """Serve, and go to the next slot."""
        agents, environment = self.agents, _going_on(self._environment)
        if missing := [agent for agent in agents if agent not in actions]:
            raise InvalidAction(f"there must be an action of {', '.join(missing)}")
        action = np.stack([_checked(self.action_spaces[agent], actions[agent], agent) for agent in agents])
        earned = environment.step(action[None])
        paid = dict(zip(agents, earned.own[0].tolist(), strict=True))
        over = environment.over
        self.agents = [] if over else agents
        infos: dict[str, dict[str, Any]] = {agent: {} for agent in agents}
        return self._seen(agents, environment), paid, dict.fromkeys(agents, over), dict.fromkeys(agents, False), infos

    def state(self) -> Float32Array:
        """What is known of the whole, for training only."""
        if self._environment is None:
            raise ResetNeeded("reset() begins an episode")
        state: Float32Array = self._environment.observe()[0].ravel()
        return state

    def _seen(self, agents: list[str], environment: SlicingEnvironment) -> dict[str, Float32Array]:
        return dict(zip(agents, environment.observe()[0], strict=True))
