"""Labels of imitation: instances with the prices that prove their bounds, and how near decision and bound are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...instances.errors import InputError
from ...instances.fields import FloatArray
from ...instances.slicing import Slicing
from ...instances.slicing.presets import generate
from ...solvers.result import Limits, relative_gap
from ...solvers.slicing.decomposition import shared_prices
from ..label_store import PresetLabels
from ..policy_file import hash_numbers

PATIENCE = (1, 4, 16)  # times the limit, while a gap is larger than is admitted: on a busy machine


@dataclass(frozen=True)
class PriceLabels(PresetLabels):
    """Instances of a preset with certified solutions.

    Attributes
    ----------
    prices : array, shape (instances, rows)
        Of users, budgets and places, for all placements of UAVs; see `Rows`.
    bound : array, shape (instances,)
        On the objective.
    gap : array, shape (instances,)
        Proven, relative.
    """

    prices: FloatArray
    bound: FloatArray
    gap: FloatArray

    @classmethod
    def draw(
        cls, preset: str, seeds: Sequence[int], wanted_gap: float, time_limit_s: float, largest_gap: float
    ) -> Self:
        """Draw and solve instances.

        Raises
        ------
        InputError
            When the solver proves a larger gap than is admitted, also in 16 times the limit.
        """
        prices, bound, gap, hashes = [], [], [], []
        for instance in (generate(preset, seed) for seed in seeds):
            for patience in PATIENCE:
                point, answer = shared_prices(instance, Limits(patience * time_limit_s, wanted_gap))
                proven = relative_gap(answer.trace[-1].incumbent, answer.bound)
                if proven is not None and proven <= largest_gap:
                    break
            else:
                raise InputError(f"is {proven} on {instance.name}, more than {largest_gap}", "largest_gap")
            prices.append(point)
            bound.append(answer.bound)
            gap.append(proven)
            hashes.append(hash_numbers([instance.hash]))
        seen = np.concatenate(hashes)
        return cls(preset, np.array(seeds), seen, np.stack(prices), np.array(bound, float), np.array(gap, float))

    @property
    def instances(self) -> list[Slicing]:
        """The instances."""
        return [generate(self.preset, int(seed)) for seed in self.seeds]
