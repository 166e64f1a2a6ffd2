"""Every set of embeddings there is, for traces small enough: all hosts and all simple paths of each request."""

import itertools
from collections.abc import Iterator

import networkx as nx
import numpy as np

from ...formulations.embedding.moments import maximal_sets
from ...formulations.embedding.referee import usage
from ...instances.embedding import Embedding, EmbeddingDecision, Request, VirtualNetworks
from ...instances.embedding.instance import admitted
from ...instances.fields import BoolArray, FloatArray
from ..interrupts import check_interrupts
from ..result import Answer, Limits

MOST_EMBEDDINGS = 200_000  # of a request
MOST_SETS = 20_000_000  # of embeddings of several requests, looked at


class TooManyError(Exception):
    """The trace is too large to be enumerated."""


def solve_enumeration(instance: VirtualNetworks, limits: Limits) -> Answer:
    """Try all sets of embeddings, request by request; embeddings that take the same are one."""
    try:
        return _Search(instance).answer()
    except TooManyError as error:
        return Answer(reason=str(error))


class _Search:
    """Depth first over requests, worthiest embeddings first, pruned by what those ahead are worth alone."""

    def __init__(self, instance: VirtualNetworks) -> None:
        self.instance = instance
        nodes, links = instance.substrate.nodes, instance.substrate.links
        self.most = admitted(np.concatenate([nodes.cpu, nodes.storage, links.bandwidth]))
        active = maximal_sets(instance)
        self.present = np.array([[k in own.tolist() for own in active] for k in range(len(instance.requests))], bool)
        self.options = [_options(instance, request, self.most) for request in instance.requests]
        worth = [max((value for value, *_ in own), default=0.0) for own in self.options]
        self.ahead = np.append(np.maximum(worth, 0.0)[::-1].cumsum()[::-1], 0.0)
        self.best = 0.0
        self.found: list[Embedding | None] = [None] * len(instance.requests)
        self.looked = 0

    def answer(self) -> Answer:
        taken = np.zeros((self.present.shape[1] if self.present.size else 0, len(self.most)))
        self._go_on([], 0.0, taken)
        decision = EmbeddingDecision(tuple(self.found))
        return Answer(decision, objective=self.best, bound=self.best, counters={"sets": self.looked})

    def _go_on(self, chosen: list[Embedding | None], value: float, taken: FloatArray) -> None:
        k = len(chosen)
        if value > self.best:
            self.best, self.found = value, [*chosen, *[None] * (len(self.options) - k)]
        if k == len(self.options) or value + self.ahead[k] <= self.best:
            return
        for gained, use, embedding in self.options[k]:
            self.looked += 1
            if self.looked > MOST_SETS:
                raise TooManyError(f"more than {MOST_SETS:,} sets of embeddings")
            if not self.looked % 1000:
                check_interrupts()
            if value + gained + self.ahead[k + 1] <= self.best:
                break
            then = taken + self.present[k][:, None] * use
            if (then <= self.most).all():
                self._go_on([*chosen, embedding], value + gained, then)
        self._go_on([*chosen, None], value, taken)


Option = tuple[float, FloatArray, Embedding]


def _options(instance: VirtualNetworks, request: Request, most: FloatArray) -> list[Option]:
    """Worth, use and embedding of all ways to embed a request alone, the worthiest first."""
    found: dict[bytes, Option] = {}
    for count, embedding in enumerate(_embeddings(instance, request)):
        if count == MOST_EMBEDDINGS:
            raise TooManyError(f"more than {MOST_EMBEDDINGS:,} embeddings of a request")
        if not count % 1000:
            check_interrupts()
        use = usage(instance, request, embedding)
        if (use <= most).all():
            found.setdefault(use.tobytes(), (instance.worth(request, embedding), use, embedding))
    return sorted(found.values(), key=lambda option: -option[0])


def _embeddings(instance: VirtualNetworks, request: Request) -> Iterator[Embedding]:
    graph = nx.empty_graph(len(instance.substrate.nodes))
    links = instance.substrate.links
    graph.add_edges_from(zip(links.source.tolist(), links.target.tolist(), strict=True))
    able: BoolArray = request.nodes.domain[:, instance.substrate.nodes.domain]
    for host in itertools.product(*(np.flatnonzero(own).tolist() for own in able)):
        if not instance.colocate and len(set(host)) < len(host):
            continue
        ends = [(host[a], host[b]) for a, b in zip(request.links.source, request.links.target, strict=True)]
        between = ([[a]] if a == b else list(nx.all_simple_paths(graph, a, b)) for a, b in ends)
        for paths in itertools.product(*between):
            yield Embedding(np.array(host, np.int64), tuple(np.array(path, np.int64) for path in paths))
