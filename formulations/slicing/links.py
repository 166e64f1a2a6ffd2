"""What models choose from: links between users and the places of nodes, with powers within intervals.

A model that takes powers from intervals credits a link with its SINR at the top of its own interval and at the bottom
of those of the links that it hears, and charges budgets with the bottom. So its optimum bounds that of continuous
powers; where the intervals are points it is the optimum over these powers.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.slicing import Service, Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS
from .values import (
    TOLERANCE,
    Served,
    bits_of,
    covered,
    delay_s,
    rate_bps,
    served_distances_m,
    sinr,
    uav_distances_m,
)

ENDS = (0.0, 1e-4, 1e-3, 1e-2, 0.1, 0.3, 1.0)  # of intervals of power over the budget


class Intervals(NamedTuple):
    """Of power over a node's budget.

    Attributes
    ----------
    low, high : array, shape (levels,)
    """

    low: FloatArray
    high: FloatArray

    @classmethod
    def all(cls) -> "Intervals":
        """Between `ENDS`: any power is within one of them."""
        return cls(np.array(ENDS[:-1]), np.array(ENDS[1:]))

    @classmethod
    def only(cls, shares: Iterable[float]) -> "Intervals":
        """Some powers alone."""
        own = np.array(list(shares))
        return cls(own, own)

    def holding(self, share: float) -> int:
        """The interval that a power is in, or that it is nearest to."""
        away = np.maximum(self.low - share, share - self.high)
        return int(away.argmin())


class Sites(NamedTuple):
    """Where a layer's nodes can be, a row a node and place.

    Attributes
    ----------
    node, candidate : array, shape (sites,)
        The candidate is -1 where there is no choice.
    snr : array, shape (subcarriers, users, sites)
        At all of the budget.
    distance_m : array, shape (users, sites)
    """

    node: IntArray
    candidate: IntArray
    snr: FloatArray
    distance_m: FloatArray

    @classmethod
    def of(cls, instance: Slicing) -> list["Sites"]:
        """Those of all layers."""
        users, size = len(instance.slices), instance.subcarriers
        stations, uavs, satellites = instance.nodes
        flat = instance.users.position[:, None] - instance.stations.position.reshape(-1, 2)
        candidates = np.arange(len(instance.uavs.candidates))
        away = uav_distances_m(instance, candidates)
        loss = instance.uavs.reference_gain * away**-instance.uavs.path_loss_exponent
        fading = instance.uavs.fading.reshape(users, uavs, 1, size)
        gain = (
            instance.stations.gain.reshape(users, stations, size),
            (fading * loss[:, None, :, None]).reshape(users, uavs * len(candidates), size),
            instance.satellites.gain.reshape(users, satellites, size),
        )
        uav, place = (own.ravel() for own in np.meshgrid(np.arange(uavs), candidates, indexing="ij"))
        node = np.arange(stations), uav, np.arange(satellites)
        candidate = np.full(stations, -1), place, np.full(satellites, -1)
        distance = (
            np.sqrt((flat**2).sum(-1)),
            away[:, place],
            np.full((users, satellites), instance.satellites.altitude_m),
        )
        scale = [budget[own] / instance.noise_w for budget, own in zip(instance.budgets_w, node, strict=True)]
        snr = [np.moveaxis(one * own[:, None], 2, 0) for one, own in zip(gain, scale, strict=True)]
        return [cls(*own) for own in zip(node, candidate, snr, distance, strict=True)]


def worths(instance: Slicing, user: IntArray, distance_m: FloatArray, ratio: FloatArray) -> FloatArray:
    """By how much users raise the objective over not being served, at some SINRs; the shape of what is given."""
    kind = np.array(instance.slices, "U1")[user]
    count = {letter: max(1, instance.slices.count(letter)) for letter in "LC"}
    weights, cap = instance.weights, instance.delay_cap_s
    rate = rate_bps(instance, ratio)
    saved = cap - delay_s(instance, rate, distance_m, bits_of(instance)[user])
    high = weights.throughput * rate / instance.throughput_ref_bps
    low = weights.delay * saved / (cap * count["L"])
    reached = weights.coverage * covered(instance, ratio) / count["C"]
    return np.asarray(np.where(kind == "H", high, np.where(kind == "L", low, reached)))


def won(instance: Slicing, decision: SlicingDecision) -> FloatArray:
    """By how much every user raises the objective over that of nobody served, shape (users,)."""
    served, candidate = Served.of(decision), decision.uav_candidate
    away, ratio = served_distances_m(instance, candidate, served), sinr(instance, candidate, served)
    found = np.zeros(len(instance.slices))
    found[served.user] = worths(instance, served.user, away, ratio)
    return found


def nobody(instance: Slicing) -> float:
    """The objective when nobody is served."""
    return -instance.weights.delay if "L" in instance.slices else 0.0


class Link(NamedTuple):
    """A user's link, with its power within an interval of shares of the budget."""

    user: int
    layer: int
    node: int
    subcarrier: int
    low: float
    high: float


def decided(instance: Slicing, candidate: IntArray, links: Iterable[Link]) -> SlicingDecision:
    """Links with powers within their intervals, all of a node equally far up, as far as its budget goes."""
    own = list(links)
    serve: list[Service | None] = [None] * len(instance.slices)
    low, wide = ([np.zeros(nodes) for nodes in instance.nodes] for _ in range(2))
    for link in own:
        low[link.layer][link.node] += link.low
        wide[link.layer][link.node] += link.high - link.low
    for link in own:
        room = max(0.0, 1.0 - low[link.layer][link.node])
        wider = wide[link.layer][link.node]
        up = 1.0 if wider <= room else room / wider
        power = (link.low + up * (link.high - link.low)) * instance.budgets_w[link.layer][link.node]
        serve[link.user] = Service(LAYERS[link.layer], link.node, link.subcarrier, float(power))
    return SlicingDecision(candidate, tuple(serve))


def too_near(instance: Slicing) -> BoolArray:
    """Which candidates are too near each other for two UAVs, shape (candidates, candidates)."""
    place, least = instance.uavs.candidates.reshape(-1, 2), instance.uav_min_distance_m
    apart = np.linalg.norm(place[:, None] - place, axis=2)
    return np.asarray(apart < least - TOLERANCE * max(1.0, least))
