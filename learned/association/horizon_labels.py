"""Labels of imitation: days with proven optima, and what these say storage is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...formulations.association.referee import loads
from ...instances.association import Association, AssociationDecision
from ...instances.association.presets import generate
from ...instances.errors import InputError
from ...instances.fields import FloatArray
from ...solvers.association.slot_by_slot import marginal_prices
from ...solvers.solve import solve
from ..label_store import PresetLabels
from ..policy_file import hash_numbers


@dataclass(frozen=True)
class HorizonLabels(PresetLabels):
    """Days of a preset along their optimum.

    Attributes
    ----------
    left : array, shape (days, T, J)
        Storage when each slot begins (data units).
    ahead : array, shape (days, T, J)
        What a data unit of it is worth to the slots after this one, at the optimum's loads.
    optimum : array, shape (days,)
        The objective.
    """

    left: FloatArray
    ahead: FloatArray
    optimum: FloatArray

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
        return cls(preset, np.array(seeds), seen, left, ahead, optimum)

    @property
    def instances(self) -> list[Association]:
        """The days."""
        return [generate(self.preset, int(seed)) for seed in self.seeds]


def _along(instance: Association, largest_gap: float) -> tuple[FloatArray, FloatArray, float]:
    """Storage left, its worth ahead, and the objective along an optimum."""
    result = solve(instance, gap=largest_gap)
    if result.gap is None or result.gap > largest_gap or not isinstance(result.decision, AssociationDecision):
        raise InputError(f"is {result.gap} on {instance.name}, more than {largest_gap}", "largest_gap")
    load = loads(instance, result.decision.links)
    left = instance.capacity - np.vstack([np.zeros(instance.stations), load.cumsum(0)[:-1]])
    return left, marginal_prices(load, left, instance.price_weight), result.objective or 0.0
