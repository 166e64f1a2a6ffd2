"""A trace of requests as tables for the compiled code, and what its embeddings leave at every moment that counts."""

from typing import NamedTuple, Self

import numpy as np

from ...formulations.embedding.moments import maximal_sets
from ...instances.compiled import compiled
from ...instances.embedding import Embedding, EmbeddingDecision, VirtualNetworks
from ...instances.embedding.instance import TOLERANCE
from ...instances.embedding.residual import Adjacency
from ...instances.fields import BoolArray, FloatArray, IntArray


class Trace(NamedTuple):
    """Requests one after the other; moments are those of `maximal_sets`.

    Attributes
    ----------
    node_first, link_first : array, shape (requests + 1,)
        Where each request's nodes and links begin.
    cpu, storage : array, shape (request nodes,)
    able : array of bool, shape (request nodes, 3)
        Domains that are allowed.
    source, target : array, shape (request links,)
        Numbers within the request.
    bandwidth : array, shape (request links,)
    first, last : array, shape (requests,)
        First and last moment at which each is active.
    active_first, active : array, shape (moments + 1,) and (requests at moments,)
        Requests that are active at each moment.
    """

    node_first: IntArray
    link_first: IntArray
    cpu: FloatArray
    storage: FloatArray
    able: BoolArray
    source: IntArray
    target: IntArray
    bandwidth: FloatArray
    first: IntArray
    last: IntArray
    active_first: IntArray
    active: IntArray

    @classmethod
    def of(cls, instance: VirtualNetworks) -> Self:
        """The tables of an instance with requests."""
        requests = instance.requests
        active = maximal_sets(instance)
        sizes = [len(known) for known in active]
        moment, who = np.repeat(np.arange(len(active)), sizes), np.concatenate(active)
        first = np.full(len(requests), len(active))
        last = np.full(len(requests), -1)
        np.minimum.at(first, who, moment)
        np.maximum.at(last, who, moment)
        return cls(
            np.cumsum([0, *(len(request.nodes) for request in requests)]),
            np.cumsum([0, *(len(request.links) for request in requests)]),
            np.concatenate([request.nodes.cpu for request in requests]),
            np.concatenate([request.nodes.storage for request in requests]),
            np.concatenate([request.nodes.domain for request in requests]),
            np.concatenate([request.links.source for request in requests]),
            np.concatenate([request.links.target for request in requests]),
            np.concatenate([request.links.bandwidth for request in requests]),
            first,
            last,
            np.cumsum([0, *sizes]),
            who,
        )


class Ground(NamedTuple):
    """The substrate: domains of nodes, their neighbours as in `Adjacency`, and capacities.

    Attributes
    ----------
    capacity : array, shape (resources,)
        CPU of all nodes, storage of all nodes, bandwidth of all links, and half of what the referee lets pass, so that
        sums of many changes stay within it.
    """

    domain: IntArray
    first: IntArray
    neighbour: IntArray
    link: IntArray
    capacity: FloatArray

    @classmethod
    def of(cls, instance: VirtualNetworks) -> Self:
        """The substrate of an instance."""
        nodes, links = instance.substrate.nodes, instance.substrate.links
        adjacency = Adjacency(links, len(nodes))
        capacity = np.concatenate([nodes.cpu, nodes.storage, links.bandwidth])
        slack = 0.5 * TOLERANCE * np.maximum(1.0, capacity)
        return cls(nodes.domain, adjacency.first, adjacency.neighbour, adjacency.link, capacity + slack)


class Ledger(NamedTuple):
    """Which requests are embedded, where, and what is left.

    Attributes
    ----------
    left : array, shape (moments, resources)
        See `Ground.capacity`.
    accepted : array of bool, shape (requests,)
    hops_cost : array, shape (requests,)
        Bandwidth times hops.
    host : array, shape (request nodes,)
    hops : array, shape (request links,)
    path : array, shape (request links, nodes)
        Substrate links from the source's host to the target's.
    """

    left: FloatArray
    accepted: BoolArray
    hops_cost: FloatArray
    host: IntArray
    hops: IntArray
    path: IntArray

    @classmethod
    def empty(cls, trace: Trace, ground: Ground) -> Self:
        """Nothing is embedded."""
        requests, moments = len(trace.first), len(trace.active_first) - 1
        return cls(
            np.tile(ground.capacity, (moments, 1)),
            np.zeros(requests, bool),
            np.zeros(requests),
            np.full(len(trace.cpu), -1),
            np.zeros(len(trace.bandwidth), np.int64),
            np.zeros((len(trace.bandwidth), len(ground.domain)), np.int32),
        )

    def copy(self) -> Self:
        """The same, to be changed apart."""
        host, hops, path = self.host.copy(), self.hops.copy(), self.path.copy()
        return type(self)(self.left.copy(), self.accepted.copy(), self.hops_cost.copy(), host, hops, path)

    def settle(self, trace: Trace, ground: Ground) -> None:
        """Count what is left anew: without the rounding of many changes."""
        self.left[:] = ground.capacity
        for k in np.flatnonzero(self.accepted).tolist():
            change(k, -1.0, trace, ground, self)

    def load(self, instance: VirtualNetworks, trace: Trace, ground: Ground, decision: EmbeddingDecision) -> None:
        """Embed as a decision says."""
        between = instance.substrate.link_between
        for k, embedding in enumerate(decision.embeddings):
            if embedding is not None:
                self.accepted[k] = True
                self.host[trace.node_first[k] : trace.node_first[k + 1]] = embedding.nodes
                at = slice(trace.link_first[k], trace.link_first[k + 1])
                self.hops[at] = embedding.hops
                self.hops_cost[k] = trace.bandwidth[at] @ embedding.hops
                for n, path in enumerate(embedding.paths, trace.link_first[k]):
                    self.path[n, : len(path) - 1] = between[path[:-1], path[1:]]
        self.settle(trace, ground)

    def embeddings(self, instance: VirtualNetworks, trace: Trace) -> tuple[Embedding | None, ...]:
        """Where each request of the trace is."""
        links = instance.substrate.links
        found: list[Embedding | None] = [None] * len(self.accepted)
        for k in np.flatnonzero(self.accepted):
            host = self.host[trace.node_first[k] : trace.node_first[k + 1]]
            paths = []
            for n in range(trace.link_first[k], trace.link_first[k + 1]):
                path = [host[trace.source[n]]]
                for link in self.path[n, : self.hops[n]]:
                    path.append(links.source[link] + links.target[link] - path[-1])
                paths.append(np.array(path))
            found[k] = Embedding(host.copy(), tuple(paths))
        return tuple(found)


@compiled
def change(k: int, sign: float, trace: Trace, ground: Ground, ledger: Ledger) -> None:
    """Take what an embedded request needs (sign -1), or give it back (+1)."""
    nodes = len(ground.domain)
    for moment in range(trace.first[k], trace.last[k] + 1):
        left = ledger.left[moment]
        for i in range(trace.node_first[k], trace.node_first[k + 1]):
            left[ledger.host[i]] += sign * trace.cpu[i]
            left[nodes + ledger.host[i]] += sign * trace.storage[i]
        for n in range(trace.link_first[k], trace.link_first[k + 1]):
            for hop in range(ledger.hops[n]):
                left[2 * nodes + ledger.path[n, hop]] += sign * trace.bandwidth[n]
