"""Slots of one shape as arrays: SNRs of all links, and what services in many of them at once are worth.

Nodes are numbered through: stations, then UAVs, then satellites.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...formulations.slicing.links import too_near
from ...formulations.slicing.values import bits_of, covered, delay_s, rate_bps
from ...instances.errors import InputError
from ...instances.fields import FloatArray, IntArray
from ...instances.slicing import Service, Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS, SATELLITE, SLICES, UAV
from ...solvers.slicing.placements import placements

NONE = -1  # node and subcarrier of who is not served


class Served(NamedTuple):
    """Services in B slots.

    Attributes
    ----------
    candidate : array, shape (B, uavs)
        Where UAVs stand.
    node, subcarrier : array, shape (B, users)
        `NONE` for who is not served.
    share : array, shape (B, users)
        Power over the node's budget.
    """

    candidate: IntArray
    node: IntArray
    subcarrier: IntArray
    share: FloatArray


class Slots:
    """I slots that differ in nothing but places, fading and what is sent.

    Attributes
    ----------
    instances
        The slots; the first one has what they share.
    kind : array, shape (users,)
        Slices, by their place in `SLICES`.
    layer : array, shape (nodes,)
        Of each node.
    position : array, shape (I, users, 2)
        (m).
    bits : array, shape (I, users)
        What is sent in a slot (bits).

    Raises
    ------
    InputError
        When UAVs cannot stand anywhere.
    """

    def __init__(self, instances: Sequence[Slicing]) -> None:
        self.instances = list(instances)
        first = self.first = self.instances[0]
        self.kind = np.array([SLICES.index(letter) for letter in first.slices], np.int64)
        self.layer = np.repeat(np.arange(len(LAYERS)), first.nodes)
        self.position = np.stack([own.users.position.reshape(-1, 2) for own in self.instances])
        self.bits = np.stack([bits_of(own) for own in self.instances])
        arrays = (
            [own.stations.gain for own in self.instances],
            [own.uavs.fading for own in self.instances],
            [own.satellites.gain for own in self.instances],
        )
        self._ground, self._sky, self._space = (
            np.stack(own).reshape(len(self.instances), len(first.slices), len(budget), first.subcarriers)
            * (budget[:, None] / first.noise_w)
            for own, budget in zip(arrays, first.budgets_w, strict=True)
        )
        self._near, self._placements = too_near(first), placements(first)
        if not len(self._placements):
            raise InputError("leave no placement of the UAVs that keeps their distance", "uavs.candidates")

    @property
    def users(self) -> int:
        """Number of users."""
        return len(self.kind)

    @property
    def nodes(self) -> int:
        """Number of nodes of all layers."""
        return len(self.layer)

    def distance_m(self, slot: IntArray, candidate: IntArray) -> FloatArray:
        """What delays reckon with (m), shape (B, users, nodes): on the ground, in space, the altitude."""
        first, position = self.first, self.position[slot][:, :, None]
        ground = np.sqrt(((position - first.stations.position.reshape(1, 1, -1, 2)) ** 2).sum(-1))
        flat = ((position - first.uavs.candidates.reshape(-1, 2)[candidate][:, None]) ** 2).sum(-1)
        sky = np.sqrt(flat + first.uavs.altitude_m**2)
        space = np.full((*position.shape[:2], first.nodes[SATELLITE]), first.satellites.altitude_m)
        return np.concatenate([ground, sky, space], 2)

    def snr(self, slot: IntArray, candidate: IntArray) -> FloatArray:
        """Of all of a node's budget, shape (B, users, nodes, subcarriers)."""
        uavs = self.first.uavs
        away = self.distance_m(slot, candidate)[:, :, self.layer == UAV]
        loss = uavs.reference_gain * away**-uavs.path_loss_exponent
        return np.concatenate([self._ground[slot], self._sky[slot] * loss[..., None], self._space[slot]], 2)

    def snr_above(self, slot: IntArray) -> FloatArray:
        """The same with all UAVs above every user."""
        uavs = self.first.uavs
        loss = uavs.reference_gain * uavs.altitude_m**-uavs.path_loss_exponent
        return np.concatenate([self._ground[slot], self._sky[slot] * loss, self._space[slot]], 2)

    def sinr(self, slot: IntArray, served: Served) -> FloatArray:
        """Of every user, 0 for who is not served, shape (B, users)."""
        return sinr(self.snr(slot, served.candidate), served, self.layer)

    def parts(self, slot: IntArray, served: Served) -> FloatArray:
        """What users of each slice win by each layer, as the objective weighs it, shape (B, layers, slices).

        Their sum is the objective less that of nobody served.
        """
        worth = self.worth(slot, served)
        found = np.zeros((len(slot), len(LAYERS), len(SLICES)))
        layer = np.append(self.layer, NONE)[served.node]
        for own, kind in itertools.product(range(len(LAYERS)), range(len(SLICES))):
            found[:, own, kind] = np.where((layer == own) & (self.kind == kind), worth, 0.0).sum(1)
        return found

    def worth(self, slot: IntArray, served: Served) -> FloatArray:
        """By how much each user raises the objective over not being served, shape (B, users)."""
        first = self.first
        b, k = np.nonzero(served.node != NONE)
        away = self.distance_m(slot, served.candidate)[b, k, served.node[b, k]]
        ratio = self.sinr(slot, served)[b, k]
        rate = rate_bps(first, ratio)
        late = delay_s(first, rate, away, self.bits[slot][b, k])
        count = np.maximum(np.bincount(self.kind, minlength=len(SLICES)), 1)
        weights, cap = first.weights, first.delay_cap_s
        by_kind = (
            weights.throughput * rate / first.throughput_ref_bps,
            weights.delay * (cap - late) / (cap * count[1]),
            weights.coverage * covered(first, ratio) / count[2],
        )
        found = np.zeros(served.node.shape)
        found[b, k] = np.choose(self.kind[k], by_kind)
        return found

    def place_m(self, share: FloatArray) -> FloatArray:
        """Places within the candidates' range (m), of shares of it on each axis."""
        place = self.first.uavs.candidates.reshape(-1, 2)
        low, high = (place.min(0), place.max(0)) if len(place) else (np.zeros(2), np.zeros(2))
        return np.asarray(low + share * (high - low))

    def candidates(self, wanted: FloatArray) -> IntArray:
        """Where UAVs stand that are wanted somewhere, shape (B, uavs): on the nearest candidates.

        Where these are too near each other, in the placement with the least sum of squared distances.

        Parameters
        ----------
        wanted : array, shape (B, uavs, 2)
            (m).
        """
        place = self.first.uavs.candidates.reshape(-1, 2)
        away = ((wanted[:, :, None] - place) ** 2).sum(-1)
        found: IntArray = away.argmin(2) if len(place) else np.zeros(wanted.shape[:2], np.int64)
        pairs = itertools.combinations(range(found.shape[1]), 2)
        for b in np.flatnonzero(sum(self._near[found[:, v], found[:, w]] for v, w in pairs)):
            total = away[b, np.arange(found.shape[1]), self._placements].sum(1)
            found[b] = self._placements[total.argmin()]
        return found

    def decision(self, served: Served, row: int) -> SlicingDecision:
        """One of the slots' services as a decision."""
        serve: list[Service | None] = [None] * self.users
        budget = np.concatenate(self.first.budgets_w)
        begin = np.cumsum([0, *self.first.nodes])
        for k in np.flatnonzero(served.node[row] != NONE):
            j = int(served.node[row, k])
            layer = int(self.layer[j])
            power = float(served.share[row, k] * budget[j])
            serve[k] = Service(LAYERS[layer], j - int(begin[layer]), int(served.subcarrier[row, k]), power)
        return SlicingDecision(served.candidate[row], tuple(serve))


def sinr(snr: FloatArray, served: Served, layer: IntArray) -> FloatArray:
    """Of every user, 0 for who is not served, shape (B, users); O(B users nodes).

    Parameters
    ----------
    snr : array, shape (B, users, nodes, subcarriers)
        Of all of a node's budget.
    layer : array, shape (nodes,)
        Only nodes of one layer disturb each other.
    """
    b, k = np.nonzero(served.node != NONE)
    j, n, share = served.node[b, k], served.subcarrier[b, k], served.share[b, k]
    sent = np.zeros((len(snr), *snr.shape[2:]))
    np.add.at(sent, (b, j, n), share)
    others, own = sent[b, :, n], (np.arange(len(b)), j)
    others[own] -= share
    others[layer[j][:, None] != layer] = 0.0
    heard = snr[b, k, :, n]  # of all nodes, on a user's subcarrier
    found = np.zeros(served.node.shape)
    found[b, k] = heard[own] * share / (1 + (heard * np.maximum(others, 0.0)).sum(1))
    return found
