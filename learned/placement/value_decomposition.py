"""Value decomposition on placement: its hyperparameters, its learner, and its policy as a solver."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ...instances.errors import InputError
from ...instances.fields import FloatArray, IntArray
from ...instances.placement import Placement, PlacementDecision
from ...instances.placement.presets import find
from ...solvers.placement.batch import Costs, Partial
from ...solvers.result import Answer, Limits
from ..label_store import TRAINING_SEED, VALIDATION_SEED
from ..policy_file import PolicyFile, hash_numbers
from ..team_networks import AgentNetwork
from ..value_decomposition import Settings
from ..value_learner import ValueLearner
from . import features
from .environment import PlacementEnvironment, Trajectories
from .seating import seat

# The paper's numbers (Table 2), and ours where it gives none.
PAPER = Settings(
    mixer="sum",
    reward="paper",
    iterations=1000,
    unit=20,
    gamma=0.9,
    learning_rate=(1e-4, 1e-4),
    largest_error=None,
    episodes=8,
    batch=64,
    capacity=1000,
    hidden=64,
    embedding=32,
    target_rate=0.01,
    largest_gradient=10.0,
    exploration=(1.0, 0.05, 0.5),
    worlds=1000,
    slots=10,
    validation_worlds=200,
)
# What trains better in minutes. Slots do not couple, so nothing is worth bootstrapping, and short episodes suffice. A
# user in a deep fade can take hundreds of seconds to a device, and such errors must not drown all others.
TUNED = replace(
    PAPER,
    reward="plain",
    iterations=1500,
    unit=50,
    gamma=0.0,
    learning_rate=(3e-3, 0.0),
    largest_error=1.0,
    exploration=(1.0, 0.02, 0.4),
    episodes=16,
    slots=2,
    worlds=2500,
)
# Larger steps drive the mixer's units into the flat part of ELU, where the agents get no gradient any more.
TUNED_MIXER = replace(TUNED, learning_rate=(1e-3, 0.0))
# An agent alone predicts the whole reward: without the scale of one user's share its network saturates at once.
TUNED_INDEPENDENT = replace(TUNED, reward="mean", largest_error=0.05, learning_rate=(1e-3, 0.0))


class PlacementValueLearner(ValueLearner):
    """IQL, VDN or QMIX on the worlds of a preset."""

    def __init__(self, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        drawn = find(preset)
        self.training_pool = Trajectories.draw(drawn, settings.worlds, settings.slots, TRAINING_SEED)
        self.validation_pool = Trajectories.draw(drawn, settings.validation_worlds, 1, VALIDATION_SEED)
        environment, validation = (PlacementEnvironment(pool) for pool in (self.training_pool, self.validation_pool))
        super().__init__(settings, environment, validation, seeds)

    def policy(self) -> dict[str, Any]:
        """The best network of each seed, with what is needed to use it and the instances that it has seen."""
        seen = hash_numbers([*self.training_pool.hashes, *self.validation_pool.hashes])
        return super().policy() | {"seen": torch.from_numpy(seen)}


@dataclass(frozen=True)
class ValuePolicy:
    """A trained team of users as a solver: all choose at once by their own values, and are seated by `seating.seat`.

    Attributes
    ----------
    samples
        1: every user takes its best host. More: the best of so many joint choices by total delay, which is known when
        the decision is made: the greedy one, and draws in which a user's hosts are likely by exp(value / temperature).
        The temperatures rise from `COLDEST` to `HOTTEST` times the users' mean distance from best to second-best value.
    """

    agent: AgentNetwork
    samples: int

    COLDEST, HOTTEST = 0.1, 0.4

    @classmethod
    def of(cls, file: PolicyFile, seed: int, samples: int) -> "ValuePolicy":
        """The network of one trained seed."""
        hidden, actions, inputs = (file.network_size(name) for name in ("hidden", "actions", "features"))
        agent = AgentNetwork(inputs + actions, hidden, actions, [torch.Generator()])
        file.fill(agent, seed)
        return cls(agent, samples)

    def __call__(self, instance: Placement, limits: Limits) -> Answer:
        """Place the users of an instance, as in the first slot of an episode."""
        hosts = self.agent.value.bias.shape[-1]
        if instance.devices + 2 != hosts:
            raise InputError(f"was trained for {hosts - 2} devices, the instance has {instance.devices}", "policy")
        costs = Costs.of([instance])
        if not Partial(costs).feasible[0]:
            return Answer(infeasible=True, reason="the possible hosts have too few places")
        values = self._values(costs)
        choice = self._draw(values, np.random.default_rng(limits.seed))
        many = costs.repeat(self.samples)
        host = seat(many, choice)
        return Answer(PlacementDecision(host[many.total_s(host).argmin()]))

    @torch.no_grad()
    def _values(self, costs: Costs) -> FloatArray:
        """What each user expects of each host, shape (users, H); -inf where impossible."""
        view = features.view(costs)
        observation = torch.from_numpy(view.observation)
        nothing_before = torch.zeros(view.mask.shape)
        values = self.agent(torch.cat([observation, nothing_before], -1)[None])[0][0, 0]
        return np.where(view.mask[0], values.double().numpy(), -np.inf)

    def _draw(self, values: FloatArray, rng: np.random.Generator) -> IntArray:
        """Joint choices, shape (samples, users), the first one greedy."""
        greedy: IntArray = values.argmax(1)[None]
        if self.samples == 1:
            return greedy
        ordered = np.sort(values, 1)
        several = np.isfinite(ordered[:, -2])
        apart = (ordered[several, -1] - ordered[several, -2]).mean() if several.any() else 1.0
        temperature = apart * np.geomspace(self.COLDEST, self.HOTTEST, self.samples - 1)
        # The largest of value plus temperature times Gumbel noise is a draw by exp(value / temperature).
        noise = rng.gumbel(size=(self.samples - 1, *values.shape))
        return np.concatenate([greedy, (values + temperature[:, None, None] * noise).argmax(2)])
