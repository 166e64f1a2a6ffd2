"""The dynamics of provisioning for learning: in every slot users decide in turn, each on a pair, a cache and a server.

States are exogenous, so all that an action changes is what is left of the slot's capacities.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.provisioning.instance import NONE
from ..environment import Float32Array
from .worlds import PARTS, Worlds

STATE = ("world", "slot", "user", "left", "taken")


class ProvisioningEnvironment:
    """B trajectories whose users decide in turn, slot by slot.

    An action has three parts: 0 for nothing, or 1 and more for a pair, a cache, a server. The reward is what the
    action earns, in units, so that a trajectory's return is the referee's objective.

    Attributes
    ----------
    pool
        The instances.
    layout
        Their options and resources.
    worlds
        Number of them.
    world, slot, user : array, shape (B,)
        Where each trajectory is.
    left : array, shape (B, resources)
        What is left of the slot's capacities.
    taken : array, shape (B, slots, users, parts)
        Options so far, -1 for none.
    earned : array, shape (B, parts)
        What the last action earned (units).
    """

    def __init__(self, pool: Worlds) -> None:
        self.pool = pool
        self.worlds, self.layout = len(pool.instances), pool.layout
        self.actions = pool.layout.options + PARTS
        self.features = pool.layout.features
        self.reset(np.zeros(1, np.int64))

    def reset(self, world: IntArray) -> None:
        """Begin a trajectory in each of the given worlds, shape (B,)."""
        self.world = np.asarray(world, np.int64).copy()
        self.slot, self.user = np.zeros_like(self.world), np.zeros_like(self.world)
        self.left = self.pool.capacity[self.world].copy()
        self.taken = np.full((len(self.world), self.pool.slots, self.pool.users, PARTS), NONE)
        self.earned = np.zeros((len(self.world), PARTS))

    def begin(self, which: IntArray, world: IntArray) -> None:
        """Begin new trajectories in some of the B environments."""
        self.world[which], self.slot[which], self.user[which] = world, 0, 0
        self.left[which], self.taken[which] = self.pool.capacity[world], NONE

    @property
    def over(self) -> BoolArray:
        """Whether the trajectory is over, shape (B,)."""
        return np.asarray(self.slot >= self.pool.slots)

    @property
    def ends_slot(self) -> BoolArray:
        """Whether the user in turn is the slot's last, shape (B,)."""
        return np.asarray(self.user == self.pool.users - 1)

    @property
    def _at(self) -> tuple[IntArray, IntArray, IntArray]:
        """World, slot and user in turn; the last ones after a trajectory."""
        return self.world, np.minimum(self.slot, self.pool.slots - 1), self.user

    @property
    def free(self) -> BoolArray:
        """Options that are linked and have room, shape (B, options)."""
        full = (self.left <= 0) @ self.layout.needs.T
        return np.asarray(self.pool.linked[self._at] & ~full)

    @property
    def mask(self) -> BoolArray:
        """Which actions are possible, all parts one after the other, shape (B, actions)."""
        free = np.split(self.free, np.cumsum(self.layout.sizes)[:-1], 1)
        nothing = np.ones((len(self.world), 1), bool)
        return np.concatenate([column for own in free for column in (nothing, own)], 1)

    def observe(self) -> Float32Array:
        """What the user in turn sees, shape (B, features), all in [-1, 1].

        Rewards of its options over the largest of their part (-1 where not free), whether they are free, what later
        users of the slot could earn by each on average; what is left of each resource as a share of its capacity and
        as a share of the later users who want it most; the share of users still to come.
        """
        pool, at = self.pool, self._at
        free = self.free
        own = np.where(free, np.clip(self._value[at], -1, 1), -1.0)
        world, slot, user = at
        later = pool.users - 1 - user[:, None]
        worth = self._worth_later[world, slot, user] / np.maximum(later, 1)
        wanted = self._wanted_later[world, slot, user]
        left = self.left / np.maximum(pool.capacity[world], 1)
        scarce = wanted / np.maximum(wanted + self.left, 1)
        columns = (own, free, worth, left, scarce, later / pool.users)
        return np.concatenate(columns, 1).astype(np.float32)

    @functools.cached_property
    def _value(self) -> FloatArray:
        return self.pool.value

    @functools.cached_property
    def _worth_later(self) -> FloatArray:
        """Positive values of the users after each, added up, shape (W, slots, users, options)."""
        return _after(np.where(self.pool.linked, np.maximum(self._value, 0.0), 0.0))

    @functools.cached_property
    def _wanted_later(self) -> FloatArray:
        """How many users after each want a resource for their best option, shape (W, slots, users, resources)."""
        value = np.where(self.pool.linked, self._value, -1.0)
        wants = np.zeros(value.shape)
        for part in range(PARTS):
            own = np.flatnonzero(self.layout.part == part)
            if own.size:
                best = own[value[..., own].argmax(-1)][..., None]
                pays = np.take_along_axis(value, best, -1) > 0
                np.put_along_axis(wants, best, pays.astype(float), -1)
        return _after(wants @ self.layout.needs)

    def step(self, action: IntArray) -> FloatArray:
        """Take an action in each environment, shape (B, parts); the rewards (units), shape (B,).

        Parts that are impossible are nothing; after a trajectory nothing happens.
        """
        rows = np.arange(len(self.world))
        going, free, reward = ~self.over, self.free, self.pool.reward[self._at]
        self.earned = np.zeros((len(rows), PARTS))
        for part, (size, first) in enumerate(zip(self.layout.sizes, np.cumsum([0, *self.layout.sizes]), strict=False)):
            number = action[:, part] - 1
            takes = going & (number >= 0) & (number < size)
            option = first + np.where(takes, number, 0)
            takes &= free[rows, np.minimum(option, self.layout.options - 1)] if self.layout.options else False
            b = rows[takes]
            self.earned[b, part] = reward[b, option[b]]
            self.left[b] -= self.layout.needs[option[b]]
            self.taken[b, self.slot[b], self.user[b], part] = number[b]
        self._go_on(going)
        return np.asarray(self.earned.sum(1))

    def _go_on(self, going: BoolArray) -> None:
        """The next user, or the next slot with all of its capacities."""
        ends = going & self.ends_slot
        self.user = np.where(going, np.where(ends, 0, self.user + 1), self.user)
        self.slot = self.slot + ends
        self.left[ends] = self.pool.capacity[self.world[ends]]

    def state(self) -> dict[str, Any]:
        """Where the trajectories are, as plain values."""
        return {name: getattr(self, name).tolist() for name in STATE}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        for name in STATE:
            setattr(self, name, np.array(state[name], np.int64))

    def choice(self) -> IntArray:
        """What has been taken, as decisions have it, shape (B, slots, users, 4)."""
        return self.pool.choice(self.taken)


def _after(values: FloatArray) -> FloatArray:
    """Sums over the users after each; users are on the third axis."""
    return np.asarray(values[:, :, ::-1].cumsum(2)[:, :, ::-1] - values)
