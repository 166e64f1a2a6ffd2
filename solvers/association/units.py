"""Units in which data and objectives are near 1, whatever those of the instance are."""

import dataclasses

import numpy as np

from ...formulations.constraint_model import power_of_two
from ...instances.association import Association
from ..result import Limits

LEAST = 1e-12  # unit over the data of the best link, however little a station holds
DEAREST = 1e9  # price of all storage over what all data earn: links that store something pay as little at any more


def in_own_units(instance: Association, limits: Limits) -> tuple[Association, float]:
    """Return the same instance in other units, and the factor by which its objectives are larger.

    Units are powers of two, so nothing is rounded. The utility weight comes to be from 1/2 to 1: boxes of multipliers,
    which are utility of data, are made for that. A price beyond `DEAREST` is lowered to it, which admits no less.
    """
    alone = instance.data(np.arange(len(instance.windows)), instance.snr.max(1, initial=0.0))
    largest = float(alone.max(initial=0.0))
    unit = power_of_two(max(min(largest, instance.capacity.max()), LEAST * largest))
    factor = 2 * power_of_two(instance.utility_weight * unit)
    scaled = dataclasses.replace(
        instance,
        data_unit_bits=instance.data_unit_bits * unit,
        capacity=instance.capacity / unit,
        utility_weight=instance.utility_weight * unit / factor,
        cost_weight=instance.cost_weight / factor,
    )
    dearest = DEAREST * max(1.0, float(alone.sum()) / unit) * max(1.0, float(scaled.capacity.max()))
    if scaled.storage_price and scaled.cost_weight > dearest / scaled.storage_price:
        scaled = dataclasses.replace(scaled, cost_weight=dearest / scaled.storage_price)
    return scaled, 1 / factor
