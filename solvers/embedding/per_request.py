"""Every request at least cost in what is left, or the proof that it does not fit: the exact online policy."""

import math
import time
from collections import Counter
from dataclasses import replace

from ...instances.embedding import Embedding, EmbeddingDecision, Request, VirtualNetworks
from ...instances.embedding.residual import Residual
from ..interrupts import check_interrupts
from ..result import Answer, Limits
from .flow_model import better_of
from .online import meet
from .search import Search

QUICK_S, PATIENT_S = 4.0, 30.0  # of the search for a single request, while it has no embedding and with one
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
    """One request, by itself: the search and, where that goes on for long, the flow model."""
    began = time.monotonic()
    limit_s = math.inf if limits.time_limit_s is None else limits.time_limit_s
    (request,) = instance.requests
    search = Search(Residual(instance.substrate), request, colocate=instance.colocate)

    def late() -> bool:
        check_interrupts()
        return time.monotonic() - began >= min(limit_s, QUICK_S if search.cost == math.inf else PATIENT_S)

    found = search.run(None, late)
    worth = request.revenue - instance.cost_weight * (request.on_nodes + found.bound)
    bound = max(0.0, worth) if found.bound < math.inf else 0.0
    embedding = found.embedding
    if embedding is not None and instance.worth(request, embedding) < 0:
        embedding = None
    known = Answer(EmbeddingDecision((embedding,)), bound=bound, counters={"nodes": found.nodes})
    used_s = time.monotonic() - began
    if found.proven or used_s >= limit_s:
        return known
    left_s = None if limits.time_limit_s is None else limit_s - used_s
    return better_of(instance, known, replace(limits, time_limit_s=left_s), used_s)
