"""What is offered to the users left when the others already sit: for learning from states on the way."""

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...solvers.placement.batch import Costs, Partial
from .features import possible
from .seating import take


def offered_to(costs: Costs, host: IntArray, left: BoolArray) -> BoolArray:
    """Hosts that users left can take so that all of them find a place, shape (B, users, H); none once placed.

    Parameters
    ----------
    host : array, shape (B, users)
        Host of each user; of those left it does not matter.
    left : array, shape (B, users)
        Users still to be placed. The others' hosts leave them all a place.
    """
    able = possible(costs)
    by_count = counting_tells(able)
    offered = np.zeros(able.shape, bool)
    for rows, rule in ((np.flatnonzero(by_count), _by_counting), (np.flatnonzero(~by_count), _by_placing)):
        if rows.size:
            offered[rows] = rule(take(costs, rows), able[rows], host[rows], left[rows])
    return offered


def counting_tells(able: BoolArray) -> BoolArray:
    """Whether counting places is enough, shape (B,): each host away from home takes every user or none."""
    away = able[:, :, 1:]
    tells: BoolArray = (away.all(1) == away.any(1)).all(1)
    return tells


def _by_counting(costs: Costs, able: BoolArray, host: IntArray, left: BoolArray) -> BoolArray:
    """Hosts with a free place, as long as users without a home find one."""
    there = (host[:, :, None] == np.arange(costs.shape[2])) & ~left[:, :, None]
    free = np.where(able.any(1), costs.places - there.sum(1), 0)
    homeless = (left & ~able[:, :, 0]).sum(1)
    spare = free[:, 1:].sum(1) > homeless
    offered: BoolArray = able & left[:, :, None] & (free > 0)[:, None]
    offered[:, :, 1:] &= (spare[:, None] | ~able[:, :, 0])[:, :, None]
    return offered


def _by_placing(costs: Costs, able: BoolArray, host: IntArray, left: BoolArray) -> BoolArray:
    """By placing the others one by one."""
    partial = Partial(costs)
    for user in range(costs.shape[1]):
        rows = np.flatnonzero(~left[:, user])
        partial.place(np.full(rows.size, user), host[rows, user], rows)
    return partial.offered()


def some_left(confidence: FloatArray, spread: float, rng: np.random.Generator) -> BoolArray:
    """Draw which users are left, shape (B, users): any number, placed in about the order of confidence.

    Parameters
    ----------
    confidence : array, shape (B, users)
        Probability of each user's likeliest host.
    spread
        Largest noise added to it.
    """
    batch, users = confidence.shape
    order: IntArray = np.argsort(-confidence - spread * rng.random(confidence.shape), 1)
    placed = rng.integers(users, size=(batch, 1))
    left: BoolArray = np.ones((batch, users), bool)
    np.put_along_axis(left, order, np.arange(users) >= placed, 1)
    return left
