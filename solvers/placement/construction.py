"""Placements built user by user: the paper's random rule and two greedy ones."""

from collections.abc import Callable

import numpy as np

from ...instances.fields import BoolArray, FloatArray
from ...instances.placement import Placement, PlacementDecision
from ..result import Answer, Limits
from .batch import Costs, Partial

Pick = Callable[[FloatArray, BoolArray], tuple[int, int]]


def solve_random(instance: Placement, limits: Limits) -> Answer:
    """Every user in turn takes any offered host, each equally likely (the paper's RD)."""
    rng = np.random.default_rng(limits.seed)
    return _build(instance, lambda _, offered: _first(offered, rng.choice(np.flatnonzero(offered[_next(offered)]))))


def solve_greedy(instance: Placement, limits: Limits) -> Answer:
    """Every user in turn takes the host by which the total delay grows least; O(I^2 H)."""
    return _build(instance, lambda growth, offered: _first(offered, growth[_next(offered)].argmin().item()))


def solve_regret(instance: Placement, limits: Limits) -> Answer:
    """The user that stands to lose most by waiting goes first: largest second-best minus best growth; O(I^2 H)."""

    def pick(growth: FloatArray, offered: BoolArray) -> tuple[int, int]:
        ordered = np.sort(growth, 1)[:, :2]
        waiting = offered.any(1)
        loss = np.where(waiting, np.where(np.isinf(ordered[:, 1]), np.inf, ordered[:, 1] - ordered[:, 0]), -np.inf)
        user = int(loss.argmax())
        return user, int(growth[user].argmin())

    return _build(instance, pick)


def _next(offered: BoolArray) -> int:
    """The first user still to be placed."""
    return int(offered.any(1).argmax())


def _first(offered: BoolArray, host: int) -> tuple[int, int]:
    return _next(offered), host


def _build(instance: Placement, pick: Pick) -> Answer:
    """Place all users; `pick` chooses user and host from growth (inf where not offered) and what is offered."""
    partial = Partial(Costs.of([instance]))
    if not partial.feasible[0]:
        return Answer(infeasible=True, reason="the possible hosts have too few places")
    with np.errstate(invalid="ignore"):  # inf - inf where a user has one host only
        for _ in range(instance.users):
            offered = partial.offered()[0]
            growth = np.where(offered, partial.marginal_s()[0], np.inf)
            user, host = pick(growth, offered)
            partial.place(np.array([user]), np.array([host]))
    return Answer(PlacementDecision(partial.host[0]))
