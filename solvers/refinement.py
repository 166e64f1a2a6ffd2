"""Refinement of models whose optimum is a bound, until bound and decision meet.

A round solves the model and lets the referee judge its decision. The least bound and the best decision of all rounds
are kept. Where they differ, the model is made sharper at the solution that it overrated, and solved again. Rounds end
by the gap, by their number, by the time limit, or when nothing is left to refine.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from ..formulations.problems import FORMULATIONS
from ..instances.record import Decision, Instance
from .interrupts import check_interrupts
from .result import Answer, Limits, Point, relative_gap

MAX_ROUNDS = 500
MODEL_GAP = 0.3  # relative gap of a round's model over the gap asked for
ROUGH, ROUGHEST = 0.1, 0.01  # the same over the gap that is left, and at most, while there is something to refine

Improve = Callable[[Decision], Decision]
Improver = Callable[[Any], Improve]  # of an instance


class Relaxation(Protocol):
    """A model whose optimum is a bound, with an engine that solves it."""

    def solve(self, limits: Limits) -> Answer:
        """Solve the model as it stands; a reason in the answer says that the engine did not end by itself."""

    def refine(self) -> bool:
        """Make the model sharper where its last solution is overrated; False when it cannot be."""


class Bracket:
    """Best decision by the referee, and least proven bound."""

    def __init__(self, instance: Instance) -> None:
        self._formulation, self._instance = FORMULATIONS[instance.problem], instance
        self._sign = 1.0 if self._formulation.sense == "minimise" else -1.0
        self.decision: Decision | None = None
        self.objective: float | None = None
        self.bound: float | None = None

    def take(self, decision: Decision | None, bound: float | None) -> None:
        """Take in a decision and a bound, where they are better than those known."""
        if decision is not None:
            value = self._formulation.judge(self._instance, decision).objective
            if value is not None and (self.objective is None or self._sign * value < self._sign * self.objective):
                self.decision, self.objective = decision, value
        if bound is not None and (self.bound is None or self._sign * bound > self._sign * self.bound):
            self.bound = bound

    @property
    def gap(self) -> float:
        """Relative gap; 1 while a side is missing."""
        return relative_gap(self.objective, self.bound) or 1.0

    def closed(self, gap: float) -> bool:
        """Tell whether bound and decision are within a relative gap; a bound may be beyond by rounding."""
        if self.objective is None or self.bound is None:
            return False
        return self._sign * (self.objective - self.bound) <= 0 or (relative_gap(self.objective, self.bound) or 0) <= gap


def solve_by_refinement(
    instance: Instance, relaxation: Relaxation, limits: Limits, improve: Improve | None = None
) -> Answer:
    """Solve a problem through models that are refined.

    Parameters
    ----------
    relaxation
        The first model, which is changed.
    improve
        Finds a decision near that of a model that is as good or better.
    """
    began = time.monotonic()
    bracket, trace, counters = Bracket(instance), list[Point](), {"rounds": 0}
    bracket.take(limits.start, None)
    rough = True
    while True:
        check_interrupts()
        left = None if limits.time_limit_s is None else max(limits.time_limit_s - (time.monotonic() - began), 0.0)
        if left is not None and left <= 0 and counters["rounds"]:
            reason: str | None = "time limit reached"
            break
        gap = limits.gap * MODEL_GAP
        if rough:
            gap = max(gap, min(ROUGH * bracket.gap, ROUGHEST))
        asked = replace(limits, time_limit_s=left, gap=gap, start=bracket.decision)
        answer = relaxation.solve(asked)
        counters["rounds"] += 1
        for name, count in answer.counters.items():
            counters[name] = counters.get(name, 0) + count
        if answer.infeasible or answer.failure is not None:
            return replace(answer, counters=counters)
        decision = answer.decision
        bracket.take(decision, answer.bound)
        if decision is not None and improve is not None and not bracket.closed(limits.gap):
            bracket.take(improve(decision), None)
        trace.append(Point(time.monotonic() - began, bracket.objective, bracket.bound))
        reason = None if bracket.closed(limits.gap) else answer.reason
        if bracket.closed(limits.gap) or reason is not None:
            break
        if counters["rounds"] >= MAX_ROUNDS:
            reason = f"the model was refined {MAX_ROUNDS} times"
            break
        refined = relaxation.refine()
        if not refined and not rough:
            reason = "nothing is left to refine: the rest of the gap is the engine's rounding"
            break
        rough = refined
    return Answer(bracket.decision, bound=bracket.bound, reason=reason, counters=counters, trace=tuple(trace))
