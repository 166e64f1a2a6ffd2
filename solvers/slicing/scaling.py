"""Objectives of order 1: tolerances of searches and engines are absolute, and objectives may be in any unit."""

import math
from dataclasses import replace

import numpy as np

from ...formulations.slicing.links import Sites
from ...formulations.slicing.values import rate_bps
from ...instances.slicing import Slicing, Weights
from ..result import Limits

LARGEST = 1e3  # of what all users may win together, and of its inverse: left as it is up to there


def scaled(instance: Slicing, limits: Limits | None = None) -> tuple[Slicing, float]:
    """The instance with weights by which users win about 1 together, and how much larger they are, a power of 2."""
    weights = instance.weights
    loudest = max((float(own.snr.max(initial=0.0)) for own in Sites.of(instance)), default=0.0)
    rate = instance.slices.count("H") * float(rate_bps(instance, np.array(loudest)))
    most = weights.throughput * rate / instance.throughput_ref_bps
    most += weights.delay * ("L" in instance.slices) + weights.coverage * ("C" in instance.slices)
    if most <= 0 or 1 / LARGEST <= most <= LARGEST:
        return instance, 1.0
    factor = 2.0 ** -round(math.log2(most))
    own = Weights(weights.throughput * factor, weights.delay * factor, weights.coverage * factor)
    return replace(instance, weights=own), factor
