"""A controller for each domain: users and capacities are split, and every domain decides for itself.

``domains:COUNT:SOLVER`` is the paper's hierarchical architecture, controlled by domain; one domain is a single global
controller. Domain d has every COUNT-th user from number d on, and its share of every capacity.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from ...instances.errors import InputError
from ...instances.fields import IntArray
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.instance import NONE
from ..result import Answer, Limits, Solver

OF_USERS = ("covered", "leo_efficiency", "cache_hit", "server_mcycles_per_s")  # arrays, shape (slots, users, ...)


def parse(place: str, problem: str) -> tuple[int, str]:
    """Number of domains and solver of ``COUNT:SOLVER``.

    Raises
    ------
    InputError
        When it is not of this form, or for another problem.
    """
    text, colon, name = place.partition(":")
    if problem != "provisioning" or not colon or not text.isdecimal() or int(text) < 1:
        raise InputError(f'is "domains:{place}"; must be domains:COUNT:SOLVER, of provisioning', "solver")
    return int(text), name


def by_domain(solver: Solver[Any], domains: int) -> Solver[Any]:
    """A solver that decides for each domain apart; what it claims of a domain is not passed on."""

    def solve(instance: Provisioning, limits: Limits) -> Answer:
        choice = np.full((instance.slots, instance.users, 4), NONE)
        share = None if limits.time_limit_s is None else limits.time_limit_s / domains
        own_limits = replace(limits, start=None, time_limit_s=share)
        for d in range(min(domains, instance.users)):
            users = np.arange(d, instance.users, domains)
            found = solver(_domain(instance, users, d, domains), own_limits)
            if not isinstance(found.decision, ProvisioningDecision):
                return replace(found, objective=None, bound=None, infeasible=False)
            choice[:, users] = found.decision.choice
        return Answer(ProvisioningDecision(choice))

    return solve


def _domain(instance: Provisioning, users: IntArray, d: int, domains: int) -> Provisioning:
    """The instance as a domain sees it: its users, and its share of what there is."""
    arrays: Any = {name: getattr(instance, name)[:, users] for name in OF_USERS}
    return replace(
        instance,
        users=len(users),
        task_mbits=instance.task_mbits[users],
        task_mcycles=instance.task_mcycles[users],
        leo_capacity=_share(instance.leo_capacity, d, domains),
        geo_capacity=_share(instance.geo_capacity, d, domains),
        cache_capacity=_share(instance.cache_capacity, d, domains),
        server_capacity=_share(instance.server_capacity, d, domains),
        **arrays,
    )


def _share(capacity: IntArray, d: int, domains: int) -> IntArray:
    """What of each capacity domain d has; what is left of the k-th goes to domains k, k + 1 and so on in turn."""
    turn = (d - np.arange(len(capacity))) % domains
    return np.asarray(capacity // domains + (turn < capacity % domains))
