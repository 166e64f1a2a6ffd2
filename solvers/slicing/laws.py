"""What a link is worth by its rate: for H users linear, for L users concave from where the delay falls below its cap.

Rates are ln(1 + SINR). Below its least rate an L user's worth goes on as a tangent, below zero; there it is better not
served at all, so nothing is lost, and every worth is concave.
"""

from typing import NamedTuple, TypeVar

import numpy as np
from scipy.constants import speed_of_light

from ...formulations.slicing.values import bits_of, distances_m
from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray
from ...instances.slicing import Slicing
from ...instances.slicing.instance import SLICES

HIGH, LOW, COVERED = range(3)  # kinds of users, by their place in `SLICES`
NEAREST = 1e-9  # least rate, and relative distance of the least rate to the arrivals'
LARGEST = 100.0  # a rate beyond all rates
HALVINGS = 80

Real = TypeVar("Real", float, FloatArray)  # of one user, or of many


class Laws(NamedTuple):
    """Of all users, and of their links where distances make a difference.

    Attributes
    ----------
    kind : array, shape (users,)
    worth : array, shape (users,)
        Of a unit of rate (H), of a second less (L), of being covered (C).
    sent, waiting, arriving : array, shape (users,)
        Delay times rate of what is sent (s), that of waiting times two rates (s), and the rate of arrivals.
    threshold
        SINR from which C users are covered.
    """

    kind: IntArray
    worth: FloatArray
    sent: FloatArray
    waiting: FloatArray
    arriving: FloatArray
    threshold: float

    @classmethod
    def of(cls, instance: Slicing) -> "Laws":
        """Those of an instance."""
        kind = np.array([SLICES.index(letter) for letter in instance.slices], np.int64)
        count = np.maximum(np.bincount(kind, minlength=3), 1)
        nat = np.log(2) / instance.subcarrier_hz  # rate of a bit/s
        weights = instance.weights
        worth = np.array(
            [
                weights.throughput / (nat * instance.throughput_ref_bps),
                weights.delay / (instance.delay_cap_s * count[LOW]),
                weights.coverage / count[COVERED],
            ]
        )
        arriving = np.full(len(kind), instance.arrival_bps * nat)
        waiting = arriving * instance.packet_bits * nat / 2
        return cls(kind, worth[kind], bits_of(instance) * nat, waiting, arriving, instance.sinr_threshold)


def spare_s(instance: Slicing, candidate: IntArray) -> tuple[FloatArray, ...]:
    """What propagation leaves of the delay cap (s), of each layer, shape (users, nodes)."""
    return tuple(instance.delay_cap_s - own / speed_of_light for own in distances_m(instance, candidate))


@compiled
def delay_less(rate: Real, spare: Real, sent: Real, waiting: Real, arriving: Real) -> Real:
    """By how much an L user's delay is below its cap (s); its rate is above the arrivals'."""
    return spare - sent / rate - waiting / (rate * (rate - arriving))


@compiled
def delay_slope(rate: Real, sent: Real, waiting: Real, arriving: Real) -> Real:
    """How fast that rises with the rate."""
    steady = rate - arriving
    return (sent + waiting * (rate + steady) / (steady * steady)) / (rate * rate)


@compiled
def delay_curvature(rate: float, sent: float, waiting: float, arriving: float) -> float:
    """How fast the slope rises with the rate; it falls."""
    steady = rate - arriving
    both = rate + steady
    waits = waiting * (1 / (steady * steady) - both / (steady * steady * steady)) * 2
    return waits / (rate * rate) - 2 * delay_slope(rate, sent, waiting, arriving) / rate


@compiled
def least_rate(spare: float, sent: float, waiting: float, arriving: float) -> float:
    """The rate at which an L user's delay reaches its cap; infinite where none is below."""
    low, high = arriving * (1 + NEAREST) + NEAREST, LARGEST
    if delay_less(high, spare, sent, waiting, arriving) <= 0:
        return np.inf
    if delay_less(low, spare, sent, waiting, arriving) >= 0:
        return low
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if delay_less(middle, spare, sent, waiting, arriving) < 0:
            low = middle
        else:
            high = middle
    return high
