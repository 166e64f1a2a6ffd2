"""A request and what is left of a substrate as tables: distances, least costs of links, where nodes can be at all."""

from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.embedding import Request
from ...instances.embedding.residual import Residual
from ...instances.fields import BoolArray, FloatArray
from .assignment import NEVER
from .network import FAR_AWAY, Network, distances
from .routing import Wanted


class Ask(NamedTuple):
    """A request for the compiled code.

    Attributes
    ----------
    links
        Its links.
    cpu, storage : array, shape (request nodes,)
    hops : array, shape (links, nodes, nodes)
        Distances over links with enough left for each alone; infinite where there is no path.
    half : array, shape (links, 2, nodes)
        Half of the least cost of a link with its source, or its target, on a node.
    least : array, shape (links,)
        Least cost of a link.
    """

    links: Wanted
    cpu: FloatArray
    storage: FloatArray
    hops: FloatArray
    half: FloatArray
    least: FloatArray


def ask(residual: Residual, request: Request, left: Network, *, colocate: bool) -> tuple[Ask, BoolArray]:
    """The tables of a request, and where its nodes can be, shape (request nodes, nodes).

    Parameters
    ----------
    left
        What is left.
    colocate
        Whether nodes may share a host.
    """
    able = residual.hosts(request)
    links = Wanted(request.links.source, request.links.target, request.links.bandwidth)
    if not colocate:
        _leave(left, links, able)
    count, hosts = len(request.links), able.shape[1]
    hops, half = np.empty((count, hosts, hosts)), np.empty((count, 2, hosts))
    _prepare(left, links, able, not colocate, hops, half)
    least = 2 * np.where(able[links.source], half[:, 0], NEVER).min(1, initial=NEVER)
    return Ask(links, request.nodes.cpu, request.nodes.storage, hops, half, least), able


@compiled
def _prepare(
    network: Network, links: Wanted, able: BoolArray, one_each: bool, hops: FloatArray, half: FloatArray
) -> None:
    """Distances and least costs of each link, filled in."""
    nodes = able.shape[1]
    away, queue = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    for n in range(len(links.demand)):
        for node in range(nodes):
            distances(network, links.demand[n], np.array([node]), -1, away, queue)
            for j in range(nodes):
                hops[n, node, j] = away[j] if away[j] < FAR_AWAY else NEVER
        for side in range(2):
            other = links.target[n] if side == 0 else links.source[n]
            for node in range(nodes):
                least = NEVER
                for j in range(nodes):
                    if able[other, j] and not (one_each and j == node):
                        least = min(least, hops[n, node, j])
                half[n, side, node] = 0.5 * links.demand[n] * least if least < NEVER else NEVER


@compiled
def _fits(demand: FloatArray, space: FloatArray) -> bool:
    """Whether demands, largest first, can be packed into spaces, each into one."""
    at, where = 0, np.full(len(demand), -1)
    while 0 <= at < len(demand):
        if where[at] >= 0:
            space[where[at]] += demand[at]
        found = False
        for k in range(where[at] + 1, len(space)):
            if space[k] >= demand[at]:
                same = False
                for earlier in range(k):  # as good as one that was tried
                    same = same or space[earlier] == space[k]
                if not same:
                    where[at], found = k, True
                    break
        if found:
            space[where[at]] -= demand[at]
            at += 1
        else:
            where[at] = -1
            at -= 1
    return at == len(demand)


@compiled
def _leave(network: Network, links: Wanted, able: BoolArray) -> None:
    """Strike hosts whose links cannot carry all links of the request node, each over one."""
    for node in range(len(able)):
        own = np.flatnonzero((links.source == node) | (links.target == node))
        demand = -np.sort(-links.demand[own])
        for host in range(able.shape[1]):
            if able[node, host]:
                at = network.link[network.first[host] : network.first[host + 1]]
                space = -np.sort(-(network.left[at] + network.slack[at]))
                able[node, host] = _fits(demand, space)
