"""Losses of the slot network: how far it is from the optimum's choices, and reinforcement of the better of its own."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...instances.fields import BoolArray, IntArray
from .slot_decoder import rounds
from .slot_network import PartNetwork
from .slot_part import Part

WORST = 15.0  # cross-entropy at which a user counts no more


def imitation_loss(network: PartNetwork, part: Part, option: IntArray, rng: np.random.Generator) -> Tensor:
    """Mean cross-entropy of the optimum's options in states on the way; users with one possibility don't count.

    Parameters
    ----------
    part
        Nobody has decided yet.
    option : array, shape (B, U)
        The optimum's.
    """
    decided = _some(part.open.shape, rng)
    slot, user = np.nonzero(decided)
    part.decide(slot, user, option[slot, user])
    log_likely = network(part)
    slot, user = np.nonzero(part.able)
    known = log_likely[slot, user, option[slot, user] + 1]
    loss: Tensor = -known.clamp(min=-WORST).sum() / max(len(slot), 1)
    return loss


def _some(shape: tuple[int, ...], rng: np.random.Generator) -> BoolArray:
    """Any number of users of each slot; nobody in every other one."""
    share = np.maximum(rng.uniform(-1, 1, (shape[0], 1)), 0)
    return np.asarray(rng.random(shape) < share)


class Tuning(NamedTuple):
    """The loss; a decision's mean entropy (nats) and the mean shortfall from a slot's best draw (share of it)."""

    loss: Tensor
    entropy: float
    shortfall: float


def reinforce_loss(
    network: PartNetwork, part: Part, samples: int, entropy_weight: float, rng: np.random.Generator
) -> Tuning:
    """The loss of slots drawn from the network; optima are not looked at.

    An episode decides one slot; its return is what that earns, and its baseline the mean of the slot's other draws.

    Parameters
    ----------
    part
        Nobody has decided yet.
    entropy_weight
        Weight of the mean entropy of a decision (nats) beside advantages of unit variance.
    """
    many = part.take(np.repeat(np.arange(len(part)), samples))
    slot = np.arange(len(many))[:, None]
    chosen, doubt, decisions = torch.zeros(len(many)), torch.zeros(()), 0
    for step in rounds(network, many, np.ones(len(many)), rng):
        offered = torch.from_numpy(step.offered)
        likely = step.log_likely[slot, step.user].masked_fill(~offered, -torch.inf).log_softmax(2)
        chosen = chosen + likely.gather(2, torch.from_numpy(step.column)[..., None]).sum((1, 2))
        finite = likely.masked_fill(~offered, 0.0)
        doubt = doubt - (likely.exp() * finite).sum()
        decisions += int((step.offered.sum(2) > 1).sum())
    earned = many.earned.reshape(-1, samples)
    best = earned.max(1, keepdims=True)
    better = (earned - earned.mean(1, keepdims=True)) * samples / (samples - 1)
    advantage = torch.from_numpy(better / max(float(np.sqrt(np.mean(better**2))), 1e-12)).float().flatten()
    entropy = doubt / max(decisions, 1)
    loss = -(advantage * chosen).sum() / max(decisions, 1) - entropy_weight * entropy
    shortfall = float(1 - earned.mean() / max(float(best.mean()), 1e-12))
    return Tuning(loss, float(entropy.detach()), shortfall)
