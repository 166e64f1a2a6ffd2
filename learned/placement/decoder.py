"""How a network places: round by round, the users it is surest of first, on hosts that leave all others a place."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...solvers.placement.batch import Partial
from .decision_head import Pairs, Seated
from .edge_network import EdgeNetwork
from .scene import Scene

SHARE = 0.1  # of the users left are placed in a round, at least one
COLDEST, HOTTEST = 0.5, 2.0  # temperatures of samples
PAIRS_AT_ONCE = 60_000  # decoded in one batch, which bounds the memory that sampling takes


@dataclass(frozen=True)
class Round:
    """Some users of each instance, placed in one round.

    Attributes
    ----------
    logits : tensor, shape (B, L, H)
        The network's logits for all users that were left.
    at : tensor, shape (B, T)
        Rows of `logits` of the users placed, in their order.
    offered : tensor, shape (B, T, H)
        Hosts each of them could still take when it was its turn.
    host : tensor, shape (B, T)
        The hosts they took.
    """

    logits: Tensor
    at: Tensor
    offered: Tensor
    host: Tensor


def rounds(
    network: EdgeNetwork,
    pairs: Pairs,
    partial: Partial,
    temperature: FloatArray | None = None,
    rng: torch.Generator | None = None,
) -> Iterator[Round]:
    """Place all users of B instances.

    Parameters
    ----------
    pairs
        The encoder's pairs of the instances.
    partial
        Feasible placements without any user placed yet; it holds the placements afterwards.
    temperature
        For each instance, of the draws that decide, shape (B,); None decides by the largest logit. In what order users
        are placed is not drawn.
    rng
        For draws.
    """
    batch, users, hosts = partial.costs.shape
    every = np.arange(batch)[:, None]
    left = np.tile(np.arange(users), (batch, 1))
    count, load, work = sums = np.zeros((3, batch, hosts), np.float32)
    while left.shape[1]:
        offered = np.take_along_axis(partial.offered(), left[:, :, None], 1)
        logits = network.head(pairs, Seated(*torch.from_numpy(sums.copy())), torch.from_numpy(offered))
        known = logits.detach()
        sureness = known.amax(2) - known.logsumexp(2)
        surest_first = torch.argsort(sureness, dim=1, descending=True, stable=True)
        turns = max(1, int(SHARE * left.shape[1]))
        order = surest_first.numpy()
        at, stay = order[:, :turns], order[:, turns:]
        score = _score(known, temperature, rng)
        still, host = _seat(partial, left[every, at], score[every, at], offered[every, at])
        alone, weight = np.moveaxis(pairs.packed.detach().numpy()[every, at, host, 1:3], 2, 0)
        for total, more in ((count, 1.0), (load, weight), (work, alone)):
            np.add.at(total, (every, host), more)
        yield Round(logits, surest_first[:, :turns], torch.from_numpy(still), torch.from_numpy(host))
        left = left[every, stay]
        if left.shape[1]:
            pairs = pairs.keep(surest_first[:, turns:])


def _seat(partial: Partial, users: IntArray, score: FloatArray, offered: BoolArray) -> tuple[BoolArray, IntArray]:
    """Seat users, shape (B, T), in turn on the hosts of largest score, shape (B, T, H), of those offered to them.

    Parameters
    ----------
    offered
        What is offered before the first turn, shape (B, T, H).

    Returns
    -------
    What was still offered when it was a user's turn, shape (B, T, H), and the hosts, shape (B, T). Users seated before
    may have taken a host's last place.
    """
    every = np.arange(len(users))
    host = np.empty(users.shape, np.int64)
    for turn, user in enumerate(users.T):
        if turn:
            offered[:, turn] = partial.offered()[every, user]
        host[:, turn] = np.where(offered[:, turn], score[:, turn], -np.inf).argmax(1)
        partial.place(user, host[:, turn])
    return offered, host


def _score(logits: Tensor, temperature: FloatArray | None, rng: torch.Generator | None) -> FloatArray:
    if temperature is None:
        return logits.numpy()
    # The largest of logit / temperature plus Gumbel noise is a draw by exp(logit / temperature).
    noise = -torch.empty_like(logits).exponential_(generator=rng).log()
    heat = torch.from_numpy(temperature).float()[:, None, None]
    return (logits / heat + noise).numpy()


@torch.inference_mode()
def decode(network: EdgeNetwork, partial: Partial, samples: int = 1, seed: int = 0) -> IntArray:
    """A host for each user of B instances, shape (B, users).

    Parameters
    ----------
    partial
        Feasible placements without any user placed yet, one an instance.
    samples
        1: the greedy placement. More: the best of so many by total delay, which is known when the decision is made: the
        greedy one and draws at temperatures from `COLDEST` to `HOTTEST`.
    """
    costs = partial.costs
    pairs = network(Scene.of(costs)).pairs
    _drain(rounds(network, pairs, partial))
    best, best_s = partial.host, costs.total_s(partial.host)
    if samples == 1:
        return best
    rng = torch.Generator().manual_seed(seed)
    temperature = np.geomspace(COLDEST, HOTTEST, samples - 1)
    batch, users, hosts = costs.shape
    at_once = max(1, PAIRS_AT_ONCE // (batch * users * hosts))
    for first in range(0, samples - 1, at_once):
        some = temperature[first : first + at_once]
        many = Partial(costs.repeat(some.size))
        _drain(rounds(network, pairs.repeat(some.size), many, np.tile(some, batch), rng))
        total_s = many.costs.total_s(many.host).reshape(batch, -1)
        pick = np.arange(batch), total_s.argmin(1)
        better: BoolArray = total_s[pick] < best_s
        best = np.where(better[:, None], many.host.reshape(batch, some.size, users)[pick], best)
        best_s = np.where(better, total_s[pick], best_s)
    return best


def _drain(steps: Iterator[Round]) -> None:
    for _ in steps:
        pass
