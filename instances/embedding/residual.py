"""What embeddings leave of a substrate, and the shortest paths in it."""

from typing import Self

import numpy as np

from ..compiled import compiled
from ..fields import BoolArray, FloatArray, IntArray
from .instance import TOLERANCE, Embedding, Links, Request, Substrate, SubstrateNodes


class Adjacency:
    """Neighbours of every node, ascending.

    Attributes
    ----------
    first : array, shape (nodes + 1,)
        Where each node's neighbours begin.
    neighbour, link : array, shape (2 links,)
        Node at the other end, and the link.
    """

    def __init__(self, links: Links, nodes: int) -> None:
        one = np.concatenate([links.source, links.target])
        other = np.concatenate([links.target, links.source])
        order = np.lexsort((other, one))
        self.first = np.searchsorted(one[order], np.arange(nodes + 1))
        self.neighbour = other[order]
        self.link = order % max(1, len(links))


class Residual:
    """Capacities that are left, and embeddings that take from them.

    Attributes
    ----------
    cpu, storage : array, shape (nodes,)
    bandwidth : array, shape (links,)
    """

    def __init__(self, substrate: Substrate) -> None:
        self.substrate = substrate
        self.adjacency = Adjacency(substrate.links, len(substrate.nodes))
        nodes, links = substrate.nodes, substrate.links
        self._capacity = nodes.cpu, nodes.storage, links.bandwidth
        self.cpu, self.storage, self.bandwidth = (capacity.copy() for capacity in self._capacity)
        self._slack = [TOLERANCE * np.maximum(1.0, capacity) for capacity in self._capacity]

    def copy(self) -> Self:
        """The same, to be changed apart."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.cpu, other.storage, other.bandwidth = self.cpu.copy(), self.storage.copy(), self.bandwidth.copy()
        return other

    def hosts(self, request: Request) -> BoolArray:
        """Nodes that are allowed and have enough left for each request node alone, shape (request nodes, nodes)."""
        return np.array([self.hosts_of(request, node) for node in range(len(request.nodes))])

    def hosts_of(self, request: Request, node: int) -> BoolArray:
        """The same of one request node, shape (nodes,)."""
        nodes = request.nodes
        cpu, storage, _ = self.allowed()
        return np.asarray(
            nodes.domain[node, self.substrate.nodes.domain]
            & (nodes.cpu[node] <= cpu)
            & (nodes.storage[node] <= storage)
        )

    def allowed(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """CPU, storage and bandwidth left, with the rounding that is let pass."""
        cpu, storage, bandwidth = self._slack
        return self.cpu + cpu, self.storage + storage, self.bandwidth + bandwidth

    def wide(self, demand: float) -> BoolArray:
        """Links with so much bandwidth left, shape (links,)."""
        return np.asarray(self.allowed()[2] >= demand)

    def path(self, source: int, target: int, demand: float) -> IntArray | None:
        """The first shortest path with so much bandwidth left, O(nodes + links); None when there is none."""
        adjacency = self.adjacency
        found = shortest_path(adjacency.first, adjacency.neighbour, adjacency.link, self.wide(demand), source, target)
        return found if len(found) else None

    def take(self, request: Request, embedding: Embedding) -> None:
        """Take what an embedded request needs."""
        self._change(request, embedding, -1.0)

    def give_back(self, request: Request, embedding: Embedding) -> None:
        """Give it back when the request departs."""
        self._change(request, embedding, 1.0)

    def _change(self, request: Request, embedding: Embedding, sign: float) -> None:
        np.add.at(self.cpu, embedding.nodes, sign * request.nodes.cpu)
        np.add.at(self.storage, embedding.nodes, sign * request.nodes.storage)
        for path, demand in zip(embedding.paths, request.links.bandwidth, strict=True):
            self.take_path(path, -sign * demand)

    def take_path(self, path: IntArray, demand: float) -> None:
        """Take bandwidth along a path; it crosses each link once."""
        self.bandwidth[self.substrate.link_between[path[:-1], path[1:]]] -= demand

    def left(self) -> Substrate:
        """What is left as a substrate of its own."""
        nodes, links = self.substrate.nodes, self.substrate.links
        cpu, storage, bandwidth = (np.maximum(left, 0.0) for left in (self.cpu, self.storage, self.bandwidth))
        return Substrate(SubstrateNodes(nodes.domain, cpu, storage), Links(links.source, links.target, bandwidth))


@compiled
def shortest_path(
    first: IntArray,
    neighbour: IntArray,
    link: IntArray,
    open_links: BoolArray,
    source: int,
    target: int,
) -> IntArray:
    """Nodes of the first shortest path over open links, by breadth; empty when there is none."""
    nodes = len(first) - 1
    before, queue = np.full(nodes, -1), np.empty(nodes, np.int64)
    before[source], queue[0] = source, source
    head, tail = 0, 1
    while head < tail and before[target] < 0:
        node = queue[head]
        head += 1
        for at in range(first[node], first[node + 1]):
            other = neighbour[at]
            if before[other] < 0 and open_links[link[at]]:
                before[other] = node
                queue[tail] = other
                tail += 1
    if before[target] < 0:
        return np.empty(0, np.int64)
    length, node = 1, target
    while node != source:
        node = before[node]
        length += 1
    path, node = np.empty(length, np.int64), target
    for at in range(length - 1, -1, -1):
        path[at] = node
        node = before[node]
    return path
