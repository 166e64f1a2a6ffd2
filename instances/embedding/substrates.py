"""Substrates of three segments, drawn in a square or over a real network; capacities are drawn as in the paper."""

from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..fields import FloatArray, IntArray
from ..orbits.earth import DAY_S
from .geographic import Terrestrial, above, flat
from .instance import Links, Substrate, SubstrateNodes
from .topology import gateways, waxman

ELSEWHERE, ON_GROUND = (50, 80), (50, 100)  # capacities of nodes and of links within a domain
BETWEEN = (50, 80)  # capacities of links between domains


def draw_substrate(counts: tuple[int, int, int], rng: np.random.Generator) -> Substrate:
    """Three segments in one unit square, linked within and between."""
    domain = np.repeat(np.arange(3), counts)
    place = rng.random((len(domain), 2))
    within = [_linked(domain, one, place, rng) for one in range(3)]
    return _with_capacities(domain, within, gateways(domain, place), rng)


def draw_geographic(
    topology: str, proportion: tuple[int, int, int], rng: np.random.Generator, *, speeds: bool
) -> Substrate:
    """A real network on the ground, platforms above its region, and the satellites nearest to it at some moment.

    Parameters
    ----------
    topology
        File of the network, see `Terrestrial`.
    proportion
        Numbers of nodes in space, in the air and on the ground, of which the first two are kept to the third.
    speeds
        Whether links of the network have the bandwidth in its file, scaled so that their median is that of drawn ones.

    Raises
    ------
    InputError
        When the file is no such network.
    """
    network = Terrestrial(topology)
    ground = len(network.place)
    counts = [max(1, round(ground * proportion[one] / proportion[2])) for one in range(2)]
    domain = np.repeat(np.arange(3), [*counts, ground])
    satellites = flat(above(network.place, counts[0], rng.uniform(0, DAY_S)), network.place)
    place = np.concatenate([satellites, rng.random((counts[1], 2)), flat(network.place, network.place)])
    within = [_linked(domain, one, place, rng) for one in range(2)]
    within.append(network.ends + sum(counts))
    substrate = _with_capacities(domain, within, gateways(domain, place), rng)
    if not speeds:
        return substrate
    if np.isnan(network.speed).all():
        raise InputError("has no link with LinkSpeedRaw", file=topology)
    speed = network.speed / np.nanmedian(network.speed) * np.mean(ON_GROUND)
    begin = len(within[0]) + len(within[1])
    bandwidth = substrate.links.bandwidth.copy()
    own = bandwidth[begin : begin + len(speed)]
    own[:] = np.where(np.isnan(speed), own, speed)
    return replace(substrate, links=replace(substrate.links, bandwidth=bandwidth))


def _linked(domain: IntArray, one: int, place: FloatArray, rng: np.random.Generator) -> IntArray:
    """Waxman links within a domain, shape (links, 2)."""
    own = np.flatnonzero(domain == one)
    return np.asarray(own[waxman(place[own], rng)])


def _with_capacities(
    domain: IntArray, within: list[IntArray], between: IntArray, rng: np.random.Generator
) -> Substrate:
    """Nodes, links within each domain and links between them, with capacities drawn."""
    ends = np.concatenate([*within, between])
    ranges = [*(ON_GROUND if one == 2 else ELSEWHERE for one in range(3)), BETWEEN]
    counted = [len(own) for own in (*within, between)]
    cpu, storage = (_capacities(np.array(ranges)[domain], rng) for _ in range(2))
    bandwidth = _capacities(np.repeat(np.array(ranges), counted, axis=0), rng)
    return Substrate(SubstrateNodes(domain, cpu, storage), Links(ends[:, 0], ends[:, 1], bandwidth))


def _capacities(ranges: IntArray, rng: np.random.Generator) -> FloatArray:
    """Uniform integers of ranges (n, 2), ends included."""
    return rng.integers(ranges[:, 0], ranges[:, 1] + 1).astype(float)
