"""Labels of imitation: instances with the optimum's choices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...instances.errors import InputError
from ...instances.fields import FloatArray, IntArray
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.presets import generate
from ...solvers.solve import solve
from ..label_store import PresetLabels
from ..policy_file import hash_numbers


@dataclass(frozen=True)
class SlotLabels(PresetLabels):
    """Instances of a preset with their optimum.

    Attributes
    ----------
    choice : array, shape (instances, slots, users, 4)
        As in a decision.
    optimum : array, shape (instances,)
        The objective.
    """

    choice: IntArray
    optimum: FloatArray

    @classmethod
    def draw(cls, preset: str, seeds: Sequence[int], largest_gap: float) -> Self:
        """Draw and solve instances.

        Raises
        ------
        InputError
            When the solver proves a larger gap than is admitted.
        """
        choice, optimum, hashes = [], [], []
        for instance in (generate(preset, seed) for seed in seeds):
            result = solve(instance, gap=largest_gap)
            if result.gap is None or result.gap > largest_gap or not isinstance(result.decision, ProvisioningDecision):
                raise InputError(f"is {result.gap} on {instance.name}, more than {largest_gap}", "largest_gap")
            choice.append(result.decision.choice)
            optimum.append(result.objective)
            hashes.append(hash_numbers([instance.hash]))
        return cls(preset, np.array(seeds), np.concatenate(hashes), np.stack(choice), np.array(optimum, float))

    @property
    def instances(self) -> list[Provisioning]:
        """The instances."""
        return [generate(self.preset, int(seed)) for seed in self.seeds]
