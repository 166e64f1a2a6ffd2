"""Presets of provisioning: states that begin and go on as their chains, coverage by orbits or by lot.

Prices, fees and bands are those of the paper's Table 2; what it leaves open (numbers of resources, capacities, chains,
popularity of contents) is a choice, listed in the formulation's README.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from ..errors import InputError
from ..fields import FloatArray, IntArray
from ..json_files import file_stem
from ..orbits import SHELL, Catalogue, Constellation, Stations, elevation_deg, read_stations
from ..orbits.earth import DAY_S
from ..variants import drawn_from, find_preset, number, positive, whole_number
from .chains import CacheChains, Chain, Chains
from .instance import RESOURCES, Fees, Prices, Provisioning, draw_states

BAND_MHZ = 6.0
FEES = Fees(transmission=15.0, caching=10.0, computing=5.0)
PRICES = Prices(leo=2.0, geo=2.0, caching=4.0, computing=1.0)
ENERGY_J_PER_MCYCLE = 1.0
SLOT_S = 1.0
LATITUDE_DEG, LONGITUDE_DEG = 39.9, 116.4  # of the users, where `stations` names no file
LEAST_ELEVATION_DEG = 10.0

LINK = Chain.stationary(
    np.array([3.0, 1.0, 0.2]), np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.3, 0.6]])
)  # bit/s/Hz
RELAY = Chain.stationary(np.array([0.0, 1.0]), np.array([[0.6, 0.4], [0.2, 0.8]]))  # busy, free
SERVER = Chain.stationary(
    np.array([2.0, 4.0, 6.0, 8.0, 10.0]),  # Mcycles/s
    np.array(
        [
            [0.5, 0.3, 0.1, 0.05, 0.05],
            [0.15, 0.6, 0.15, 0.05, 0.05],
            [0.05, 0.15, 0.6, 0.15, 0.05],
            [0.05, 0.05, 0.15, 0.6, 0.15],
            [0.05, 0.05, 0.1, 0.2, 0.6],
        ]
    ),
)
CONTENTS, ZIPF = 50, 0.8  # and the exponent of their popularity
HELD = 5, 29  # least and most contents that a cache holds: the most popular ones
STAYS = 0.5  # probability with which a hit or miss stays, whatever the draw


@dataclass(frozen=True)
class Preset:
    """What an instance is drawn from.

    Attributes
    ----------
    counts
        LEO satellites, GEO relays, caches, servers.
    capacities
        Users that each of those can have in a slot.
    coverage
        Probability with which a user is covered by a satellite in a slot; None is by orbits.
    task_mbits, task_mcycles
        Intervals of content and work, uniform.
    tle, stations, start
        Files of satellites and of the users' places (they stand at them in turn), and time 0, where there are orbits;
        see `skybound.instances.orbits`.
    """

    slots: int
    users: int
    counts: tuple[int, int, int, int]
    capacities: tuple[int, int, int, int]
    coverage: float | None
    task_mbits: tuple[float, float] = (1.0, 5.0)
    task_mcycles: tuple[float, float] = (2.0, 10.0)
    information: str = "current"
    fee: Fees = field(default=FEES)
    tle: str | None = None
    stations: str | None = None
    start: datetime | None = None


PRESETS = {
    "paper": Preset(100, 20, (4, 2, 3, 4), (6, 8, 8, 6), None, (3.0, 3.0), (6.0, 6.0)),
    "tight": Preset(100, 20, (4, 2, 3, 4), (3, 4, 4, 3), 0.7),
    "large": Preset(10, 200, (20, 4, 6, 10), (6, 30, 20, 15), 0.7),
}


def _fee(name: str) -> Callable[[Preset, str], Preset]:
    """Charges users another fee."""

    def change(preset: Preset, text: str) -> Preset:
        if not 0 <= (fee := number(text)) < np.inf:
            raise ValueError("must be at least 0")
        return replace(preset, fee=replace(preset.fee, **{name: fee}))

    return change


def _counts(preset: Preset, text: str) -> Preset:
    """Numbers of resources such as ``4/2/3/4``."""
    return replace(preset, counts=_four(text))


def _four(text: str) -> tuple[int, int, int, int]:
    numbers = tuple(whole_number(part) for part in text.split("/"))
    if len(numbers) != len(RESOURCES) or min(numbers) < 0:
        raise ValueError("must be four integers from 0, divided by /")
    leo, geo, caches, servers = numbers
    return leo, geo, caches, servers


def _information(preset: Preset, text: str) -> Preset:
    if text not in ("current", "previous"):
        raise ValueError("must be current or previous")
    return replace(preset, information=text)


CHANGES: dict[str, Callable[[Preset, str], Preset]] = {
    "slots": lambda preset, text: replace(preset, slots=positive(whole_number(text))),
    "users": lambda preset, text: replace(preset, users=positive(whole_number(text))),
    "resources": _counts,
    "capacities": lambda preset, text: replace(preset, capacities=_four(text)),
    "information": _information,
    "transmission_fee": _fee("transmission"),
    "caching_fee": _fee("caching"),
    "computing_fee": _fee("computing"),
    "tle": lambda preset, text: replace(preset, tle=text),
    "stations": lambda preset, text: replace(preset, stations=text),
    "start": lambda preset, text: replace(preset, start=datetime.fromisoformat(text)),
}


def find(name: str) -> Preset:
    """A preset by name, or a variant such as ``paper:users=40,information=previous``.

    ``paper:tle=FILE,stations=FILE`` takes real satellites, and places for the users.

    Raises
    ------
    InputError
        When there is no such preset or variant.
    """
    preset = find_preset(name, PRESETS, CHANGES)
    if preset.start is not None and preset.tle is None:
        raise InputError("has a start without element sets, tle=FILE", "preset")
    if preset.coverage is not None and (preset.tle or preset.stations):
        raise InputError("has satellites or stations, but its coverage is drawn", "preset")
    return preset


def generate(name: str, seed: int) -> Provisioning:
    """Draw the instance of a preset and a seed.

    Fewer slots are the beginning of more, and presets that differ in information or fees differ in nothing else.
    """
    preset = find(name)
    slots, users = preset.slots, preset.users
    covered, tasks, held, states = (np.random.default_rng([seed, k]) for k in range(4))
    chains = Chains(LINK, RELAY, LINK, SERVER, _caches(preset.counts[2], held))
    drawn: Any = draw_states(chains, slots, users, preset.counts, states)
    capacities = [np.full(count, capacity) for count, capacity in zip(preset.counts, preset.capacities, strict=True)]
    return Provisioning(
        slots=slots,
        users=users,
        slot_s=SLOT_S,
        information=preset.information,
        leo_bandwidth_mhz=BAND_MHZ,
        geo_bandwidth_mhz=BAND_MHZ,
        task_mbits=tasks.uniform(*preset.task_mbits, users),
        task_mcycles=tasks.uniform(*preset.task_mcycles, users),
        energy_j_per_mcycle=ENERGY_J_PER_MCYCLE,
        fee=preset.fee,
        price=PRICES,
        leo_capacity=capacities[0],
        geo_capacity=capacities[1],
        cache_capacity=capacities[2],
        server_capacity=capacities[3],
        covered=_covered(preset, covered),
        chains=chains,
        name=file_stem(f"provisioning-{name}-{seed}"),
        provenance=drawn_from("provisioning", name, seed),
        **drawn,
    )


def _caches(caches: int, rng: np.random.Generator) -> CacheChains:
    """Misses and hits at caches that hold the most popular contents: half stay, half are drawn anew."""
    popularity = np.cumsum(np.arange(1, CONTENTS + 1.0) ** -ZIPF)
    hit = (popularity / popularity[-1])[rng.integers(HELD[0], HELD[1], caches, endpoint=True) - 1]
    initial = np.stack([1 - hit, hit], -1)
    return CacheChains(np.array([0.0, 1.0]), initial, STAYS * np.eye(2) + (1 - STAYS) * initial[:, None, :])


def _covered(preset: Preset, rng: np.random.Generator) -> IntArray:
    """Who is covered, shape (slots, users, leo); satellites on orbits are the highest ones of each slot."""
    shape = preset.slots, preset.users, preset.counts[0]
    if preset.coverage is not None:
        return (rng.random(shape) < preset.coverage).astype(np.int64)
    elevation = _elevation_deg(preset, rng.uniform(0, DAY_S))
    if elevation.shape[1] < preset.counts[0]:
        raise InputError(f"has {elevation.shape[1]} satellites for {preset.counts[0]}", "preset")
    highest = np.argsort(-elevation.max(0), axis=0, kind="stable")[: preset.counts[0]]
    above = np.take_along_axis(elevation, highest[None], 1) >= LEAST_ELEVATION_DEG
    station = np.arange(preset.users) % len(elevation)
    return above[station].transpose(2, 0, 1).astype(np.int64)


def _elevation_deg(preset: Preset, start_s: float) -> FloatArray:
    """Elevations in the middles of slots, shape (stations, satellites, slots)."""
    constellation, stations = _sky(preset.tle, preset.stations, preset.start, preset.slots)
    middle = np.arange(preset.slots, dtype=float) + 0.5
    return elevation_deg(constellation.positions_m(start_s + SLOT_S * middle), stations)


@functools.lru_cache(maxsize=4)
def _sky(tle: str | None, stations: str | None, start: datetime | None, slots: int) -> tuple[Constellation, Stations]:
    """Satellites, and the places of users."""
    here = Stations(["users"], np.array([LATITUDE_DEG]), np.array([LONGITUDE_DEG]))
    places = here if stations is None else read_stations(stations)
    if tle is None:
        return SHELL, places
    return Catalogue.read(tle, start).usable(np.linspace(0, DAY_S + slots * SLOT_S, 25)), places
