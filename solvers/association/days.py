"""Days of association as arrays: whose turn it is, and how it is heard at every station."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...instances.association import Association
from ...instances.fields import FloatArray, IntArray


@dataclass(frozen=True)
class Days:
    """W instances of one shape; every satellite that reaches a station in a slot has a turn in it.

    Turns are ordered by world, slot and satellite; R of them, and one more at the end that reaches nothing.

    Attributes
    ----------
    instances
        The W instances.
    first : array, shape (W + 1,)
        Where each world's turns begin.
    slot, satellite : array, shape (R + 1,)
    valid : array, shape (R + 1, J)
        Share of the slot in which the satellite reaches a station.
    rate : array, shape (R + 1, J)
        Data units for each bit/s/Hz, W valid / unit; 0 without a window and at a station without storage.
    snr : array, shape (R + 1, J, K)
        Signal-to-noise ratio at every station; 0 without a window.
    """

    instances: tuple[Association, ...]
    first: IntArray
    slot: IntArray
    satellite: IntArray
    valid: FloatArray
    rate: FloatArray
    snr: FloatArray

    @classmethod
    def of(cls, instances: Sequence[Association], *, idle: bool = False) -> Self:
        """Lay out instances of equal numbers of satellites, stations, channels and slots.

        Parameters
        ----------
        idle
            Whether satellites that reach no station have turns, too, as in the paper's algorithm.
        """
        parts = [_turns(instance, idle) for instance in instances]
        first = np.append(0, np.cumsum([len(slot) for slot, *_ in parts])).astype(np.int64)
        joined = (
            np.concatenate([*column, np.zeros((1, *column[0].shape[1:]), column[0].dtype)])
            for column in zip(*parts, strict=True)
        )
        return cls(tuple(instances), first, *joined)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """N, J, K, T."""
        one = self.instances[0]
        return one.satellites, one.stations, one.channels, one.slots

    @property
    def nobody(self) -> int:
        """The last row, R."""
        return len(self.slot) - 1

    def of_worlds(self, name: str) -> FloatArray:
        """A number or array of each instance, the world first."""
        return np.array([getattr(instance, name) for instance in self.instances], float)

    def interference(self, holder: IntArray, isolation: FloatArray) -> FloatArray:
        """Isolation times the SNR at which others' links are heard at each station and channel, shape (B, J, K).

        Parameters
        ----------
        holder : array, shape (B, J, K)
            The turn that has each channel of a slot; `nobody` where it is free.
        isolation : array, shape (B,)
        """
        _, stations, channels, _ = self.shape
        heard = self.snr[holder[:, :, :, None], np.arange(stations), np.arange(channels)[:, None]]
        heard = heard * (1 - np.eye(stations))[:, None]  # (B, of station, K, at station), its own signal left out
        return np.asarray(isolation[:, None, None] * heard.sum(1).transpose(0, 2, 1))

    def data(self, holder: IntArray, interference: FloatArray) -> FloatArray:
        """Data of the links of a slot at some interference (data units), both of shape (B, ..., J, K)."""
        _, stations, channels, _ = self.shape
        station = np.arange(stations)[:, None]
        signal = self.snr[holder, station, np.arange(channels)]
        return np.asarray(self.rate[holder, station] * np.log2(1 + signal / (1 + interference)))


def _turns(instance: Association, idle: bool) -> tuple[IntArray | FloatArray, ...]:
    """Slot, satellite, valid share, rate and SNR of an instance's turns."""
    windows, stations = instance.windows, instance.stations
    able = (windows.valid_s > 0) & (instance.capacity[windows.station] > 0)
    key = windows.slot * instance.satellites + windows.satellite
    keys = np.arange(instance.slots * instance.satellites) if idle else np.unique(key[able])
    slot, satellite = np.divmod(keys, instance.satellites)
    window = instance.window(slot[:, None], satellite[:, None], np.arange(stations))
    turn, station = np.nonzero(window >= 0)
    seen = window[turn, station]
    valid_s, snr = np.zeros(window.shape), np.zeros((*window.shape, instance.channels))
    valid_s[turn, station] = windows.valid_s[seen]
    if seen.size:  # without windows their gains have no channels
        snr[turn, station] = instance.snr[seen]  # heard for the whole slot, whatever the valid time
    rate = instance.bandwidth_hz * valid_s / instance.data_unit_bits * (instance.capacity > 0)
    return slot, satellite, valid_s / instance.slot_s, rate, snr
