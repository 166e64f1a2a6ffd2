"""Labels of imitation: days with proven optima, and what these say storage is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from ...formulations.association.referee import loads
from ...instances.association import Association, AssociationDecision
from ...instances.association.presets import generate
from ...instances.errors import InputError
from ...instances.fields import FloatArray, IntArray
from ...solvers.association.slot_by_slot import marginal_prices
from ...solvers.solve import solve
from ..policy_file import SeenArray, hash_numbers
from ..run import read_torch, write_torch

ARRAYS = ("seeds", "left", "ahead", "optimum", "seen")


@dataclass(frozen=True)
class HorizonLabels:
    """Days of a preset along their optimum.

    Attributes
    ----------
    seeds : array, shape (days,)
        Of the instances.
    left : array, shape (days, T, J)
        Storage when each slot begins (data units).
    ahead : array, shape (days, T, J)
        What a data unit of it is worth to the slots after this one, at the optimum's loads.
    optimum : array, shape (days,)
        The objective.
    seen : array, shape (days,)
        First 64 bits of the instances' hashes.
    """

    preset: str
    seeds: IntArray
    left: FloatArray
    ahead: FloatArray
    optimum: FloatArray
    seen: SeenArray

    @classmethod
    def draw(cls, preset: str, seeds: Sequence[int], largest_gap: float) -> Self:
        """Draw and solve days.

        Raises
        ------
        InputError
            When the solver proves a larger gap than is admitted.
        """
        instances = [generate(preset, seed) for seed in seeds]
        found = [_along(instance, largest_gap) for instance in instances]
        left, ahead, optimum = (np.array(column) for column in zip(*found, strict=True))
        seen = np.concatenate([hash_numbers([instance.hash]) for instance in instances])
        return cls(preset, np.array(seeds), left, ahead, optimum, seen)

    @classmethod
    def joined(cls, parts: Sequence["HorizonLabels"]) -> Self:
        """Several labels of one preset as one."""
        return cls(parts[0].preset, *(np.concatenate([getattr(p, name) for p in parts]) for name in ARRAYS))

    @property
    def instances(self) -> list[Association]:
        """The days."""
        return [generate(self.preset, int(seed)) for seed in self.seeds]

    def write(self, path: Path) -> None:
        """Write a file atomically."""
        write_torch(path, {"preset": self.preset} | {name: torch.from_numpy(getattr(self, name)) for name in ARRAYS})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` has written."""
        content = read_torch(path)
        try:
            return cls(str(content["preset"]), *(content[name].numpy() for name in ARRAYS))
        except (KeyError, AttributeError) as error:
            raise InputError(f"is no file of labels: {error!r}", file=str(path)) from None


def _along(instance: Association, largest_gap: float) -> tuple[FloatArray, FloatArray, float]:
    """Storage left, its worth ahead, and the objective along an optimum."""
    result = solve(instance, gap=largest_gap)
    if result.gap is None or result.gap > largest_gap or not isinstance(result.decision, AssociationDecision):
        raise InputError(f"is {result.gap} on {instance.name}, more than {largest_gap}", "largest_gap")
    load = loads(instance, result.decision.links)
    left = instance.capacity - np.vstack([np.zeros(instance.stations), load.cumsum(0)[:-1]])
    return left, marginal_prices(load, left, instance.price_weight), result.objective or 0.0
