"""Presets of slicing, and the slots they are drawn as: users that walk, fading that is drawn anew.

Numbers are those of the paper's section VI; what it leaves open (threshold, packets, the satellite's frequency,
candidates, weights) is a choice, listed in the formulation's README.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.constants import speed_of_light

from ..fields import FloatArray
from ..json_files import file_stem
from ..variants import drawn_from, find_preset, number, positive, whole_number
from .instance import SLICES, Satellites, Slicing, Stations, Uavs, Users, Weights

SIDE_M, STEP_M = 3_000.0, 5.0  # of the square, and standard deviation of a user's step in a slot
STATIONS_M = np.array([[1_000.0, 1_000.0], [2_000.0, 2_000.0]])
FIXED_M = np.array([[1_000.0, 2_000.0], [2_000.0, 1_000.0]])  # of the UAVs
UAVS, UAV_ALTITUDE_M, SATELLITE_ALTITUDE_M = 2, 100.0, 200e3
POWER_W = 10.0, 100.0, 1_000.0  # of a station, a UAV, a satellite
BAND_HZ, SUBCARRIERS = 30e6, 10
NOISE_W_PER_HZ = 10 ** ((-130 - 30) / 10)
EXPONENT, LEAST_M = 1.5, 1.0  # of the path loss, and the distance from which it counts
REFERENCE_GAIN, RICIAN = 1e-3, 6.0
SATELLITE_HZ = 2e9
SLOT_S, SLOT_BITS, PACKET_BITS = 0.1, 50_000.0, 1_000.0
DELAY_CAP_S, THRESHOLD = 0.1, 1.0
THROUGHPUT_REF_BPS = 50e6  # of an H user
UAV_DISTANCE_M = 100.0
CAPACITY = 10  # of a station
MOST_USERS, MOST_SIDE, MOST_SLOT = 9_999, 199, 99_999  # of variants


@dataclass(frozen=True)
class Preset:
    """What an instance is drawn from.

    Attributes
    ----------
    users
        In equal thirds, H users first, then L users, then C users.
    side
        Candidates on each axis of the grid on which UAVs may stand; None leaves them where the paper fixes them.
    reuse
        Whether a node may have several users on a subcarrier.
    capacity
        Users that a station serves.
    poisson
        Whether the packets of a slot are drawn for each user.
    weights
        Of throughput, delay, coverage.
    slot
        Which slot of the walk it is.
    """

    users: int
    side: int | None = 7
    reuse: bool = False
    capacity: int = CAPACITY
    poisson: bool = False
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    slot: int = 0


SIZES = (24, 30, 36, 42, 48)
PRESETS = {
    **{f"paper-{users}": Preset(users) for users in SIZES},
    **{f"fixed-{users}": Preset(users, side=None) for users in SIZES},
    **{f"reuse-{users}": Preset(users, reuse=True) for users in SIZES},
}


def _users(preset: Preset, text: str) -> Preset:
    users = whole_number(text)
    if not 0 <= users <= MOST_USERS or users % len(SLICES):
        raise ValueError(f"must be a multiple of 3, from 0 to {MOST_USERS:,}")
    return replace(preset, users=users)


def _side(preset: Preset, text: str) -> Preset:
    if not 2 <= (side := whole_number(text)) <= MOST_SIDE:
        raise ValueError(f"must be from 2 to {MOST_SIDE}")
    return replace(preset, side=side)


def _later(preset: Preset, text: str) -> Preset:
    if not 0 <= (slot := whole_number(text)) <= MOST_SLOT:
        raise ValueError(f"must be from 0 to {MOST_SLOT:,}")
    return replace(preset, slot=slot)


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("must be yes or no")
    return text == "yes"


def _weights(preset: Preset, text: str) -> Preset:
    """Weights such as ``1/1/1``."""
    numbers = tuple(number(part) for part in text.split("/"))
    if len(numbers) != len(SLICES) or not all(0 <= weight < np.inf for weight in numbers):
        raise ValueError("must be three numbers from 0, divided by /")
    throughput, delay, coverage = numbers
    return replace(preset, weights=(throughput, delay, coverage))


CHANGES: dict[str, Callable[[Preset, str], Preset]] = {
    "users": _users,
    "side": _side,
    "reuse": lambda preset, text: replace(preset, reuse=_yes(text)),
    "capacity": lambda preset, text: replace(preset, capacity=positive(whole_number(text))),
    "poisson": lambda preset, text: replace(preset, poisson=_yes(text)),
    "weights": _weights,
    "slot": _later,
}


def find(name: str) -> Preset:
    """A preset by name, or a variant such as ``paper-24:side=13,slot=5``.

    Raises
    ------
    InputError
        When there is no such preset or variant.
    """
    return find_preset(name, PRESETS, CHANGES)


def generate(name: str, seed: int) -> Slicing:
    """Draw the instance of a preset and a seed: a slot of the walk that begins with the seed.

    Presets that differ in candidates, reuse, capacity, arrivals or weights differ in nothing else.
    """
    return next(itertools.islice(walk(name, seed), find(name).slot, None))


def walk(name: str, seed: int) -> Iterator[Slicing]:
    """The slots of one walk, without end: users step and are reflected, all fading and all arrivals are drawn anew."""
    preset = find(name)
    steps, fading, arrivals = (np.random.default_rng([seed, k]) for k in range(3))
    position = steps.uniform(0, SIDE_M, (preset.users, 2))
    while True:
        yield _slot(preset, position, fading, arrivals, name, seed)
        position = _reflected(position + steps.normal(0, STEP_M, position.shape))


def _slot(
    preset: Preset,
    position: FloatArray,
    fading: np.random.Generator,
    arrivals: np.random.Generator,
    name: str,
    seed: int,
) -> Slicing:
    """One slot."""
    users = preset.users
    away_m = np.linalg.norm(position[:, None] - STATIONS_M, axis=2)
    reach = np.maximum(away_m, LEAST_M)[..., None] ** -EXPONENT
    packets = arrivals.poisson(SLOT_BITS / PACKET_BITS, users).astype(float)
    spread = (speed_of_light / (4 * np.pi * SATELLITE_HZ)) ** 2 * SATELLITE_ALTITUDE_M**-EXPONENT
    station_w, uav_w, satellite_w = POWER_W
    return Slicing(
        slices=tuple(np.repeat(SLICES, users // len(SLICES)).tolist()),
        subcarriers=SUBCARRIERS,
        subcarrier_hz=BAND_HZ / SUBCARRIERS,
        noise_w=NOISE_W_PER_HZ * BAND_HZ / SUBCARRIERS,
        arrival_bps=SLOT_BITS / SLOT_S,
        slot_bits=PACKET_BITS * packets if preset.poisson else SLOT_BITS,
        packet_bits=PACKET_BITS,
        delay_cap_s=DELAY_CAP_S,
        sinr_threshold=THRESHOLD,
        station_capacity=preset.capacity,
        uav_min_distance_m=UAV_DISTANCE_M,
        intra_cell_reuse=preset.reuse,
        weights=Weights(*preset.weights),
        throughput_ref_bps=THROUGHPUT_REF_BPS * max(1, users // len(SLICES)),
        users=Users(position),
        stations=Stations(
            STATIONS_M,
            np.full(len(STATIONS_M), station_w),
            fading.exponential(size=(users, len(STATIONS_M), SUBCARRIERS)) * reach,
        ),
        uavs=Uavs(
            UAV_ALTITUDE_M,
            np.full(UAVS, uav_w),
            FIXED_M if preset.side is None else _grid(preset.side),
            REFERENCE_GAIN,
            EXPONENT,
            _rician(fading, (users, UAVS, SUBCARRIERS)),
        ),
        satellites=Satellites(SATELLITE_ALTITUDE_M, np.array([satellite_w]), np.full((users, 1, SUBCARRIERS), spread)),
        name=file_stem(f"slicing-{name}-{seed}"),
        provenance=drawn_from("slicing", name, seed),
    )


def _grid(side: int) -> FloatArray:
    """Candidates in rows of `side`, shape (side^2, 2)."""
    along = np.linspace(0, SIDE_M, side)
    return np.stack(np.meshgrid(along, along, indexing="ij"), -1).reshape(-1, 2)


def _rician(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Squared sizes of a line of sight of any phase with a complex normal remainder."""
    phase = rng.uniform(0, 2 * np.pi, shape)
    real, imaginary = rng.normal(scale=np.sqrt(0.5), size=(2, *shape))
    direct, rest = np.sqrt(RICIAN / (RICIAN + 1)), np.sqrt(1 / (RICIAN + 1))
    return np.asarray((direct * np.cos(phase) + rest * real) ** 2 + (direct * np.sin(phase) + rest * imaginary) ** 2)


def _reflected(position: FloatArray) -> FloatArray:
    """Positions beyond an edge, back by as much."""
    inside = np.abs(position)
    return np.where(inside > SIDE_M, 2 * SIDE_M - inside, inside)
