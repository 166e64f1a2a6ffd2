"""Markov chains of the states: their levels, where they begin, and how they go on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..errors import InputError
from ..fields import FloatArray, IntArray, reals
from ..record import Record, nested

SUM = 1e-9  # by which probabilities may miss 1


@dataclass(frozen=True, eq=False)
class Chain(Record):
    """A Markov chain, of which every element of an array is an independent copy.

    Attributes
    ----------
    levels : array, shape (S,)
        Values of the states, all different.
    initial : array, shape (S,)
        Probabilities in the first slot.
    transition : array, shape (S, S)
        Probabilities of each state (columns) after each (rows).
    """

    levels: FloatArray = reals("levels")
    initial: FloatArray = reals("levels")
    transition: FloatArray = reals("levels", "levels")

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self.levels, self.initial, self.transition)

    @classmethod
    def stationary(cls, levels: FloatArray, transition: FloatArray) -> Self:
        """The chain that begins as it goes on for ever; it has one such distribution."""
        return cls(levels, stationary(transition), transition)


@dataclass(frozen=True, eq=False)
class CacheChains(Record):
    """A Markov chain for each cache, on levels that they share.

    Attributes
    ----------
    levels : array, shape (S,)
    initial : array, shape (caches, S)
    transition : array, shape (caches, S, S)
    """

    levels: FloatArray = reals("levels")
    initial: FloatArray = reals("caches", "levels")
    transition: FloatArray = reals("caches", "levels", "levels")

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self.levels, self.initial, self.transition)


@dataclass(frozen=True, eq=False)
class Chains(Record):
    """Chains of all states; those of GEO relays and caches are on levels 0 and 1."""

    leo_efficiency: Chain = nested(Chain)
    geo_free: Chain = nested(Chain)
    geo_efficiency: Chain = nested(Chain)
    server_mcycles_per_s: Chain = nested(Chain)
    cache_hit: CacheChains = nested(CacheChains)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("geo_free", "cache_hit"):
            levels = getattr(self, name).levels
            if (other := np.flatnonzero((levels != 0) & (levels != 1))).size:
                raise InputError(f"must be 0 or 1, is {levels[other[0]]:g}", f"{name}.levels[{other[0]}]")


def stationary(transition: FloatArray) -> FloatArray:
    """The distribution that a transition matrix keeps, shape (S,); there must be one only."""
    states = len(transition)
    system = np.vstack([transition.T - np.eye(states), np.ones(states)])
    found = np.linalg.lstsq(system, np.append(np.zeros(states), 1.0))[0]
    found = np.maximum(found, 0.0)
    return np.asarray(found / found.sum())


def walk(chain: Chain, slots: int, shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """Values of independent copies over time, shape (slots, ...); fewer slots are the beginning of more."""
    return chain.levels[_states(chain.initial, lambda state: chain.transition[state], rng.random((slots, *shape)))]


def walk_caches(chains: CacheChains, slots: int, users: int, rng: np.random.Generator) -> FloatArray:
    """Values of every user at every cache over time, shape (slots, users, caches)."""
    cache = np.arange(len(chains.initial))
    drawn = rng.random((slots, users, len(cache)))
    return chains.levels[_states(chains.initial, lambda state: chains.transition[cache, state], drawn)]


def _states(initial: FloatArray, following: Callable[[IntArray], FloatArray], drawn: FloatArray) -> IntArray:
    """States of copies over time, of the shape of uniform draws (slots, ...); O(slots * copies * S)."""
    states = np.empty(drawn.shape, np.int64)
    chance = np.broadcast_to(initial, (*drawn.shape[1:], initial.shape[-1]))
    for t, draw in enumerate(drawn):
        states[t] = (draw[..., None] >= np.cumsum(chance, -1)[..., :-1]).sum(-1)
        chance = following(states[t])
    return states


def _check(levels: FloatArray, initial: FloatArray, transition: FloatArray) -> None:
    """Object to levels that are the same, and to probabilities that do not sum to 1."""
    if not len(levels):
        raise InputError("must not be empty", "levels")
    for k, level in enumerate(levels.tolist()):
        if level in levels[:k]:
            raise InputError(f"is {level:g} again", f"levels[{k}]")
    for name, probabilities in (("initial", initial), ("transition", transition)):
        total = probabilities.sum(-1)
        wrong = np.argwhere(np.abs(total - 1) > SUM)
        if len(wrong):
            at = tuple(wrong[0])
            raise InputError(f"sums to {total[at]:.12g}, not to 1", name + "".join(f"[{k}]" for k in at))
