"""The same problem in better numbers: no hosts that cannot matter, and a unit of time near a user's delay.

Engines have absolute tolerances, and one host of 10^12 seconds or delays of microseconds are lost in them.
"""

import dataclasses
import math

import numpy as np

from ...instances.placement import Placement, PlacementDecision
from ..result import Limits
from .batch import Costs
from .local_search import solve_local_search

ROUNDING = 1e-9  # relative difference that sums in another order may make


def reduced(instance: Placement, limits: Limits) -> tuple[Placement, float]:
    """The reduced instance, and by what delays in it are larger, a power of two.

    A host on which a user alone waits longer than all users do in a placement known is removed; the optimum stays.
    """
    known = limits.start or solve_local_search(instance, limits).decision
    if not isinstance(known, PlacementDecision):
        return instance, 1.0
    total_s = float(Costs.of([instance]).total_s(known.host[None])[0])
    if not 0 < total_s < math.inf:
        return instance, 1.0
    longest_s = total_s * (1 + ROUNDING)
    speed = np.where(instance.device_cps > 0, instance.device_cps, 1.0)
    device_s = instance.transmit_s + instance.work_cycles[:, None] / speed
    unit = 2.0 ** -math.floor(math.log2(total_s / instance.users))
    better = dataclasses.replace(
        instance,
        data_bits=instance.data_bits * unit,
        propagation_s=instance.propagation_s * unit,
        local_cps=np.where(instance.local_s > longest_s, 0.0, instance.local_cps),
        uplink_bps=np.where(device_s > longest_s, 0.0, instance.uplink_bps),
        user_satellite_bps=np.where(instance.cloud_s > longest_s, 0.0, instance.user_satellite_bps),
    )
    return better, unit
