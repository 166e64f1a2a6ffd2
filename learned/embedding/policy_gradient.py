"""RLVNE and DDRL-NRA: linear scores of strategy tables, softmax, REINFORCE; one agent, or one an edge domain."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...instances.embedding import VirtualNetworks
from ...instances.embedding.presets import find, generate
from ...instances.errors import InputError
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...solvers.result import Answer, Limits
from ..environment import Float32Array
from ..label_store import TRAINING_SEED, VALIDATION_SEED
from ..policy_file import PolicyFile, hash_numbers
from ..settings import above_zero, at_least
from ..stacked_learner import StackedLearner
from .edge_agents import AgentNetwork, Agents
from .environment import EmbeddingEnvironment
from .online import meet
from .play import WAIT
from .rewards import REWARDS

COUNTS = ("requests", "unit", "batch", "environments", "worlds", "validation_worlds")


@dataclass(frozen=True)
class Settings:
    """Hyperparameters.

    Attributes
    ----------
    distributed
        One agent an edge domain, as many as the preset says; otherwise a single one that sees all.
    reward
        What a request brings: ``ratio`` of revenue to cost (RLVNE), ``joint`` (O, equation 14, of all requests so far).
    plain
        Gradient descent without a baseline, and nothing is learned of requests that fail, as printed. Otherwise Adam,
        and rewards less their mean over their standard deviation, those of failures being 0.
    learning_rate
        Of all steps.
    requests
        Requests that each environment meets.
    batch
        Requests of all a seed's environments that a gradient step takes together.
    environments
        Traces that a seed meets at once.
    unit
        Gradient steps between validations.
    worlds, validation_worlds
        Size of the pools of traces.
    """

    distributed: bool
    reward: Literal["ratio", "joint"]
    plain: bool
    learning_rate: float
    requests: int
    batch: int
    environments: int
    unit: int
    worlds: int
    validation_worlds: int

    def __post_init__(self) -> None:
        at_least(self, 1, COUNTS)
        if self.batch % self.environments:
            raise InputError(f"must be a multiple of environments, {self.environments}, is {self.batch}", "batch")
        above_zero(self, ["learning_rate"])


# The paper's numbers: 1,000 requests to learn from, rate 0.005, batches; the number of passes and their size are ours.
PAPER = Settings(
    distributed=True,
    reward="joint",
    plain=True,
    learning_rate=5e-3,
    requests=50_000,
    batch=100,
    environments=1,
    unit=50,
    worlds=1,
    validation_worlds=4,
)
# What trains better in minutes.
TUNED = replace(PAPER, plain=False, learning_rate=2e-2, requests=4_000, batch=400, environments=20, unit=20, worlds=40)


class Lived(NamedTuple):
    """Hosts that were drawn, one row each, and what came of their requests.

    Attributes
    ----------
    row, request, world : array, shape (rows,)
        Environment, request and trace.
    table, possible, host : array, shape (rows, ...)
        What was seen, and what was taken of what was possible.
    """

    row: IntArray
    request: IntArray
    world: IntArray
    table: Float32Array
    possible: BoolArray
    host: IntArray


class PolicyGradient(StackedLearner):
    """REINFORCE of S seeds, each in traces of its own; a step is a batch of requests.

    Parameters
    ----------
    preset
        A preset's name; it says how many edge domains there are.
    """

    def __init__(self, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        self.settings, self.domains = settings, find(preset).domains if settings.distributed else 1
        training = draw(preset, TRAINING_SEED, settings.worlds)
        validation = draw(preset, VALIDATION_SEED, settings.validation_worlds)
        self._seen = hash_numbers([instance.hash for instance in [*training, *validation]])
        self.network = AgentNetwork(self.domains, seeds)
        steps = max(1, settings.requests * settings.environments // settings.batch)
        super().__init__(self.network, self.network, seeds, steps, settings.unit)
        if settings.plain:
            self._optimiser = torch.optim.SGD(self._parameters)
        self.environment = EmbeddingEnvironment(training, stepwise=False)
        self.validation = EmbeddingEnvironment(validation, stepwise=False)
        self._agents = Agents(self.network, self.environment, self.domains)
        self._judges = Agents(self.network, self.validation, self.domains)

    def _learn_until(self, last: int) -> dict[str, Any]:
        """In fresh traces."""
        seeds = len(self._rngs)
        self.environment.reset(self._worlds(np.arange(seeds * self.settings.environments)))
        totals, norms = np.zeros((5, seeds)), []
        while self.steps < last:
            over = np.flatnonzero(self.environment.over)
            self.environment.begin(over, self._worlds(over))
            before = self._totals()
            losses = self._losses(self._live())
            norms.append(self._descend(losses, self.settings.learning_rate, np.inf))
            totals += (self._totals() - before).reshape(5, seeds, -1).sum(2)
            self.steps += 1
        met, accepted, revenue, cost, time = totals
        return {
            "step": self.steps,
            "accepted": (accepted / met).tolist(),
            "average_revenue": (revenue / time).tolist(),
            "revenue_to_cost": (revenue / np.maximum(cost, 1e-9)).tolist(),
            "gradient_norm": torch.stack(norms).mean(0).tolist(),
            "bytes_per_request": float(np.mean(self._agents.bytes)),
        }

    def _totals(self) -> FloatArray:
        """Requests met and accepted, revenue, cost and time of each environment so far, shape (5, B)."""
        play, tables = self.environment.play, self.environment.tables
        revenue, on_nodes = tables.revenue[play.world], tables.on_nodes[play.world]
        gained, paid = ((play.accepted * value).sum(1) for value in (revenue, on_nodes + play.hops_cost))
        last = np.maximum(play.request - 1, 0)
        return np.array([play.request, play.accepted.sum(1), gained, paid, tables.arrival[play.world, last]])

    def _worlds(self, which: IntArray) -> IntArray:
        """New worlds for some environments, each drawn by its seed."""
        owner = which // self.settings.environments
        return np.array([self._rngs[seed].integers(self.environment.worlds) for seed in owner], np.int64)

    def _live(self) -> Lived:
        """Let all environments meet their share of a batch, or what is left of their traces."""
        environment, play = self.environment, self.environment.play
        last = play.request + self.settings.batch // self.settings.environments
        kept: list[Lived] = []
        while (here := (play.request < last) & ~environment.over).any():
            deciding = environment.deciding
            action = np.where(here & deciding, np.where(play.failed, environment.nodes, environment.nodes + 1), WAIT)
            if (rows := np.flatnonzero(here & ~deciding)).size:
                action[rows] = self._draw(rows)
                seen = self._agents.tables()[rows], environment.mask[rows, : environment.nodes]
                kept.append(Lived(rows, play.request[rows], play.world[rows], *seen, action[rows]))
            environment.step(action)
        return Lived(*(np.concatenate(column) for column in zip(*kept, strict=True)))

    def _draw(self, rows: IntArray) -> IntArray:
        """Hosts drawn by likelihood."""
        score = self._agents.hosts(self.environment, rows)
        owner = rows // self.settings.environments
        lots = [rng.gumbel(size=((owner == seed).sum(), score.shape[1])) for seed, rng in enumerate(self._rngs)]
        return np.asarray((score + np.concatenate(lots)).argmax(1))

    def _losses(self, lived: Lived) -> Tensor:
        """Minus what is rewarded times the log-likelihood of what was done (equation 21), shape (S,)."""
        settings, play, tables = self.settings, self.environment.play, self.environment.tables
        cost = tables.on_nodes[play.world] + play.hops_cost
        columns = play.accepted, tables.revenue[play.world], cost, tables.arrival[play.world]
        succeeded = play.accepted[lived.row, lived.request]
        reward = np.where(succeeded, REWARDS[settings.reward](*columns)[lived.row, lived.request], 0.0)
        owner = lived.row // settings.environments
        if not settings.plain:
            for seed in range(len(self._rngs)):
                own = reward[owner == seed]
                reward[owner == seed] = (own - own.mean()) / max(float(own.std()), 1e-9)
        of_seed, host = torch.from_numpy(owner), torch.from_numpy(lived.host)
        seen = torch.from_numpy(lived.table), torch.from_numpy(lived.possible)
        likely = self._agents.log_likely(*seen, lived.world, of_seed).gather(1, host[:, None])[:, 0]
        weighed = -likely * torch.from_numpy(reward).float() / settings.batch
        return torch.zeros(len(self._rngs)).index_add(0, of_seed, weighed)

    def _returns(self) -> Tensor:
        world = np.tile(np.arange(self.validation.worlds), len(self._rngs))
        found = meet(self._judges, self.validation, world, 1, np.random.default_rng(0))
        return torch.from_numpy(found.reshape(len(self._rngs), -1).mean(1))

    def sizes(self) -> dict[str, Any]:
        """Sizes of the network."""
        return {"domains": self.domains}

    def policy(self) -> dict[str, Any]:
        """The best network of each seed, with what is needed to use it and the instances that it has seen."""
        return super().policy() | {"seen": torch.from_numpy(self._seen)}


def draw(preset: str, first: int, count: int) -> list[VirtualNetworks]:
    """So many traces of a preset."""
    return [generate(preset, first + k) for k in range(count)]


@dataclass(frozen=True)
class TablePolicy:
    """Trained agents as a solver: every node on the likeliest possible host, links over shortest paths.

    Attributes
    ----------
    samples
        Embeddings that are drawn of each request, the likeliest hosts among them; the one with least hops is taken.
    """

    network: AgentNetwork
    samples: int

    @classmethod
    def of(cls, file: PolicyFile, seed: int, samples: int) -> "TablePolicy":
        """The agents of one trained seed."""
        network = AgentNetwork(file.network_size("domains"), [0])
        file.fill(network, seed)
        return cls(network, samples)

    def __call__(self, instance: VirtualNetworks, limits: Limits) -> Answer:
        """Meet the requests as they arrive."""
        environment = EmbeddingEnvironment([instance], stepwise=False)
        agents = Agents(self.network, environment, self.network.agents)
        meet(agents, environment, np.zeros(1, np.int64), self.samples, np.random.default_rng(limits.seed))
        return Answer(environment.decision(0))
