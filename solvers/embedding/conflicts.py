"""Conflicts of a trace: sets of requests that no decision accepts together, shrunk while they stay refuted.

Most conflicts are of one moment, so a refuted set is first cut down to the requests active at a moment. Then requests
leave it one by one, those of least revenue first. A test that is undecided within its work keeps the request, so
every conflict is proven and some are larger than need be.
"""

import dataclasses
import time
from collections.abc import Iterable

from ...formulations.embedding.moments import maximal_sets
from ...formulations.embedding.undirected_flow import UndirectedFlow
from ...instances.embedding import Embedding, EmbeddingDecision, VirtualNetworks
from ..claims import Ending
from ..cpsat import solve_model
from ..interrupts import check_interrupts
from ..result import Limits

INTERLEAVED = 8  # different searches of CP-SAT; faster than one even on one core
TEST_WORK = 8.0  # deterministic seconds of a test
TOTAL_WORK = 1_000.0  # after which conflicts are no longer sought


class Conflicts:
    """Sets that are known not to go together, and sets that are known to.

    Attributes
    ----------
    found
        Conflicts, requests by number.
    work
        Deterministic seconds of all tests.
    """

    def __init__(self, instance: VirtualNetworks, limits: Limits, began: float) -> None:
        self.found: list[list[int]] = []
        self.work = 0.0
        self._instance, self._limits, self._began = instance, dataclasses.replace(limits, start=None), began
        self._feasible: list[frozenset[int]] = []
        self._moments = [frozenset(active.tolist()) for active in maximal_sets(instance)]
        self._revenue = [request.revenue for request in instance.requests]

    @property
    def exhausted(self) -> bool:
        """Whether the work for conflicts is done, or time is up."""
        check_interrupts()
        limit = self._limits.time_limit_s
        late = limit is not None and time.monotonic() - self._began >= limit
        return late or self.work >= TOTAL_WORK

    def embed(self, requests: Iterable[int], work: float) -> tuple[Ending, EmbeddingDecision | None]:
        """Embed some requests and no others; the ending is infeasible where they do not go together."""
        chosen = sorted(requests)
        part = dataclasses.replace(self._instance, requests=tuple(self._instance.requests[k] for k in chosen))
        model = UndirectedFlow(part)
        model.accept_all()
        outcome = solve_model(model.finish(), self._limits, self._began, interleaved=INTERLEAVED, work=work)
        self.work += outcome.work
        if not isinstance(outcome.decision, EmbeddingDecision):
            return outcome.ending, None
        self._feasible.append(frozenset(chosen))
        embeddings: list[Embedding | None] = [None] * len(self._instance.requests)
        for k, embedding in zip(chosen, outcome.decision.embeddings, strict=True):
            embeddings[k] = embedding
        return outcome.ending, EmbeddingDecision(tuple(embeddings))

    def refute(self, requests: Iterable[int]) -> EmbeddingDecision | None:
        """Find conflicts in a refuted set until the rest of it is embedded; None when that is left undecided.

        The request of least revenue leaves each conflict.
        """
        remaining = frozenset(requests)
        refuted = True
        while not self.exhausted:
            core = self._at_a_moment(remaining) or (remaining if refuted else None)
            if core is None:
                ending, decision = self.embed(remaining, 4 * TEST_WORK)
                if ending is not Ending.INFEASIBLE:
                    return decision
                core = remaining
            conflict = self._shrink(core)
            self.found.append(sorted(conflict))
            remaining -= {min(conflict, key=self._by_revenue)}
            refuted = False
        return None

    def _at_a_moment(self, requests: frozenset[int]) -> frozenset[int] | None:
        """The fewest of the requests that are active at one moment and do not go together."""
        for core in sorted({requests & active for active in self._moments}, key=lambda own: (len(own), sorted(own))):
            if self._refuted(core):
                return core
        return None

    def _shrink(self, core: frozenset[int]) -> frozenset[int]:
        """Take requests out of a refuted set while it stays refuted."""
        for k in sorted(core, key=self._by_revenue):
            if self.exhausted:
                break
            if self._refuted(core - {k}):
                core -= {k}
        return core

    def _refuted(self, requests: frozenset[int]) -> bool:
        """Whether some requests are proven not to go together."""
        if any(requests >= set(conflict) for conflict in self.found):
            return True
        if any(requests <= known for known in self._feasible):
            return False
        return self.embed(requests, TEST_WORK)[0] is Ending.INFEASIBLE

    def _by_revenue(self, k: int) -> tuple[float, int]:
        return self._revenue[k], k
