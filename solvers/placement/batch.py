"""B placements at once: what every host costs, what is still free, and which hosts leave the rest a place.

Heuristics, environment and policies all build placements user by user on this; hosts are numbered as in a decision: 0
home, 1..J devices, J + 1 the cloud, together H = J + 2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.placement import Placement


@dataclass(frozen=True)
class Costs:
    """What B instances of one shape cost.

    Attributes
    ----------
    even
        Whether devices share evenly.
    fixed_s : array, shape (B, users, H)
        Delay that does not depend on the others (s): whole at home and in the cloud, transmission to devices; inf where
        impossible.
    load : array, shape (B, users)
        What a user adds to a device's load: mu D when `even`, else sqrt(mu D).
    speed_cps : array, shape (B, devices)
        Speed of devices (cycles/s), 1 where it is 0 (nobody can be there).
    places : array, shape (B, H)
        Users that a host takes; all at home.
    """

    even: bool
    fixed_s: FloatArray
    load: FloatArray
    speed_cps: FloatArray
    places: IntArray

    @classmethod
    def of(cls, instances: Sequence[Placement]) -> Self:
        """Stack instances of equal shape and sharing."""
        first = instances[0]
        if any((i.users, i.devices, i.share) != (first.users, first.devices, first.share) for i in instances):
            raise ValueError("instances of one batch have equal numbers of users and devices, and equal sharing")
        speed = np.stack([i.device_cps for i in instances])
        work = np.stack([i.work_cycles for i in instances])
        return cls(
            even=first.share == "even",
            fixed_s=np.stack([np.column_stack([i.local_s, i.transmit_s, i.cloud_s]) for i in instances]),
            load=work if first.share == "even" else np.sqrt(work),
            speed_cps=np.where(speed > 0, speed, 1.0),
            places=np.stack([np.array([i.users, *i.device_capacity, i.cloud_places]) for i in instances]),
        )

    def repeat(self, times: int) -> Self:
        """Every instance `times` times, one after the other."""
        arrays = (np.repeat(a, times, 0) for a in (self.fixed_s, self.load, self.speed_cps, self.places))
        return type(self)(self.even, *arrays)  # type: ignore[arg-type]

    @property
    def shape(self) -> tuple[int, int, int]:
        """B, users, H."""
        batch, users, hosts = self.fixed_s.shape
        return batch, users, hosts

    def compute_s(self, count: FloatArray, load: FloatArray) -> FloatArray:
        """Computing delay of devices that host `count` users of a total `load` (s)."""
        speed = self.speed_cps.reshape(self.speed_cps.shape[0], *(1,) * (count.ndim - 2), -1)
        return (count * load if self.even else load**2) / speed

    def total_s(self, host: IntArray) -> FloatArray:
        """Total delay of one placement an instance (s), shape (B,); `host` has shape (B, users)."""
        hosts = self.shape[2]
        member = host[:, :, None] == np.arange(1, hosts - 1)
        load = np.einsum("bij,bi->bj", member, self.load)
        fixed = np.take_along_axis(self.fixed_s, host[:, :, None], 2).sum((1, 2))
        return np.asarray(fixed + self.compute_s(member.sum(1).astype(float), load).sum(1))


class Partial:
    """B placements under construction.

    A complete placement of the users still to be placed is kept as a plan, so that a host is offered exactly where the
    others still find a place (Hall's condition, kept by augmenting paths over the H hosts).

    Attributes
    ----------
    host : array, shape (B, users)
        Host of each placed user, -1 where not yet placed.
    count, load : array, shape (B, devices)
        Users and total load of each device.
    feasible : array, shape (B,)
        Whether there is any complete placement.
    """

    def __init__(self, costs: Costs) -> None:
        batch, users, hosts = costs.shape
        self.costs = costs
        self.possible: BoolArray = np.isfinite(costs.fixed_s)
        self.host = np.full((batch, users), -1)
        self.count = np.zeros((batch, hosts - 2))
        self.load = np.zeros((batch, hosts - 2))
        self.feasible: BoolArray = np.ones(batch, bool)
        self._rows = np.arange(batch)
        self._free = costs.places.copy()
        self._plan = np.full((batch, users), -1)
        # How many users still to be placed are planned on one host and could be on another.
        self._could_move = np.zeros((batch, hosts, hosts), np.int64)
        for user in range(users):
            self._seat(self._rows, np.full(batch, user), self.possible[:, user])

    def marginal_s(self) -> FloatArray:
        """What the total delay grows by when a user takes a host now (s), shape (B, users, H); inf where impossible."""
        growth = self.costs.fixed_s.copy()
        now = self.costs.compute_s(self.count, self.load)[:, None]
        then = self.costs.compute_s(self.count[:, None] + 1, self.load[:, None] + self.costs.load[:, :, None])
        growth[:, :, 1:-1] += then - now
        return growth

    def offered(self) -> BoolArray:
        """Hosts that a user can take so that all others still find a place, shape (B, users, H); none once placed."""
        reach = self._reach()
        freed = np.any(reach & (self._free > 0)[:, None], axis=2)
        own = np.take_along_axis(reach, np.maximum(self._plan, 0)[:, None], 2).transpose(0, 2, 1)
        offered: BoolArray = self.possible & (freed[:, None] | own) & (self.host < 0)[:, :, None]
        return offered

    def place(self, user: IntArray, host: IntArray, rows: IntArray | None = None) -> None:
        """Place one user an instance on an offered host; `rows` are the instances meant, all by default."""
        rows = self._rows if rows is None else rows
        if not len(rows):
            return
        planned = self._plan[rows, user]
        self._unplan(rows, user)
        full = (self._free[rows, host] == 0) & (planned != host)
        self._free[rows, host] -= 1
        self.host[rows, user] = host
        device = (host > 0) & (host < self.costs.shape[2] - 1)
        at = rows[device], host[device] - 1
        self.count[at] += 1
        self.load[at] += self.costs.load[rows[device], user[device]]
        if full.any():
            self._make_room(rows[full], host[full])

    def _unplan(self, rows: IntArray, user: IntArray) -> None:
        planned = self._plan[rows, user]
        self._plan[rows, user] = -1
        self._free[rows, planned] += 1
        self._could_move[rows, planned] -= self.possible[rows, user]

    def _settle(self, rows: IntArray, user: IntArray, host: IntArray) -> None:
        self._plan[rows, user] = host
        self._free[rows, host] -= 1
        self._could_move[rows, host] += self.possible[rows, user]

    def _make_room(self, rows: IntArray, host: IntArray) -> None:
        """Move one planned user off each overfull host, and seat it elsewhere."""
        batch = len(rows)
        nearest = self._distance_to_free(rows)
        # The planned user that is next to a free host moves first.
        candidates = self._plan[rows] == host[:, None]
        away = np.where(self.possible[rows], nearest[:, None], np.iinfo(np.int64).max)
        away[np.arange(batch), :, host] = np.iinfo(np.int64).max
        best = np.where(candidates, away.min(2), np.iinfo(np.int64).max)
        mover = best.argmin(1)
        self._unplan(rows, mover)
        self._seat(rows, mover, self.possible[rows, mover] & (np.arange(self.costs.shape[2]) != host[:, None]))

    def _seat(self, rows: IntArray, user: IntArray, hosts: BoolArray) -> None:
        """Plan a user on one of the given hosts, moving others along a shortest path where all are full."""
        nearest = np.where(hosts, self._distance_to_free(rows), np.iinfo(np.int64).max)
        host = nearest.argmin(1)
        found = nearest[np.arange(len(rows)), host] < np.iinfo(np.int64).max
        self.feasible[rows[~found]] = False
        rows, user, host = rows[found], user[found], host[found]
        full = self._free[rows, host] == 0
        self._settle(rows, user, host)
        if full.any():
            self._make_room(rows[full], host[full])

    def _distance_to_free(self, rows: IntArray) -> IntArray:
        """Moves of planned users after which a host has a free place, shape (len(rows), H); the largest int: never."""
        never = np.iinfo(np.int64).max
        distance = np.where(self._free[rows] > 0, 0, never)
        edge = self._could_move[rows] > 0
        for step in range(1, self.costs.shape[2]):
            reached = (distance == never) & (edge & (distance == step - 1)[:, None]).any(2)
            if not reached.any():
                break
            distance[reached] = step
        return distance

    def _reach(self) -> BoolArray:
        """Whether moving planned users can pass a free place from one host to another, shape (B, H, H)."""
        hosts = self.costs.shape[2]
        reach = (self._could_move > 0) | np.eye(hosts, dtype=bool)
        freed = np.any(reach & (self._free > 0)[:, None], axis=2)
        stuck = np.flatnonzero(~freed.all(1))
        for _ in range(max(hosts - 1, 1).bit_length() if len(stuck) else 0):
            part = reach[stuck].astype(np.float32)
            reach[stuck] = part @ part > 0
        return reach
