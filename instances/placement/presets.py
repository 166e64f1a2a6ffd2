"""Presets of placement and the world that draws their slots: positions, radio, speeds, mobility.

A world is a batch of cells drawn at once; each slot of a cell is an instance. What the paper leaves open (bandwidth,
path loss, speeds of devices, places, satellite band) is a choice, listed in the formulation's README.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from scipy.constants import speed_of_light

from ..errors import InputError
from ..fields import BoolArray, FloatArray, IntArray
from ..variants import drawn_from, find_preset, number, positive, whole_number
from .instance import Placement

SIDE_M = 500.0
STEP_M = 10.0
UPLINK_HZ = 5e6
TRANSMIT_W = 0.2
NOISE_W_PER_HZ = 10 ** ((-174 - 30) / 10)
SATELLITE_HZ = 20e6
SATELLITE_SNR_DB = (7.0, 13.0)
SATELLITE_CLOUD_BPS = 1e9
ALTITUDE_M = 550e3
SLANT = (1.0, 1.6)
FEEDER_SLANT = 1.3
CLOUD_CPS = 20e9
BITS_PER_MEGABYTE = 8e6
MOST_DRAWS = 1_000
MOST_USERS = 100_000
CYCLES_PER_BIT = (50.0, 150.0)


@dataclass(frozen=True)
class Preset:
    """Numbers that a world is drawn from; speeds in GHz, intervals are uniform.

    Attributes
    ----------
    local_ghz, device_ghz
        Intervals of the users' and the devices' speeds.
    without_processor
        Share of users that cannot host their own twin.
    places
        Smallest and largest capacity of a device.
    cloud_places
        Capacity of the cloud; None is unlimited.
    satellite_hz_each
        Band of each user to the satellite; None splits `SATELLITE_HZ` equally among all users.
    data_megabytes
        Interval of the twins' sizes.
    share
        How devices divide their speed.
    """

    users: int
    devices: int
    local_ghz: tuple[float, float]
    device_ghz: tuple[float, float]
    without_processor: float
    places: tuple[int, int]
    cloud_places: int | None
    satellite_hz_each: float | None = None
    data_megabytes: tuple[float, float] = (0.5, 2.0)
    share: Literal["even", "optimal"] = "even"


def _congested(users: int, devices: int, places: int, cloud_places: int) -> Preset:
    return Preset(users, devices, (0.3, 5), (20, 60), 0.3, (places, places), cloud_places, SATELLITE_HZ)


EVEN_PRESETS = {
    "paper": Preset(20, 3, (0.5, 20), (0.5, 20), 0.0, (5, 5), None),
    "congested": _congested(20, 3, 5, 4),
    "congested-40": _congested(40, 4, 6, 8),
    "congested-100": _congested(100, 8, 8, 15),
    "large": Preset(200, 10, (0.5, 20), (20, 100), 0.2, (10, 20), 20),
    "huge": Preset(1000, 30, (0.5, 20), (20, 100), 0.2, (15, 40), 100),
}
PRESETS = EVEN_PRESETS | {f"{name}-optimal": replace(preset, share="optimal") for name, preset in EVEN_PRESETS.items()}


def _users(text: str) -> int:
    if not 0 < (users := whole_number(text)) <= MOST_USERS:
        raise ValueError(f"must be from 1 to {MOST_USERS}")
    return users


VARIANTS: dict[str, Callable[[Preset, str], Preset]] = {
    "users": lambda preset, text: replace(preset, users=_users(text)),
    "megabytes": lambda preset, text: replace(preset, data_megabytes=(positive(number(text)),) * 2),
}


def find(name: str) -> Preset:
    """A preset by name, or a variant such as ``paper:users=18`` or ``paper:megabytes=0.5`` (every twin of that size).

    Raises
    ------
    InputError
        When there is no such preset or variant.
    """
    return find_preset(name, PRESETS, VARIANTS)


@dataclass(frozen=True)
class Slots:
    """What changes from slot to slot, for B cells.

    Attributes
    ----------
    data_bits, cycles_per_bit, user_satellite_bps, propagation_s : array, shape (B, users)
    uplink_bps : array, shape (B, users, devices)
    """

    data_bits: FloatArray
    cycles_per_bit: FloatArray
    uplink_bps: FloatArray
    user_satellite_bps: FloatArray
    propagation_s: FloatArray


@dataclass(frozen=True)
class World:
    """B cells of a preset: what stays (speeds, capacities) and where everything is now.

    Attributes
    ----------
    user_m, device_m : array, shape (B, users or devices, 2)
        Positions (m).
    local_cps, device_cps : array, shape (B, users or devices)
        Speeds (cycles/s).
    device_capacity : array, shape (B, devices)
        Users that a device can host.
    """

    preset: Preset
    user_m: FloatArray
    device_m: FloatArray
    local_cps: FloatArray
    device_cps: FloatArray
    device_capacity: IntArray

    @classmethod
    def draw(cls, preset: Preset, batch: int, rng: np.random.Generator) -> Self:
        """Draw `batch` cells; one that cannot host all its users is drawn again.

        In these worlds every user reaches every device and the cloud, so counting places tells.
        """
        world = cls._draw_any(preset, batch, rng)
        for _ in range(MOST_DRAWS):
            if not (poor := world._lacks_places()).any():
                return world
            again = cls._draw_any(preset, int(poor.sum()), rng)
            for name in ("user_m", "device_m", "local_cps", "device_cps", "device_capacity"):
                getattr(world, name)[poor] = getattr(again, name)
        raise InputError(f"has too few places for {preset.users} users", "preset")

    @classmethod
    def _draw_any(cls, preset: Preset, batch: int, rng: np.random.Generator) -> Self:
        users, devices = (batch, preset.users), (batch, preset.devices)
        local = rng.uniform(*preset.local_ghz, users) * 1e9
        local[rng.random(users) < preset.without_processor] = 0.0
        return cls(
            preset,
            user_m=rng.uniform(0, SIDE_M, (*users, 2)),
            device_m=rng.uniform(0, SIDE_M, (*devices, 2)),
            local_cps=local,
            device_cps=rng.uniform(*preset.device_ghz, devices) * 1e9,
            device_capacity=rng.integers(preset.places[0], preset.places[1], devices, endpoint=True),
        )

    def _lacks_places(self) -> BoolArray:
        cloud = self.preset.users if self.preset.cloud_places is None else self.preset.cloud_places
        needed: IntArray = (self.local_cps == 0).sum(1)
        lacks: BoolArray = needed > self.device_capacity.sum(1) + cloud
        return lacks

    def moved(self, rng: np.random.Generator) -> Self:
        """The world a slot later: every user takes a Gaussian step, reflected at the border."""
        at = self.user_m + rng.normal(0, STEP_M, self.user_m.shape)
        return replace(self, user_m=SIDE_M - np.abs(SIDE_M - np.abs(at)))

    def slots(self, rng: np.random.Generator) -> Slots:
        """Draw fading, twins and the satellite's geometry for one slot."""
        users = self.local_cps.shape
        bits = rng.uniform(*self.preset.data_megabytes, users) * BITS_PER_MEGABYTE
        cycles = rng.uniform(*CYCLES_PER_BIT, users)
        apart_m = np.linalg.norm(self.user_m[:, :, None] - self.device_m[:, None], axis=-1)
        loss_db = 128.1 + 37.6 * np.log10(np.maximum(apart_m, 1.0) / 1000)
        gain = 10 ** (-loss_db / 10) * rng.exponential(1.0, apart_m.shape)
        snr = 10 ** (rng.uniform(*SATELLITE_SNR_DB, users) / 10)
        return Slots(
            data_bits=bits,
            cycles_per_bit=cycles,
            uplink_bps=UPLINK_HZ * np.log2(1 + TRANSMIT_W * gain / (UPLINK_HZ * NOISE_W_PER_HZ)),
            user_satellite_bps=(self.preset.satellite_hz_each or SATELLITE_HZ / self.preset.users) * np.log2(1 + snr),
            propagation_s=ALTITUDE_M * (rng.uniform(*SLANT, users) + FEEDER_SLANT) / speed_of_light,
        )

    def instance(self, slots: Slots, cell: int, *, name: str, provenance: dict[str, Any]) -> Placement:
        """One cell's slot as an instance."""
        return Placement(
            share=self.preset.share,
            data_bits=slots.data_bits[cell],
            cycles_per_bit=slots.cycles_per_bit[cell],
            local_cps=self.local_cps[cell],
            device_cps=self.device_cps[cell],
            device_capacity=self.device_capacity[cell],
            uplink_bps=slots.uplink_bps[cell],
            cloud_capacity=self.preset.cloud_places,
            cloud_cps=np.full(self.preset.users, CLOUD_CPS),
            user_satellite_bps=slots.user_satellite_bps[cell],
            satellite_cloud_bps=SATELLITE_CLOUD_BPS,
            propagation_s=slots.propagation_s[cell],
            name=name,
            provenance=provenance,
        )


def generate(preset: str, seed: int) -> Placement:
    """Draw an instance of a preset.

    Parameters
    ----------
    preset
        A name as for `find`; a preset and its ``-optimal`` variant have the same numbers.
    seed
        Non-negative; the same seed gives the same instance.
    """
    rng = np.random.default_rng(seed)
    world = World.draw(find(preset), 1, rng)
    provenance = drawn_from("placement", preset, seed)
    return world.instance(world.slots(rng), 0, name=f"placement-{preset}-{seed}", provenance=provenance)
