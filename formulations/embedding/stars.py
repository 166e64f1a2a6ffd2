"""What a request node's own links cost at least, by where it is: hop distances to where its neighbours can be."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from ...instances.embedding import Request, Substrate
from ...instances.embedding.residual import Residual
from ...instances.fields import BoolArray, FloatArray

FAR = 1e6  # hops where there is no path


class Stars(NamedTuple):
    """Hop distances of a request, over links that have enough bandwidth for each of its own alone.

    Attributes
    ----------
    hops : array, shape (links of the request, nodes, nodes)
        `FAR` where there is no path.
    least : array, shape (request nodes, nodes)
        Least bandwidth times hops of all links at a request node on each substrate node; infinite where the node, or
        one of its neighbours beside it, cannot be.
    """

    hops: FloatArray
    least: FloatArray


def hop_distances(substrate: Substrate, wide: BoolArray) -> FloatArray:
    """Hops between all nodes over some links, shape (nodes, nodes)."""
    links, nodes = substrate.links, len(substrate.nodes)
    graph = csr_array((np.ones(wide.sum()), (links.source[wide], links.target[wide])), shape=(nodes, nodes))
    found = shortest_path(graph, directed=False, unweighted=True)
    return np.minimum(found, FAR)


def stars(residual: Residual, request: Request, *, colocate: bool) -> Stars:
    """Bound a request's links by the stars at its nodes, in what is left of a substrate."""
    links, able = request.links, residual.hosts(request)
    demands = np.unique(links.bandwidth).tolist()
    known = {demand: hop_distances(residual.substrate, residual.wide(demand)) for demand in demands}
    hops = np.array([known[demand] for demand in links.bandwidth.tolist()]).reshape(-1, *(able.shape[1],) * 2)
    least = np.where(able, 0.0, np.inf)
    for node in range(len(able)):
        at = np.flatnonzero((links.source == node) | (links.target == node))
        neighbour = np.where(links.source[at] == node, links.target[at], links.source[at])
        for host in np.flatnonzero(able[node]).tolist():
            cost = np.where(able[neighbour], links.bandwidth[at, None] * hops[at, host], np.inf)
            cost[hops[at, host] >= FAR] = np.inf
            least[node, host] = _assigned(cost, host, colocate=colocate)
    return Stars(hops, least)


def _assigned(cost: FloatArray, host: int, *, colocate: bool) -> float:
    """Least cost of neighbours on nodes, (neighbours, nodes); each on a node of its own unless they may share."""
    if not len(cost):
        return 0.0
    if colocate:
        return float(cost.min(1).sum())
    cost[:, host] = np.inf
    finite = np.where(np.isfinite(cost), cost, FAR * FAR)
    row, column = linear_sum_assignment(finite)
    return float(cost[row, column].sum())
