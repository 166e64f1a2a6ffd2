"""Satellite to ground-station association: links and channels over a horizon, storage that grows dearer as it fills."""

import functools
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import InputError
from ..fields import FloatArray, IntArray, integer, integers, real, reals
from ..record import Decision, Instance, Record, nested

SLOT, SATELLITE, STATION, CHANNEL = range(4)
LARGEST = 2**63 - 1  # number of a (slot, satellite, station)


@dataclass(frozen=True, eq=False)
class AssociationDecision(Decision):
    """The links of all slots.

    Attributes
    ----------
    links : array, shape (links, 4)
        Slot, satellite, station and channel of each link.
    """

    links: IntArray = integers("links", 4)


@dataclass(frozen=True, eq=False)
class Windows(Record):
    """When which satellite reaches which station: parallel arrays, one window a (slot, satellite, station).

    Attributes
    ----------
    slot, satellite, station : array, shape (windows,)
    valid_s : array, shape (windows,)
        Part of the slot in which data can be sent (s).
    gain : array, shape (windows, channels)
        g, power gain.
    """

    slot: IntArray = integers("windows")
    satellite: IntArray = integers("windows")
    station: IntArray = integers("windows")
    valid_s: FloatArray = reals("windows")
    gain: FloatArray = reals("windows", "channels")

    def __len__(self) -> int:
        return len(self.slot)


@dataclass(frozen=True, eq=False)
class Association(Instance):
    """An instance of satellite to ground-station association.

    Attributes
    ----------
    satellites, stations, channels, slots
        N, J, K, T: counts; stations are real ones.
    slot_s
        Length of a slot (s).
    bandwidth_hz, power_w, noise_w
        W, p: of each link.
    isolation
        Side-lobe factor of co-channel interference, 0 is none.
    data_unit_bits
        Bits of a data unit.
    capacity : array, shape (stations,)
        C, storage at the beginning (data units).
    storage_price, utility_weight, cost_weight
        kappa, omega, xi.
    """

    problem: ClassVar[str] = "association"
    decision: ClassVar[type[Decision]] = AssociationDecision

    satellites: int = integer(least=1)
    stations: int = integer(least=1)
    channels: int = integer(least=1)
    slots: int = integer(least=1)
    slot_s: float = real(positive=True)
    bandwidth_hz: float = real(positive=True)
    power_w: float = real(positive=True)
    noise_w: float = real(positive=True)
    isolation: float = real(most=1)
    data_unit_bits: float = real(positive=True)
    capacity: FloatArray = reals("stations")
    storage_price: float = real()
    utility_weight: float = real()
    cost_weight: float = real()
    windows: Windows = nested(Windows)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.capacity) != self.stations:
            raise InputError(f"has {len(self.capacity)} entries for {self.stations} stations", "capacity")
        windows = self.windows
        if self.slots * self.satellites * self.stations > LARGEST:
            raise InputError(f"times satellites and stations must be at most {LARGEST}", "slots")
        for name, most in (("slot", self.slots), ("satellite", self.satellites), ("station", self.stations)):
            index = getattr(windows, name)
            if (beyond := np.flatnonzero(index >= most)).size:
                where = f"windows.{name}[{beyond[0]}]"
                raise InputError(f"must be below {most}, is {index[beyond[0]]}", where)
        if (beyond := np.flatnonzero(windows.valid_s > self.slot_s)).size:
            where = f"windows.valid_s[{beyond[0]}]"
            raise InputError(f"must be at most slot_s, {self.slot_s:g}, is {windows.valid_s[beyond[0]]:g}", where)
        if len(windows) and windows.gain.shape[1] != self.channels:
            raise InputError(f"has {windows.gain.shape[1]} entries for {self.channels} channels", "windows.gain[0]")
        with np.errstate(over="ignore"):
            loudest = np.fmax(self.power_w * windows.gain * len(windows), self.snr)
            stored = self.data(np.arange(len(windows)), self.snr.max(1, initial=0.0)) * len(windows)
            stored = np.fmax(stored, stored * self.utility_weight)
        for name, largest in (("gain", loudest.max(1, initial=0.0)), ("valid_s", stored)):
            if (beyond := np.flatnonzero(~np.isfinite(largest))).size:
                raise InputError("makes signal or data too large to reckon with", f"windows.{name}[{beyond[0]}]")
        if not np.isfinite(self.price_weight * self.slots * self.stations):
            raise InputError("makes the price of storage too large to reckon with", "storage_price")
        order = np.argsort(self._keys, kind="stable")
        if (again := np.flatnonzero(np.diff(self._keys[order]) == 0)).size:
            first, second = sorted(order[again[0] : again[0] + 2])
            raise InputError(f"is the same slot, satellite and station as [{first}]", f"windows.slot[{second}]")

    @functools.cached_property
    def _keys(self) -> IntArray:
        """One number a (slot, satellite, station), shape (windows,)."""
        return self._key(self.windows.slot, self.windows.satellite, self.windows.station)

    @functools.cached_property
    def _order(self) -> IntArray:
        """Windows in the order of their keys."""
        return np.argsort(self._keys)

    def _key(self, slot: IntArray, satellite: IntArray, station: IntArray) -> IntArray:
        return np.asarray((slot * self.satellites + satellite) * self.stations + station)

    def window(self, slot: IntArray, satellite: IntArray, station: IntArray) -> IntArray:
        """Windows of (slot, satellite, station), of the shape that the three broadcast to; -1 where there is none."""
        key = self._key(slot, satellite, station)
        if not len(self.windows):
            return np.full(key.shape, -1)
        at = np.searchsorted(self._keys, key, sorter=self._order)
        window = self._order[np.minimum(at, len(self.windows) - 1)]
        return np.where(self._keys[window] == key, window, -1)

    @functools.cached_property
    def snr(self) -> FloatArray:
        """Signal-to-noise ratio without interference, p g / noise, shape (windows, channels)."""
        return self.power_w * self.windows.gain / self.noise_w

    def data(self, window: IntArray, sinr: FloatArray) -> FloatArray:
        """Data of links on these windows (data units), d = W log2(1 + SINR) valid_s / data_unit_bits."""
        bits = self.bandwidth_hz * (np.log1p(sinr) / math.log(2)) * self.windows.valid_s[window]
        return np.asarray(bits / self.data_unit_bits)

    @property
    def price_weight(self) -> float:
        """Weight of load over storage in the objective, xi kappa."""
        return self.cost_weight * self.storage_price

    def check_fit(self, decision: Any, place: str) -> None:
        """Object to links beyond the slots, satellites, stations or channels."""
        most = (self.slots, self.satellites, self.stations, self.channels)
        if (beyond := np.argwhere(decision.links >= np.array(most))).size:
            row, column = beyond[0]
            where = f"{place}.links[{row}][{column}]"
            raise InputError(f"must be below {most[column]}, is {decision.links[row, column]}", where)
