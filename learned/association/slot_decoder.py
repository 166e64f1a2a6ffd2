"""Decide slots with a network: the most confident satellite first, each by its likeliest link or by a draw."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch import Tensor

from ...instances.fields import FloatArray, IntArray
from .link_network import Ends, LinkNetwork
from .slot_state import SlotState


class Round(NamedTuple):
    """One satellite's decision in each of some slots.

    Attributes
    ----------
    row, place : array, shape (slots still open,)
        Slot and satellite.
    log_likely : tensor, shape (slots still open, 1 + E K)
        Of its choices.
    option : array, shape (slots still open,)
        What it chose of them.
    """

    row: IntArray
    place: IntArray
    log_likely: Tensor
    option: IntArray


def rounds(
    network: LinkNetwork, state: SlotState, temperature: FloatArray, rng: np.random.Generator
) -> Iterator[Round]:
    """Decide all satellites, one a slot in each round.

    Parameters
    ----------
    temperature : array, shape (B,)
        0 takes the likeliest choice; above, choices are drawn by likelihood to the power of its inverse.
    """
    ends = Ends.of(state)
    while (is_open := state.open).any():
        log_likely = network(state, ends)
        known = log_likely.detach().double().numpy()
        row = np.flatnonzero(is_open.any(1))
        place = np.where(is_open, confidence(known, state), -np.inf).argmax(1)[row]
        own = known[row, place]
        lots = temperature[row, None] * rng.gumbel(size=own.shape)
        option = np.where(own > -1e8, own + lots, -np.inf).argmax(1)
        state.decide(row, place, action_of(state, row, option))
        yield Round(row, place, log_likely[row, place], option)


def confidence(log_likely: FloatArray, state: SlotState) -> FloatArray:
    """Likelihood of each satellite's likeliest station, over all its channels, or of no link, shape (B, V)."""
    satellites, edges, _, channels = state.graph.shape
    likely = np.exp(log_likely)
    by_edge = likely[:, :, 1:].reshape(-1, satellites, edges, channels).sum(3)
    return np.asarray(np.maximum(likely[:, :, 0], by_edge.max(2)))


def action_of(state: SlotState, row: IntArray, option: IntArray) -> IntArray:
    """The actions that options of the network are."""
    channels = state.graph.shape[3]
    edge, channel = np.divmod(option - 1, channels)
    station = state.graph.station[state.slot[row], np.maximum(edge, 0)]
    return np.where(option == 0, 0, (station + 1) * channels + channel)
