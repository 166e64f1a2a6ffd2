"""The part of placement's columns that does not depend on sharing.

What both ways of sharing have in common: the master's rows (every user once, the cloud's places), the columns of home
and cloud, their part of the dual function, and the way back from columns to hosts.
"""

from collections.abc import Sequence

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.placement import Placement, PlacementDecision
from ..column_generation import Solution
from ..master import Column, Rows


class PlacementColumns:
    """The part of the column formulation that does not depend on sharing.

    Attributes
    ----------
    fixed_s : array, shape (users, H)
        Delay that does not depend on the others (s); inf where impossible.
    alone_s : array, shape (users, devices)
        Computing delay with all of the device (s).
    most : array, shape (devices,)
        Users that a device can host.
    """

    def __init__(self, instance: Placement) -> None:
        self.users, self.devices = instance.users, instance.devices
        self.fixed_s = np.column_stack([instance.local_s, instance.transmit_s, instance.cloud_s])
        speed = np.where(instance.device_cps > 0, instance.device_cps, np.inf)
        self.alone_s = instance.work_cycles[:, None] / speed
        self.most = np.minimum(instance.device_capacity, self.users)
        self.cloud_places = instance.cloud_places

    def rows(self) -> Rows:
        """One row a user, then the cloud's places."""
        with np.errstate(invalid="ignore"):
            dearest = np.where(np.isfinite(self.fixed_s), self.fixed_s, 0.0)
        dearest[:, 1:-1] += self.most * self.alone_s
        penalty = 10 * float(dearest.max()) + 1
        lower, upper = np.append(np.ones(self.users), -np.inf), np.append(np.ones(self.users), self.cloud_places)
        return Rows(lower, upper, self.devices, penalty)

    def fixed_columns(self) -> list[Column]:
        """Home and cloud of every user."""
        one, two, cloud = np.ones(1), np.ones(2), self.devices + 1
        home = [
            Column(None, np.array([i]), one, self.fixed_s[i, 0], 0)
            for i in np.flatnonzero(np.isfinite(self.fixed_s[:, 0]))
        ]
        return home + [
            Column(None, np.array([i, self.users]), two, self.fixed_s[i, -1], cloud)
            for i in np.flatnonzero(np.isfinite(self.fixed_s[:, -1]))
        ]

    def column(self, device: int, users: IntArray, cost: float) -> Column:
        """The column of a device that hosts these users."""
        return Column(device, users, np.ones(len(users)), cost, device + 1)

    def apart(self, prices: FloatArray, home_s: FloatArray, cloud_s: FloatArray) -> tuple[float, FloatArray]:
        """The dual function without the devices, at the users' prices: its value and its supergradient.

        The cloud's price is optimised out: its places go to the users that gain most.
        """
        gradient = np.append(np.where(home_s < prices, 0.0, 1.0), 0.0)
        value = float(prices.sum() + np.minimum(0.0, home_s - prices).sum())
        if self.cloud_places:
            gain = np.minimum(0.0, cloud_s - prices)
            first = np.argpartition(gain, self.cloud_places - 1)[: self.cloud_places]
            value += float(gain[first].sum())
            gradient[first[gain[first] < 0]] -= 1
        return value, gradient

    def shares(self, pool: Sequence[Column], x: FloatArray) -> FloatArray:
        """How much of each user is on each host in the master's solution, shape (users, H)."""
        share = np.zeros((self.users, self.devices + 2))
        for k in np.flatnonzero(x > 1e-9).tolist():
            column = pool[k]
            share[column.rows[column.rows < self.users], column.kind] += x[k]
        return share

    def columns_of(self, host: IntArray) -> list[tuple[int, IntArray]]:
        """Devices in use and their users."""
        found = [(j, np.flatnonzero(host == j + 1)) for j in range(self.devices)]
        return [(j, users) for j, users in found if len(users)]


def solution(value: float, host: IntArray) -> Solution:
    """A placement and its delay (s)."""
    return Solution(float(value), PlacementDecision(host))


def without(columns: Sequence[Column], allowed: BoolArray) -> BoolArray:
    """Which columns keep to allowed hosts, shape (len(columns),); `allowed` has shape (users, H)."""
    users = len(allowed)
    sizes = [len(c.rows) for c in columns]
    rows, kinds = np.concatenate([c.rows for c in columns]), np.repeat([c.kind for c in columns], sizes)
    owner = np.repeat(np.arange(len(columns)), sizes)
    own = rows < users
    broken = ~allowed[rows[own], kinds[own]]
    good: BoolArray = np.bincount(owner[own], broken, minlength=len(columns)) == 0
    return good
