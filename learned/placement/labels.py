"""Labels of imitation: instances with proven optima, drawn from presets or read from a file of targets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from ...instances.errors import InputError
from ...instances.fields import FloatArray, IntArray
from ...instances.placement import Placement, PlacementDecision
from ...instances.placement.presets import generate
from ...instances.record import Decision
from ...solvers.placement.batch import Costs
from ...solvers.solve import solve
from ..policy_file import SeenArray
from ..run import read_torch, write_torch
from ..targets import read_targets
from .seating import take

SOLVER = "column-generation"
COSTS = ("fixed_s", "load", "speed_cps", "places")  # the arrays of costs, in the order of their class


@dataclass(frozen=True)
class Labels:
    """Instances of one shape with their optima.

    Attributes
    ----------
    host : array, shape (N, users)
        Host of each user in the optimum.
    optimum_s : array, shape (N,)
        Total delay of it (s).
    seen : array, shape (N,)
        First 64 bits of the instances' hashes.
    """

    costs: Costs
    host: IntArray
    optimum_s: FloatArray
    seen: SeenArray

    @classmethod
    def of(cls, instances: Sequence[Placement], decisions: Sequence[PlacementDecision]) -> Self:
        """Instances of one shape and their optimal decisions."""
        costs, host = Costs.of(instances), np.stack([decision.host for decision in decisions])
        seen = np.array([int(instance.hash[:16], 16) for instance in instances], np.uint64)
        return cls(costs, host, costs.total_s(host), seen)

    @classmethod
    def joined(cls, parts: Sequence["Labels"]) -> Self:
        """Several labels of one shape as one."""
        costs = Costs(parts[0].costs.even, *(np.concatenate([getattr(p.costs, name) for p in parts]) for name in COSTS))
        return cls(
            costs, *(np.concatenate([getattr(p, name) for p in parts]) for name in ("host", "optimum_s", "seen"))
        )

    def __len__(self) -> int:
        return len(self.host)

    @property
    def pairs(self) -> int:
        """(user, host) pairs of one instance."""
        return self.costs.shape[1] * self.costs.shape[2]

    def take(self, rows: IntArray) -> Self:
        """Some of the labels."""
        return type(self)(take(self.costs, rows), self.host[rows], self.optimum_s[rows], self.seen[rows])

    def regret(self, host: IntArray) -> FloatArray:
        """Regret of other placements of the instances, shape (N,)."""
        regret: FloatArray = (self.costs.total_s(host) - self.optimum_s) / self.optimum_s
        return regret

    def write(self, path: Path) -> None:
        """Write a file atomically."""
        tensors = {name: torch.from_numpy(getattr(self, name)) for name in ("host", "optimum_s", "seen")}
        costs = {name: torch.from_numpy(a) for name, a in vars(self.costs).items() if name != "even"}
        write_torch(path, {**tensors, **costs, "even": self.costs.even})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` has written."""
        content: Mapping[str, Any] = read_torch(path)
        try:
            costs = Costs(
                content["even"],
                *(content[name].numpy() for name in COSTS),
            )
            return cls(costs, *(content[name].numpy() for name in ("host", "optimum_s", "seen")))
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"is no file of labels: {error!r}", file=str(path)) from None


def draw(preset: str, seeds: Sequence[int], largest_gap: float) -> Labels:
    """Draw and solve the instances of a preset with these seeds.

    Parameters
    ----------
    largest_gap
        Largest relative gap between objective and bound with which a label is admitted.

    Raises
    ------
    InputError
        When the solver proves less.
    """
    instances = [generate(preset, seed) for seed in seeds]
    decisions = []
    for instance in instances:
        result = solve(instance, SOLVER, gap=largest_gap)
        decision = _admitted(result.decision, result.gap, largest_gap)
        if decision is None:
            raise InputError(f"is {result.gap} on {instance.name}, more than {largest_gap}", "largest_gap")
        decisions.append(decision)
    return Labels.of(instances, decisions)


def from_targets(path: Path, largest_gap: float) -> list[Labels]:
    """The admitted labels in a file of targets, by shape; infeasible instances and larger gaps are left out.

    Raises
    ------
    InputError
        When the file is not as it should be, or nothing in it is admitted.
    """
    found = []
    for target in read_targets(path):
        decision = _admitted(target.solution.decision, target.gap, largest_gap)
        if isinstance(target.instance, Placement) and decision is not None:
            found.append((target.instance, decision))

    def shape(target: tuple[Placement, PlacementDecision]) -> tuple[int, int, str]:
        return target[0].users, target[0].devices, target[0].share

    found.sort(key=shape)
    if not found:
        raise InputError(f"has no placement with a proven gap of at most {largest_gap}", file=str(path))
    return [Labels.of(*zip(*some, strict=True)) for _, some in groupby(found, shape)]


def _admitted(decision: Decision | None, gap: float | None, largest_gap: float) -> PlacementDecision | None:
    admitted = isinstance(decision, PlacementDecision) and gap is not None and gap <= largest_gap
    return decision if admitted else None  # type: ignore[return-value]
