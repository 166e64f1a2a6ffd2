"""Digital-twin placement: users' twins on their own processor, on shared devices or in the cloud."""

import functools
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from ..errors import InputError
from ..fields import FloatArray, IntArray, choice, integer, integers, real, reals
from ..record import Decision, Instance


@dataclass(frozen=True, eq=False)
class PlacementDecision(Decision):
    """A host for every user.

    Attributes
    ----------
    host : array, shape (users,)
        0 the user's own processor, 1..J a device, J + 1 the cloud.
    """

    host: IntArray = integers("users")


@dataclass(frozen=True, eq=False)
class Placement(Instance):
    """An instance of digital-twin placement.

    A rate or speed of 0 makes the host that needs it impossible.

    Attributes
    ----------
    share
        How a device divides its speed: ``even`` among the users it hosts, ``optimal`` so that their total delay is
        least.
    data_bits : array, shape (users,)
        D, size of the twin's data (bits).
    cycles_per_bit : array, shape (users,)
        mu, work per bit (cycles/bit).
    local_cps : array, shape (users,)
        f, speed of the user's own processor (cycles/s).
    device_cps : array, shape (devices,)
        F, speed of the device (cycles/s).
    device_capacity : array, shape (devices,)
        N, users that the device can host.
    uplink_bps : array, shape (users, devices)
        r, rate from user to device (bit/s).
    cloud_capacity
        Users that the cloud can host; None is unlimited.
    cloud_cps : array, shape (users,)
        Speed of the user's share of the cloud (cycles/s).
    user_satellite_bps : array, shape (users,)
        Rate from user to satellite (bit/s).
    satellite_cloud_bps
        Rate from satellite to cloud (bit/s).
    propagation_s : array, shape (users,)
        Propagation from user to cloud (s).
    """

    problem: ClassVar[str] = "placement"
    decision: ClassVar[type[Decision]] = PlacementDecision

    share: Literal["even", "optimal"] = choice("even", "optimal")
    data_bits: FloatArray = reals("users")
    cycles_per_bit: FloatArray = reals("users")
    local_cps: FloatArray = reals("users")
    device_cps: FloatArray = reals("devices")
    device_capacity: IntArray = integers("devices")
    uplink_bps: FloatArray = reals("users", "devices")
    cloud_capacity: int | None = integer(optional=True)
    cloud_cps: FloatArray = reals("users")
    user_satellite_bps: FloatArray = reals("users")
    satellite_cloud_bps: float = real()
    propagation_s: FloatArray = reals("users")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.users == 0:
            raise InputError("needs at least one user", "data_bits")
        with np.errstate(over="ignore", invalid="ignore"):
            if not np.isfinite(self.work_cycles).all():
                raise InputError("cycles_per_bit times data_bits is too large for a double", "cycles_per_bit")

    @property
    def users(self) -> int:
        """I, number of users."""
        return len(self.data_bits)

    @property
    def devices(self) -> int:
        """J, number of devices."""
        return len(self.device_cps)

    @property
    def cloud(self) -> int:
        """Host number of the cloud."""
        return self.devices + 1

    @functools.cached_property
    def cloud_places(self) -> int:
        """Users that the cloud can host, at most all."""
        return self.users if self.cloud_capacity is None else min(self.cloud_capacity, self.users)

    @functools.cached_property
    def work_cycles(self) -> FloatArray:
        """Work of each user's twin, mu D (cycles), shape (users,)."""
        return self.cycles_per_bit * self.data_bits

    @functools.cached_property
    def local_s(self) -> FloatArray:
        """Delay of each user at home (s), equation (1); inf where impossible, shape (users,)."""
        return _over(self.work_cycles, self.local_cps)

    @functools.cached_property
    def transmit_s(self) -> FloatArray:
        """Transmission delay to each device (s), equation (3); inf where impossible, shape (users, devices)."""
        reach = np.where(self.device_cps > 0, self.uplink_bps, 0)
        return _over(self.data_bits[:, None], reach)

    @functools.cached_property
    def cloud_s(self) -> FloatArray:
        """Delay of each user in the cloud (s), equations (8) to (10); inf where impossible, shape (users,)."""
        sent = _over(self.data_bits, self.user_satellite_bps) + _over(self.data_bits, self.satellite_cloud_bps)
        return sent + self.propagation_s + _over(self.work_cycles, self.cloud_cps)

    def check_fit(self, decision: Any, place: str) -> None:
        """Object to a decision that is not one host from 0 to J + 1 a user."""
        if len(decision.host) != self.users:
            raise InputError(f"has {len(decision.host)} entries for {self.users} users", f"{place}.host")
        if (beyond := np.flatnonzero(decision.host > self.cloud)).size:
            raise InputError(
                f"must be at most {self.cloud} (the cloud), is {decision.host[beyond[0]]}", f"{place}.host[{beyond[0]}]"
            )


def _over(amount: FloatArray, rate: FloatArray | float) -> FloatArray:
    """Amount / rate, inf where the rate is 0 (also for amount 0)."""
    amount, rate = np.broadcast_arrays(amount, rate)
    delay = np.full(amount.shape, np.inf)
    with np.errstate(over="ignore"):
        np.divide(amount, rate, out=delay, where=rate > 0)
    return delay
