"""Slot by slot, and in a slot pairs, caches and servers apart: none of them couple.

Caches and servers are transport problems, which are integral; pairs are a small program (see `pairs`). O(slots) of
those, each of a size that does not grow with the horizon.
"""

import time

import numpy as np

from ...formulations.provisioning.rewards import rewards
from ...instances.fields import FloatArray, IntArray
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.instance import CACHE, GEO, NONE, SERVER
from ..interrupts import check_interrupts
from ..reductions import in_reduced_units
from ..result import Answer, Limits
from ..transport import transport
from .pairs import best_pairs, slots_of


@in_reduced_units
def solve_decomposition(instance: Provisioning, limits: Limits) -> Answer:
    """The best choices of every slot; once time is over, none for the slots that are left."""
    began = time.monotonic()
    table = rewards(instance)
    choice = np.full((instance.slots, instance.users, 4), NONE)
    bound, fractional, solved = 0.0, 0, 0
    for t, slot in enumerate(slots_of(instance)):
        check_interrupts()
        if limits.time_limit_s is not None and time.monotonic() - began >= limits.time_limit_s:
            break
        pairs = best_pairs(slot, instance.leo_capacity, instance.geo_capacity, limits.gap)
        choice[t, :, : GEO + 1] = pairs.pair
        bound, fractional = bound + pairs.bound, fractional + pairs.fractional
        for resource, reward, capacity in (
            (CACHE, table.caching[t], instance.cache_capacity),
            (SERVER, table.computing[t], instance.server_capacity),
        ):
            choice[t, :, resource], most = best_places(reward, capacity)
            bound += most
        solved += 1
    for reward in table:
        bound += float(reward[solved:].max(tuple(range(2, reward.ndim)), initial=0.0).sum())
    counters = {"slots": solved, "fractional": fractional}
    reason = None if solved == instance.slots else f"time limit reached after {solved} of {instance.slots} slots"
    return Answer(ProvisioningDecision(choice), bound=bound, reason=reason, counters=counters)


def best_places(reward: FloatArray, capacity: IntArray) -> tuple[IntArray, float]:
    """The best caches, or servers, of the users of a slot, and a bound that proves them.

    Parameters
    ----------
    reward : array, shape (users, places)
    capacity : array, shape (places,)
        Users that each takes.

    Returns
    -------
    array, shape (users,)
        -1 for none.
    float
        Nothing earns more.
    """
    users, places = reward.shape
    most = max(reward.max(initial=0.0), 0.0)
    cost = np.column_stack([most - reward, np.full(users, most)])
    place, _, _, _, bound = transport(cost, np.append(capacity, users))
    return np.where(place == places, NONE, place), users * most - bound
