"""The DQN family on association: hyperparameters, learner, and the policy as a solver."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ...instances.association import Association
from ...instances.association.presets import generate
from ...instances.errors import InputError
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...solvers.association.days import Days
from ...solvers.result import Answer, Limits
from ..dqn import QNetwork, Settings
from ..label_store import TRAINING_SEED, VALIDATION_SEED
from ..policy_file import PolicyFile, hash_numbers
from ..q_learner import QLearner, best_actions, play
from .environment import AssociationEnvironment
from .observations import OBSERVATIONS

# The paper's numbers (Section 5) and algorithm: all satellites have turns, a gradient step a slot, batches of 32, rate
# 0.005. Ours where it gives none.
PAPER = Settings(
    double=False,
    dueling=False,
    prioritised=False,
    observation="paper",
    idle=True,
    hidden=(64, 32),
    gamma=0.9,
    environments=1,
    steps=360_000,
    unit=18_000,
    learn_every=120,
    batch=32,
    capacity=20_000,
    warm_up=3_600,
    learning_rate=(5e-3, 5e-3),
    target_every=100,
    exploration=(1.0, 0.05, 0.5),
    priority=0.6,
    correction=0.4,
    largest_error=None,
    largest_gradient=10.0,
    worlds=200,
    validation_worlds=20,
)
# What trains better in minutes: turns of those that have a choice, many days at once, and features of their links.
TUNED = replace(
    PAPER,
    observation="gains",
    idle=False,
    hidden=(256, 128),
    gamma=0.5,
    environments=32,
    steps=12_000,
    unit=1_000,
    learn_every=4,
    batch=512,
    capacity=32_000,
    warm_up=6_400,
    learning_rate=(1e-3, 1e-5),
    exploration=(1.0, 0.02, 0.5),
    largest_error=0.2,
)


class AssociationQLearner(QLearner):
    """DQN and its family on the days of a preset."""

    def __init__(self, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        if settings.observation not in OBSERVATIONS:
            known = ", ".join(OBSERVATIONS)
            raise InputError(f'is "{settings.observation}", unknown; known are {known}', "observation")
        training = draw(preset, TRAINING_SEED, settings.worlds)
        validation = draw(preset, VALIDATION_SEED, settings.validation_worlds)
        self._seen = hash_numbers([instance.hash for instance in [*training, *validation]])
        super().__init__(
            settings,
            AssociationEnvironment(Days.of(training, idle=settings.idle), settings.observation),
            AssociationEnvironment(Days.of(validation), settings.observation),
            seeds,
        )

    def policy(self) -> dict[str, Any]:
        """The best network of each seed, with what is needed to use it and the instances that it has seen."""
        content = super().policy()
        content["network"]["observation"] = self.settings.observation
        return content | {"seen": torch.from_numpy(self._seen)}


def draw(preset: str, first: int, count: int) -> list[Association]:
    """So many days of a preset."""
    return [generate(preset, first + k) for k in range(count)]


@dataclass(frozen=True)
class QPolicy:
    """A trained Q-network as a solver: satellites take their best possible action in turn.

    Attributes
    ----------
    samples
        1: the best action each time. More: the best of so many days by the objective, which is known when the decision
        is made: the greedy one, and draws in which actions are likely by exp(value / temperature). Temperatures rise
        from `COLDEST` to `HOTTEST`.
    """

    network: QNetwork
    observation: str
    samples: int

    COLDEST, HOTTEST = 0.001, 0.03

    @classmethod
    def of(cls, file: PolicyFile, seed: int, samples: int) -> "QPolicy":
        """The network of one trained seed."""
        features, actions = file.network_size("features"), file.network_size("actions")
        known = file.network
        try:
            first, second = (int(width) for width in known["hidden"])
            dueling, observation = bool(known["dueling"]), str(known["observation"])
            network = QNetwork(features, (first, second), actions, dueling=dueling, seeds=[0])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"is not a whole policy: {error!r}", file=str(file.path)) from None
        file.fill(network, seed)
        return cls(network, observation, samples)

    def __call__(self, instance: Association, limits: Limits) -> Answer:
        """Let the satellites decide, slot by slot."""
        environment = AssociationEnvironment(Days.of([instance]), self.observation)
        trained = self.network.features, self.network.actions
        if (environment.features, environment.actions) != trained:
            here = environment.features, environment.actions
            message = "was trained for {} features and {} actions, the instance has {} and {}"
            raise InputError(message.format(*trained, *here), "policy")
        rng = np.random.default_rng(limits.seed)
        temperature = np.append(0.0, np.geomspace(self.COLDEST, self.HOTTEST, self.samples - 1))[:, None]

        def pick(values: FloatArray, mask: BoolArray) -> IntArray:
            # The largest of value plus temperature times Gumbel noise is a draw by exp(value / temperature).
            return best_actions(values + temperature * rng.gumbel(size=values.shape), mask)

        returns = play(self.network, environment, np.zeros(self.samples, np.int64), pick)
        return Answer(environment.links(int(returns.argmax())))
