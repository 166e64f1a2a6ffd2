"""Losses of the link network: how far it is from the best choices, and reinforcement of the better of its own."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...instances.fields import BoolArray, FloatArray, IntArray
from .foresight import Scenery
from .link_network import HIDDEN, Ends, LinkNetwork
from .slot_decoder import rounds
from .slot_lessons import SlotLessons
from .slot_state import NONE, SlotState

WORST = 15.0  # cross-entropy at which a satellite counts no more


def imitation_loss(network: LinkNetwork, lessons: SlotLessons, scenery: Scenery, rng: np.random.Generator) -> Tensor:
    """Mean cross-entropy of open satellites' best choices in states on the way.

    Channels that are alike and have the same holders are one choice, since exchanging them changes nothing.
    """
    state = lessons.partly_decided(scenery, rng)
    log_likely = network(state, Ends.of(state))
    row, place = np.nonzero(state.open)
    alike = torch.from_numpy(_options(state, row, place, lessons.choice[row, place]))
    known = torch.logsumexp(log_likely[row, place].masked_fill(~alike, HIDDEN), 1)
    return -known.clamp(min=-WORST).mean()


def _options(state: SlotState, row: IntArray, place: IntArray, action: IntArray) -> BoolArray:
    """Which of the network's options are an action, or one that is alike, shape (decisions, 1 + E K)."""
    _, edges, _, channels = state.graph.shape
    station, channel = np.divmod(action, channels)
    _, at, to = state.edge
    edge = state.real[row] & (at[row] == place[:, None]) & (to[row] == station[:, None] - 1)
    options = np.zeros((len(row), 1 + edges * channels), bool)
    options[:, 0] = action == NONE
    same = _same_channels(state)[row, channel]
    options[:, 1:] = (edge[:, :, None] & same[:, None] & (action > NONE)[:, None, None]).reshape(len(row), -1)
    return options


def _same_channels(state: SlotState) -> BoolArray:
    """Pairs of channels that can be exchanged, shape (B, K, K)."""
    holders = state.holder
    same = (holders[:, :, :, None] == holders[:, :, None]).all(1)
    snr = state.graph.days.snr[state.graph.turn[state.slot]]
    alike = (snr == snr[..., :1]).all((1, 2, 3))
    return np.asarray(same & (alike[:, None, None] | np.eye(same.shape[1], dtype=bool)))


class Tuning(NamedTuple):
    """The loss; a decision's mean entropy (nats) and the mean shortfall from a slot's best draw (data units' worth)."""

    loss: Tensor
    entropy: Tensor
    shortfall: float


def reinforce_loss(
    network: LinkNetwork,
    lessons: SlotLessons,
    scenery: Scenery,
    samples: int,
    entropy_weight: float,
    rng: np.random.Generator,
) -> Tuning:
    """The loss of slots drawn from the network; the best choices are not looked at.

    An episode decides one slot; its return is what its data is worth at the prices of the moment, and its baseline the
    mean of the slot's other draws. The entropy of decisions is rewarded, since a policy without second choices gains
    nothing by sampling.
    """
    many = lessons.take(np.repeat(np.arange(len(lessons)), samples))
    state = SlotState(scenery.graph, many.slot, many.left, many.ahead)
    chosen, doubt, decisions = torch.zeros(len(many)), torch.zeros(()), 0
    for step in rounds(network, state, np.ones(len(many)), rng):
        taken = step.log_likely.gather(1, torch.from_numpy(step.option)[:, None])[:, 0]
        chosen = chosen.index_add(0, torch.from_numpy(step.row), taken)
        finite = step.log_likely.clamp(min=HIDDEN)
        doubt = doubt - (finite.exp() * finite).sum()
        decisions += len(step.row)
    value = state.value.reshape(-1, samples)
    advantage = torch.from_numpy(_advantage(value)).float().flatten()
    entropy = doubt / decisions
    loss = -(advantage * chosen).sum() / decisions - entropy_weight * entropy
    return Tuning(loss, entropy.detach(), float((value.max(1, keepdims=True) - value).mean()))


def _advantage(value: FloatArray) -> FloatArray:
    """How much better a draw is than the slot's others on average, with unit variance over all slots."""
    samples = value.shape[1]
    better = (value - value.mean(1, keepdims=True)) * samples / (samples - 1)
    return np.asarray(better / max(float(np.sqrt(np.mean(better**2))), 1e-12))
