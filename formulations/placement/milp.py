"""The explicit model: x[i, j] = 1 when device j hosts user i's twin.

``even``: y[j, n] = 1 when device j hosts n twins, v[j, n] the work it then shares. ``optimal``: z[i, k, j] = 1 when
device j hosts both i and k. Work is counted in seconds of the whole device, so all coefficients are seconds.
"""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyomo.environ as pyo

from ...instances.fields import FloatArray, IntArray
from ...instances.placement import Placement, PlacementDecision
from ..templates import templates


def build(instance: Placement) -> pyo.ConcreteModel:
    """State the model of an instance."""
    # Pyomo cannot templatize sums over sets that are all empty.
    usable = np.isfinite(instance.transmit_s) & (instance.device_capacity > 0)
    with contextlib.nullcontext() if usable.any() else templates(False):
        return _state(instance)


def _state(instance: Placement) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel("placement")
    _hosts(m, instance)
    compute_s = _even_shares(m, instance) if instance.share == "even" else _optimal_shares(m, instance)

    @m.Objective(sense=pyo.minimize, doc="(12) sum of all users' delays (s)")
    def delay(m):
        return (
            sum(m.local_s[i] * m.at_home[i] for i in m.USERS)
            + sum(m.cloud_s[i] * m.in_cloud[i] for i in m.USERS)
            + sum(m.transmit_s[i, j] * m.x[i, j] for i, j in m.LINKS)
            + compute_s(m)
        )

    return m


def _hosts(m: pyo.ConcreteModel, instance: Placement) -> None:
    """Sets, the variables that choose hosts, and the constraints on them."""
    home, cloud, linked = (np.isfinite(s) for s in (instance.local_s, instance.cloud_s, instance.transmit_s))
    m.USERS = pyo.RangeSet(0, instance.users - 1)
    m.LINKS = pyo.Set(dimen=2, initialize=list(map(tuple, np.argwhere(linked).tolist())), doc="users and their devices")
    m.DEVICES = pyo.Set(initialize=np.flatnonzero(linked.any(0)).tolist(), doc="devices that some user reaches")
    m.USERS_OF = pyo.Set(m.DEVICES, initialize={j: np.flatnonzero(linked[:, j]).tolist() for j in m.DEVICES})
    m.DEVICES_OF = pyo.Set(m.USERS, initialize={i: np.flatnonzero(linked[i]).tolist() for i in m.USERS})
    m.local_s = pyo.Param(m.USERS, initialize=_entries(np.where(home, instance.local_s, 0), m.USERS), doc="(1)")
    m.cloud_s = pyo.Param(m.USERS, initialize=_entries(np.where(cloud, instance.cloud_s, 0), m.USERS), doc="(10)")
    m.transmit_s = pyo.Param(m.LINKS, initialize=_entries(instance.transmit_s, m.LINKS), doc="(3)")
    alone_s = instance.work_cycles[:, None] / np.where(instance.device_cps > 0, instance.device_cps, np.inf)
    m.alone_s = pyo.Param(m.LINKS, initialize=_entries(alone_s, m.LINKS), doc="(4) with all of F")

    m.at_home = pyo.Var(m.USERS, domain=pyo.Binary, bounds=lambda m, i: (0, int(home[i])))
    m.in_cloud = pyo.Var(m.USERS, domain=pyo.Binary, bounds=lambda m, i: (0, int(cloud[i])))
    m.x = pyo.Var(m.LINKS, domain=pyo.Binary)

    @m.Constraint(m.USERS, doc="(13c) user {0} has one host")
    def one_host(m, i):
        return m.at_home[i] + sum(m.x[i, j] for j in m.DEVICES_OF[i]) + m.in_cloud[i] == 1

    m.device_places = pyo.Param(m.DEVICES, initialize=_entries(instance.device_capacity, m.DEVICES))

    @m.Constraint(m.DEVICES, doc="(13d) device {0} hosts at most {upper:g} twins")
    def device_capacity(m, j):
        return sum(m.x[i, j] for i in m.USERS_OF[j]) <= m.device_places[j]

    @m.Constraint(doc="(13d) the cloud hosts at most {upper:g} twins")
    def cloud_capacity(m):
        return sum(m.in_cloud[i] for i in m.USERS) <= instance.cloud_places


def _even_shares(m: pyo.ConcreteModel, instance: Placement) -> Callable[[pyo.ConcreteModel], Any]:
    """Every hosted twin gets F / n: the device's users together wait n times its work. Returns (4)'s total."""
    levels = {j: range(1, min(int(instance.device_capacity[j]), len(m.USERS_OF[j])) + 1) for j in m.DEVICES}
    m.LEVELS_OF = pyo.Set(m.DEVICES, initialize={j: list(levels[j]) for j in m.DEVICES})
    m.LEVELS = pyo.Set(dimen=2, initialize=[(j, n) for j in m.DEVICES for n in levels[j]])
    least: dict[tuple[int, int], float] = {}
    most: dict[tuple[int, int], float] = {}
    for j in m.DEVICES:
        ordered = np.sort([m.alone_s[i, j] for i in m.USERS_OF[j]])
        least |= {(j, n): ordered[:n].sum().item() for n in levels[j]}
        most |= {(j, n): ordered[-n:].sum().item() for n in levels[j]}
    m.least_work_s = pyo.Param(m.LEVELS, initialize=least)
    m.most_work_s = pyo.Param(m.LEVELS, initialize=most)

    m.y = pyo.Var(m.LEVELS, domain=pyo.Binary)
    m.v = pyo.Var(m.LEVELS, domain=pyo.NonNegativeReals)

    @m.Constraint([j for j in m.DEVICES if levels[j]], doc="device {0} has at most one level")
    def one_level(m, j):
        return sum(m.y[j, n] for n in m.LEVELS_OF[j]) <= 1

    @m.Constraint(m.DEVICES, doc="the level of device {0} counts its twins")
    def level_counts(m, j):
        return sum(m.x[i, j] for i in m.USERS_OF[j]) == sum(n * m.y[j, n] for n in m.LEVELS_OF[j])

    @m.Constraint(m.DEVICES, doc="the work of device {0} is that of its twins")
    def work_of_twins(m, j):
        return sum(m.v[j, n] for n in m.LEVELS_OF[j]) == sum(m.alone_s[i, j] * m.x[i, j] for i in m.USERS_OF[j])

    @m.Constraint(m.LEVELS, doc="device {0} with {1} twins: no more work than the largest ones have")
    def work_at_most(m, j, n):
        return m.v[j, n] <= m.most_work_s[j, n] * m.y[j, n]

    @m.Constraint(m.LEVELS, doc="device {0} with {1} twins: no less work than the smallest ones have")
    def work_at_least(m, j, n):
        return m.v[j, n] >= m.least_work_s[j, n] * m.y[j, n]

    return lambda m: sum(n * m.v[j, n] for j, n in m.LEVELS)


def _optimal_shares(m: pyo.ConcreteModel, instance: Placement) -> Callable[[pyo.ConcreteModel], Any]:
    """Shares proportional to sqrt(mu D): together (sum sqrt(mu D))^2 / F. Returns (4)'s total."""
    m.PAIRS = pyo.Set(
        dimen=3,
        initialize=[(i, k, j) for j in m.DEVICES for i in m.USERS_OF[j] for k in m.USERS_OF[j] if i < k],
        doc="pairs of users and a device of both",
    )
    m.together_s = pyo.Param(
        m.PAIRS,
        initialize={(i, k, j): 2 * (m.alone_s[i, j] * m.alone_s[k, j]) ** 0.5 for i, k, j in m.PAIRS},
        doc="what two twins on one device cost beyond each alone",
    )
    m.z = pyo.Var(m.PAIRS, bounds=(0, 1))

    @m.Constraint(m.PAIRS, doc="users {0} and {1} both on device {2} are a pair")
    def both(m, i, k, j):
        return m.z[i, k, j] >= m.x[i, j] + m.x[k, j] - 1

    return lambda m: (
        sum(m.alone_s[i, j] * m.x[i, j] for i, j in m.LINKS)
        + sum(m.together_s[i, k, j] * m.z[i, k, j] for i, k, j in m.PAIRS)
    )


def _entries(array: FloatArray | IntArray, index: Iterable[Any]) -> dict[Any, float]:
    """The entries of an array at the given indices, as Pyomo initialises parameters."""
    return {at: array[at].item() for at in index}


def start(model: pyo.ConcreteModel, instance: Placement, decision: PlacementDecision) -> None:
    """Give every variable its value in a decision."""
    host = decision.host
    for i in model.USERS:
        model.at_home[i].value = float(host[i] == 0)
        model.in_cloud[i].value = float(host[i] == instance.cloud)
    for i, j in model.LINKS:
        model.x[i, j].value = float(host[i] == j + 1)
    if instance.share == "even":
        for j, n in model.LEVELS:
            hosted = np.flatnonzero(host == j + 1)
            model.y[j, n].value = float(len(hosted) == n)
            model.v[j, n].value = sum(model.alone_s[i, j] for i in hosted) if len(hosted) == n else 0.0
    else:
        for i, k, j in model.PAIRS:
            model.z[i, k, j].value = float(host[i] == host[k] == j + 1)


def extract(model: pyo.ConcreteModel, instance: Placement) -> PlacementDecision:
    """Read the decision from the variables' values."""
    value = np.zeros((instance.users, instance.devices + 2))
    for i in model.USERS:
        value[i, 0] = model.at_home[i].value
        value[i, instance.cloud] = model.in_cloud[i].value
    for i, j in model.LINKS:
        value[i, j + 1] = model.x[i, j].value
    return PlacementDecision(value.argmax(1))
