"""The extended constraint model: one literal a user, device and number of twins on it.

``even``: x[i, j, n] holds when device j hosts n twins and i is one of them, at the constant cost of that case.
``optimal``: x[i, j], and one literal a pair of users on one device.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...instances.placement import Placement, PlacementDecision
from ...instances.record import Decision
from ..constraint_model import BoolVar, ConstraintModel, Values

Meanings = dict[BoolVar, Callable[[Any], bool]]


def describe(instance: Placement) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is the problem's, with the objective rounded down"


def build(instance: Placement) -> ConstraintModel:
    """State the constraint model of an instance."""
    return _Builder(instance).finish()


class _Builder:
    """Collects literals with their cost and their meaning."""

    def __init__(self, instance: Placement) -> None:
        self.instance = instance
        self.model = ConstraintModel()
        self.cost: dict[BoolVar, float] = {}
        self.meaning: Meanings = {}
        self.hosts: list[dict[int, list[BoolVar]]] = [{} for _ in range(instance.users)]
        reach = np.where(instance.device_cps > 0, instance.device_cps, np.inf)
        self.alone_s = instance.work_cycles[:, None] / reach
        self.most = np.minimum(instance.device_capacity, np.isfinite(instance.transmit_s).sum(0))
        self._own_hosts()
        for j in range(instance.devices):
            (self._even_device if instance.share == "even" else self._optimal_device)(j)
        for i in range(instance.users):
            self.model.add_exactly_one(x for literals in self.hosts[i].values() for x in literals)

    def _literal(self, name: str, cost: float, meaning: Callable[[Any], bool]) -> BoolVar:
        literal = self.model.literal(name)
        self.cost[literal], self.meaning[literal] = cost, meaning
        return literal

    def _host(self, i: int, host: int, name: str, cost: float, twins: int | None = None) -> BoolVar:
        """A literal that holds when user i has this host (among so many twins, when given)."""
        literal = self._literal(
            name, cost, lambda d: d.host[i] == host and twins in (None, np.count_nonzero(d.host == host))
        )
        self.hosts[i].setdefault(host, []).append(literal)
        return literal

    def _own_hosts(self) -> None:
        instance = self.instance
        for i in np.flatnonzero(np.isfinite(instance.local_s)).tolist():
            self._host(i, 0, f"home[{i}]", instance.local_s[i])
        cloud = [
            self._host(i, instance.cloud, f"cloud[{i}]", instance.cloud_s[i])
            for i in np.flatnonzero(np.isfinite(instance.cloud_s)).tolist()
        ]
        self.model.add_count(cloud, instance.cloud_places)

    def _even_device(self, j: int) -> None:
        users = np.flatnonzero(np.isfinite(self.instance.transmit_s[:, j])).tolist()
        levels = []
        for n in range(1, int(self.most[j]) + 1):
            level = self._literal(f"y[{j},{n}]", 0.0, lambda d, n=n: np.count_nonzero(d.host == j + 1) == n)  # type: ignore[misc]
            hosted = [
                self._host(i, j + 1, f"x[{i},{j},{n}]", self.instance.transmit_s[i, j] + n * self.alone_s[i, j], n)
                for i in users
            ]
            self.model.add_count(hosted, n, multiple_of=level)
            levels.append(level)
        self.model.add_at_most_one(levels)

    def _optimal_device(self, j: int) -> None:
        users = np.flatnonzero(np.isfinite(self.instance.transmit_s[:, j])).tolist()
        if self.most[j] == 0:
            return
        x = {i: self._host(i, j + 1, f"x[{i},{j}]", self.instance.transmit_s[i, j] + self.alone_s[i, j]) for i in users}
        self.model.add_count(x.values(), int(self.most[j]))
        for a, i in enumerate(users):
            for k in users[a + 1 :]:
                both = self._literal(
                    f"z[{i},{k},{j}]",
                    2 * np.sqrt(self.alone_s[i, j] * self.alone_s[k, j]),
                    lambda d, i=i, k=k: d.host[i] == d.host[k] == j + 1,  # type: ignore[misc]
                )
                self.model.add_any(~x[i], ~x[k], both)

    def finish(self) -> ConstraintModel:
        terms = self.instance.users
        if self.instance.share == "optimal":
            terms += int((self.most * (self.most - 1) // 2).sum())
        dearest = sum(sorted(self.cost.values(), reverse=True)[:terms])
        self.model.minimise(self.cost.items(), largest=dearest)
        return self.model.reads(self._decision, self._values, trivial=0.0)

    def _decision(self, value: Values) -> PlacementDecision:
        host = [next(h for h, literals in own.items() if any(map(value, literals))) for own in self.hosts]
        return PlacementDecision(np.array(host))

    def _values(self, decision: Decision) -> Mapping[BoolVar, int]:
        return {literal: int(holds(decision)) for literal, holds in self.meaning.items()}
