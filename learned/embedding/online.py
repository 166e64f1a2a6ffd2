"""Requests met by a policy that draws hosts, and takes or refuses what it has drawn; several draws of each request."""

from typing import Protocol

import numpy as np

from ...instances.fields import FloatArray, IntArray
from .environment import EmbeddingEnvironment
from .play import WAIT


class Decider(Protocol):
    """A policy, for some rows of an environment."""

    def hosts(self, environment: EmbeddingEnvironment, rows: IntArray) -> FloatArray:
        """Log-likelihood of hosts, shape (rows, N); very low where a node cannot be."""

    def gain(self, environment: EmbeddingEnvironment, rows: IntArray) -> FloatArray:
        """What is gained by taking each embedding, shape (rows,)."""


def meet(
    decider: Decider,
    environment: EmbeddingEnvironment,
    world: IntArray,
    samples: int,
    rng: np.random.Generator,
    until: int | None = None,
) -> FloatArray:
    """Meet the requests of each world, shape (W,), from its first; the objectives, shape (W,).

    Environments w K to w K + K - 1 are the world's, K samples: the first takes the likeliest hosts, the others draw. Of
    what they come to with a request the one that gains most is taken by all, if it gains at all, or else none.

    Parameters
    ----------
    until
        The first request that is not met any more; None meets all.
    """
    environment.reset(np.repeat(world, samples))
    last = environment.requests if until is None else min(until, environment.requests)
    likeliest = np.arange(len(environment.over)) % samples == 0
    total = np.zeros(len(world))
    while (here := environment.play.request < last).any():
        action = np.full(len(here), WAIT)
        deciding = environment.deciding
        if (rows := np.flatnonzero(here & ~deciding)).size:
            score = decider.hosts(environment, rows)
            lots = rng.gumbel(size=score.shape)
            lots[likeliest[rows]] = 0.0
            action[rows] = (score + lots).argmax(1)
        if (settling := np.flatnonzero((here & deciding).reshape(-1, samples).all(1))).size:
            gain = adopt_best(decider, environment, settling, samples)
            own = settling[:, None] * samples + np.arange(samples)
            action[own] = np.where(gain.max(1) > 0, environment.nodes + 1, environment.nodes)[:, None]
        total += environment.step(action).reshape(-1, samples)[:, 0]
    return total


def adopt_best(decider: Decider, environment: EmbeddingEnvironment, groups: IntArray, samples: int) -> FloatArray:
    """Let all samples of some groups adopt the one that gains most.

    Returns
    -------
    array, shape (groups, samples)
        What each gained, -inf where it failed.
    """
    rows = groups[:, None] * samples + np.arange(samples)
    gain = np.full(rows.shape, -np.inf)
    able = ~environment.play.failed[rows]
    if able.any():
        gain[able] = decider.gain(environment, rows[able])
    source = np.arange(len(environment.over))
    source[rows] = rows[np.arange(len(rows)), gain.argmax(1)][:, None]
    environment.adopt(source)
    return gain
