"""How a network decides a slot: round by round, the users it is surest of first, each of what still has room."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...instances.fields import BoolArray, FloatArray, IntArray
from .slot_network import PartNetwork, SlotNetwork
from .slot_part import Part

ROUNDS = 20  # fewer, and users who are alike crowd in one place before the network sees it
COLDEST, HOTTEST = 0.3, 2.0  # temperatures of samples
PAIRS_AT_ONCE = 200_000  # decided in one batch, which bounds the memory that sampling takes


class Round(NamedTuple):
    """Some users of each slot, decided in one round.

    Attributes
    ----------
    log_likely : tensor, shape (B, U, 1 + A C)
        What the network says of all users.
    user, column : array, shape (B, T)
        Who decided, and what they took: a column of `log_likely`.
    offered : array of bool, shape (B, T, 1 + A C)
        What they could take when it was their turn.
    """

    log_likely: Tensor
    user: IntArray
    column: IntArray
    offered: BoolArray


def rounds(
    network: PartNetwork, part: Part, temperature: FloatArray | None = None, rng: np.random.Generator | None = None
) -> Iterator[Round]:
    """Decide for all users; those without a possibility take nothing.

    Parameters
    ----------
    part
        It holds the decisions afterwards.
    temperature
        Of the draws that decide, shape (B,); None takes what is likeliest. In what order users decide is not drawn.
    rng
        For draws.
    """
    slot, able = np.arange(len(part)), part.able
    turns = max(1, -(-int(able.sum(1).max(initial=0)) // ROUNDS))
    while able.any():
        log_likely = network(part)
        score = log_likely.detach().numpy()
        sureness = np.where(able, score.max(2), -np.inf)
        order = np.argsort(-sureness, 1, kind="stable")[:, :turns]
        if temperature is not None and rng is not None:
            score = score / temperature[:, None, None] + rng.gumbel(size=score.shape)
        taken, offers = [], []
        for user in order.T:
            offered = part.possible_of(user)
            column = np.where(offered, score[slot, user], -np.inf).argmax(1)
            own = np.flatnonzero(able[slot, user])
            part.decide(own, user[own], column[own] - 1)
            taken.append(column)
            offers.append(offered)
        able = part.able
        yield Round(log_likely, order, np.stack(taken, 1), np.stack(offers, 1))


@torch.inference_mode()
def decide(network: SlotNetwork, parts: list[Part], samples: int = 1, seed: int = 0) -> list[Part]:
    """Decide all slots.

    Parameters
    ----------
    samples
        1: what is likeliest. More: of so many the one that earns most, slot by slot and part by part: the likeliest one
        and draws at temperatures from `COLDEST` to `HOTTEST`.
    """
    rng = np.random.default_rng(seed)
    return [_best(own, part, samples, rng) for own, part in network.parts(parts)]


def _best(network: PartNetwork, part: Part, samples: int, rng: np.random.Generator) -> Part:
    best = part.take(np.arange(len(part)))
    _drain(rounds(network, best))
    temperature = np.geomspace(COLDEST, HOTTEST, samples - 1)
    at_once = max(1, PAIRS_AT_ONCE // max(part.value.size, 1))
    for first in range(0, samples - 1, at_once):
        some = temperature[first : first + at_once]
        many = part.take(np.repeat(np.arange(len(part)), len(some)))
        _drain(rounds(network, many, np.tile(some, len(part)), rng))
        earned = many.earned.reshape(len(part), len(some))
        pick = earned.argmax(1)
        better = earned.max(1) > best.earned
        drawn = many.take(np.arange(len(part)) * len(some) + pick)
        best.option[better] = drawn.option[better]
    return best


def _drain(steps: Iterator[Round]) -> None:
    for _ in steps:
        pass
