"""Delay and violations of a placement, straight from the definition; knows no model."""

import numpy as np

from ...instances.fields import FloatArray, IntArray
from ...instances.placement import Placement, PlacementDecision
from ..verdict import Verdict, Violation

PARTS = ("local", "transmit", "compute", "cloud")


def judge(instance: Placement, decision: PlacementDecision) -> Verdict:
    """Judge a placement.

    The objective (12) is the sum of all users' delays (s); its parts are the whole delays of users at home (`local`)
    and in the `cloud`, and the transmission (`transmit`) and computation (`compute`) of users on devices.
    """
    host = decision.host
    violations = [*_impossible_hosts(instance, host), *_overfull(instance, host)]
    if violations:
        return Verdict(None, dict.fromkeys(PARTS), tuple(violations))
    on_device = (host > 0) & (host < instance.cloud)
    parts = {
        "local": instance.local_s[host == 0].sum(),
        "transmit": instance.transmit_s[on_device, host[on_device] - 1].sum(),
        "compute": compute_s(instance, host).sum(),
        "cloud": instance.cloud_s[host == instance.cloud].sum(),
    }
    return Verdict(float(sum(parts.values())), {name: float(part) for name, part in parts.items()})


def compute_s(instance: Placement, host: IntArray) -> FloatArray:
    """Computing delay that each device causes its users together (s), shape (devices,).

    ``even``: every hosted user gets F / n, so the users together wait n sum(mu D) / F. ``optimal``: shares
    proportional to sqrt(mu D) make it (sum sqrt(mu D))^2 / F.
    """
    work = instance.work_cycles
    weight = work if instance.share == "even" else np.sqrt(work)
    count = np.bincount(host, minlength=instance.devices + 2)[1:-1]
    total = np.bincount(host, weight, minlength=instance.devices + 2)[1:-1]
    cycles = count * total if instance.share == "even" else total**2
    return np.divide(cycles, instance.device_cps, out=np.zeros(instance.devices), where=count > 0)


def _impossible_hosts(instance: Placement, host: IntArray) -> list[Violation]:
    delay = np.column_stack([instance.local_s, instance.transmit_s, instance.cloud_s])
    names = ["at home", *(f"on device {j}" for j in range(instance.devices)), "in the cloud"]
    return [
        Violation("possible host", f"user {i} {names[host[i]]}", 1.0)
        for i in np.flatnonzero(np.isinf(delay[np.arange(instance.users), host]))
    ]


def _overfull(instance: Placement, host: IntArray) -> list[Violation]:
    count = np.bincount(host, minlength=instance.devices + 2)[1:]
    places = np.append(instance.device_capacity, instance.cloud_places)
    names = [*(f"device {j}" for j in range(instance.devices)), "cloud"]
    return [Violation("capacity", names[k], float(count[k] - places[k])) for k in np.flatnonzero(count > places)]
