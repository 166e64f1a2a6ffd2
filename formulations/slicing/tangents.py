"""Linear bounds of rates and delays, and the points at which they are exact.

A link's rate is ln(N + D) - ln N nats, with its signal D and what it hears, N, noise included, both over the noise and
linear in powers. The first logarithm is below its tangents; the second one is, between two values of N, above a
chord. What an L user's delay saves is concave in the rate, so tangents bound it, too. Sharper where points are added.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...instances.fields import FloatArray
from ...instances.slicing import Slicing
from .values import bits_of

Triple = tuple[int, int, int]  # user, layer, subcarrier
HALVINGS = 60
FARTHER = 4.0  # ratio of neighbouring points at the beginning
NEAREST = 1e-12  # relative, of points that are told apart
WASTED = 1e-9  # nats by which a rate may be overrated


class Points(NamedTuple):
    """Points at which bounds are exact.

    Attributes
    ----------
    totals, noises
        Values of N + D and of N, by user, layer and subcarrier.
    rates
        Rates (nats), by L user.
    floor
        An objective that some decision has: links with which none is better may be left out.
    """

    totals: Mapping[Triple, tuple[float, ...]]
    noises: Mapping[Triple, tuple[float, ...]]
    rates: Mapping[int, tuple[float, ...]]
    floor: float = -np.inf

    @classmethod
    def none(cls, floor: float = -np.inf) -> "Points":
        """No points beside those that every model has."""
        return cls({}, {}, {}, floor)

    def at(self, overrated: Mapping[Triple, tuple[float, float, bool]]) -> "Points | None":
        """Add points of links that are overrated; None where all of them are there.

        Parameters
        ----------
        overrated
            N, D and whether the user is an L user.
        """
        totals, noises, rates = dict(self.totals), dict(self.noises), dict(self.rates)
        for triple, (noise, signal, delayed) in overrated.items():
            totals[triple] = _with(totals.get(triple, ()), noise + signal)
            noises[triple] = _with(noises.get(triple, ()), noise)
            if delayed:
                rates[triple[0]] = _with(rates.get(triple[0], ()), float(np.log1p(signal / noise)))
        found = Points(totals, noises, rates, self.floor)
        return None if found == self else found


def _with(points: tuple[float, ...], point: float) -> tuple[float, ...]:
    """Return points with one more, unless it is there."""
    there = any(abs(point - other) <= NEAREST * abs(point) for other in points)
    return points if there else (*points, point)


def geometric(low: float, high: float) -> tuple[float, ...]:
    """Return points from `low` to `high` whose neighbours' ratio is at most `FARTHER`."""
    if high <= low * (1 + NEAREST):
        return (high,)
    count = 1 + int(np.ceil(np.log(high / low) / np.log(FARTHER)))
    return tuple(np.geomspace(low, high, count).tolist())


class Saved(NamedTuple):
    """What an L user's delay is below its cap by (s), as a function of the rate (nats), concave where it is not 0.

    Attributes
    ----------
    cap, sent, waiting, arriving
        Of ``cap - sent / rate - waiting / (rate (rate - arriving))``; propagation is left out.
    """

    cap: float
    sent: float
    waiting: float
    arriving: float

    @classmethod
    def of(cls, instance: Slicing, user: int) -> "Saved":
        """That of a user."""
        nat = float(np.log(2) / instance.subcarrier_hz)
        arriving = instance.arrival_bps * nat
        sent = float(bits_of(instance)[user]) * nat
        return cls(instance.delay_cap_s, sent, arriving * instance.packet_bits * nat / 2, arriving)

    def value(self, rate: float) -> float:
        """Return what is saved at a rate above `arriving`."""
        return self.cap - self.sent / rate - self.waiting / (rate * (rate - self.arriving))

    def slope(self, rate: float) -> float:
        """Return how fast that rises."""
        steady = rate - self.arriving
        return (self.sent + self.waiting * (rate + steady) / steady**2) / rate**2

    def least_rate(self, propagation: float, largest: float) -> float:
        """Return a rate below which nothing is saved, infinite where nothing is up to `largest`."""
        low, high = self.arriving * (1 + 1e-9) + 1e-12, largest
        if high <= low or self.value(high) <= propagation:
            return np.inf
        if self.value(low) >= propagation:
            return low
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.value(middle) < propagation else (low, middle)
        return low

    def points(self, largest: float) -> tuple[float, ...]:
        """Return rates for tangents to begin with, from the least one that saves anything to `largest`."""
        least = self.least_rate(0.0, largest)
        above = geometric(least - self.arriving, largest - self.arriving)
        return tuple(self.arriving + own for own in above)


def chords(ends: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return offset and slope of the chords of ln between neighbouring values, both of shape (values - 1,)."""
    low, high = ends[:-1], ends[1:]
    wide = high > low
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(wide, np.log(high / low) / np.where(wide, high - low, 1.0), 1 / low)
    return np.log(low) - slope * low, slope
