"""Numbers of links that the explicit models are made of: least powers, bounds of noise, and what powers truly give."""

import itertools
from collections.abc import Iterable, Mapping

import numpy as np
from scipy.constants import speed_of_light

from ...instances.fields import FloatArray
from ...instances.slicing import Slicing
from ..constraint_model import power_of_two
from .links import Sites, nobody, worths
from .tangents import WASTED, Points, Saved, Triple, geometric
from .values import TOLERANCE

Place = tuple[int, int, int, int]  # layer, site, user, subcarrier


def least_shares(instance: Slicing, sites: list[Sites], floor: float = -np.inf) -> dict[Place, float]:
    """Return the share of the budget below which a link is worth nothing, of every link that may be used.

    Parameters
    ----------
    floor
        Links are left out with which no decision has this objective, even if everybody else is served at its best.
    """
    alone = _alone(instance, sites)
    best = dict[int, float]()
    for (_, _, k, _), (worth, _) in alone.items():
        best[k] = max(best.get(k, 0.0), worth)
    most = nobody(instance) + sum(best.values())
    least = dict[Place, float]()
    for link, (worth, snr) in alone.items():
        if most - best[link[2]] + worth >= floor - TOLERANCE * abs(floor):
            least[link] = _least_sinr(instance, sites, link, snr) / max(snr, np.finfo(float).tiny)
    return least


def most_worth(instance: Slicing) -> float:
    """Return what all users are worth at most, each alone on its best link at all of the budget."""
    best = dict[int, float]()
    for (_, _, k, _), (worth, _) in _alone(instance, Sites.of(instance)).items():
        best[k] = max(best.get(k, 0.0), worth)
    return sum(best.values())


def _alone(instance: Slicing, sites: list[Sites]) -> dict[Place, tuple[float, float]]:
    """Return worth and SINR of links that are worth something alone, at all of the budget."""
    found = dict[Place, tuple[float, float]]()
    everybody = np.arange(len(instance.slices))
    for layer, own in enumerate(sites):
        for n, i in itertools.product(range(instance.subcarriers), range(len(own.node))):
            snr = own.snr[n, :, i]
            worth = worths(instance, everybody, own.distance_m[:, i], snr)
            for k in np.flatnonzero(worth > 0).tolist():
                found[layer, i, k, n] = float(worth[k]), float(snr[k])
    return found


def _least_sinr(instance: Slicing, sites: list[Sites], link: Place, snr: float) -> float:
    """Return a SINR below which a link is worth nothing."""
    kind = instance.slices[link[2]]
    if kind == "C":
        return instance.sinr_threshold * (1 - 2 * TOLERANCE)
    if kind == "L":
        rate = Saved.of(instance, link[2]).least_rate(propagation_s(sites, link), float(np.log1p(snr)))
        return float(np.expm1(min(rate, np.log1p(snr)))) * (1 - TOLERANCE)
    return 0.0


def propagation_s(sites: list[Sites], link: Place) -> float:
    """Return the time that a signal takes (s)."""
    layer, i, k, _ = link
    return float(sites[layer].distance_m[k, i]) / speed_of_light


def worth_per_nat(instance: Slicing) -> float:
    """Return what a nat of rate of an H user is worth."""
    per_bit = instance.weights.throughput / instance.throughput_ref_bps
    return float(per_bit * instance.subcarrier_hz / np.log(2))


def worth_of_cover(instance: Slicing) -> float:
    """Return what covering a C user is worth."""
    return instance.weights.coverage / instance.slices.count("C")


def worth_of_cap(instance: Slicing) -> float:
    """Return what a whole cap of an L user's delay is worth."""
    return instance.weights.delay / max(1, instance.slices.count("L"))


def delay_curves(
    instance: Slicing, largest: Mapping[int, float], points: Points
) -> dict[int, tuple[Saved, list[float]]]:
    """Return the curve of what each L user saves, and the rates of its tangents (nats).

    Parameters
    ----------
    largest
        Largest rate of each user.
    """
    curves = {k: Saved.of(instance, k) for k in largest}
    return {k: (curve, sorted({*curve.points(largest[k]), *points.rates.get(k, ())})) for k, curve in curves.items()}


class Hearing:
    """What a user may hear on a subcarrier of a layer: bounds of N and of its rate.

    Attributes
    ----------
    others
        Most that it may hear from others, over the noise, where it is not served.
    noise
        Most that N may be where the user is served.
    signal
        Most that D may be.
    needed
        SINR below which the user is worth nothing.
    unit
        Of D in the explicit model, over the noise: engines work badly with coefficients from 1 to 1e7.
    """

    def __init__(
        self, instance: Slicing, sites: list[Sites], triple: Triple, links: list[Place], least: dict[Place, float]
    ) -> None:
        k, layer, n = triple
        own, self.snr = sites[layer], sites[layer].snr[n, k]
        self.others = float(sum(self.snr[own.node == v].max() for v in np.unique(own.node)))
        self.signal = max(float(self.snr[i]) for _, i, _, _ in links)
        self.needed = min(least[link] * float(self.snr[link[1]]) for link in links)
        self.noise = min(1 + self.others, self.signal / self.needed if self.needed > 0 else np.inf)
        self.noise = max(self.noise, 1.0)
        self.unit = power_of_two(max(self.signal, 1.0) ** 0.5)

    def totals(self, more: Iterable[float]) -> list[float]:
        """Points of N + D for tangents."""
        return sorted({*geometric(1.0, self.signal + self.noise), *more})

    def noises(self, more: Iterable[float]) -> FloatArray:
        """Ends of the intervals of N."""
        inner = [own for own in more if 1 + WASTED < own < self.noise * (1 - WASTED)]
        return np.array(sorted({1.0, *inner, self.noise}))


def heard_by(sites: list[Sites], share: Mapping[Place, float]) -> dict[Triple, tuple[float, float]]:
    """Return N and D of every user that is served, by user, layer and subcarrier.

    Parameters
    ----------
    share
        Of the budget, by link.
    """
    heard = dict[Triple, tuple[float, float]]()
    for layer, i, k, n in share:
        snr = sites[layer].snr[n, k]
        others = (float(snr[j]) * own for (a, j, h, b), own in share.items() if (a, b) == (layer, n) and h != k)
        heard[k, layer, n] = 1 + sum(others), float(snr[i]) * share[layer, i, k, n]
    return heard


def overrated_points(
    instance: Slicing, points: Points, sites: list[Sites], share: Mapping[Place, float]
) -> Points | None:
    """Return points at which bounds of the links used are the truth; None where all of them are there."""
    overrated = {}
    for triple, (noise, signal) in heard_by(sites, share).items():
        kind = instance.slices[triple[0]]
        if kind != "C":
            rate = float(np.log1p(signal / noise))
            delayed = kind == "L" and rate > Saved.of(instance, triple[0]).arriving * (1 + TOLERANCE)
            overrated[triple] = noise, signal, delayed
    return points.at(overrated)
