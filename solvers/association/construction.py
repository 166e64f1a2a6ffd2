"""Associations built link by link: satellites of a slot decide in turn, in the order of their numbers."""

from collections.abc import Callable

import numpy as np

from ...instances.association import Association
from ...instances.fields import IntArray
from ..result import Answer, Limits
from .days import Days
from .turns import Moment, Turns

Pick = Callable[[Moment], IntArray]  # a station and channel of those possible, (2,), or none, (0,)


def solve_random(instance: Association, limits: Limits) -> Answer:
    """Each satellite takes a station that it reaches, and a free channel there, at random (the paper's)."""
    rng = np.random.default_rng(limits.seed)

    def pick(moment: Moment) -> IntArray:
        possible = moment.possible[0]
        station = rng.choice(np.flatnonzero(possible.any(1)))
        return np.array([station, rng.choice(np.flatnonzero(possible[station]))])

    return _build(instance, pick)


def solve_greedy(instance: Association, limits: Limits) -> Answer:
    """Each satellite takes the station that stores most of its data, on the free channel of lowest number (paper)."""

    def pick(moment: Moment) -> IntArray:
        possible, stations = moment.possible[0], np.arange(len(moment.possible[0]))
        first = possible.argmax(1)
        own = np.where(possible.any(1), moment.own[0, stations, first], -np.inf)
        return np.array([own.argmax(), first[own.argmax()]])

    return _build(instance, pick)


def solve_greedy_channel(instance: Association, limits: Limits) -> Answer:
    """Each satellite takes the station and the channel that store most of its data."""

    def pick(moment: Moment) -> IntArray:
        own = np.where(moment.possible[0], moment.own[0], -np.inf)
        return np.array(np.unravel_index(own.argmax(), own.shape))

    return _build(instance, pick)


def solve_load_aware(instance: Association, limits: Limits) -> Answer:
    """Each satellite takes the link by which the slot's objective grows most, or none."""

    def pick(moment: Moment) -> IntArray:
        gain = np.where(moment.possible[0], moment.gain[0], 0.0)
        return np.array(np.unravel_index(gain.argmax(), gain.shape) if gain.max() > 0 else [], np.int64)

    return _build(instance, pick)


def _build(instance: Association, pick: Pick) -> Answer:
    """Let satellites that have a possible link pick one, in turn."""
    turns = Turns(Days.of([instance]))
    while not turns.over[0]:
        none = np.zeros(0, np.int64)
        link = pick(turns.moment) if turns.moment.possible.any() else none
        turns.step(np.array([(link[0] + 1) * turns.channels + link[1] if len(link) else 0]))
    return Answer(turns.links(0))
