"""Multi-agent deep deterministic policy gradient in one layer or two (Lowe et al. 2017; the paper's algorithm 1).

In two layers the agents of the stations and those of the sky have critics that see their own layer, and those of the
sky see whom the stations serve; in one layer, six agents act at once and critics see all six.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from ...instances.errors import InputError
from ..environment import Float32Array
from ..layers import generators
from ..settings import above_zero, at_least, fitting, linear, schedules, shares
from ..transitions import TransitionReplay
from .agents import GROUND, SKY, Actors, Perceptron, Pools, TeamPolicy, WalkLearner, live
from .environment import AGENTS, Earned

__all__ = ["PAPER", "TUNED", "Settings", "TeamLearner", "TeamPolicy"]

COUNTS = ("updates", "unit", "environments", "capacity", "batch", "width", "worlds", "slots", "validation_worlds")


@dataclass(frozen=True)
class Settings:
    """Hyperparameters.

    Attributes
    ----------
    layered
        Whether there are two layers.
    reward
        What an agent is paid: what its own users win by its layer (the paper's), or the slot's objective.
    priority
        Whether H users are served first, then L, then C.
    updates, unit
        Gradient steps of each seed, and those between validations.
    environments
        Of each seed; a slot of each is lived before every update.
    capacity, batch
        Slots remembered, and drawn for an update.
    learning_rate
        Of all updates: the first, the last, and the share of the way between them.
    target_rate
        How far target networks go towards the learned ones after each update.
    noise
        Deviation of what is added to actions: the first, the last, and the share of the way between them.
    moderation
        Weight of the squares of the actors' scores, which keeps the logistic function from going flat.
    largest_gradient
        Norm at which gradients are cut.
    width
        Of the networks.
    worlds, slots, validation_worlds
        Walks to learn from, slots of each, and slots to validate on.
    """

    layered: bool
    reward: Literal["own", "team"]
    priority: bool
    updates: int
    unit: int
    environments: int
    capacity: int
    batch: int
    learning_rate: tuple[float, float, float]
    gamma: float
    target_rate: float
    noise: tuple[float, float, float]
    moderation: float
    largest_gradient: float
    width: int
    worlds: int
    slots: int
    validation_worlds: int

    def __post_init__(self) -> None:
        at_least(self, 1, COUNTS)
        fitting(self, "reward", self.reward)
        at_least(self, 0, ["moderation"])
        shares(self, ["gamma", "target_rate"])
        above_zero(self, ["largest_gradient"])
        schedules(self, ["learning_rate", "noise"])
        for name in ("environments", "batch"):
            if getattr(self, name) > self.capacity:
                raise InputError(f"is {getattr(self, name)}, more than the capacity of {self.capacity}", name)

    @property
    def teams(self) -> list[slice]:
        """Agents whose critics see each other."""
        return [GROUND, SKY] if self.layered else [slice(0, AGENTS)]


# The paper's memory, batch and updates; the rest it does not tell.
PAPER = Settings(
    layered=True,
    reward="own",
    priority=True,
    updates=30_000,
    unit=1_000,
    environments=1,
    capacity=2_000,
    batch=32,
    learning_rate=(1e-3, 1e-3, 1.0),
    gamma=0.9,
    target_rate=0.01,
    noise=(0.3, 0.02, 0.8),
    moderation=0.0,
    largest_gradient=1.0,
    width=128,
    worlds=200,
    slots=20,
    validation_worlds=50,
)
# Slots do not couple, so nothing is worth bootstrapping; and what users win, all agents bring about together.
TUNED = replace(
    PAPER,
    reward="team",
    updates=1_000,
    unit=100,
    environments=16,
    capacity=20_000,
    batch=256,
    learning_rate=(1e-3, 7e-4, 1.0),
    noise=(0.3, 0.2, 1.0),
    moderation=0.01,
    gamma=0.0,
)


class Team(nn.Module):
    """Actors and critics of six agents."""

    def __init__(self, settings: Settings, features: int, actions: int, seeds: Sequence[int]) -> None:
        super().__init__()
        self.teams = settings.teams
        rngs = generators(seeds)
        self.actors = Actors(features, actions, settings.width, rngs)
        size = AGENTS // len(self.teams) * (features + actions)
        self.critics = nn.ModuleList(Perceptron(size, settings.width, 1, rngs) for _ in range(AGENTS))

    def value(self, agent: int, observation: Tensor, action: Tensor) -> Tensor:
        """What an agent's critic expects, (S, N), of (S, N, agents, ...)."""
        (team,) = (own for own in self.teams if own.start <= agent < own.stop)
        seen = torch.cat([observation[:, :, team].flatten(2), action[:, :, team].flatten(2)], 2)
        found: Tensor = self.critics[agent](seen)[..., 0]
        return found

    def values(self, observation: Tensor, action: Tensor) -> Tensor:
        """What the critics expect, (S, N, agents)."""
        return torch.stack([self.value(agent, observation, action) for agent in range(AGENTS)], 2)


def losses(team: Team, target: Team, lived: Mapping[str, Tensor], gamma: float, moderation: float = 0.0) -> Tensor:
    """Of critics and actors together, shape (S,); neither moves the other's parameters.

    Parameters
    ----------
    lived
        ``observation`` and ``later`` (S, N, agents, features), ``action`` (S, N, agents, actions), ``reward``
        (S, N, agents) and ``ends`` (S, N).
    """
    observation, action, wanted = lived["observation"], lived["action"], lived["reward"]
    if gamma > 0:
        with torch.no_grad():
            later = target.values(lived["later"], target.actors(lived["later"]))
            wanted = wanted + gamma * (~lived["ends"])[..., None] * later  # (48)
    critic = (team.values(observation, action) - wanted).square().mean((1, 2))  # (50)
    scores = team.actors.scores(observation, slice(0, AGENTS))
    own = torch.sigmoid(scores)
    team.critics.requires_grad_(False)
    expected = []
    for agent in range(AGENTS):  # (49): each agent's own action is its actor's, the others' are as they were
        mixed = action.clone()
        mixed[:, :, agent] = own[:, :, agent]
        expected.append(team.value(agent, observation, mixed))
    team.critics.requires_grad_(True)
    return critic - torch.stack(expected).mean((0, 2)) + moderation * scores.square().mean((1, 2, 3))


class TeamLearner(WalkLearner):
    """MADDPG of S seeds; a step is an update, before which every environment lives a slot.

    Parameters
    ----------
    preset
        What walks are drawn from: a preset, or several with commas between (semicolons between variants) that differ
        in their users; these take turns.
    """

    def __init__(self, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        self.settings = settings
        pools = Pools.of(preset, settings)
        features, actions = pools.training[0].features, pools.training[0].actions
        self.team = Team(settings, features, actions, seeds)
        self.target = copy.deepcopy(self.team).requires_grad_(False)
        shape = {"observation": (AGENTS, features), "action": (AGENTS, actions)}
        if settings.gamma > 0:
            shape["later"] = AGENTS, features
        fields: dict[str, tuple[tuple[int, ...], Any]] = {name: (own, np.float32) for name, own in shape.items()}
        fields |= {"reward": ((AGENTS,), np.float32), "ends": ((), np.bool_)}
        self.replay = TransitionReplay(len(seeds), settings.capacity, fields, 0.0)
        super().__init__(pools, self.team, self.team.actors, seeds, settings)

    def _learn_until(self, last: int) -> dict[str, Any]:
        settings, seeds = self.settings, len(self._rngs)
        sums, norms, begun = torch.zeros(seeds), torch.zeros(seeds), self.steps
        environment = self._begun(self.steps // settings.slots)
        before: dict[str, Any] | None = None
        while self.steps < last:
            over = environment.over
            if over:
                environment = self._begun(self.steps // settings.slots)
            lived = live(environment, self._explore, seeds, layered=settings.layered)
            if before is not None:
                self.replay.add(before | {"later": lived.observation, "ends": np.full(lived.action.shape[:2], over)})
            before = {"observation": lived.observation, "action": lived.action, "reward": self._paid(lived.earned)}
            sums += torch.from_numpy(lived.earned.objective).view(seeds, -1).mean(1)
            if self.replay.size >= settings.batch:
                norms += self._update()
            self.steps += 1
        done = last - begun
        return {"step": self.steps, "objective": (sums / done).tolist(), "gradient_norm": (norms / done).tolist()}

    def _explore(self, seen: Tensor, who: slice) -> Tensor:
        """What the actors do, and noise."""
        action = self.team.actors(seen, who)
        noise = np.stack([rng.normal(size=action.shape[1:]) for rng in self._rngs])
        noise *= linear(self.settings.noise, self.progress)
        disturbed: Tensor = action + torch.from_numpy(noise).float()
        return disturbed.clamp(0, 1)

    def _paid(self, earned: Earned) -> Float32Array:
        """What every agent is paid, shape (S, E, agents)."""
        alone = self.settings.reward == "own"
        paid = earned.own if alone else np.repeat(earned.objective[:, None], AGENTS, 1)
        return paid.reshape(len(self._rngs), -1, AGENTS).astype(np.float32)

    def _update(self) -> Tensor:
        """One gradient step of actors and critics; the target networks follow."""
        settings = self.settings
        _, _, drawn = self.replay.sample(settings.batch, self._rngs)
        lived = {name: torch.from_numpy(value) for name, value in drawn.items()}
        rate = linear(settings.learning_rate, self.progress)
        norm = self._descend(
            losses(self.team, self.target, lived, settings.gamma, settings.moderation), rate, settings.largest_gradient
        )
        with torch.no_grad():
            for slow, fast in zip(self.target.parameters(), self.team.parameters(), strict=True):
                slow.lerp_(fast, settings.target_rate)
        return norm

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit; the memory, which may be large, only as long as it will be used."""
        kept = super().state() | {"target": self.target.state_dict()}
        return kept if self.progress == 1 else kept | {"replay": self.replay.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        super().load_state(state)
        self.target.load_state_dict(state["target"])
        if "replay" in state:
            self.replay.load_state(state["replay"])
