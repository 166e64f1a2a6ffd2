"""A pool of instances of one shape as arrays: what options earn by what is known, and who else wants them.

An option is a pair of LEO satellite and GEO relay, a cache or a server, numbered in that order; a resource is one of
those alone.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...formulations.provisioning.rewards import KINDS, rewards
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.provisioning import Provisioning
from ...instances.provisioning.instance import NONE

PARTS = len(KINDS)
LEAST = 1e-9  # of a scale


@dataclass(frozen=True)
class Layout:
    """What there is to take where there are so many LEO satellites, GEO relays, caches and servers."""

    counts: tuple[int, int, int, int]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Options of each part of the reward."""
        leo, geo, caches, servers = self.counts
        return leo * geo, caches, servers

    @property
    def options(self) -> int:
        """Options of all parts."""
        return sum(self.sizes)

    @property
    def resources(self) -> int:
        """Resources of all kinds."""
        return sum(self.counts)

    @property
    def features(self) -> int:
        """Size of an observation, see `ProvisioningEnvironment.observe`."""
        return 3 * self.options + 2 * self.resources + 1

    @functools.cached_property
    def part(self) -> IntArray:
        """Part of the reward of each option, shape (options,)."""
        return np.repeat(np.arange(PARTS), self.sizes)

    @functools.cached_property
    def takes(self) -> IntArray:
        """The two resources that an option takes, twice the same where it is one, shape (options, 2)."""
        leo, geo, caches, servers = self.counts
        pair, single = np.arange(leo * geo), leo + geo + np.arange(caches + servers)
        pairs = np.stack([pair // max(geo, 1), leo + pair % max(geo, 1)], 1)
        return np.concatenate([pairs, np.stack([single, single], 1)])

    @functools.cached_property
    def needs(self) -> BoolArray:
        """What an option takes, shape (options, resources)."""
        found = np.zeros((self.options, self.resources), bool)
        np.put_along_axis(found, self.takes, values=True, axis=1)
        return found


class Worlds:
    """W instances with equal numbers of slots, users and resources.

    Attributes
    ----------
    layout
        Their options and resources.
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
        leo, geo, caches, servers = (len(capacity) for capacity in first.capacities)
        self.layout = Layout((leo, geo, caches, servers))
        shape = len(self.instances), self.slots, self.users
        tables = [rewards(instance) for instance in self.instances]
        by_part = [
            np.stack([table[part] for table in tables]).reshape(*shape, size)
            for part, size in enumerate(self.layout.sizes)
        ]
        self.reward: FloatArray = np.concatenate(by_part, -1)
        self.scale = np.maximum(np.stack([part.max((1, 2, 3), initial=0.0) for part in by_part], -1), LEAST)
        covered = np.stack([instance.covered > 0 for instance in self.instances])
        others = np.ones((*shape, caches + servers), bool)
        self.linked: BoolArray = np.concatenate([np.repeat(covered, geo, -1), others], -1)
        self.capacity: IntArray = np.stack([np.concatenate(instance.capacities) for instance in self.instances])

    @property
    def value(self) -> FloatArray:
        """Rewards over the largest of their part, shape (W, slots, users, options)."""
        return np.asarray(self.reward / self.scale[:, self.layout.part][:, None, None])

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
        geo = max(self.layout.counts[1], 1)
        pair = taken[..., 0]
        leo, relay = np.where(pair >= 0, pair // geo, NONE), np.where(pair >= 0, pair % geo, NONE)
        return np.stack([leo, relay, taken[..., 1], taken[..., 2]], -1)
