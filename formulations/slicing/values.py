"""What services are worth: gains, SINR, rates, delays, and the three objectives."""

from typing import NamedTuple

import numpy as np
from scipy.constants import speed_of_light

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS

TOLERANCE = 1e-9  # relative: of the threshold, of budgets and of distances


class Served(NamedTuple):
    """Services as arrays, one entry a served user.

    Attributes
    ----------
    user, layer, node, subcarrier : array, shape (services,)
        The layer by its number in `LAYERS`.
    power_w : array, shape (services,)
    """

    user: IntArray
    layer: IntArray
    node: IntArray
    subcarrier: IntArray
    power_w: FloatArray

    @classmethod
    def of(cls, decision: SlicingDecision) -> "Served":
        """The services of a decision."""
        rows = [
            (k, LAYERS.index(one.layer), one.node, one.subcarrier)
            for k, one in enumerate(decision.serve)
            if one is not None
        ]
        power = [one.power_w for one in decision.serve if one is not None]
        user, layer, node, subcarrier = np.array(rows, np.int64).reshape(-1, 4).T
        return cls(user, layer, node, subcarrier, np.array(power, float))


def gains(instance: Slicing, candidate: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Power gains of the layers, each of shape (users, nodes, subcarriers).

    Parameters
    ----------
    candidate : array, shape (uavs,)
        Where UAVs stand.
    """
    users, size = len(instance.slices), instance.subcarriers
    stations, uavs, satellites = instance.nodes
    loss: FloatArray = uav_distances_m(instance, candidate)[..., None] ** -instance.uavs.path_loss_exponent
    fading = instance.uavs.fading.reshape(users, uavs, size)
    return (
        instance.stations.gain.reshape(users, stations, size),
        instance.uavs.reference_gain * loss * fading,
        instance.satellites.gain.reshape(users, satellites, size),
    )


def uav_distances_m(instance: Slicing, candidate: IntArray) -> FloatArray:
    """Distances in space from users to UAVs that stand on candidates (m), shape (users, uavs)."""
    flat = instance.users.position[:, None] - instance.uavs.candidates.reshape(-1, 2)[candidate]
    return np.asarray(np.sqrt((flat**2).sum(-1) + instance.uavs.altitude_m**2))


def distances_m(instance: Slicing, candidate: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distances that delays reckon with (m), each of shape (users, nodes): on the ground, in space, the altitude."""
    flat = instance.users.position[:, None] - instance.stations.position.reshape(-1, 2)
    altitude = np.full((len(instance.slices), instance.nodes[2]), instance.satellites.altitude_m)
    return np.sqrt((flat**2).sum(-1)), uav_distances_m(instance, candidate), altitude


def served_distances_m(instance: Slicing, candidate: IntArray, served: Served) -> FloatArray:
    """Of every service: the distance that its delay reckons with (m), shape (services,)."""
    distance = np.concatenate([own.ravel() for own in distances_m(instance, candidate)])
    first = np.cumsum([0, *(len(instance.slices) * nodes for nodes in instance.nodes)])[served.layer]
    nodes = np.array(instance.nodes)[served.layer]
    return np.asarray(distance[first + served.user * nodes + served.node])


def sinr(instance: Slicing, candidate: IntArray, served: Served) -> FloatArray:
    """Of every service: its power over noise and what others of its layer send on its subcarrier, shape (services,)."""
    found = np.zeros(len(served.user))
    for layer, gain in enumerate(gains(instance, candidate)):
        own = np.flatnonzero(served.layer == layer)
        user, node, subcarrier, power = (
            part[own] for part in (served.user, served.node, served.subcarrier, served.power_w)
        )
        # heard[a, b]: what the user of service a hears of service b
        heard = gain[user[:, None], node, subcarrier[:, None]] * power
        heard[subcarrier[:, None] != subcarrier] = 0.0
        signal = heard.diagonal().copy()
        np.fill_diagonal(heard, 0.0)
        found[own] = signal / (instance.noise_w + heard.sum(1))
    return found


def rate_bps(instance: Slicing, ratio: FloatArray) -> FloatArray:
    """Rate at a SINR (bit/s)."""
    return np.asarray(instance.subcarrier_hz * np.log2(1 + ratio))


def delay_s(instance: Slicing, rate: FloatArray, distance_m: FloatArray, slot_bits: FloatArray) -> FloatArray:
    """Delay of L users: propagation, transmission, and waiting in an M/D/1 queue (s); the cap where it is longer.

    Paper, equations 20 and 21, with the misprint of the latter mended.
    """
    mu, packets = rate / instance.packet_bits, instance.arrival_bps / instance.packet_bits
    steady = mu > packets
    rate, mu = np.where(steady, rate, 1.0), np.where(steady, mu, packets + 1)
    sending = slot_bits / rate
    waiting = packets / (2 * (mu**2 - packets * mu))
    return np.where(
        steady, np.minimum(distance_m / speed_of_light + sending + waiting, instance.delay_cap_s), instance.delay_cap_s
    )


def covered(instance: Slicing, ratio: FloatArray) -> BoolArray:
    """Whether a SINR covers a C user."""
    return np.asarray(ratio >= instance.sinr_threshold * (1 - TOLERANCE))


class Objectives(NamedTuple):
    """R_H (bit/s), D_L (s), P_C."""

    throughput_bps: float
    delay_s: float
    coverage: float


def objectives(instance: Slicing, candidate: IntArray, served: Served) -> Objectives:
    """The three objectives."""
    of = {letter: np.array([own == letter for own in instance.slices], bool) for letter in "HLC"}
    ratio = sinr(instance, candidate, served)
    rate = rate_bps(instance, ratio)
    delay = np.full(len(instance.slices), instance.delay_cap_s)
    away = served_distances_m(instance, candidate, served)
    delay[served.user] = delay_s(instance, rate, away, bits_of(instance)[served.user])
    reached = np.zeros(len(instance.slices), bool)
    reached[served.user] = covered(instance, ratio)
    return Objectives(
        float(rate[of["H"][served.user]].sum()),
        float(delay[of["L"]].mean()) if of["L"].any() else 0.0,
        float(reached[of["C"]].mean()) if of["C"].any() else 0.0,
    )


def bits_of(instance: Slicing) -> FloatArray:
    """What each user is sent in a slot (bits), shape (users,)."""
    return np.asarray(np.broadcast_to(instance.slot_bits, len(instance.slices)), float)


def weighed(instance: Slicing, found: Objectives) -> float:
    """The scalar objective."""
    weights = instance.weights
    return (
        weights.throughput * found.throughput_bps / instance.throughput_ref_bps
        - weights.delay * found.delay_s / instance.delay_cap_s
        + weights.coverage * found.coverage
    )
