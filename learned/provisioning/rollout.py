"""Some steps played by actors, and what they teach: n-step returns, advantages, losses (the paper's algorithm).

The paper prints R <- r(k + 1) + gamma R; what follows on step k is r(k), so that is what is added here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...instances.fields import FloatArray, IntArray
from .actor_network import ActorCritic
from .environment import ProvisioningEnvironment
from .worlds import PARTS


@dataclass(frozen=True)
class Lesson:
    """How returns are reckoned, and what losses weigh.

    Attributes
    ----------
    gamma
        Discount of a step.
    by_slot
        Whether returns end with the slot, after which nothing depends on what was done; otherwise with the trajectory.
    by_part
        Whether every part of an action answers for its own rewards; otherwise all of them for all rewards together.
    value_weight, entropy
        Of the critic's squared error, and of the actors' entropy.
    """

    gamma: float
    by_slot: bool
    by_part: bool
    value_weight: float
    entropy: float

    @property
    def values(self) -> int:
        """Numbers that the critic gives."""
        return PARTS if self.by_part else 1


class Played(NamedTuple):
    """Steps of S seeds with E environments each.

    Attributes
    ----------
    observation, mask : tensor, shape (steps, S, E, ...)
    action : tensor, shape (steps, S, E, parts)
    reward : tensor, shape (steps, S, E, values)
        Over the largest of the part, or of all.
    ends : tensor of bool, shape (steps, S, E)
        Whether nothing after the step counts.
    last : pair of tensors, shape (S, E, ...)
        Observation and mask after the last step.
    """

    observation: Tensor
    mask: Tensor
    action: Tensor
    reward: Tensor
    ends: Tensor
    last: tuple[Tensor, Tensor]


def play(
    network: ActorCritic,
    environment: ProvisioningEnvironment,
    steps: int,
    lesson: Lesson,
    rngs: Sequence[np.random.Generator],
) -> Played:
    """Take steps by chance; trajectories that are over begin anew in a world drawn by their seed."""
    shape = len(rngs), len(environment.world) // len(rngs)
    rows = []
    for _ in range(steps):
        observation, mask = _seen(environment, shape)
        action = draw(network, observation, mask, rngs)
        ends = environment.ends_slot.copy()
        scale = environment.pool.scale[environment.world]
        environment.step(action)
        earned = environment.earned
        reward = earned / scale if lesson.by_part else (earned.sum(1) / scale.max(1))[:, None]
        over = np.flatnonzero(environment.over)
        ends = ends if lesson.by_slot else environment.over.copy()
        drawn = [rngs[seed].integers(environment.worlds) for seed in (over // shape[1]).tolist()]
        environment.begin(over, np.array(drawn, np.int64))
        rows.append((observation, mask, _tensor(action, shape), _tensor(reward, shape).float(), _tensor(ends, shape)))
    observations, masks, actions, rewards, ended = (torch.stack(column) for column in zip(*rows, strict=True))
    return Played(observations, masks, actions, rewards, ended, _seen(environment, shape))


def _seen(environment: ProvisioningEnvironment, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    return _tensor(environment.observe(), shape), _tensor(environment.mask, shape)


def _tensor(array: np.ndarray[Any, Any], shape: tuple[int, int]) -> Tensor:
    return torch.from_numpy(array.reshape(*shape, *array.shape[1:]))


@torch.no_grad()
def draw(
    network: ActorCritic, observation: Tensor, mask: Tensor, rngs: Sequence[np.random.Generator] | None
) -> IntArray:
    """Actions by chance, or the likeliest ones without generators; shape (S E, parts)."""
    log_chances, _ = network(observation, mask)
    parts = []
    for log_chance in log_chances:
        score = log_chance.double()
        if rngs is not None:
            lots = np.stack([rng.gumbel(size=log_chance.shape[1:]) for rng in rngs])
            score = score + torch.from_numpy(lots)
        parts.append(score.argmax(-1).flatten())
    return np.asarray(torch.stack(parts, -1).numpy())


def losses(network: ActorCritic, played: Played, lesson: Lesson) -> Tensor:
    """Loss of each seed, shape (S,): mean over steps and environments."""
    steps, seeds, own = played.ends.shape
    flat = [part.transpose(0, 1).reshape(seeds, steps * own, -1) for part in (played.observation, played.mask)]
    log_chances, value = network(flat[0], flat[1])
    target = _returns(network, played, lesson).transpose(0, 1).reshape(seeds, steps * own, -1)
    action = played.action.transpose(0, 1).reshape(seeds, steps * own, -1)
    advantage = (target - value).detach()
    gained, spread = torch.zeros(seeds), torch.zeros(seeds)
    for part, log_chance in enumerate(log_chances):
        taken = log_chance.gather(-1, action[..., part : part + 1])[..., 0]
        gained = gained + (taken * advantage[..., part if lesson.by_part else 0]).mean(1)
        spread = spread - (log_chance.exp() * log_chance.clamp(min=-50)).sum(-1).mean(1)
    error = (target - value).square().sum(-1).mean(1)
    loss: Tensor = lesson.value_weight * error - gained - lesson.entropy * spread
    return loss


@torch.no_grad()
def _returns(network: ActorCritic, played: Played, lesson: Lesson) -> Tensor:
    """Discounted rewards until the end, or until the last step and what the critic says then."""
    after = network(*played.last)[1]
    found = torch.zeros_like(played.reward)
    for k in reversed(range(len(found))):
        after = played.reward[k] + lesson.gamma * torch.where(played.ends[k][..., None], 0.0, after)
        found[k] = after
    return found


def play_greedily(network: ActorCritic, environment: ProvisioningEnvironment) -> FloatArray:
    """Objective of every seed's likeliest actions in every world, shape (S, worlds)."""
    shape = network.seeds, environment.worlds
    environment.reset(np.tile(np.arange(environment.worlds), network.seeds))
    total = np.zeros(len(environment.world))
    while not environment.over.all():
        total += environment.step(draw(network, *_seen(environment, shape), None))
    return total.reshape(shape)
