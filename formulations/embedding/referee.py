"""Revenue, cost and violations of embeddings over time, straight from the definition; knows no model."""

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...instances.embedding import Embedding, EmbeddingDecision, Request, VirtualNetworks
from ...instances.embedding.instance import TOLERANCE
from ...instances.fields import FloatArray
from ..verdict import Verdict, Violation

PARTS = ("revenue", "cost")
MOMENTS = 256  # looked at together


class Accepted(NamedTuple):
    """A request, its number, and where it is."""

    number: int
    request: Request
    embedding: Embedding


def judge(instance: VirtualNetworks, decision: EmbeddingDecision) -> Verdict:
    """Judge the embeddings of all requests.

    The objective is revenue less `cost_weight` times cost, summed over accepted requests; its parts are both sums, and
    its measures AR, R/C, ACR and O, as in the paper and normalised.
    """
    both = enumerate(zip(instance.requests, decision.embeddings, strict=True))
    accepted = [Accepted(k, request, embedding) for k, (request, embedding) in both if embedding is not None]
    violations = [violation for one in accepted for violation in _of_one(instance, *one)]
    violations += _over_time(instance, accepted)
    if violations:
        return Verdict(None, dict.fromkeys(PARTS), tuple(violations))
    revenue = math.fsum(one.request.revenue for one in accepted)
    cost = math.fsum(one.request.cost(one.embedding.hops) for one in accepted)
    reported = _measures(instance, len(accepted), revenue, cost)
    return Verdict(revenue - instance.cost_weight * cost, {"revenue": revenue, "cost": cost}, measures=reported)


def _measures(instance: VirtualNetworks, count: int, revenue: float, cost: float) -> dict[str, float | None]:
    """What the paper reports: equations (9) to (12), and O with average revenue normalised.

    ``AR`` revenue / horizon, ``R/C`` revenue / cost, ``ACR`` the share of requests accepted, ``O`` their sum, and
    ``normalised O`` with revenue over that of all requests in AR's place. AR and O are None without a horizon, ratios
    at 0 / 0, and sums where a term is None.
    """
    every = math.fsum(request.revenue for request in instance.requests)
    rate = _over(revenue, instance.horizon)
    ratio = _over(revenue, cost)
    accepted = _over(float(count), float(len(instance.requests)))
    return {
        "AR": rate,
        "R/C": ratio,
        "ACR": accepted,
        "O": _total(rate, ratio, accepted),
        "normalised O": _total(_over(revenue, every), ratio, accepted),
    }


def _over(amount: float | None, whole: float | None) -> float | None:
    return None if amount is None or not whole else amount / whole


def _total(*terms: float | None) -> float | None:
    known = [term for term in terms if term is not None]
    return sum(known) if len(known) == len(terms) else None


def _of_one(instance: VirtualNetworks, k: int, request: Request, embedding: Embedding) -> Iterator[Violation]:
    """What is wrong whatever the other requests do."""
    substrate = instance.substrate
    allowed = request.nodes.domain[np.arange(len(request.nodes)), substrate.nodes.domain[embedding.nodes]]
    for node in np.flatnonzero(~allowed):
        yield Violation("allowed domain", f"request {k}, node {node} on {embedding.nodes[node]}", 1.0)
    if not instance.colocate:
        host, times = np.unique(embedding.nodes, return_counts=True)
        for node, count in zip(host[times > 1], times[times > 1], strict=True):
            yield Violation("one node a substrate node", f"request {k}, substrate node {node}", float(count - 1))
    for link, path in enumerate(embedding.paths):
        place = f"request {k}, link {link}"
        ends = embedding.nodes[[request.links.source[link], request.links.target[link]]]
        if not len(path) or (path[[0, -1]] != ends).any():
            yield Violation("path ends", f"{place} from {ends[0]} to {ends[1]}", 1.0)
        if again := len(path) - len(np.unique(path)):
            yield Violation("simple path", place, float(again))
        for one, other in itertools.pairwise(path):
            if substrate.link_between[one, other] < 0:
                yield Violation("substrate link", f"{place} from {one} to {other}", 1.0)


def _over_time(instance: VirtualNetworks, accepted: list[Accepted]) -> Iterator[Violation]:
    """The largest excess over each capacity, at the moments at which something arrives: between them use only falls."""
    nodes, links = instance.substrate.nodes, instance.substrate.links
    place = [
        *(("cpu", f"node {n}", c) for n, c in enumerate(nodes.cpu)),
        *(("storage", f"node {n}", c) for n, c in enumerate(nodes.storage)),
        *(("bandwidth", f"link {e}", c) for e, c in enumerate(links.bandwidth)),
    ]
    capacity = np.array([c for _, _, c in place])
    use = np.array([usage(instance, one.request, one.embedding) for one in accepted]).reshape(-1, len(capacity))
    arrival = np.array([one.request.arrival for one in accepted])
    departure = np.array([one.request.departure for one in accepted])
    moments = np.unique(arrival)
    worst, when = np.zeros(len(capacity)), np.zeros(len(capacity))
    for first in range(0, len(moments), MOMENTS):
        now = moments[first : first + MOMENTS, None]
        active = (arrival <= now) & (now < departure)
        excess = active.astype(float) @ use - capacity
        largest = excess.argmax(0)
        found = excess[largest, np.arange(len(capacity))]
        when = np.where(found > worst, now[largest, 0], when)
        worst = np.maximum(worst, found)
    for at in np.flatnonzero(worst > TOLERANCE * np.maximum(1.0, capacity)):
        yield Violation(place[at][0], f"{place[at][1]} at time {when[at]:g}", float(worst[at]))


def usage(instance: VirtualNetworks, request: Request, embedding: Embedding) -> FloatArray:
    """CPU and storage that a request takes of each node, bandwidth of each link, shape (2 nodes + links,)."""
    substrate = instance.substrate
    cpu, storage = np.zeros((2, len(substrate.nodes)))
    bandwidth = np.zeros(len(substrate.links))
    np.add.at(cpu, embedding.nodes, request.nodes.cpu)
    np.add.at(storage, embedding.nodes, request.nodes.storage)
    for path, demand in zip(embedding.paths, request.links.bandwidth, strict=True):
        crossed = substrate.link_between[path[:-1], path[1:]]
        np.add.at(bandwidth, crossed[crossed >= 0], demand)
    return np.concatenate([cpu, storage, bandwidth])
