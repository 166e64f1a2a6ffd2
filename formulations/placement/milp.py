"""The explicit model: x[i, j] = 1 when device j hosts user i's twin.

``even``: y[j, n] = 1 when device j hosts n twins, v[j, n] the work it then shares. ``optimal``: z[i, k, j] = 1 when
device j hosts both i and k. Work is counted in seconds of the whole device, so all coefficients are seconds. Hosts
that a user cannot have are variables with the upper bound 0.
"""

import contextlib
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pyomo.environ as pyo

from ...instances.fields import FloatArray
from ...instances.placement import Placement, PlacementDecision
from ..templates import table, templates

EXACT = True


def describe(instance: Placement) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is the problem's"


def build(instance: Placement) -> pyo.ConcreteModel:
    """State the model of an instance."""
    # Pyomo cannot templatize sums over nothing.
    with contextlib.nullcontext() if instance.devices else templates(False):
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
            + sum(m.transmit_s[i, j] * m.x[i, j] for i in m.USERS for j in m.DEVICES)
            + compute_s(m)
        )

    return m


def _hosts(m: pyo.ConcreteModel, instance: Placement) -> None:
    """Who may be where, and how many."""
    m.USERS = pyo.Set(initialize=range(instance.users))
    m.DEVICES = pyo.Set(initialize=range(instance.devices))
    m.local_s = table(_finite(instance.local_s), m.USERS, doc="(1)")
    m.cloud_s = table(_finite(instance.cloud_s), m.USERS, doc="(10)")
    m.transmit_s = table(_finite(instance.transmit_s), m.USERS, m.DEVICES, doc="(3)")
    m.alone_s = table(alone_s(instance), m.USERS, m.DEVICES, doc="(4) with all of F")
    m.places = table(instance.device_capacity, m.DEVICES, doc="N")

    m.at_home = pyo.Var(m.USERS, domain=pyo.Binary)
    m.in_cloud = pyo.Var(m.USERS, domain=pyo.Binary)
    m.x = pyo.Var(m.USERS, m.DEVICES, domain=pyo.Binary)
    hosts = ((m.at_home, instance.local_s), (m.in_cloud, instance.cloud_s), (m.x, instance.transmit_s))
    for variable, delay in hosts:
        for impossible in np.argwhere(np.isinf(delay)).tolist():
            variable[tuple(impossible)].setub(0)

    @m.Constraint(m.USERS, doc="(13c) user {0} has one host")
    def one_host(m, i):
        return m.at_home[i] + sum(m.x[i, j] for j in m.DEVICES) + m.in_cloud[i] == 1

    @m.Constraint(m.DEVICES, doc="(13d) device {0} hosts at most {upper:g} twins")
    def device_capacity(m, j):
        return sum(m.x[i, j] for i in m.USERS) <= m.places[j]

    @m.Constraint(doc="(13d) the cloud hosts at most {upper:g} twins")
    def cloud_capacity(m):
        return sum(m.in_cloud[i] for i in m.USERS) <= instance.cloud_places


def _even_shares(m: pyo.ConcreteModel, instance: Placement) -> Callable[[pyo.ConcreteModel], Any]:
    """Every hosted twin gets F / n: the device's users together wait n times its work. Returns (4)'s total."""
    least, most = _work_at_levels(instance)
    m.LEVELS = pyo.Set(dimen=2, initialize=list(most), doc="devices and their possible numbers of twins")
    levels = {j: [n for k, n in most if k == j] for j in m.DEVICES}
    m.LEVELS_OF = pyo.Set(m.DEVICES, initialize=levels)
    m.least_work_s = pyo.Param(m.LEVELS, initialize=least)
    m.most_work_s = pyo.Param(m.LEVELS, initialize=most)

    m.y = pyo.Var(m.LEVELS, domain=pyo.Binary)
    m.v = pyo.Var(m.LEVELS, bounds=lambda m, j, n: (0.0, m.most_work_s[j, n]))

    @m.Constraint(m.DEVICES, doc="device {0} has one level")
    def one_level(m, j):
        return sum(m.y[j, n] for n in m.LEVELS_OF[j]) == 1

    @m.Constraint(m.DEVICES, doc="the level of device {0} counts its twins")
    def level_counts(m, j):
        return sum(m.x[i, j] for i in m.USERS) == sum(n * m.y[j, n] for n in m.LEVELS_OF[j])

    @m.Constraint(m.DEVICES, doc="the work of device {0} is that of its twins")
    def work_of_twins(m, j):
        return sum(m.v[j, n] for n in m.LEVELS_OF[j]) == sum(m.alone_s[i, j] * m.x[i, j] for i in m.USERS)

    @m.Constraint(m.LEVELS, doc="device {0} with {1} twins: no more work than the largest ones have")
    def work_at_most(m, j, n):
        return m.v[j, n] <= m.most_work_s[j, n] * m.y[j, n]

    @m.Constraint(m.LEVELS, doc="device {0} with {1} twins: no less work than the smallest ones have")
    def work_at_least(m, j, n):
        return m.v[j, n] >= m.least_work_s[j, n] * m.y[j, n]

    return lambda m: sum(n * m.v[j, n] for j, n in m.LEVELS)


def _optimal_shares(m: pyo.ConcreteModel, instance: Placement) -> Callable[[pyo.ConcreteModel], Any]:
    """Shares proportional to sqrt(mu D): together (sum sqrt(mu D))^2 / F. Returns (4)'s total."""
    alone, linked = alone_s(instance), np.isfinite(instance.transmit_s)
    together = {
        (i, k, j): 2 * (alone[i, j] * alone[k, j]) ** 0.5
        for j in m.DEVICES
        for i, k in combinations(np.flatnonzero(linked[:, j]).tolist(), 2)
    }
    m.PAIRS = pyo.Set(dimen=3, initialize=list(together), doc="pairs of users and a device of both")
    m.together_s = pyo.Param(m.PAIRS, initialize=together, doc="what two twins on one device cost beyond each alone")
    m.z = pyo.Var(m.PAIRS, bounds=(0, 1))

    @m.Constraint(m.PAIRS, doc="users {0} and {1} both on device {2} are a pair")
    def both(m, i, k, j):
        return m.z[i, k, j] >= m.x[i, j] + m.x[k, j] - 1

    return lambda m: (
        sum(m.alone_s[i, j] * m.x[i, j] for i in m.USERS for j in m.DEVICES)
        + sum(m.together_s[i, k, j] * m.z[i, k, j] for i, k, j in m.PAIRS)
    )


def alone_s(instance: Placement) -> FloatArray:
    """Seconds that each user's work takes on all of each device, shape (users, devices); 0 where impossible."""
    speed = np.where(np.isfinite(instance.transmit_s), instance.device_cps, np.inf)
    alone: FloatArray = instance.work_cycles[:, None] / speed
    return alone


def _finite(delay: FloatArray) -> FloatArray:
    return np.where(np.isfinite(delay), delay, 0.0)


def _work_at_levels(instance: Placement) -> tuple[dict[tuple[int, int], float], dict[tuple[int, int], float]]:
    """Least and most work (s) of n twins on device j, by (j, n), for every n that it can host."""
    least, most = {}, {}
    alone, linked = alone_s(instance), np.isfinite(instance.transmit_s)
    for j in range(instance.devices):
        ordered = np.sort(alone[linked[:, j], j])
        for n in range(min(int(instance.device_capacity[j]), len(ordered)) + 1):
            least[j, n] = float(ordered[:n].sum())
            most[j, n] = float(ordered[len(ordered) - n :].sum())
    return least, most


def start(model: pyo.ConcreteModel, instance: Placement, decision: PlacementDecision) -> None:
    """Give every variable its value in a decision."""
    host = decision.host
    for i in model.USERS:
        model.at_home[i].value = float(host[i] == 0)
        model.in_cloud[i].value = float(host[i] == instance.cloud)
        for j in model.DEVICES:
            model.x[i, j].value = float(host[i] == j + 1)
    if instance.share == "even":
        alone = alone_s(instance)
        for j, n in model.LEVELS:
            hosted = np.flatnonzero(host == j + 1)
            model.y[j, n].value = float(len(hosted) == n)
            model.v[j, n].value = float(alone[hosted, j].sum()) if len(hosted) == n else 0.0
    else:
        for i, k, j in model.PAIRS:
            model.z[i, k, j].value = float(host[i] == host[k] == j + 1)


def extract(model: pyo.ConcreteModel, instance: Placement) -> PlacementDecision:
    """Read the decision from the variables' values."""
    value = np.zeros((instance.users, instance.devices + 2))
    for i in model.USERS:
        value[i, 0] = model.at_home[i].value
        value[i, instance.cloud] = model.in_cloud[i].value
        for j in model.DEVICES:
            value[i, j + 1] = model.x[i, j].value
    return PlacementDecision(value.argmax(1))
