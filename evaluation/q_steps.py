"""Environment steps of deep Q-learning for each second, ours and Stable-Baselines3's, on the same trivial environment.

Every step of an environment is followed by learning from `REUSE` transitions: Stable-Baselines3 takes a gradient step
on a batch of that size after each step; ours takes one on a batch of so many times as many after each step of all its
environments. The network is the association paper's, 156-64-32-24; ours draws by priority, masks and doubles, too.
"""

import time
from typing import Any

import gymnasium
import numpy as np

from ..instances.fields import BoolArray, FloatArray, IntArray
from ..learned.association.dqn import PAPER
from ..learned.environment import Float32Array

FEATURES, ACTIONS, LENGTH = 156, 24, 100
REUSE, ENVIRONMENTS = 32, 64
WARM_UP = 640
STEPS_OURS, STEPS_THEIRS = 64 * 300, 2_500


class Noise:
    """Observations that say nothing and rewards that depend on the action; episodes of `LENGTH` steps."""

    worlds, actions, features = 1, ACTIONS, FEATURES

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self._seen = rng.uniform(-1, 1, (LENGTH + 1, FEATURES)).astype(np.float32)
        self._reward = rng.uniform(0, 1, ACTIONS)
        self.reset(np.zeros(1, np.int64))

    def reset(self, world: IntArray) -> None:
        """Begin episodes."""
        self.at = np.zeros(len(world), np.int64)
        self.mask: BoolArray = np.ones((len(world), ACTIONS), bool)

    def begin(self, which: IntArray, world: IntArray) -> None:
        """Begin some anew."""
        self.at[which] = 0

    @property
    def over(self) -> BoolArray:
        """Whether an episode is over."""
        return np.asarray(self.at == LENGTH)

    def observe(self) -> Float32Array:
        """What is seen."""
        seen: Float32Array = self._seen[self.at]
        return seen

    def step(self, action: IntArray) -> FloatArray:
        """Take actions."""
        over = self.over
        self.at = np.minimum(self.at + 1, LENGTH)
        return np.where(over, 0.0, self._reward[action])


class NoiseGym(gymnasium.Env[Float32Array, np.int64]):
    """One of them."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (FEATURES,), np.float32)
    action_space = gymnasium.spaces.Discrete(ACTIONS)

    def __init__(self) -> None:
        self._noise = Noise()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        self._noise.reset(np.zeros(1, np.int64))
        return self._noise.observe()[0], {}

    def step(self, action: np.int64) -> tuple[Float32Array, float, bool, bool, dict[str, Any]]:
        """Take an action."""
        reward = float(self._noise.step(np.array([action]))[0])
        return self._noise.observe()[0], reward, bool(self._noise.over[0]), False, {}


def ours(seed: int) -> dict[str, Any]:
    """Seconds for an environment step of ours."""
    from dataclasses import replace

    from ..learned.q_learner import QLearner
    from ..learned.threads import torch_threads

    steps = STEPS_OURS // ENVIRONMENTS
    settings = replace(
        PAPER,
        double=True,
        prioritised=True,
        environments=ENVIRONMENTS,
        steps=steps,
        unit=steps,
        learn_every=1,
        batch=REUSE * ENVIRONMENTS,
        capacity=6_400,
        warm_up=WARM_UP,
        validation_worlds=1,
    )
    learner = QLearner(settings, Noise(), Noise(), [seed])
    began = time.perf_counter()
    with torch_threads(1):
        learner.step()
    return {"seconds": (time.perf_counter() - began) / STEPS_OURS}


def stable_baselines(seed: int) -> dict[str, Any]:
    """Seconds for an environment step of Stable-Baselines3's DQN."""
    from stable_baselines3 import DQN

    from ..learned.threads import torch_threads

    learner = DQN(
        "MlpPolicy",
        NoiseGym(),
        learning_rate=PAPER.learning_rate[0],
        buffer_size=6_400,
        learning_starts=REUSE,
        batch_size=REUSE,
        gamma=PAPER.gamma,
        train_freq=1,
        gradient_steps=1,
        target_update_interval=PAPER.target_every,
        policy_kwargs={"net_arch": list(PAPER.hidden)},
        seed=seed,
        device="cpu",
    )
    began = time.perf_counter()
    with torch_threads(1):
        learner.learn(STEPS_THEIRS)
    return {"seconds": (time.perf_counter() - began) / STEPS_THEIRS}
