"""Virtual network embedding: a substrate of three domains, and requests that come and go."""

import functools
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import InputError
from ..fields import (
    BoolArray,
    FloatArray,
    IntArray,
    flag,
    integer_lists,
    integers,
    real,
    reals,
    subsets,
)
from ..record import Decision, Instance, Record, nested, records

DOMAINS = ("space", "air", "ground")  # 0, 1, 2
TOLERANCE = 1e-9  # of a capacity, and of 1 where it is less: rounding that is let pass


def admitted(capacity: FloatArray) -> FloatArray:
    """Return the largest load that counts as within each capacity: rounding is let pass."""
    return np.asarray(capacity + TOLERANCE * np.maximum(1.0, capacity))


@dataclass(frozen=True, eq=False)
class SubstrateNodes(Record):
    """Nodes of the substrate.

    Attributes
    ----------
    domain : array, shape (nodes,)
        Number in `DOMAINS`.
    cpu, storage : array, shape (nodes,)
        Capacities.
    """

    domain: IntArray = integers("nodes", most=len(DOMAINS) - 1)
    cpu: FloatArray = reals("nodes")
    storage: FloatArray = reals("nodes")

    def __len__(self) -> int:
        return len(self.domain)


@dataclass(frozen=True, eq=False)
class Links(Record):
    """Undirected links between the nodes of a substrate or of a request.

    Attributes
    ----------
    source, target : array, shape (links,)
        Nodes; a link has no direction.
    bandwidth : array, shape (links,)
        Capacity, of both directions together, or demand.
    """

    source: IntArray = integers("links")
    target: IntArray = integers("links")
    bandwidth: FloatArray = reals("links")

    def __len__(self) -> int:
        return len(self.source)

    def check(self, nodes: int) -> None:
        """Object to nodes that are not there, loops and parallel links."""
        for name in ("source", "target"):
            index = getattr(self, name)
            if (beyond := np.flatnonzero(index >= nodes)).size:
                raise InputError(f"must be below {nodes}, is {index[beyond[0]]}", f"links.{name}[{beyond[0]}]")
        if (loops := np.flatnonzero(self.source == self.target)).size:
            raise InputError("is a loop: source and target are one node", f"links.target[{loops[0]}]")
        ends = np.sort(np.column_stack([self.source, self.target]), 1)
        _, first = np.unique(ends, axis=0, return_index=True)
        if len(first) < len(ends):
            again = int(np.setdiff1d(np.arange(len(ends)), first)[0])
            known = int(np.flatnonzero((ends[:again] == ends[again]).all(1))[0])
            raise InputError(f"is the same link as [{known}]", f"links.source[{again}]")


@dataclass(frozen=True, eq=False)
class Substrate(Record):
    """What requests are embedded into; an undirected simple graph."""

    nodes: SubstrateNodes = nested(SubstrateNodes)
    links: Links = nested(Links)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.links.check(len(self.nodes))

    @functools.cached_property
    def link_between(self) -> IntArray:
        """Number of the link between two nodes, -1 where there is none, shape (nodes, nodes)."""
        between = np.full((len(self.nodes), len(self.nodes)), -1)
        between[self.links.source, self.links.target] = np.arange(len(self.links))
        between[self.links.target, self.links.source] = np.arange(len(self.links))
        return between


@dataclass(frozen=True, eq=False)
class RequestNodes(Record):
    """Nodes of a request.

    Attributes
    ----------
    domain : array of bool, shape (nodes, 3)
        Which domains are allowed.
    cpu, storage : array, shape (nodes,)
        Demands.
    """

    domain: BoolArray = subsets("nodes", len(DOMAINS))
    cpu: FloatArray = reals("nodes")
    storage: FloatArray = reals("nodes")

    def __len__(self) -> int:
        return len(self.cpu)


@dataclass(frozen=True, eq=False)
class Request(Record):
    """A virtual network.

    Attributes
    ----------
    arrival, duration
        It is active on [arrival, arrival + duration); a duration of None is for ever.
    """

    arrival: float = real()
    duration: float | None = real(positive=True, optional=True)
    nodes: RequestNodes = nested(RequestNodes)
    links: Links = nested(Links)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.nodes):
            raise InputError("needs at least one node", "nodes.cpu")
        self.links.check(len(self.nodes))

    @property
    def departure(self) -> float:
        """When it is no longer active, inf for never."""
        soonest = float(np.nextafter(self.arrival, np.inf))  # it is active when it arrives, however short
        return np.inf if self.duration is None else max(self.arrival + self.duration, soonest)

    @functools.cached_property
    def on_nodes(self) -> float:
        """CPU and storage of all nodes."""
        return float((self.nodes.cpu + self.nodes.storage).sum())

    @functools.cached_property
    def revenue(self) -> float:
        """CPU, storage and bandwidth, equation (7)."""
        return self.on_nodes + float(self.links.bandwidth.sum())

    def cost(self, hops: IntArray) -> float:
        """CPU, storage, and bandwidth times the hops of each link's path, equation (8)."""
        return self.on_nodes + float(self.links.bandwidth @ hops)


@dataclass(frozen=True, eq=False)
class Embedding(Record):
    """Where one request is.

    Attributes
    ----------
    nodes : array, shape (nodes of the request,)
        Substrate node of each.
    paths : tuple of arrays
        Substrate nodes from the image of each link's source to that of its target; [n] where they are the same.
    """

    nodes: IntArray = integers("nodes")
    paths: tuple[IntArray, ...] = integer_lists("links")

    @property
    def hops(self) -> IntArray:
        """Links of each path, shape (links of the request,)."""
        return np.array([len(path) - 1 for path in self.paths], np.int64)


@dataclass(frozen=True, eq=False)
class EmbeddingDecision(Decision):
    """An embedding for every request; None rejects it."""

    embeddings: tuple[Embedding | None, ...] = records(Embedding, optional=True)


@dataclass(frozen=True, eq=False)
class VirtualNetworks(Instance):
    """An instance of virtual network embedding.

    Attributes
    ----------
    cost_weight
        Weight of cost beside revenue.
    colocate
        Whether nodes of one request may share a substrate node.
    horizon
        Time that average revenue refers to; None without one.
    """

    problem: ClassVar[str] = "embedding"
    decision: ClassVar[type[Decision]] = EmbeddingDecision

    cost_weight: float = real()
    colocate: bool = flag()
    horizon: float | None = real(positive=True, optional=True)
    substrate: Substrate = nested(Substrate)
    requests: tuple[Request, ...] = records(Request)

    @functools.cached_property
    def order(self) -> IntArray:
        """Requests by arrival, equal arrivals by number: how an online policy meets them."""
        return np.argsort([request.arrival for request in self.requests], kind="stable")

    def worth(self, request: Request, embedding: Embedding) -> float:
        """What an accepted request adds to the objective."""
        return request.revenue - self.cost_weight * request.cost(embedding.hops)

    def total(self, decision: EmbeddingDecision) -> float:
        """What all accepted requests add to it."""
        both = zip(self.requests, decision.embeddings, strict=True)
        return math.fsum(self.worth(request, embedding) for request, embedding in both if embedding is not None)

    def check_fit(self, decision: Any, place: str) -> None:
        """Object to other numbers of requests, nodes or paths, and to nodes beyond the substrate's."""
        embeddings = decision.embeddings
        if len(embeddings) != len(self.requests):
            raise InputError(f"has {len(embeddings)} entries for {len(self.requests)} requests", f"{place}.embeddings")
        for k, (request, embedding) in enumerate(zip(self.requests, embeddings, strict=True)):
            if embedding is not None:
                _check_fit(request, embedding, len(self.substrate.nodes), f"{place}.embeddings[{k}]")


def _check_fit(request: Request, embedding: Embedding, nodes: int, place: str) -> None:
    for name, wanted in (("nodes", len(request.nodes)), ("paths", len(request.links))):
        if (found := len(getattr(embedding, name))) != wanted:
            what = "nodes" if name == "nodes" else "links"
            raise InputError(f"has {found} entries for {wanted} {what} of the request", f"{place}.{name}")
    lists = [("nodes", embedding.nodes), *((f"paths[{n}]", path) for n, path in enumerate(embedding.paths))]
    for name, index in lists:
        if (beyond := np.flatnonzero(index >= nodes)).size:
            where = f"{place}.{name}[{beyond[0]}]"
            raise InputError(f"must be below {nodes}, is {index[beyond[0]]}", where)
