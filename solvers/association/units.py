"""Units in which data and objectives are near 1, whatever those of the instance are."""

import dataclasses
import math

import numpy as np

from ...instances.association import Association
from ..result import Answer

LEAST = 1e-12  # unit over the data of the best link, however little a station holds


def in_own_units(instance: Association) -> tuple[Association, float]:
    """The same instance, and what its objectives are to be multiplied by; by powers of two, so nothing is rounded.

    The utility weight comes to be from 1/2 to 1: boxes of multipliers, which are utility of data, are made for that.
    """
    alone = instance.data(np.arange(len(instance.windows)), instance.snr.max(1, initial=0.0))
    largest = float(alone.max(initial=0.0))
    unit = _near(max(min(largest, instance.capacity.max()), LEAST * largest))
    factor = 2 * _near(instance.utility_weight * unit)
    scaled = dataclasses.replace(
        instance,
        data_unit_bits=instance.data_unit_bits * unit,
        capacity=instance.capacity / unit,
        utility_weight=instance.utility_weight * unit / factor,
        cost_weight=instance.cost_weight / factor,
    )
    return scaled, factor


def _near(value: float) -> float:
    """The power of two at most a value; 1 for nothing."""
    return math.ldexp(0.5, math.frexp(value)[1]) if value > 0 else 1.0


def multiplied(answer: Answer, factor: float) -> Answer:
    """An answer whose objectives are so much larger."""
    objective, bound = (None if value is None else value * factor for value in (answer.objective, answer.bound))
    trace = tuple(
        point._replace(
            incumbent=None if point.incumbent is None else point.incumbent * factor,
            bound=None if point.bound is None else point.bound * factor,
        )
        for point in answer.trace
    )
    return dataclasses.replace(answer, objective=objective, bound=bound, trace=trace)
