"""Placement first, paths second: proofs of small traces by three constraint models.

The placement relaxation bounds the optimum. The flow model of the requests that it accepts embeds them, which is the
optimum where hops cost nothing, or refutes them; then smallest sets that no decision accepts together (`conflicts`)
are excluded. The flow model of all requests, with the bound in it, proves most traces next. For the others more
conflicts are collected, the relaxation being solved again after each refutation, and the flow model has another try;
in the end it runs until it is done.
"""

import dataclasses
import time

from ...formulations.embedding.placement_relaxation import PlacementRelaxation
from ...formulations.embedding.referee import judge
from ...formulations.embedding.undirected_flow import UndirectedFlow
from ...instances.embedding import EmbeddingDecision, VirtualNetworks
from ..claims import Ending
from ..cpsat import Outcome, solve_model
from ..interrupts import check_interrupts
from ..result import Answer, Limits, Point, relative_gap
from .conflicts import INTERLEAVED, Conflicts
from .neighbourhood_search import search_small_trace

PLACEMENT_WORK = 200.0  # deterministic seconds of a solution of the relaxation
ACCEPTED_WORK = 20.0  # of the flow model of accepted requests
# Refutations of the relaxation's requests, and work of the flow model of all requests after them; None to its end.
STAGES = ((1, 150.0), (8, 150.0), (1_000, None))
SLACK = 1e-9  # relative; sums of doubles in another order do not exceed a bound


def solve_placement_decomposition(instance: VirtualNetworks, limits: Limits) -> Answer:
    """Prove the optimum of a small trace, or bound it as far as time allows."""
    began = time.monotonic()
    if not instance.requests:
        return Answer(EmbeddingDecision(()), bound=0.0)
    return prove(instance, search_small_trace(instance, limits).answer(), limits, began)


def prove(instance: VirtualNetworks, known: Answer, limits: Limits, began: float) -> Answer:
    """Improve decision and bound of an answer until they meet or the time limit is reached.

    Parameters
    ----------
    known
        A decision and a bound.
    began
        When the time limit began to run.
    """
    proof = _Proof(instance, known, limits, began)
    for refutations, work in STAGES:
        proof.decompose(refutations)
        proof.decide(None if proof.undecided else work)
    reason = None if proof.closed else "time limit reached" if proof.late() else "the flow model was left undecided"
    counters = {**known.counters, **proof.counters}
    return Answer(proof.decision, bound=proof.bound, reason=reason, counters=counters, trace=tuple(proof.points))


class _Proof:
    """Decision, bound and conflicts so far."""

    def __init__(self, instance: VirtualNetworks, known: Answer, limits: Limits, began: float) -> None:
        assert isinstance(known.decision, EmbeddingDecision)
        assert known.bound is not None
        self.instance, self.decision, self.bound = instance, known.decision, known.bound
        self.value = instance.total(known.decision)
        self.points = list(known.trace)
        self.undecided = False  # whether the relaxation's requests are neither embedded at the bound nor refuted
        self.counters = {"placements": 0, "conflicts": 0, "branches": 0}
        self._limits, self._began = limits, began
        self._conflicts = Conflicts(instance, limits, began)

    @property
    def closed(self) -> bool:
        """Whether decision and bound are as near as was asked for."""
        gap = relative_gap(self.value, self.bound)
        return self.bound <= self.value or (gap is not None and gap <= self._limits.gap)

    def decompose(self, refutations: int) -> None:
        """Solve relaxations and embed or refute what they accept, until so many sets are refuted."""
        for _ in range(refutations):
            if self.closed or self.undecided or self._conflicts.exhausted:
                return
            relaxation = PlacementRelaxation(self.instance)
            self._restrict(relaxation)
            outcome = self._solve(relaxation, PLACEMENT_WORK)
            self.counters["placements"] += 1
            self._take_bound(outcome)
            if self.closed:
                return
            if not isinstance(outcome.decision, EmbeddingDecision):
                self.undecided = True
                return
            accepted = [k for k, one in enumerate(outcome.decision.embeddings) if one is not None]
            ending, embedded = self._conflicts.embed(accepted, ACCEPTED_WORK)
            if ending is Ending.INFEASIBLE:
                embedded = self._conflicts.refute(accepted)
                self.counters["conflicts"] = len(self._conflicts.found)
            else:
                self.undecided = True
            if embedded is not None:
                self._take(embedded)

    def decide(self, work: float | None) -> None:
        """Solve the flow model of all requests within some work."""
        if self.closed or self.late():
            return
        model = UndirectedFlow(self.instance)
        self._restrict(model)
        outcome = self._solve(model, work, hint=self.decision)
        if isinstance(outcome.decision, EmbeddingDecision):
            self._take(outcome.decision)
        self._take_bound(outcome)

    def _restrict(self, model: PlacementRelaxation) -> None:
        """Add what is known: conflicts, and the bound where hops cost nothing."""
        for conflict in self._conflicts.found:
            model.add_conflict(conflict)
        if self.instance.cost_weight == 0:
            model.add_revenue_cap(self.bound * (1 + SLACK))

    def _solve(self, model: PlacementRelaxation, work: float | None, hint: EmbeddingDecision | None = None) -> Outcome:
        stated = model.finish()
        limits = dataclasses.replace(self._limits, start=hint)
        outcome = solve_model(stated, limits, self._began, interleaved=INTERLEAVED, work=work)
        self.counters["branches"] += outcome.counters["branches"]
        return outcome

    def _take_bound(self, outcome: Outcome) -> None:
        """Lower the bound to what a model of all requests has proven."""
        if outcome.ending is Ending.INFEASIBLE:
            raise RuntimeError("CP-SAT claims that not even rejecting everything is feasible")
        if outcome.bound is not None and outcome.bound < self.bound:
            self.bound = outcome.bound
            self._note()

    def _take(self, decision: EmbeddingDecision) -> None:
        """Keep a decision if it is better."""
        value = self.instance.total(decision)
        if value > self.value and judge(self.instance, decision).feasible:
            self.decision, self.value = decision, value
            self._note()

    def _note(self) -> None:
        self.points.append(Point(time.monotonic() - self._began, self.value, self.bound))

    def late(self) -> bool:
        """Whether the time limit is reached."""
        check_interrupts()
        limit = self._limits.time_limit_s
        return limit is not None and time.monotonic() - self._began >= limit
