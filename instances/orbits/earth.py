"""The Earth: its size, its rotation, and places on it."""

import numpy as np

from ..fields import FloatArray

EQUATOR_M = 6_378_137.0  # WGS 84
FLATTENING = 1 / 298.257223563
GRAVITY_M3_PER_S2 = 3.986004418e14
ROTATION_RAD_PER_S = 7.292115e-5
DAY_S = 86_400.0


def upward(latitude_deg: FloatArray, longitude_deg: FloatArray) -> FloatArray:
    """Unit vectors of the vertical in the Earth-fixed frame, shape (..., 3)."""
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    level = np.cos(latitude)
    return np.stack([level * np.cos(longitude), level * np.sin(longitude), np.sin(latitude)], -1)


def earth_fixed_m(latitude_deg: FloatArray, longitude_deg: FloatArray, altitude_m: FloatArray) -> FloatArray:
    """Positions of geodetic coordinates on the WGS 84 ellipsoid in the Earth-fixed frame (m), shape (..., 3)."""
    squeezed = (1 - FLATTENING) ** 2
    vertical = upward(latitude_deg, longitude_deg)
    radius_m = EQUATOR_M / np.sqrt(1 - (1 - squeezed) * vertical[..., 2] ** 2)
    return vertical * np.stack([radius_m + altitude_m, radius_m + altitude_m, squeezed * radius_m + altitude_m], -1)


def to_earth_fixed(position: FloatArray, sidereal_angle: FloatArray) -> FloatArray:
    """Turn positions, shape (..., T, 3), into the frame that has turned by an angle (rad), shape (T,)."""
    cos, sin = np.cos(sidereal_angle), np.sin(sidereal_angle)
    x, y, z = position[..., 0], position[..., 1], position[..., 2]
    return np.stack([cos * x + sin * y, cos * y - sin * x, z], -1)


def sidereal_angle(julian_day: float, day_fraction: FloatArray) -> FloatArray:
    """Greenwich mean sidereal time of an instant in UT1, taken for UTC (rad); IAU 1982, the frame of SGP4 positions."""
    century = (julian_day - 2_451_545.0 + day_fraction) / 36_525
    seconds = 67_310.54841 + century * (876_600 * 3_600 + 8_640_184.812866 + century * (0.093104 - 6.2e-6 * century))
    return np.asarray(np.radians(seconds / 240 % 360))
