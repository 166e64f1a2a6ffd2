"""Rules that serve the users of a slot in turn, and management of some resources while a rule has the others.

A rule sees what choices earn by what is known, and what is still free.
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...formulations.provisioning.referee import PARTS
from ...formulations.provisioning.rewards import KINDS, rewards
from ...instances.errors import InputError
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.instance import GEO, LEO, NONE
from ..interrupts import check_interrupts
from ..result import Answer, Limits, Solver
from .decomposition import solve_decomposition

# Of a user's number, its rewards and which of them are free (of one shape, flattened): one of those, -1 for none.
Pick = Callable[[int, FloatArray, BoolArray], int]


def solve_random(instance: Provisioning, limits: Limits) -> Answer:
    """Each user takes a free pair that covers it, a free cache and a free server, at random."""
    rng = np.random.default_rng(limits.seed)
    return Answer(_in_turn(instance, lambda user, reward, free: int(rng.choice(np.flatnonzero(free)))))


def solve_fixed(instance: Provisioning, limits: Limits) -> Answer:
    """Each user takes what is free first, counted from its own number on, whatever the states."""

    def pick(user: int, reward: FloatArray, free: BoolArray) -> int:
        return int(np.roll(free, -user).argmax() + user) % len(free)

    return Answer(_in_turn(instance, pick))


def solve_greedy(instance: Provisioning, limits: Limits) -> Answer:
    """Each user takes what earns it most of what is free, where that pays."""

    def pick(user: int, reward: FloatArray, free: BoolArray) -> int:
        best = int(np.where(free, reward, -np.inf).argmax())
        return best if reward[best] > 0 else NONE

    return Answer(_in_turn(instance, pick))


def solve_best_first(instance: Provisioning, limits: Limits) -> Answer:
    """What earns most goes first, whoever takes it, as long as it pays and is free."""
    choice = np.full((instance.slots, instance.users, 4), NONE)
    for reward, kinds in zip(rewards(instance), KINDS, strict=True):
        for t in range(instance.slots):
            check_interrupts()
            left = [instance.capacities[kind].copy() for kind in kinds]
            paying = np.argwhere(reward[t] > 0)
            order = np.argsort(-reward[t][*paying.T], kind="stable")
            for user, *which in paying[order].tolist():
                if choice[t, user, kinds[0]] == NONE and all(own[k] for own, k in zip(left, which, strict=True)):
                    _take(choice[t, user], kinds, which, left)
    return Answer(ProvisioningDecision(choice))


def managing(parts: str, problem: str) -> Solver[Any]:
    """Manages some parts to the optimum and leaves the others to the fixed rule (the paper's comparison).

    Parameters
    ----------
    parts
        Of transmission, caching and computing, those that are managed, divided by +.

    Raises
    ------
    InputError
        When it is not of this form, or for another problem.
    """
    managed = parts.split("+")
    if problem != "provisioning" or not set(managed) <= set(PARTS) or len(set(managed)) < len(managed):
        raise InputError(f'is "managed:{parts}"; must be managed:PART+PART of {", ".join(PARTS)}', "solver")

    def solve(instance: Provisioning, limits: Limits) -> Answer:
        found = solve_decomposition(instance, limits)
        assert isinstance(found.decision, ProvisioningDecision)
        fixed = solve_fixed(instance, limits).decision
        assert isinstance(fixed, ProvisioningDecision)
        choice = fixed.choice.copy()
        for part, kinds in zip(PARTS, KINDS, strict=True):
            if part in managed:
                choice[..., kinds] = found.decision.choice[..., kinds]
        return replace(found, decision=ProvisioningDecision(choice), bound=None)

    return solve


def _in_turn(instance: Provisioning, pick: Pick) -> ProvisioningDecision:
    """Let users pick in the order of their numbers."""
    table = rewards(instance)
    choice = np.full((instance.slots, instance.users, 4), NONE)
    for t in range(instance.slots):
        check_interrupts()
        left = [capacity.copy() for capacity in instance.capacities]
        for user in range(instance.users):
            for reward, kinds in zip(table, KINDS, strict=True):
                free = functools.reduce(np.logical_and.outer, [left[kind] > 0 for kind in kinds])
                if kinds == (LEO, GEO):
                    free = free & (instance.covered[t, user] > 0)[:, None]
                if free.any() and (taken := pick(user, reward[t, user].ravel(), free.ravel())) != NONE:
                    which = [int(k) for k in np.unravel_index(taken, free.shape)]
                    _take(choice[t, user], kinds, which, [left[kind] for kind in kinds])
    return ProvisioningDecision(choice)


def _take(own: IntArray, kinds: tuple[int, ...], which: list[int], left: list[IntArray]) -> None:
    """Give a user these resources."""
    own[list(kinds)] = which
    for capacity, k in zip(left, which, strict=True):
        capacity[k] -= 1
