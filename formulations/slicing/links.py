"""Where nodes can be, how well users hear them there, and what users are worth."""

from typing import NamedTuple

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.slicing import Slicing, SlicingDecision
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


def too_near(instance: Slicing) -> BoolArray:
    """Which candidates are too near each other for two UAVs, shape (candidates, candidates)."""
    place, least = instance.uavs.candidates.reshape(-1, 2), instance.uav_min_distance_m
    apart = np.linalg.norm(place[:, None] - place, axis=2)
    return np.asarray(apart < least - TOLERANCE * max(1.0, least))
