"""What agents ask for, and what users get: the paper's rounding, and the one rule that makes requests feasible.

An agent answers for the users of one slice at one layer: it has a number from 0 to 1 for every node and for every
subcarrier of each user, and one for its power. A user asks for the node of its highest number, if that rounds to 1,
and for the subcarrier of its highest number. Requests are met one after the other as long as the node has room:
H users first, then L, then C, as the paper's load balancing lets go of C users first, and within a slice by the node's
number; without the paper's priorities by that number alone. Where powers of a node exceed its budget, they all shrink
alike.
"""

from typing import NamedTuple

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.slicing.instance import SLICES, STATION, UAV
from .slots import NONE, Served, Slots

HALF = 0.5  # from where a number rounds to 1


class Requests(NamedTuple):
    """Of users in B slots.

    Attributes
    ----------
    node : array, shape (B, users)
        `NONE` where a user asks for none.
    subcarrier : array, shape (B, users)
    share : array, shape (B, users)
        Power over the budget.
    urgency : array, shape (B, users)
        By which requests of a slice are met, the largest first.
    """

    node: IntArray
    subcarrier: IntArray
    share: FloatArray
    urgency: FloatArray


class Layout:
    """How actions of the three agents of a layer are laid out.

    Attributes
    ----------
    nodes : array, shape (nodes,)
        Those of the layer.
    uavs
        UAVs whose places are part of the action.
    size
        Length of an action: numbers of the slice's users for nodes, subcarriers and power, then the UAVs' places.

    Parameters
    ----------
    most
        Users of a slice that there is room for.
    """

    def __init__(self, slots: Slots, most: int, *, sky: bool) -> None:
        self.nodes = np.flatnonzero((slots.layer != STATION) == sky)
        self.uavs = int((slots.layer == UAV).sum()) if sky else 0
        self._subcarriers = slots.first.subcarriers
        self.members = [np.flatnonzero(slots.kind == kind) for kind in range(len(SLICES))]
        self._most = most
        self.size = self._most * (len(self.nodes) + self._subcarriers + 1) + 2 * self.uavs

    def used(self, kind: int, length: int) -> BoolArray:
        """Which parts of an action of a slice's agent, of some length, have a use."""
        users = np.arange(self._most) < len(self.members[kind])
        counts = len(self.nodes), self._subcarriers, 1
        parts = [np.repeat(users, count) for count in counts] + [np.ones(2 * self.uavs, bool)]
        return np.concatenate([*parts, np.zeros(length - self.size, bool)])

    def requests(self, action: FloatArray, users: int) -> Requests:
        """Round actions, shape (B, slices, at least `size`)."""
        batch = len(action)
        node, subcarrier = np.full((batch, users), NONE), np.zeros((batch, users), np.int64)
        share, urgency = np.zeros((batch, users)), np.zeros((batch, users))
        counts = np.array([len(self.nodes), self._subcarriers, 1])
        for kind, own in enumerate(self.members) if counts.all() else ():
            ends = np.cumsum(counts * self._most)
            parts = zip(np.split(action[:, kind, : ends[-1]], ends[:-1], 1), counts, strict=True)
            of_node, of_subcarrier, power = (
                part.reshape(batch, self._most, count)[:, : len(own)] for part, count in parts
            )
            best = of_node.max(2)
            node[:, own] = np.where(best >= HALF, self.nodes[of_node.argmax(2)], NONE)
            subcarrier[:, own], urgency[:, own] = of_subcarrier.argmax(2), best
            share[:, own] = power[..., 0]
        return Requests(node, subcarrier, share, urgency)

    def wanted(self, action: FloatArray) -> FloatArray:
        """Where the agents want UAVs, in the mean, shape (B, uavs, 2), from 0 to 1 on each axis."""
        mean = action[:, :, self.size - 2 * self.uavs : self.size].mean(1)
        return np.asarray(mean.reshape(len(action), self.uavs, 2))


class Room:
    """What is left of the nodes of B slots.

    Attributes
    ----------
    node, subcarrier, share : array, shape (B, users)
        What users have got.
    """

    def __init__(self, slots: Slots, batch: int, *, priority: bool) -> None:
        self._slots, self._priority = slots, priority
        first = slots.first
        shape = batch, slots.users
        self.node, self.subcarrier = np.full(shape, NONE), np.zeros(shape, np.int64)
        self.share = np.zeros(shape)
        capacity = np.where(slots.layer == STATION, first.station_capacity, slots.users)
        self._places = np.tile(capacity, (batch, 1))
        self._taken: BoolArray = np.zeros((batch, slots.nodes, first.subcarriers), bool)

    def meet(self, asked: Requests) -> None:
        """Meet requests of users who have nothing yet; O(users) steps for all slots at once."""
        rows = np.arange(len(self.node))
        before = self._slots.kind if self._priority else np.zeros_like(self._slots.kind)
        order = np.lexsort((-asked.urgency, np.broadcast_to(before, asked.node.shape)), 1)
        reuse = self._slots.first.intra_cell_reuse
        for k in order.T if self._taken.size else ():
            node, subcarrier = asked.node[rows, k], asked.subcarrier[rows, k]
            can = (node != NONE) & (self.node[rows, k] == NONE) & (self._places[rows, node] > 0)
            can &= reuse | ~self._taken[rows, node, subcarrier]
            b, u, j, n = rows[can], k[can], node[can], subcarrier[can]
            self.node[b, u], self.subcarrier[b, u], self.share[b, u] = j, n, asked.share[b, u]
            self._places[b, j] -= 1
            self._taken[b, j, n] = True

    def served(self, candidate: IntArray) -> Served:
        """What users have got, with powers within the budgets."""
        sent = np.zeros(self._places.shape)
        b, k = np.nonzero(self.node != NONE)
        j = self.node[b, k]
        np.add.at(sent, (b, j), self.share[b, k])
        share = np.zeros(self.share.shape)
        share[b, k] = self.share[b, k] / np.maximum(sent, 1.0)[b, j]
        return Served(candidate, self.node, self.subcarrier, share)
