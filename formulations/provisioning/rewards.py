"""What every choice earns by what is known when it is made, as tables.

States enter a reward by what is known of each: its level, or the level before, or only where its chain begins. Equal
knowledge is one *kind*, so a table over kinds says all there is to say of a link.
"""

from typing import NamedTuple

import numpy as np

from ...instances.fields import FloatArray, IntArray
from ...instances.provisioning import Chain, Provisioning
from ...instances.provisioning.instance import CACHE, GEO, LEO, SERVER

ROUNDING = 1e-12  # relative
KINDS = ((LEO, GEO), (CACHE,), (SERVER,))  # of resources, of each part of the reward


class Known(NamedTuple):
    """What is known of the states of an array.

    Attributes
    ----------
    kind : array of the states' shape
        Number of what is known of each.
    chance : array, shape (kinds, levels)
        Probability of each level.
    levels : array, shape (levels,)
    """

    kind: IntArray
    chance: FloatArray
    levels: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Expected values, of the states' shape."""
        return np.asarray((self.chance @ self.levels)[self.kind])


class Rewards(NamedTuple):
    """Expected rewards, all in units.

    Attributes
    ----------
    transmission : array, shape (slots, users, leo, geo)
    caching : array, shape (slots, users, caches)
    computing : array, shape (slots, users, servers)
    """

    transmission: FloatArray
    caching: FloatArray
    computing: FloatArray


def rewards(instance: Provisioning, information: str | None = None) -> Rewards:
    """Rewards by what is known.

    Parameters
    ----------
    information
        ``current``, ``previous``, or None for the instance's own.
    """
    information = information or instance.information
    return Rewards(
        _transmission(instance, links(instance, information)),
        _caching(instance, information),
        _computing(instance, information),
    )


def useful(instance: Provisioning, table: Rewards) -> list[IntArray]:
    """Choices of each part that pay, at resources with places; rows of slot, user and resources."""
    found = []
    for reward, kinds in zip(table, KINDS, strict=True):
        at = np.argwhere(reward > 0)
        for column, kind in enumerate(kinds, 2):
            at = at[instance.capacities[kind][at[:, column]] > 0]
        found.append(at)
    return found


def earned(table: Rewards, choice: IntArray) -> FloatArray:
    """What choices earn, each part of the reward and slot, shape (parts, slots).

    Parameters
    ----------
    choice : array, shape (slots, users, 4)
        As in a decision.
    """
    found = np.zeros((len(table), len(choice)))
    for total, reward, kinds in zip(found, table, KINDS, strict=True):
        taken = choice[..., kinds]
        t, u = np.nonzero((taken >= 0).all(2))
        np.add.at(total, t, reward[t, u, *taken[t, u].T])
    return found


class Links(NamedTuple):
    """What is known of the links of every slot.

    Attributes
    ----------
    leo, geo
        Of the links to LEO satellites (slots, users, leo), and from them to relays (slots, leo, geo).
    free : array, shape (slots, geo)
        Probability that a relay is free.
    rate : array, shape (kinds of `leo`, kinds of `geo`)
        Expected rate over a free relay (Mbit/s).
    """

    leo: Known
    geo: Known
    free: FloatArray
    rate: FloatArray


def links(instance: Provisioning, information: str) -> Links:
    """What is known of the links."""
    chains = instance.chains
    leo = known(instance.leo_efficiency, chains.leo_efficiency if chains else None, information)
    geo = known(instance.geo_efficiency, chains.geo_efficiency if chains else None, information)
    free = known(instance.geo_free, chains.geo_free if chains else None, information).mean
    slower = np.minimum.outer(instance.leo_bandwidth_mhz * leo.levels, instance.geo_bandwidth_mhz * geo.levels)
    return Links(leo, geo, free, leo.chance @ slower @ geo.chance.T)


def pair_values(instance: Provisioning, known_links: Links) -> FloatArray:
    """What a pair earns by the kind of a covered user's link, shape (slots, leo, kinds of `leo`, geo)."""
    rate = np.moveaxis(known_links.rate[:, known_links.geo.kind], 0, 2)
    return _net(instance.fee.transmission * known_links.free[:, None, None] * rate, _pair_price(instance))


def _pair_price(instance: Provisioning) -> float:
    """What a LEO satellite and a relay cost a user."""
    return instance.price.leo * instance.leo_bandwidth_mhz + instance.price.geo * instance.geo_bandwidth_mhz


def _transmission(instance: Provisioning, known_links: Links) -> FloatArray:
    slot, leo = np.arange(instance.slots)[:, None, None], np.arange(len(instance.leo_capacity))
    earned = pair_values(instance, known_links)[slot, leo, known_links.leo.kind]
    return np.where(instance.covered[..., None], earned, -_pair_price(instance))


def _caching(instance: Provisioning, information: str) -> FloatArray:
    hit, chains, mbits = instance.cache_hit, instance.chains, instance.task_mbits[:, None]
    chance = hit.astype(float)
    if information == "previous":
        assert chains is not None
        of = chains.cache_hit
        means = of.transition @ of.levels  # of what comes after each level, shape (caches, levels)
        state = _level(hit[:-1], of.levels)
        first = np.broadcast_to(of.initial @ of.levels, (1, *hit.shape[1:]))
        chance = np.concatenate([first, means[np.arange(hit.shape[2]), state]])
    return _net(instance.fee.caching * chance * mbits / instance.slot_s, instance.price.caching * mbits)


def _computing(instance: Provisioning, information: str) -> FloatArray:
    chain = instance.chains.server_mcycles_per_s if instance.chains else None
    speed = known(instance.server_mcycles_per_s, chain, information).mean
    mbits, mcycles = instance.task_mbits[:, None], instance.task_mcycles[:, None]
    paid = instance.price.computing * mcycles * instance.energy_j_per_mcycle
    return _net(instance.fee.computing * speed * mbits / mcycles, paid)


def _net(earned: FloatArray, paid: FloatArray | float) -> FloatArray:
    """What is left of what is earned; 0 where rounding alone makes it more or less."""
    left = earned - paid
    return np.where(np.abs(left) <= ROUNDING * earned, 0.0, left)


def known(states: IntArray | FloatArray, chain: Chain | None, information: str) -> Known:
    """What is known of states, shape (slots, ...), when their slot is decided.

    Parameters
    ----------
    chain
        Where they come from; None is not known.
    """
    levels = np.unique(states).astype(float) if chain is None else chain.levels
    if not len(levels):
        levels = np.zeros(1)
    state = _level(states, levels)
    if information == "current":
        return Known(state, np.eye(len(levels)), levels)
    assert chain is not None
    begin = np.full((1, *states.shape[1:]), len(levels))
    chance = np.vstack([chain.transition, chain.initial])
    return Known(np.concatenate([begin, state[:-1]]), chance, levels)


def _level(states: IntArray | FloatArray, levels: FloatArray) -> IntArray:
    """Number of each state's level."""
    order = np.argsort(levels)
    return np.asarray(order[np.searchsorted(levels, states, sorter=order)])
