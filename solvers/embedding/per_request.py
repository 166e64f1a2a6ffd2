"""Every request at least cost in what is left, or the proof that it does not fit: the exact online policy."""

import math
import time
from collections import Counter
from dataclasses import replace
from typing import NamedTuple

from ...instances.embedding import Embedding, EmbeddingDecision, Request, VirtualNetworks
from ...instances.embedding.residual import Residual
from ..interrupts import check_interrupts
from ..result import Answer, Limits
from .flow_model import better_of
from .online import meet
from .search import Search

QUICK_S, PATIENT_S = 4.0, 30.0  # of the search for a single request, before it has embedded it and after
MOST_NODES = 5_000  # of the search for one request of several, so that a trace is the same on every machine


def solve_per_request(instance: VirtualNetworks, limits: Limits) -> Answer:
    """Requests as they arrive, each embedded at least cost by branch and bound.

    A single request is solved to the end and comes with a bound. Of several, each is searched for
    `MOST_NODES` nodes and then embedded as well as was found; how many were decided by proof is counted.
    """
    if len(instance.requests) == 1:
        return _single(instance, limits)
    counts: Counter[str] = Counter()

    def embed(residual: Residual, request: Request) -> Embedding | None:
        found = Search(residual, request, colocate=instance.colocate).run(MOST_NODES)
        fate = "rejected" if found.embedding is None else "embedded"
        counts[f"{fate}, {'proven' if found.proven else 'out of nodes'}"] += 1
        return found.embedding

    return replace(meet(instance, embed), counters=dict(sorted(counts.items())))


def _single(instance: VirtualNetworks, limits: Limits) -> Answer:
    """One request, by itself: the search and, where that goes on for long, the flow model.

    What the search cannot embed soon it can rarely refute, and the model's relaxation often can.
    """
    began = time.monotonic()

    def left_s() -> float | None:
        return None if limits.time_limit_s is None else max(0.0, limits.time_limit_s - (time.monotonic() - began))

    known = _searched(instance, QUICK_S if limits.time_limit_s is None else min(QUICK_S, limits.time_limit_s))
    if known.closed or left_s() == 0:
        return known.answer
    if known.embedding is not None:
        left = left_s()
        known = _searched(instance, PATIENT_S if left is None else min(PATIENT_S, left))
        if known.closed or left_s() == 0:
            return known.answer
    return better_of(instance, known.answer, replace(limits, time_limit_s=left_s()), time.monotonic() - began)


class _Known(NamedTuple):
    """What a search came to, and whether that is all."""

    answer: Answer
    embedding: Embedding | None
    closed: bool


def _searched(instance: VirtualNetworks, limit_s: float) -> _Known:
    """Search for so long (s)."""
    began = time.monotonic()
    (request,) = instance.requests

    def late() -> bool:
        check_interrupts()
        return time.monotonic() - began >= limit_s

    found = Search(Residual(instance.substrate), request, colocate=instance.colocate).run(None, late)
    worth = request.revenue - instance.cost_weight * (request.on_nodes + found.bound)
    bound = max(0.0, worth) if found.bound < math.inf else 0.0
    embedding = found.embedding
    if embedding is not None and instance.worth(request, embedding) < 0:
        embedding = None
    answer = Answer(EmbeddingDecision((embedding,)), bound=bound, counters={"nodes": found.nodes})
    return _Known(answer, embedding, found.proven)
