"""Presets of association: a constellation over stations, drawn at some moment of the day.

What the paper leaves open (phasing, mask, carrier, band, power, antennas, data unit, capacities, prices) is a choice,
listed in the formulation's README.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from ..errors import InputError
from ..json_files import file_stem
from ..orbits import SHELL, Catalogue, Constellation, Stations, Walker, read_stations, windows
from ..orbits.earth import DAY_S
from ..orbits.link_budget import free_space_gain, rician, thermal_noise_w
from ..variants import drawn_from, find_preset, number, positive, whole_number
from .instance import Association, Windows

CARRIER_HZ = 20e9
BANDWIDTH_HZ = 20e6
TRANSMIT_W = 10.0
ANTENNAS_DB = 70.0
TEMPERATURE_K = 290.0
ALTITUDE_M = 550e3
LEAST_ELEVATION_DEG = 10.0
SAMPLE_S = 10.0
ISOLATION = 0.05
UTILITY_WEIGHT, COST_WEIGHT = 0.7, 0.3
CHANNELS = 4

PLACES = {
    "spread": ((39.9, 116.4), (23.1, 113.3), (30.6, 104.1), (34.3, 108.9), (43.8, 87.6)),
    "near": ((39.9, 116.4), (34.3, 108.9), (30.6, 114.3), (31.2, 121.5), (30.6, 104.1)),
}


@dataclass(frozen=True)
class Preset:
    """Numbers that an instance is drawn from.

    Attributes
    ----------
    walker
        The constellation, where `tle` does not name a file of element sets.
    places
        A name of `PLACES`, where `stations` does not name a file.
    capacity, storage_price
        C of every station (data units) and kappa.
    rician
        Rician factor of every window and channel; None does not fade.
    start
        Beginning of the horizon of element sets; None is the latest epoch in the file.
    """

    places: str
    capacity: float
    storage_price: float
    rician: float | None = None
    walker: Walker = SHELL
    slots: int = 30
    slot_s: float = 210.0
    least_elevation_deg: float = LEAST_ELEVATION_DEG
    tle: str | None = None
    stations: str | None = None
    start: datetime | None = None


PRESETS = {
    "paper": Preset("spread", 200, 100),
    "headline": Preset("spread", 100, 100),
    "headline-near": Preset("near", 100, 100),
    "fading": Preset("spread", 100, 100, rician=6.0),
    "steep": Preset("near", 60, 40),
    "steep-spread": Preset("spread", 60, 80),
    "snapshot": Preset("spread", 100, 100, slots=40, slot_s=15.0),
}


def _satellites(preset: Preset, text: str) -> Preset:
    """A constellation of so many satellites in planes of ten."""
    satellites = whole_number(text)
    if satellites < 10 or satellites % 10:
        raise ValueError("must be a multiple of 10")
    return replace(preset, walker=replace(preset.walker, satellites=satellites, planes=satellites // 10))


def _elevation(preset: Preset, text: str) -> Preset:
    if not 0 <= (degrees := number(text)) <= 90:
        raise ValueError("must be from 0 to 90 degrees")
    return replace(preset, least_elevation_deg=degrees)


VARIANTS: dict[str, Callable[[Preset, str], Preset]] = {
    "satellites": _satellites,
    "slots": lambda preset, text: replace(preset, slots=positive(whole_number(text))),
    "slot_s": lambda preset, text: replace(preset, slot_s=positive(number(text))),
    "capacity": lambda preset, text: replace(preset, capacity=positive(number(text))),
    "elevation": _elevation,
    "tle": lambda preset, text: replace(preset, tle=text),
    "stations": lambda preset, text: replace(preset, stations=text),
    "start": lambda preset, text: replace(preset, start=datetime.fromisoformat(text)),
}


def find(name: str) -> Preset:
    """A preset by name, or a variant such as ``paper:satellites=80,slots=10``.

    ``snapshot:tle=FILE,stations=FILE`` takes real satellites and stations (see `skybound.instances.orbits`).

    Raises
    ------
    InputError
        When there is no such preset or variant.
    """
    preset = find_preset(name, PRESETS, VARIANTS)
    if name.startswith("snapshot") and preset.tle is None:
        raise InputError("needs a file of element sets, snapshot:tle=FILE", "preset")
    if preset.start is not None and preset.tle is None:
        raise InputError("has a start without element sets, tle=FILE", "preset")
    return preset


@functools.lru_cache(maxsize=4)
def _sky(preset: Preset) -> tuple[Constellation, Stations]:
    """Satellites and stations of a preset."""
    if preset.stations is None:
        latitude, longitude = np.array(PLACES[preset.places]).T
        stations = Stations([f"{preset.places} {j}" for j in range(len(latitude))], latitude, longitude)
    else:
        stations = read_stations(preset.stations)
    if preset.tle is None:
        return preset.walker, stations
    catalogue = Catalogue.read(preset.tle, preset.start)
    return catalogue.usable(np.linspace(0, DAY_S + preset.slots * preset.slot_s, 25)), stations


def draw(preset: Preset, seed: int, *, name: str, provenance: dict[str, Any]) -> Association:
    """Draw an instance: the seed moves the start within a day, after that of element sets, and draws the fading."""
    rng = np.random.default_rng(seed)
    constellation, stations = _sky(preset)
    start_s = rng.uniform(0, DAY_S)
    found = windows(
        constellation,
        stations,
        start_s=start_s,
        slots=preset.slots,
        slot_s=preset.slot_s,
        samples=max(1, round(preset.slot_s / SAMPLE_S)),
        least_elevation_deg=preset.least_elevation_deg,
    )
    gain = np.repeat(free_space_gain(found.distance_m, CARRIER_HZ, ANTENNAS_DB)[:, None], CHANNELS, 1)
    if preset.rician is not None:
        gain *= rician(preset.rician, gain.shape, rng)
    noise_w = thermal_noise_w(BANDWIDTH_HZ, TEMPERATURE_K)
    zenith = TRANSMIT_W * float(free_space_gain(np.array(ALTITUDE_M), CARRIER_HZ, ANTENNAS_DB)) / noise_w
    return Association(
        satellites=constellation.satellites,
        stations=len(stations),
        channels=CHANNELS,
        slots=preset.slots,
        slot_s=preset.slot_s,
        bandwidth_hz=BANDWIDTH_HZ,
        power_w=TRANSMIT_W,
        noise_w=noise_w,
        isolation=ISOLATION,
        data_unit_bits=BANDWIDTH_HZ * math.log2(1 + zenith) * preset.slot_s,
        capacity=np.full(len(stations), preset.capacity),
        storage_price=preset.storage_price,
        utility_weight=UTILITY_WEIGHT,
        cost_weight=COST_WEIGHT,
        windows=Windows(found.slot, found.satellite, found.station, found.valid_s, gain),
        name=name,
        provenance=provenance,
    )


def generate(preset: str, seed: int) -> Association:
    """Draw the instance of a preset, a name as for `find`, and a seed; the same seed gives the same instance."""
    provenance = drawn_from("association", preset, seed)
    name = file_stem(f"association-{preset}-{seed}")  # variants name files
    return draw(find(preset), seed, name=name, provenance=provenance)
