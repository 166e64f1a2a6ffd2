"""Requests met as they arrive, by a rule that sees what is left and nothing of what comes."""

import heapq
from collections.abc import Callable

from ...instances.embedding import Embedding, EmbeddingDecision, Request, VirtualNetworks
from ...instances.embedding.residual import Residual
from ..interrupts import check_interrupts
from ..result import Answer

Embed = Callable[[Residual, Request], Embedding | None]


def meet(instance: VirtualNetworks, embed: Embed) -> Answer:
    """Embed requests in the order of their arrivals, those that have departed first; what would not pay is rejected.

    Parameters
    ----------
    embed
        Where a request goes in what is left, None to reject it; it must leave the residual as it is.
    """
    residual = Residual(instance.substrate)
    found: list[Embedding | None] = [None] * len(instance.requests)
    departures: list[tuple[float, int]] = []
    for k in instance.order.tolist():
        check_interrupts()
        request = instance.requests[k]
        while departures and departures[0][0] <= request.arrival:
            _, gone = heapq.heappop(departures)
            embedding = found[gone]
            assert embedding is not None
            residual.give_back(instance.requests[gone], embedding)
        embedding = embed(residual, request)
        if embedding is None or instance.worth(request, embedding) < 0:
            continue
        found[k] = embedding
        residual.take(request, embedding)
        heapq.heappush(departures, (request.departure, k))
    return Answer(EmbeddingDecision(tuple(found)))
