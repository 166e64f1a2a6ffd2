"""What a search for the optimum knows: incumbent and bound, on the sum of what users are worth."""

import time

import numpy as np

from ...formulations.slicing.referee import judge
from ...instances.slicing import Slicing, SlicingDecision
from ..interrupts import check_interrupts
from ..result import Answer, Limits, Point
from .cells import Rows
from .laws import Laws

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

    def __init__(self, instance: Slicing, limits: Limits) -> None:
        self.instance, self.limits = instance, limits
        self.laws, self.rows = Laws.of(instance), Rows.of(instance)
        self.decision: SlicingDecision | None = None
        self.base = -instance.weights.delay if "L" in instance.slices else 0.0
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
    def tolerance(self) -> float:
        """Of the worth of a pattern's powers."""
        return TOLERANCE * max(self.won, 1e-6)

    @property
    def closed(self) -> bool:
        """Whether bound and incumbent are near enough."""
        return self.bound - self.value <= self.limits.gap * max(abs(self.bound), abs(self.value))

    def offer(self, decision: SlicingDecision) -> None:
        """Keep a decision if it is the best."""
        verdict = judge(self.instance, decision)
        if verdict.objective is None:
            raise RuntimeError(f"what was chosen is not feasible: {verdict.violations[0]}")
        if verdict.objective > self.value:
            self.value, self.decision = verdict.objective, decision
            self._note()

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
