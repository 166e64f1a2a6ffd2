"""Embedding in two stages: nodes by rank, then links over shortest paths, the largest demand first."""

import numpy as np

from ..fields import FloatArray, IntArray
from .instance import Embedding, Links, Request
from .residual import Residual


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
    host = _host(residual, request, order, rank, colocate=colocate)
    return None if host is None else route(residual, request, host)


def _host(
    residual: Residual, request: Request, order: IntArray, rank: FloatArray, *, colocate: bool
) -> IntArray | None:
    host = np.full(len(request.nodes), -1)
    able, left = residual.hosts(request), residual
    if colocate:
        left = residual.copy()
    for node in order:
        possible = able[node]
        if not possible.any():
            return None
        host[node] = np.where(possible, rank, -np.inf).argmax()
        if colocate:
            left.cpu[host[node]] -= request.nodes.cpu[node]
            left.storage[host[node]] -= request.nodes.storage[node]
            able = left.hosts(request)
        else:
            able[:, host[node]] = False
    return host


def route(residual: Residual, request: Request, host: IntArray) -> Embedding | None:
    """Paths between hosts, each the first shortest with enough bandwidth left, the largest demand first."""
    links = request.links
    left = residual.copy()
    paths: list[IntArray] = [np.empty(0, np.int64)] * len(links)
    for link in np.argsort(-links.bandwidth, kind="stable"):
        demand = float(links.bandwidth[link])
        path = left.path(int(host[links.source[link]]), int(host[links.target[link]]), demand)
        if path is None:
            return None
        left.take_path(path, demand)
        paths[link] = path
    return Embedding(host, tuple(paths))
