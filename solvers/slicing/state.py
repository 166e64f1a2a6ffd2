"""What a search for the optimum knows: incumbent and bound, on the sum of what users are worth."""

import time
from collections.abc import Mapping

import numpy as np

from ...formulations.slicing.links import nobody
from ...formulations.slicing.referee import judge
from ...instances.fields import IntArray
from ...instances.slicing import Slicing, SlicingDecision
from ..interrupts import check_interrupts
from ..result import Answer, Limits, Point
from .cells import Goals, Rows
from .rules import solve_load_balancing

NEAR = 1e-9  # by how much goals may be missed: users, and caps of every L user
TOLERANCE = 1e-7  # of a pattern's powers, relative to the incumbent


class State:
    """Incumbent and bound.

    Attributes
    ----------
    base
        The objective when nobody is served; bounds are on what is won above it.
    leftover
        The largest bound of the placements that are done with.
    """

    def __init__(self, instance: Slicing, limits: Limits, goals: Goals | None) -> None:
        self.instance, self.limits, self.goals = instance, limits, goals
        self.rows = Rows.of(instance, goals)
        self.decision: SlicingDecision | None = None
        self.base = nobody(instance)
        self.value, self.bound, self.leftover = -np.inf, np.inf, -np.inf
        self.counters = {"pricings": 0, "patterns": 0, "placements": 0}
        self._began = time.monotonic()
        self._points: list[Point] = []

    def late(self) -> bool:
        """Whether time is up."""
        check_interrupts()
        return self.left_s is not None and self.left_s <= 0

    @property
    def left_s(self) -> float | None:
        """What is left of the time (s)."""
        limit = self.limits.time_limit_s
        return None if limit is None else max(limit - (time.monotonic() - self._began), 0.0)

    @property
    def won(self) -> float:
        """What the incumbent is worth above nobody served."""
        return self.value - self.base

    @property
    def floor(self) -> float:
        """What a decision must win to be of interest; none that reaches the goals wins less than nobody served."""
        return max(self.won, 0.0)

    @property
    def aim(self) -> float:
        """What a decision must win for the incumbent not to be near enough; what is left out is the tolerance's."""
        if self.decision is None:
            return self.floor
        return self.floor + max(self.limits.gap * abs(self.value) - 2 * self.tolerance, 0.0)

    @property
    def tolerance(self) -> float:
        """Of the worth of a pattern's powers."""
        return TOLERANCE * max(self.won, 1e-6)

    @property
    def closed(self) -> bool:
        """Whether bound and incumbent are near enough."""
        if self.decision is None:
            return False
        return self.bound - self.value <= self.limits.gap * max(abs(self.bound), abs(self.value))

    def begin(self, candidate: IntArray) -> None:
        """Offer nobody served by UAVs that stand somewhere, and what the paper's load balancing decides."""
        simple = solve_load_balancing(self.instance, self.limits).decision
        for decision in (SlicingDecision(candidate, (None,) * self.rows.users), simple):
            if isinstance(decision, SlicingDecision):
                self.offer(decision)

    def offer(self, decision: SlicingDecision) -> bool:
        """Keep a decision if it is the best that reaches all goals; whether it reaches them."""
        verdict = judge(self.instance, decision)
        if verdict.objective is None:
            raise RuntimeError(f"what was chosen is not feasible: {verdict.violations[0]}")
        if not self._reaches(verdict.parts):
            return False
        if verdict.objective > self.value:
            self.value, self.decision = verdict.objective, decision
            self._note()
        return True

    def _reaches(self, parts: Mapping[str, float | None]) -> bool:
        if self.goals is None:
            return True
        covered, low = (self.instance.slices.count(letter) for letter in "CL")
        saved_s = low * (self.instance.delay_cap_s - (parts["delay_s"] or 0.0))
        return (
            covered * (parts["coverage"] or 0.0) >= self.goals.covered - NEAR
            and saved_s >= self.goals.saved_s - NEAR * low * self.instance.delay_cap_s
        )

    def bounded(self, won: float) -> None:
        """Note that no decision wins more than that, or than what placements done with may."""
        self.bound = min(self.bound, self.base + max(won, self.leftover, self.won))
        self._note()

    def _note(self) -> None:
        used = time.monotonic() - self._began
        self._points.append(Point(used, self.value, self.bound if np.isfinite(self.bound) else None))

    def answer(self) -> Answer:
        """What is known now."""
        return Answer(
            decision=self.decision,
            bound=self.bound if np.isfinite(self.bound) else None,
            reason=None if self.closed else "time limit reached" if self.late() else "no more progress",
            counters=self.counters,
            trace=tuple(self._points),
        )
