"""Every placement there is, for instances small enough."""

import numpy as np

from ...instances.fields import FloatArray
from ...instances.placement import Placement, PlacementDecision
from ..interrupts import check_interrupts
from ..result import Answer, Limits

LARGEST_SPACE = 5_000_000
CHUNK = 65_536


def solve_enumeration(instance: Placement, limits: Limits) -> Answer:
    """Try every combination of possible hosts: prod_i |hosts of i| decisions, each in O(I + J)."""
    fixed = np.column_stack([instance.local_s, instance.transmit_s, instance.cloud_s])
    hosts = [np.flatnonzero(np.isfinite(row)) for row in fixed]
    space = 1
    for own in hosts:
        space *= len(own)
    if space > LARGEST_SPACE:
        return Answer(reason=f"more than {LARGEST_SPACE:,} combinations of hosts")
    best, best_host = np.inf, None
    for first in range(0, space, CHUNK):
        check_interrupts()
        code = np.arange(first, min(first + CHUNK, space))
        host = np.empty((len(code), instance.users), np.int64)
        for i, own in enumerate(hosts):
            code, digit = np.divmod(code, len(own))
            host[:, i] = own[digit]
        delay = _delays(instance, fixed, host)
        if delay.min() < best:
            best, best_host = float(delay.min()), host[delay.argmin()]
    if best_host is None:
        return Answer(infeasible=True, reason="no combination of possible hosts keeps the capacities")
    return Answer(PlacementDecision(best_host), objective=best, bound=best, counters={"decisions": space})


def _delays(instance: Placement, fixed: FloatArray, host: np.ndarray) -> FloatArray:
    """Total delay of each of B decisions (s), inf where a capacity is exceeded; `host` has shape (B, users)."""
    delay: FloatArray = fixed[np.arange(instance.users), host].sum(1)
    delay[(host == instance.cloud).sum(1) > instance.cloud_places] = np.inf
    for j in range(instance.devices):
        here = host == j + 1
        count = here.sum(1)
        if instance.share == "even":
            cycles = count * (here @ instance.work_cycles)
        else:
            cycles = (here @ np.sqrt(instance.work_cycles)) ** 2
        delay += np.divide(cycles, instance.device_cps[j], out=np.zeros(len(host)), where=count > 0)
        delay[count > instance.device_capacity[j]] = np.inf
    return delay
