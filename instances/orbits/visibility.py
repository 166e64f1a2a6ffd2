"""When satellites are above stations' horizons, and how far away."""

from dataclasses import dataclass, fields

import numpy as np

from ..fields import FloatArray, IntArray
from .constellations import Constellation
from .stations import Stations

AT_ONCE = 4_000_000  # (satellite, time, station) triples looked at together, which bounds the memory
FARTHEST_M = 1e9  # farther than satellites are


@dataclass(frozen=True)
class Windows:
    """Which satellite is visible from which station in which slot: parallel arrays, ordered in that way.

    Attributes
    ----------
    slot, satellite, station : array, shape (windows,)
        Indices, ordered by slot, then satellite, then station; each triple is there once.
    valid_s : array, shape (windows,)
        Time in the slot for which it is visible (s).
    distance_m : array, shape (windows,)
        Mean distance over that time (m).
    """

    slot: IntArray
    satellite: IntArray
    station: IntArray
    valid_s: FloatArray
    distance_m: FloatArray

    def __len__(self) -> int:
        return len(self.slot)


def elevation_deg(position_m: FloatArray, stations: Stations) -> FloatArray:
    """Elevation above each station's horizon (degrees), shape (stations, …), of Earth-fixed positions, shape (…, 3)."""
    away = position_m - stations.position_m.reshape(-1, *(1,) * (position_m.ndim - 1), 3)
    height = (away * stations.upward.reshape(away.shape[:1] + (1,) * (away.ndim - 2) + (3,))).sum(-1)
    return np.asarray(np.degrees(np.arcsin(np.clip(height / np.linalg.norm(away, axis=-1), -1, 1))))


def windows(
    constellation: Constellation,
    stations: Stations,
    *,
    start_s: float,
    slots: int,
    slot_s: float,
    samples: int,
    least_elevation_deg: float,
) -> Windows:
    """Find all windows of a horizon; O(satellites * stations * slots * samples) time, bounded memory.

    Parameters
    ----------
    start_s
        When the first slot begins, on the constellation's clock (s).
    samples
        Moments of each slot that are looked at, in the middles of so many equal parts.
    least_elevation_deg
        Elevation from which a satellite counts as visible.
    """
    parts = []
    here, up = stations.position_m, stations.upward
    ground, least = (up * here).sum(1)[:, None], np.sin(np.radians(least_elevation_deg))
    middles = (np.arange(samples) + 0.5) / samples
    satellites = constellation.satellites
    at_once = max(1, AT_ONCE // max(1, satellites * samples * len(stations)))
    for first in range(0, slots, at_once):
        own = np.arange(first, min(first + at_once, slots))
        position_m = constellation.positions_m(start_s + slot_s * (own[:, None] + middles).ravel()).reshape(-1, 3)
        height_m = up @ position_m.T - ground
        # Few are above the horizontal plane, and only they need a distance; a position that is not a number never is.
        station, row = np.nonzero(height_m > min(0.0, least) * FARTHEST_M)
        distance_m = np.linalg.norm(position_m[row] - here[station], axis=1)
        visible = height_m[station, row] >= least * distance_m
        satellite, moment = np.divmod(row[visible], len(own) * samples)
        window = (moment // samples * satellites + satellite) * len(stations) + station[visible]
        count = np.bincount(window, minlength=len(own) * satellites * len(stations))
        total_m = np.bincount(window, distance_m[visible], minlength=len(count))
        there = np.flatnonzero(count)
        slot, rest = np.divmod(there, satellites * len(stations))
        satellite, station = np.divmod(rest, len(stations))
        valid_s, mean_m = (slot_s / samples) * count[there].astype(float), total_m[there] / count[there]
        parts.append(Windows(first + slot, satellite, station, valid_s, mean_m))
    return Windows(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Windows)))
