"""Every choice of every slot, for instances small enough: pairs, caches and servers of all users together."""

import itertools

import numpy as np

from ...formulations.provisioning.rewards import KINDS, Rewards, rewards
from ...instances.fields import FloatArray, IntArray
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.instance import NONE
from ..interrupts import check_interrupts
from ..result import Answer, Limits

MOST_CHOICES = 2_000_000  # of all users of a slot


def solve_enumeration(instance: Provisioning, limits: Limits) -> Answer:
    """Try all choices of all users, slot by slot; slots do not couple."""
    options = _options(instance)
    if len(options) ** instance.users > MOST_CHOICES:
        return Answer(reason=f"more than {MOST_CHOICES:,} choices in a slot")
    table, total, chosen = rewards(instance), 0.0, []
    for t in range(instance.slots):
        check_interrupts()
        value, choice = _best(instance, options, _earned(table, t, options))
        total += value
        chosen.append(choice)
    return Answer(ProvisioningDecision(np.array(chosen)), objective=total, bound=total)


def _options(instance: Provisioning) -> IntArray:
    """All that one user can take, shape (options, 4)."""
    leo, geo, caches, servers = (range(len(capacity)) for capacity in instance.capacities)
    pairs = [(NONE, NONE), *itertools.product(leo, geo)]
    own = [(*pair, cache, server) for pair in pairs for cache in (NONE, *caches) for server in (NONE, *servers)]
    return np.array(own)


def _earned(table: Rewards, t: int, options: IntArray) -> FloatArray:
    """Reward of each option for each user, shape (users, options)."""
    total = np.zeros((table.caching.shape[1], len(options)))
    for reward, kinds in zip(table, KINDS, strict=True):
        taken = (options[:, kinds] >= 0).all(1)
        total[:, taken] += reward[t][:, *options[taken][:, kinds].T]
    return total


def _best(instance: Provisioning, options: IntArray, earned: FloatArray) -> tuple[float, IntArray]:
    """Value and choice of the best of all feasible choices of a slot."""
    use = np.concatenate(
        [options[:, [r]] == np.arange(len(capacity)) for r, capacity in enumerate(instance.capacities)], 1
    )
    most = np.concatenate(instance.capacities)
    value, used = np.zeros(1), np.zeros((1, len(most)), np.int64)
    history: list[tuple[IntArray, IntArray]] = []
    for own in earned:
        after = used[:, None] + use
        before, option = np.nonzero((after <= most).all(2))
        value, used = value[before] + own[option], after[before, option]
        history.append((before, option))
    at = int(value.argmax())
    best, choice = float(value[at]), []
    for before, option in history[::-1]:
        choice.append(options[option[at]])
        at = int(before[at])
    return best, np.array(choice[::-1])
