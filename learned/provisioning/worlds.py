"""A pool of instances of one shape as arrays: what options earn by what is known, and who else wants them.

An option is a pair of LEO satellite and GEO relay, a cache or a server, numbered in that order; a resource is one of
those alone.
"""

from collections.abc import Sequence

import numpy as np

from ...formulations.provisioning.rewards import KINDS, rewards
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.provisioning import Provisioning
from ...instances.provisioning.instance import NONE

PARTS = len(KINDS)
LEAST = 1e-9  # of a scale


class Worlds:
    """W instances with equal numbers of slots, users and resources.

    Attributes
    ----------
    sizes
        Options of each part of the reward.
    options, resources
        How many there are in all.
    part : array, shape (options,)
        Of the reward.
    needs : array of bool, shape (options, resources)
        What an option takes.
    reward : array, shape (W, slots, users, options)
        In units.
    scale : array, shape (W, parts)
        The largest reward of each part.
    linked : array of bool, shape (W, slots, users, options)
        Whether a pair covers the user; caches and servers always do.
    capacity : array, shape (W, resources)
    """

    def __init__(self, instances: Sequence[Provisioning]) -> None:
        self.instances = list(instances)
        first = self.instances[0]
        self.slots, self.users = first.slots, first.users
        leo, geo, caches, servers = self.counts = tuple(len(capacity) for capacity in first.capacities)
        self.sizes = leo * geo, caches, servers
        self.options, self.resources = sum(self.sizes), sum(self.counts)
        self.part = np.repeat(np.arange(PARTS), self.sizes)
        self.needs = self._needs()
        shape = len(self.instances), self.slots, self.users
        tables = [rewards(instance) for instance in self.instances]
        by_part = [
            np.stack([table[part] for table in tables]).reshape(*shape, size) for part, size in enumerate(self.sizes)
        ]
        self.reward: FloatArray = np.concatenate(by_part, -1)
        self.scale = np.maximum(np.stack([part.max((1, 2, 3), initial=0.0) for part in by_part], -1), LEAST)
        covered = np.stack([instance.covered > 0 for instance in self.instances])
        others = np.ones((*shape, caches + servers), bool)
        self.linked: BoolArray = np.concatenate([np.repeat(covered, geo, -1), others], -1)
        self.capacity: IntArray = np.stack([np.concatenate(instance.capacities) for instance in self.instances])

    def _needs(self) -> BoolArray:
        """What options take of resources."""
        leo, geo, caches, servers = self.counts
        found = np.zeros((self.options, self.resources), bool)
        pair, cache, server = np.arange(leo * geo), np.arange(caches), np.arange(servers)
        found[pair, pair // max(geo, 1)] = True
        found[pair, leo + pair % max(geo, 1)] = True
        found[leo * geo + cache, leo + geo + cache] = True
        found[leo * geo + caches + server, leo + geo + caches + server] = True
        return found

    @property
    def value(self) -> FloatArray:
        """Rewards over the largest of their part, shape (W, slots, users, options)."""
        return np.asarray(self.reward / self.scale[:, self.part][:, None, None])

    def choice(self, taken: IntArray) -> IntArray:
        """Options as a decision has them.

        Parameters
        ----------
        taken : array, shape (..., parts)
            Number of an option within its part, -1 for none.

        Returns
        -------
        array, shape (..., 4)
        """
        geo = max(self.counts[1], 1)
        pair = taken[..., 0]
        leo, relay = np.where(pair >= 0, pair // geo, NONE), np.where(pair >= 0, pair % geo, NONE)
        return np.stack([leo, relay, taken[..., 1], taken[..., 2]], -1)
