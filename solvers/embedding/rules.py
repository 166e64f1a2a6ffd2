"""Rules that embed one request: nodes by rank and links over shortest paths, or each node where it costs least."""

import itertools
from collections.abc import Callable

import networkx as nx
import numpy as np

from ...formulations.embedding.stars import FAR, hop_distances
from ...instances.embedding import Embedding, Links, Request, VirtualNetworks
from ...instances.embedding.ranked import embed_by_resources, embed_ranked, place, resource_rank, route
from ...instances.embedding.residual import Residual
from ...instances.fields import FloatArray, IntArray
from ..result import Answer, Limits
from .online import meet

DAMPING = 0.85  # d of global resource capacity, and the share of steps to a neighbour of the random walk
ROUNDS, SETTLED = 100, 1e-5  # of ranks that are fixed points
MOST_PATHS = 10  # shortest ones that PL compares

Rank = Callable[[FloatArray, Links, FloatArray], FloatArray]  # of resources of nodes, links, bandwidth


def solve_nrm(instance: VirtualNetworks, limits: Limits) -> Answer:
    """NRM (the paper's NRMVNE): nodes ranked by CPU and storage times the bandwidth at the node."""
    return meet(instance, lambda residual, request: embed_by_resources(residual, request, colocate=instance.colocate))


def solve_grc(instance: VirtualNetworks, limits: Limits) -> Answer:
    """GRC (Gong et al., INFOCOM 2014): nodes ranked by global resource capacity."""
    return meet(instance, _by_rank(global_capacity, colocate=instance.colocate))


def solve_random_walk(instance: VirtualNetworks, limits: Limits) -> Answer:
    """RW (NodeRank, Cheng et al., CCR 2011): nodes ranked by a random walk towards resources."""
    return meet(instance, _by_rank(random_walk, colocate=instance.colocate))


def solve_first_fit(instance: VirtualNetworks, limits: Limits) -> Answer:
    """Every node, in the order of its number, on the substrate node of lowest number that can host it."""

    def embed(residual: Residual, request: Request) -> Embedding | None:
        order, rank = np.arange(len(request.nodes)), -np.arange(len(residual.cpu), dtype=float)
        return embed_ranked(residual, request, order, rank, colocate=instance.colocate)

    return meet(instance, embed)


def solve_random(instance: VirtualNetworks, limits: Limits) -> Answer:
    """Every node on a random substrate node that can host it, each equally likely."""
    rng = np.random.default_rng(limits.seed)

    def embed(residual: Residual, request: Request) -> Embedding | None:
        order, rank = np.arange(len(request.nodes)), rng.random(len(residual.cpu))
        return embed_ranked(residual, request, order, rank, colocate=instance.colocate)

    return meet(instance, embed)


def solve_pl(instance: VirtualNetworks, limits: Limits) -> Answer:
    """PL (Fan et al., TPDS 2021): nodes by resources over their distance to those placed, paths by what they leave."""

    def embed(residual: Residual, request: Request) -> Embedding | None:
        offered = resource_rank(residual.cpu, residual.storage, residual.substrate.links, residual.bandwidth)
        hops = hop_distances(residual.substrate, np.full(len(residual.bandwidth), True))

        def worth(node: int, host: IntArray) -> FloatArray:
            away = hops[host[host >= 0]].sum(0)
            return np.asarray(offered / np.maximum(away, 1.0))

        host = place(residual, request, outwards(request), worth, colocate=instance.colocate)
        return None if host is None else route(residual, request, host, _least_in_the_way)

    return meet(instance, embed)


def solve_greedy(instance: VirtualNetworks, limits: Limits) -> Answer:
    """Every node where its links to those placed cost least, the larger rank of resources first among equals."""
    return meet(instance, lambda residual, request: embed_greedily(residual, request, colocate=instance.colocate))


def embed_greedily(residual: Residual, request: Request, *, colocate: bool) -> Embedding | None:
    """Embed a request node by node, each where its links to those placed cost least."""
    links = request.links
    offered = resource_rank(residual.cpu, residual.storage, residual.substrate.links, residual.bandwidth)
    tie = 0.5 * offered / max(float(offered.max(initial=0.0)), 1e-12)
    known: dict[float, FloatArray] = {}

    def worth(node: int, host: IntArray) -> FloatArray:
        cost = np.zeros(len(residual.cpu))
        for link in np.flatnonzero((links.source == node) | (links.target == node)):
            other = int(links.source[link] + links.target[link]) - node
            demand = float(links.bandwidth[link])
            if host[other] >= 0:
                if demand not in known:
                    known[demand] = hop_distances(residual.substrate, residual.wide(demand))
                away = known[demand][host[other]]
                cost += np.where(away < FAR, demand * away, np.inf)
        return np.asarray(tie - cost)

    host = place(residual, request, outwards(request), worth, colocate=colocate)
    return None if host is None else route(residual, request, host)


def outwards(request: Request) -> list[int]:
    """Nodes by their distance from the one with most links, the larger resources first among equals."""
    nodes, links = request.nodes, request.links
    graph = nx.empty_graph(len(nodes))
    graph.add_edges_from(zip(links.source.tolist(), links.target.tolist(), strict=True))
    rank = resource_rank(nodes.cpu, nodes.storage, links, links.bandwidth)
    order: list[int] = []
    for part in sorted(nx.connected_components(graph), key=len, reverse=True):
        centre = max(part, key=lambda node: (graph.degree[node], rank[node], -node))
        away = nx.single_source_shortest_path_length(graph, centre)
        order += sorted(part, key=lambda node: (away[node], -rank[node], node))
    return order


def _least_in_the_way(residual: Residual, source: int, target: int, demand: float) -> IntArray | None:
    """Of the shortest paths, the one with most bandwidth left over the most that its inner nodes have left."""
    links, wide = residual.substrate.links, residual.wide(demand)
    graph = nx.empty_graph(len(residual.cpu))
    graph.add_edges_from(zip(links.source[wide].tolist(), links.target[wide].tolist(), strict=True))
    if not nx.has_path(graph, source, target):
        return None

    def score(path: list[int]) -> float:
        at = np.array(path)
        bandwidth = residual.bandwidth[residual.substrate.link_between[at[:-1], at[1:]]]
        inner = (residual.cpu + residual.storage)[at[1:-1]]
        return float(bandwidth.min(initial=np.inf)) / max(1.0, float(inner.max(initial=1.0)))

    paths = itertools.islice(nx.all_shortest_paths(graph, source, target), MOST_PATHS)
    return np.array(max(paths, key=score))


def _by_rank(rank: Rank, *, colocate: bool) -> Callable[[Residual, Request], Embedding | None]:
    """Large request nodes on large substrate nodes."""

    def embed(residual: Residual, request: Request) -> Embedding | None:
        nodes, links = request.nodes, request.links
        order = np.argsort(-rank(nodes.cpu + nodes.storage, links, links.bandwidth), kind="stable")
        offered = rank(residual.cpu + residual.storage, residual.substrate.links, residual.bandwidth)
        return embed_ranked(residual, request, order, offered, colocate=colocate)

    return embed


def global_capacity(resources: FloatArray, links: Links, bandwidth: FloatArray) -> FloatArray:
    """r = (1 - d) c + d M r, with c the shares of resources and M the shares of bandwidth at each neighbour."""
    at = _matrix(len(resources), links, bandwidth)
    total = at.sum(0)
    share = np.divide(at, total, out=np.zeros(at.shape), where=total > 0)
    own = (1 - DAMPING) * resources / max(float(resources.sum()), 1e-12)
    return _settled(own, DAMPING * share)


def random_walk(resources: FloatArray, links: Links, bandwidth: FloatArray) -> FloatArray:
    """Where a walk is that jumps to any node, or steps to a neighbour, in proportion to resources times bandwidth."""
    linked = _matrix(len(resources), links, np.ones(len(bandwidth)))
    weight = resources * _matrix(len(resources), links, bandwidth).sum(0)
    jump = weight / max(float(weight.sum()), 1e-12)
    towards = linked * weight  # (from, to)
    total = towards.sum(1, keepdims=True)
    step = np.divide(towards, total, out=np.zeros(towards.shape), where=total > 0)
    return _settled((1 - DAMPING) * jump, DAMPING * step.T)


def _settled(own: FloatArray, share: FloatArray) -> FloatArray:
    """The fixed point of rank = own + share rank."""
    rank = own
    for _ in range(ROUNDS):
        last, rank = rank, own + share @ rank
        if np.abs(rank - last).sum() < SETTLED:
            break
    return np.asarray(rank)


def _matrix(nodes: int, links: Links, value: FloatArray) -> FloatArray:
    """A value of every link at both its ends, shape (nodes, nodes)."""
    found = np.zeros((nodes, nodes))
    found[links.source, links.target] = found[links.target, links.source] = value
    return found
