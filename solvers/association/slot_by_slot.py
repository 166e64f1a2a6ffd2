"""A horizon played slot by slot, each decided exactly at prices that say what storage will be worth later.

When slot t begins with storage H, a data unit at station j is worth omega - xi kappa / H_j now, less what the storage
that it takes is worth to the slots ahead. Slots have no other tie, so at the right prices the play is optimal; at the
prices that follow from a play's own loads it is often close (`solve_price_iteration`).
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...formulations.association.referee import EMPTY
from ...instances.association import Association
from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray
from ..result import Answer, Limits
from .groups import Groups, decision
from .slot_choices import best_of_group
from .subset_tables import plan
from .terms import Terms

Ahead = Callable[
    [int, FloatArray], FloatArray
]  # prices of the slots ahead, of the slot and the storage left, (stations,)
MOST_ROUNDS = 40
PATIENCE = 6  # rounds without a better play after which prices are taken as settled
SLOWEST = 0.1  # least step towards the prices of the last play


def fixed(price: FloatArray) -> Ahead:
    """Prices of shape (slots, stations), whatever storage is left."""
    return lambda slot, _: price[slot]


class Play(NamedTuple):
    """A horizon as it was played.

    Attributes
    ----------
    pattern : array, shape (groups, K)
        Patterns of each group, numbered within it.
    load : array, shape (slots, stations)
        Data units stored.
    left : array, shape (slots, stations)
        Storage when each slot begins (data units).
    value
        The objective.
    """

    pattern: IntArray
    load: FloatArray
    left: FloatArray
    value: float


def play(instance: Association, groups: Groups, ahead: Ahead) -> Play:
    """Play a horizon.

    Parameters
    ----------
    groups
        All of the instance's, see `Groups.reduced`.
    ahead
        Price of a data unit of storage to the slots after this one, on top of xi kappa / H.
    """
    decide = SlotSolver(instance, groups)
    pattern = np.zeros((len(groups.slot), instance.channels), np.int64)
    load, left = np.zeros((2, instance.slots, instance.stations))
    value, now = 0.0, instance.capacity.copy()
    for t in range(instance.slots):
        left[t] = now
        load[t] = decide(t, now, ahead(t, now), pattern)
        value += float((instance.utility_weight - decide.price(now)) @ load[t])
        now = now - load[t]
    return Play(pattern, load, left, value)


class SlotSolver:
    """Decides slots exactly."""

    def __init__(self, instance: Association, groups: Groups) -> None:
        self.instance, self.groups = instance, groups
        self._combinations = plan(instance.channels, len(groups.load))
        self._first = np.searchsorted(groups.slot, np.arange(instance.slots + 1))

    def price(self, left: FloatArray) -> FloatArray:
        """xi kappa / H, shape (stations,)."""
        return np.divide(self.instance.price_weight, left, out=np.zeros(len(left)), where=left > 0)

    def __call__(self, slot: int, left: FloatArray, ahead: FloatArray, pattern: IntArray) -> FloatArray:
        """Decide a slot; the loads, shape (stations,).

        Parameters
        ----------
        left, ahead : array, shape (stations,)
            Storage when the slot begins, and its price to the slots after this one.
        pattern : array, shape (groups, K)
            Filled in for the groups of the slot.
        """
        worth = self.instance.utility_weight - self.price(left) - ahead
        room = np.maximum(left - EMPTY * self.instance.capacity, 0.0)
        load = np.zeros(len(left))
        span = self._first[slot], self._first[slot + 1]
        _best_of_slot(self.groups, *span, worth, room, self._combinations, load, pattern)
        return load


def marginal_prices(load: FloatArray, left: FloatArray, weight: float) -> FloatArray:
    """What a data unit of storage is worth to the slots after each one: the sum of weight L / H^2 over them.

    Parameters
    ----------
    load, left : array, shape (slots, stations)
    """
    cost = np.divide(weight * load, left**2, out=np.zeros(load.shape), where=load > 0)
    return np.asarray(cost[::-1].cumsum(0)[::-1] - cost)


def solve_myopic(instance: Association, limits: Limits) -> Answer:
    """Every slot for itself, at the prices of its beginning, exactly (large groups: among candidates)."""
    groups, _ = Groups.reduced(instance)
    nothing = np.zeros(instance.stations)
    return Answer(decision(groups, play(instance, groups, lambda _, __: nothing).pattern))


def solve_price_iteration(instance: Association, limits: Limits) -> Answer:
    """Play again and again at the prices that follow from the loads of the plays before; the best play."""
    started = time.perf_counter()
    groups, _ = Groups.reduced(instance)
    price = np.zeros((instance.slots, instance.stations))
    best, since = None, 0
    for k in range(MOST_ROUNDS):
        played = play(instance, groups, fixed(price))
        if best is None or played.value > best.value:
            best, since = played, 0
        since += 1
        late = limits.time_limit_s is not None and time.perf_counter() - started > limits.time_limit_s
        if since > PATIENCE or late:
            break
        step = max(SLOWEST, 1 / (1 + max(0, k - 1) / 4))
        price = price + step * (marginal_prices(played.load, played.left, instance.price_weight) - price)
    assert best is not None
    return Answer(decision(groups, best.pattern), counters={"plays": k + 1})


@compiled
def _best_of_slot(
    groups: Groups,
    first: int,
    last: int,
    worth: FloatArray,
    room: FloatArray,
    combinations: IntArray,
    load: FloatArray,
    pattern: IntArray,
) -> None:
    """The best choices of the groups of a slot, which have no station in common, and the loads that they come to."""
    nothing = np.zeros(len(worth))
    terms = Terms(worth, nothing, room, room, np.ones(len(worth)))
    own = np.empty(len(worth))
    for g in range(first, last):
        own[:] = 0.0
        best_of_group(groups, g, terms, combinations, own, pattern[g])
        load += own
