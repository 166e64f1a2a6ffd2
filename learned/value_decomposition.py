"""Value decomposition for teams: independent Q-learning, VDN (the paper's method) and QMIX, one choice of mixer apart.

Equation numbers are those of the placement paper, section 5.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ..instances.errors import InputError
from ..instances.fields import FloatArray
from .environment import TeamEnvironment
from .layers import generators
from .settings import at_least, cosine, linear, schedules
from .team_networks import AgentNetwork, MonotoneMixer

# Rewards as an algorithm may want them, from the environment's reward and the number of agents; evaluation never does.
REWARDS: dict[str, Callable[[FloatArray, int], FloatArray]] = {
    "plain": lambda reward, agents: reward,
    "mean": lambda reward, agents: reward / agents,
    # (16) to (18): 0.7 R_L - 0.3 R_C, with R_C = epsilon m constant (every twin is deployed once); epsilon is 1.
    "paper": lambda reward, agents: 0.7 * reward - 0.3 * agents,
}

MIXERS = ("none", "sum", "monotone")
COUNTS = (
    "iterations",
    "unit",
    "episodes",
    "batch",
    "capacity",
    "hidden",
    "embedding",
    "worlds",
    "slots",
    "validation_worlds",
)


@dataclass(frozen=True)
class Settings:
    """Hyperparameters.

    Attributes
    ----------
    mixer
        How agents' values make the team's: ``none`` (IQL), ``sum`` (VDN), ``monotone`` (QMIX).
    reward
        A name of `REWARDS`.
    iterations
        Gradient steps; each comes after `episodes` new episodes a seed.
    unit
        Iterations between validations and checkpoints.
    learning_rate
        Step size at first and at last; it falls along half a cosine.
    largest_error
        Error beyond which the loss grows linearly (Huber); None squares all errors as the paper does.
    episodes, batch, capacity
        Episodes lived before each step, drawn for it, and kept in the replay, a seed.
    hidden, embedding
        Width of the agents' network and of the mixer.
    target_rate
        How far target networks go towards the learned ones after each step.
    largest_gradient
        Norm at which a seed's gradient is cut.
    exploration
        Share of random actions at first, at last, and the share of the iterations over which it falls linearly.
    worlds, slots, validation_worlds
        Size of the pool of training worlds, slots of an episode, and validation worlds of one slot.
    """

    mixer: Literal["none", "sum", "monotone"]
    reward: str
    iterations: int
    unit: int
    gamma: float
    learning_rate: tuple[float, float]
    largest_error: float | None
    episodes: int
    batch: int
    capacity: int
    hidden: int
    embedding: int
    target_rate: float
    largest_gradient: float
    exploration: tuple[float, float, float]
    worlds: int
    slots: int
    validation_worlds: int

    def __post_init__(self) -> None:
        if self.mixer not in MIXERS:
            raise InputError(f'is "{self.mixer}", unknown; known are {", ".join(MIXERS)}', "mixer")
        if self.reward not in REWARDS:
            raise InputError(f'is "{self.reward}", unknown; known are {", ".join(REWARDS)}', "reward")
        at_least(self, 1, COUNTS)
        schedules(self, ["exploration"])
        if self.episodes > self.capacity:
            raise InputError(f"is {self.episodes}, more than the capacity of {self.capacity}", "episodes")

    def epsilon(self, iteration: int) -> float:
        """Share of random actions."""
        return linear(self.exploration, iteration / self.iterations)

    def rate(self, iteration: int) -> float:
        """Step size."""
        return cosine(self.learning_rate, iteration / self.iterations)


class Team(torch.nn.Module):
    """The agents' network and the mixer of S seeds."""

    def __init__(self, settings: Settings, environment: TeamEnvironment, seeds: Sequence[int]) -> None:
        super().__init__()
        rngs = generators(seeds)
        inputs = environment.features + environment.actions
        self.agent = AgentNetwork(inputs, settings.hidden, environment.actions, rngs)
        self.independent = settings.mixer == "none"
        self.mixer = (
            MonotoneMixer(environment.agents, environment.state_features, settings.embedding, rngs)
            if settings.mixer == "monotone"
            else None
        )

    def mix(self, values: Tensor, state: Tensor) -> Tensor:
        """Values that are compared with targets, of agents' values (S, B, T, agents) and states (S, B, T, …).

        (21), VDN: the sum over agents; QMIX: a monotone function of them; IQL: each agent's own, all with the team's
        reward.
        """
        if self.independent:
            return values
        if self.mixer is None:
            return values.sum(-1, keepdim=True)
        seeds, batch, steps, agents = values.shape
        team: Tensor = self.mixer(values.reshape(seeds, -1, agents), state.reshape(seeds, batch * steps, -1))
        return team.view(seeds, batch, steps, 1)


def loss(
    team: Team, target: Team, episodes: Mapping[str, Tensor], gamma: float, largest_error: float | None = None
) -> Tensor:
    """The loss of each seed, shape (S,).

    Parameters
    ----------
    episodes
        What was lived: ``observation`` (S, B, T, agents, features), ``mask`` (S, B, T, agents, actions), ``state``
        (S, B, T, …), ``action`` (S, B, T, agents) and ``reward`` (S, B, T).
    gamma, largest_error
        As in `Settings`.
    """
    values = _values(team.agent, episodes)
    taken = values.gather(-1, episodes["action"][..., None])[..., 0]  # Q_i(tau_i, a_i; theta_i)
    learned = team.mix(taken, episodes["state"])  # Q_tot(tau, a), (20) and (21)
    wanted = episodes["reward"][..., None].expand_as(learned).clone()
    if gamma > 0:
        with torch.no_grad():
            # y = r + gamma max_a Q_tot(tau', a; theta^-); an episode's last step has no next. The learned network picks
            # the action and the target network values it (double Q-learning); what is masked then is never picked.
            best = values.masked_fill(~episodes["mask"], -torch.inf).argmax(-1, keepdim=True)
            later = _values(target.agent, episodes).gather(-1, best)[..., 0]
            wanted[:, :, :-1] += gamma * target.mix(later, episodes["state"])[:, :, 1:]
    error = wanted - learned
    if largest_error is None:
        return error.square().mean((1, 2, 3))  # (23)
    beyond = (error.abs() - largest_error).clamp(min=0)  # what the square of the whole error has more than Huber's loss
    return (error.square() - beyond.square()).mean((1, 2, 3))


def _values(agent: AgentNetwork, episodes: Mapping[str, Tensor]) -> Tensor:
    """Every agent's values of all its actions along the episodes, (S, B, T, agents, actions)."""
    observation, mask = episodes["observation"], episodes["mask"]
    seeds, batch, steps, agents, actions = mask.shape
    previous = torch.zeros(mask.shape)
    previous[:, :, 1:] = one_hot(episodes["action"][:, :, :-1], actions)
    x = torch.cat([observation, previous], -1).transpose(1, 2).reshape(seeds, steps, batch * agents, -1)
    values: Tensor = agent(x)[0].view(seeds, steps, batch, agents, actions).transpose(1, 2)
    return values
