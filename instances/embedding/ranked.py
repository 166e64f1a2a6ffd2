"""Embedding in two stages: nodes by rank, then links over shortest paths, the largest demand first."""

from collections.abc import Callable, Sequence

import numpy as np

from ..fields import FloatArray, IntArray
from .instance import Embedding, Links, Request
from .residual import Residual

Worth = Callable[[int, IntArray], FloatArray]
Choose = Callable[[Residual, int, int, float], IntArray | None]


def resource_rank(cpu: FloatArray, storage: FloatArray, links: Links, bandwidth: FloatArray) -> FloatArray:
    """NRM's metric of nodes: CPU and storage, times the bandwidth of all links at the node, shape (nodes,)."""
    nodes = len(cpu)
    incident = np.bincount(links.source, bandwidth, nodes) + np.bincount(links.target, bandwidth, nodes)
    return np.asarray((cpu + storage) * incident)


def embed_by_resources(residual: Residual, request: Request, *, colocate: bool = False) -> Embedding | None:
    """NRM: largest request node first, on the substrate node of largest rank that can host it."""
    nodes, links = request.nodes, request.links
    wanted = resource_rank(nodes.cpu, nodes.storage, links, links.bandwidth)
    offered = resource_rank(residual.cpu, residual.storage, residual.substrate.links, residual.bandwidth)
    return embed_ranked(residual, request, np.argsort(-wanted, kind="stable"), offered, colocate=colocate)


def embed_ranked(
    residual: Residual, request: Request, order: IntArray, rank: FloatArray, *, colocate: bool
) -> Embedding | None:
    """Embed a request by given ranks; the residual is left as it is.

    Parameters
    ----------
    order : array, shape (request nodes,)
        Request nodes, first to last.
    rank : array, shape (nodes,)
        Of substrate nodes; each request node takes the largest that can host it.
    """
    host = place(residual, request, order.tolist(), lambda node, host: rank, colocate=colocate)
    return None if host is None else route(residual, request, host)


def place(
    residual: Residual, request: Request, order: Sequence[int], worth: Worth, *, colocate: bool
) -> IntArray | None:
    """Hosts of a request's nodes, one after the other where each is worth most; None when one has no place.

    Parameters
    ----------
    worth
        What substrate nodes are worth to a request node, shape (nodes,), of its number and the hosts so far (-1: none).
    """
    host, left = np.full(len(request.nodes), -1), residual.copy()
    for node in order:
        value = np.where(left.hosts_of(request, node), worth(node, host), -np.inf)
        if not colocate:
            value[host[host >= 0]] = -np.inf
        if value.max(initial=-np.inf) == -np.inf:
            return None
        host[node] = value.argmax()
        left.cpu[host[node]] -= request.nodes.cpu[node]
        left.storage[host[node]] -= request.nodes.storage[node]
    return host


def first_shortest(residual: Residual, source: int, target: int, demand: float) -> IntArray | None:
    """The first of the shortest paths."""
    return residual.path(source, target, demand)


def route(residual: Residual, request: Request, host: IntArray, choose: Choose = first_shortest) -> Embedding | None:
    """Paths between hosts, the largest demand first.

    Parameters
    ----------
    choose
        A path in what is left between two nodes for a demand, None when there is none.
    """
    links = request.links
    left = residual.copy()
    paths: list[IntArray] = [np.empty(0, np.int64)] * len(links)
    for link in np.argsort(-links.bandwidth, kind="stable"):
        demand = float(links.bandwidth[link])
        path = choose(left, int(host[links.source[link]]), int(host[links.target[link]]), demand)
        if path is None:
            return None
        left.take_path(path, demand)
        paths[link] = path
    return Embedding(host, tuple(paths))
