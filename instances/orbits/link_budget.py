"""What of a signal arrives: free-space gain, Rician fading, thermal noise."""

import numpy as np
from scipy.constants import speed_of_light

from ..fields import FloatArray

BOLTZMANN_J_PER_K = 1.380649e-23


def free_space_gain(distance_m: FloatArray, carrier_hz: float, antennas_db: float) -> FloatArray:
    """Power gain (lambda / 4 pi d)^2 over a distance, times the gain of both antennas together (dB)."""
    return np.asarray((speed_of_light / (4 * np.pi * carrier_hz * distance_m)) ** 2 * 10 ** (antennas_db / 10))


def rician(factor: float, shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """Power gains of unit mean whose direct path has `factor` times the power of all scattered ones."""
    scattered = rng.normal(0, np.sqrt(0.5 / (factor + 1)), (2, *shape))
    direct = np.sqrt(factor / (factor + 1))
    return np.asarray((direct + scattered[0]) ** 2 + scattered[1] ** 2)


def thermal_noise_w(bandwidth_hz: float, temperature_k: float) -> float:
    """Power k T B (W)."""
    return BOLTZMANN_J_PER_K * temperature_k * bandwidth_hz
