"""Which nodes of a substrate are linked: Waxman's model within a domain, nearest nodes between domains."""

import networkx as nx
import numpy as np

from ..fields import FloatArray, IntArray

MOST, REACH = 0.5, 0.2  # a, b: nodes at distance d are linked with probability a exp(-d / (b L))
GATEWAYS = 2  # nodes of each higher-numbered domain that a space or air node is linked to


def waxman(place: FloatArray, rng: np.random.Generator) -> IntArray:
    """Links within a domain, shape (links, 2), with components joined by their closest pair.

    Parameters
    ----------
    place : array, shape (nodes, 2)
        In the unit square; L is the largest distance between two of them.
    """
    distance = distances(place, place)
    one, other = np.triu_indices(len(place), 1)
    apart = distance[one, other]
    linked = rng.random(len(one)) < MOST * np.exp(-apart / (REACH * apart.max(initial=1e-12)))
    graph = nx.empty_graph(len(place))
    graph.add_edges_from(zip(one[linked].tolist(), other[linked].tolist(), strict=True))
    closest = np.argsort(apart, kind="stable")
    for at in closest:  # as Kruskal's algorithm joins trees
        if nx.number_connected_components(graph) == 1:
            break
        if not nx.has_path(graph, int(one[at]), int(other[at])):
            graph.add_edge(int(one[at]), int(other[at]))
    return np.array(sorted(graph.edges), np.int64).reshape(-1, 2)


def gateways(domain: IntArray, place: FloatArray) -> IntArray:
    """Links between domains, shape (links, 2): each node with its nearest ones in every higher-numbered domain."""
    links = []
    distance = distances(place, place)
    for node in range(len(domain)):
        for other in range(domain[node] + 1, int(domain.max()) + 1):
            there = np.flatnonzero(domain == other)
            nearest = there[np.argsort(distance[node, there], kind="stable")[:GATEWAYS]]
            links += [(node, int(target)) for target in nearest]
    return np.array(links, np.int64).reshape(-1, 2)


def distances(one: FloatArray, other: FloatArray) -> FloatArray:
    """Between all pairs of places, shape (one, other)."""
    return np.asarray(np.linalg.norm(one[:, None] - other, axis=2))
