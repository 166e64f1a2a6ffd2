"""The front of throughput, delay and coverage: throughput is maximised within goals for the other two, with proof.

The augmented epsilon-constraint method (Mavrotas 2009): coverage takes every value that it can, delays those of a
grid, and the objective has a little of both so that what is found is not dominated. A decision that reaches tighter
goals than it was asked for answers those, too, bounds of loose goals bound tighter ones, and bounds of weighed sums
bound all.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...formulations.slicing.referee import judge
from ...instances.fields import BoolArray, FloatArray
from ...instances.slicing import Slicing, SlicingDecision, Weights
from ..result import Limits
from .cells import Goals
from .decomposition import solve_decomposition

LITTLE = 1e-4  # weight of coverage, and of delay within goals
WEIGHTS = (
    LITTLE,
    0.1,
    1.0,
    3.0,
    10.0,
    20.0,
    30.0,
    40.0,
    60.0,
    100.0,
    300.0,
    1000.0,
)  # of delay, that of throughput being 1
NEAR = 1e-9  # relative, by how much goals may be missed
ALIKE = 1e-6  # over the largest, differences that make no difference


class Point(NamedTuple):
    """What is known for some goals.

    Attributes
    ----------
    coverage, delay_s
        The goals: at least, at most.
    decision
        None where none is known.
    reached : array, shape (3,)
        Throughput (bit/s), delay (s), coverage of the decision.
    throughput_bound_bps
        No decision that reaches the goals has more; -inf where none reaches them.
    """

    coverage: float
    delay_s: float
    decision: SlicingDecision | None
    reached: FloatArray
    throughput_bound_bps: float

    @property
    def gap(self) -> float:
        """Between throughput and its bound, over the bound."""
        if self.throughput_bound_bps <= 0:
            return 0.0
        return max(0.0, 1 - float(self.reached[0]) / self.throughput_bound_bps) if self.decision else math.inf


class Found(NamedTuple):
    """A decision with its throughput (bit/s), delay (s) and coverage, shape (3,)."""

    decision: SlicingDecision
    reached: FloatArray


class Plane(NamedTuple):
    """A bound on throughput over its reference, less weighed delay over its cap, plus `LITTLE` coverage.

    Attributes
    ----------
    weight
        Of the delay.
    most
        The bound; -inf where no decision reaches the goals.
    coverage, delay_s
        The goals of the decisions that it holds for.
    """

    weight: float
    most: float
    coverage: float
    delay_s: float


class Front:
    """Decisions and bounds that are known, and the points that follow.

    Parameters
    ----------
    limits
        Of each problem that is solved.
    delays_s
        Of the grid, beside those of decisions of most throughput less weighed delays, and the cap.
    """

    def __init__(self, instance: Slicing, limits: Limits, delays_s: Sequence[float] = ()) -> None:
        self.instance, self.limits = instance, limits
        self.low, self.wide = (instance.slices.count(letter) for letter in "LC")
        self.found, self.planes = list[Found](), list[Plane]()
        self.coverages = [covered / max(self.wide, 1) for covered in range(self.wide + 1)]
        self.delays_s = {instance.delay_cap_s, *delays_s}

    def search(self, note: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Solve what the grid needs.

        Parameters
        ----------
        note
            Is told how many steps are done with, of how many.
        """
        for done, weight in enumerate(WEIGHTS):
            self.ask(weight)
            note(done + 1, len(WEIGHTS))
        self.delays_s |= {float(one.reached[1]) for one in self.found if self.low}
        for done, delay_s in enumerate(sorted(self.delays_s, reverse=True)):
            self.improve(delay_s)
            note(len(WEIGHTS) + done + 1, len(WEIGHTS) + len(self.delays_s))

    def points(self) -> list[Point]:
        """The grid, loose goals first; empty where nothing is known yet."""
        grid = itertools.product(self.coverages, sorted(self.delays_s, reverse=True))
        return [self.point(*goals) for goals in grid] if self.planes else []

    def ask(self, weight: float, coverage: float = 0.0, delay_s: float = math.inf, start: Found | None = None) -> None:
        """Solve with a weight of the delay, and goals where there are any."""
        asked = replace(self.instance, weights=Weights(1.0, weight, LITTLE))
        cap_s, goals = self.instance.delay_cap_s, None
        if delay_s < math.inf:
            goals = Goals(round(coverage * self.wide), self.low * (cap_s - min(delay_s, cap_s)))
        limits = replace(self.limits, start=None if start is None else start.decision)
        answer = solve_decomposition(asked, limits, goals)
        if answer.infeasible:
            self.planes.append(Plane(weight, -math.inf, coverage, delay_s))
        elif answer.bound is not None:
            self.planes.append(Plane(weight, answer.bound, coverage, delay_s))
        if isinstance(answer.decision, SlicingDecision):
            parts = judge(asked, answer.decision).parts
            reached = [parts[name] for name in ("throughput_bps", "delay_s", "coverage")]
            self.found.append(Found(answer.decision, np.array(reached, float)))

    def point(self, coverage: float, delay_s: float) -> Point:
        """What is known for goals."""
        best = self._best(coverage, delay_s)
        cap_s, used = self.instance.delay_cap_s, self.low > 0
        most = min(
            plane.most + plane.weight * used * delay_s / cap_s - LITTLE * coverage
            for plane in self.planes
            if plane.coverage <= coverage and plane.delay_s >= delay_s
        )
        decision, reached = (None, np.full(3, np.nan)) if best is None else best
        bound = most * self.instance.throughput_ref_bps if most > -NEAR else -math.inf
        return Point(coverage, delay_s, decision, reached, bound)

    def _best(self, coverage: float, delay_s: float) -> Found | None:
        own = [one for one in self.found if _reaches(one.reached, coverage, delay_s)]
        return max(own, key=lambda one: float(one.reached[0]), default=None)

    def improve(self, delay_s: float) -> None:
        """Ask for goals that are not answered near enough; not again where a looser coverage had the same answer."""
        before: Found | None = None
        for coverage in self.coverages:
            best = self._best(coverage, delay_s)
            if (best is None or best is not before) and self.point(coverage, delay_s).gap > self.limits.gap:
                self.ask(LITTLE, coverage, delay_s, best)
            before = self._best(coverage, delay_s)


def _reaches(reached: FloatArray, coverage: float, delay_s: float) -> bool:
    return bool(reached[2] >= coverage - NEAR and reached[1] <= delay_s * (1 + NEAR))


def undominated(reached: FloatArray) -> BoolArray:
    """Which points no other one is as good as in everything and better in something; shape (points,).

    Parameters
    ----------
    reached : array, shape (points, 3)
        Throughput, delay, coverage; what is less than a millionth of the largest makes no difference. Of equal points
        the first one counts.
    """
    least = ALIKE * np.abs(reached).max(0, initial=0.0)
    better = np.round(reached / np.where(least > 0, least, 1.0)) * [1, -1, 1]
    as_good = (better[:, None] >= better).all(2)
    equal = (better[:, None] == better).all(2)
    earlier = np.arange(len(better))[:, None] < np.arange(len(better))
    return np.asarray(~(as_good & (~equal | earlier)).any(0))


def hypervolume(reached: FloatArray, cap_s: float) -> float:
    """Volume that points dominate above no throughput, the delays' cap (s) and no coverage; O(points^3).

    Delays count in caps, coverage as a share, so it is in bit/s.
    """
    better = np.maximum(reached * [1, -1, 1] + [0, cap_s, 0], 0.0) / [1, cap_s, 1]
    sides = [np.unique(np.append(better[:, axis], 0.0)) for axis in range(3)]
    covered: BoolArray = np.zeros([len(side) - 1 for side in sides], np.bool_)
    for point in better:
        covered[tuple(slice(0, int(np.searchsorted(side, x))) for side, x in zip(sides, point, strict=True))] = True
    widths = [np.diff(side) for side in sides]
    return float(np.einsum("ijk,i,j,k->", covered.astype(float), *widths))
