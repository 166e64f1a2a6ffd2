"""Descent by links: another satellite on a channel, two that change places, none at all; compiled."""

from typing import NamedTuple

import numpy as np

from ...instances.association import Association, AssociationDecision
from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray
from ..interrupts import check_interrupts
from ..result import Answer, Limits
from .construction import solve_load_aware
from .days import Days
from .incumbents import Prices, gain

HELPS = 1e-12  # relative; less is rounding


def solve_local_search(instance: Association, limits: Limits) -> Answer:
    """From the load-aware rule's links, or a given start, the first better change of a link until none is better."""
    first = Answer(limits.start) if limits.start is not None else solve_load_aware(instance, limits)
    if not isinstance(first.decision, AssociationDecision):
        return first
    return Answer(AssociationDecision(climb(instance, first.decision.links)))


def climb(instance: Association, links: IntArray) -> IntArray:
    """Change links until no single change is better.

    A change gives a channel of a station to another satellite that reaches it, or to none. A satellite that was linked
    elsewhere leaves that link, to none or to the satellite that it replaces. A change takes O(J^2 K + J T), a round
    O(J K) of them for each satellite seen in a slot.

    Parameters
    ----------
    links : array, shape (links, 4)
        Feasible; not changed.
    """
    days = Days.of([instance])
    begin = np.searchsorted(days.slot[:-1], np.arange(instance.slots + 1))
    holder = np.full((instance.slots, instance.stations, instance.channels), days.nobody)
    slot, satellite, station, channel = links.T
    holder[slot, station, channel] = _turn(days, slot, satellite)
    sky = Sky(days.rate, days.snr, days.rate > 0, instance.isolation)
    prices = instance.utility_weight, instance.price_weight, instance.capacity
    load = np.empty((instance.slots, instance.stations))
    for t in range(instance.slots):
        _store(holder[t], sky, load[t])
    while _round(holder, begin, load, sky, prices):
        check_interrupts()
    slot, station, channel = np.nonzero(holder != days.nobody)
    return np.column_stack([slot, days.satellite[holder[slot, station, channel]], station, channel])


class Sky(NamedTuple):
    """Turns as the compiled code has them, see `Days`; the last one is nobody's."""

    rate: FloatArray
    snr: FloatArray
    reaches: BoolArray
    isolation: float


def _turn(days: Days, slot: IntArray, satellite: IntArray) -> IntArray:
    """The turns of linked satellites; those without one store nothing, and are nobody."""
    satellites = days.shape[0]
    keys = days.slot[:-1] * satellites + days.satellite[:-1]
    at = np.searchsorted(keys, slot * satellites + satellite)
    known = np.append(keys, -1)[at] == slot * satellites + satellite
    return np.where(known, at, days.nobody)


@compiled
def _store(holder: IntArray, sky: Sky, load: FloatArray) -> None:
    """Data that each station stores in a slot whose channels are held so, (J, K)."""
    stations, channels = holder.shape
    nobody = len(sky.rate) - 1
    for j in range(stations):
        load[j] = 0.0
        for k in range(channels):
            if holder[j, k] != nobody:
                noise = 1.0
                for other in range(stations):
                    if other != j:
                        noise += sky.isolation * sky.snr[holder[other, k], j, k]
                load[j] += sky.rate[holder[j, k], j] * np.log2(1 + sky.snr[holder[j, k], j, k] / noise)


@compiled
def _value(load: FloatArray, slot: int, own: FloatArray, prices: Prices) -> float:
    """The objective with the loads of one slot replaced; minus infinity if a station ends empty."""
    kept, load[slot] = load[slot].copy(), own
    value = gain(load, 0, len(load), prices[2].copy(), prices)
    load[slot] = kept
    return float(value)


@compiled
def _round(holder: IntArray, begin: IntArray, load: FloatArray, sky: Sky, prices: Prices) -> bool:
    """Every channel once, offered to everyone in the slot; whether any change was better."""
    slots, _, channels = holder.shape
    nobody = len(sky.rate) - 1
    best, better = _value(load, 0, load[0], prices), False
    for t in range(slots):
        held = holder[t].reshape(-1)
        where = np.full(begin[t + 1] - begin[t], -1)  # the channel that each turn of the slot has
        for a in range(held.size):
            if held[a] != nobody:
                where[held[a] - begin[t]] = a
        for a in range(held.size):
            for turn in range(begin[t] - 1, begin[t + 1]):
                taker = nobody if turn < begin[t] else turn
                loser = held[a]
                if taker == loser or (taker != nobody and not sky.reaches[taker, a // channels]):
                    continue
                b = -1 if taker == nobody else where[taker - begin[t]]
                value = _change(holder[t], (a, taker, b, nobody), load, t, sky, prices, best)
                moved = -1
                if value == best and b >= 0 and loser != nobody and sky.reaches[loser, b // channels]:
                    value, moved = _change(holder[t], (a, taker, b, loser), load, t, sky, prices, best), b
                if value > best:
                    best, better = value, True
                    if loser != nobody:
                        where[loser - begin[t]] = moved
                    if taker != nobody:
                        where[taker - begin[t]] = a
    return better


@compiled
def _change(
    holder: IntArray,
    change: tuple[int, int, int, int],
    load: FloatArray,
    slot: int,
    sky: Sky,
    prices: Prices,
    best: float,
) -> float:
    """Give channel a to a taker and the taker's own, b (-1 is none), to another, if that is better; the value then."""
    a, taker, b, other = change
    held = holder.reshape(-1)
    loser, own = held[a], np.empty(len(holder))
    held[a] = taker
    if b >= 0:
        held[b] = other
    _store(holder, sky, own)
    value = _value(load, slot, own, prices)
    if value > best + HELPS * abs(best):
        load[slot] = own
        return value
    held[a] = loser
    if b >= 0:
        held[b] = taker
    return best
