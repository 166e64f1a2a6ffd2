"""Every choice of every slot, for instances small enough: pairs, caches and servers of all users together."""

import itertools

import numpy as np

from ...formulations.provisioning.rewards import Rewards, earned, rewards
from ...instances.fields import IntArray
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.instance import NONE
from ..interrupts import check_interrupts
from ..result import Answer, Limits

MOST_CHOICES = 2_000_000  # of users of a slot, before those beyond the capacities are left out


class TooManyError(Exception):
    """The instance is too large to be enumerated."""


def solve_enumeration(instance: Provisioning, limits: Limits) -> Answer:
    """Try all choices of all users in every slot; slots do not couple."""
    try:
        choices = feasible_choices(instance)
    except TooManyError as error:
        return Answer(reason=str(error))
    table, total, chosen = rewards(instance), 0.0, []
    for t in range(instance.slots):
        check_interrupts()
        here = Rewards(*(np.broadcast_to(reward[t], (len(choices), *reward.shape[1:])) for reward in table))
        value = earned(here, choices).sum(0)
        total += float(value.max())
        chosen.append(choices[value.argmax()])
    return Answer(ProvisioningDecision(np.array(chosen)), objective=total, bound=total)


def feasible_choices(instance: Provisioning) -> IntArray:
    """All that the users of a slot can take together, within the capacities, shape (choices, users, 4).

    Raises
    ------
    TooManyError
        When there are more than `MOST_CHOICES`.
    """
    options = _options(instance)
    use = np.concatenate(
        [options[:, [r]] == np.arange(len(capacity)) for r, capacity in enumerate(instance.capacities)], 1
    )
    most = np.concatenate(instance.capacities)
    used, taken = np.zeros((1, len(most)), np.int64), np.zeros((1, 0), np.int64)
    for _ in range(instance.users):
        if len(taken) * len(options) > MOST_CHOICES:
            raise TooManyError(f"more than {MOST_CHOICES:,} choices in a slot")
        after = used[:, None] + use
        before, option = np.nonzero((after <= most).all(2))
        used, taken = after[before, option], np.column_stack([taken[before], option])
    return options[taken]


def _options(instance: Provisioning) -> IntArray:
    """All that one user can take, shape (options, 4)."""
    leo, geo, caches, servers = (range(len(capacity)) for capacity in instance.capacities)
    pairs = [(NONE, NONE), *itertools.product(leo, geo)]
    own = [(*pair, cache, server) for pair in pairs for cache in (NONE, *caches) for server in (NONE, *servers)]
    return np.array(own)
