"""The paper's architecture: segments in edge domains, a table in each, and what is sent to the segments' servers."""

import numpy as np

from ...formulations.embedding.stars import hop_distances
from ...instances.compiled import compiled
from ...instances.embedding import Substrate
from ...instances.embedding.instance import DOMAINS
from ...instances.errors import InputError
from ...instances.fields import FloatArray, IntArray
from ..environment import Float32Array
from .play import Play
from .worlds import Worlds

COLUMNS = 4  # of a strategy table: CPU, storage, bandwidth at the node, average distance (equation 17)
NUMBER_BYTES = 4  # tables and parameters are sent in single precision


def edge_domains(substrate: Substrate, count: int) -> IntArray:
    """A partition of the substrate's nodes, shape (N,): one domain of all, or so many within the three segments.

    A segment has domains in proportion to its nodes, at least one. Their centres are as far apart as can be, one after
    the other, and a node belongs to the closest.

    Raises
    ------
    InputError
        When there are fewer domains than segments, or more than nodes.
    """
    segment = substrate.nodes.domain
    size = np.bincount(segment, minlength=len(DOMAINS))
    segments = np.flatnonzero(size)
    if count == 1:
        return np.zeros(len(segment), np.int64)
    if not len(segments) <= count <= len(segment):
        raise InputError(f"must be 1, or from {len(segments)} to {len(segment)}, is {count}", "domains")
    hops = hop_distances(substrate, np.full(len(substrate.links), True))
    found, first = np.zeros(len(segment), np.int64), 0
    for which, share in zip(segments, _shares(size[segments], count), strict=True):
        own = np.flatnonzero(segment == which)
        found[own] = first + _cells(hops[np.ix_(own, own)], share)
        first += share
    return found


def _shares(size: IntArray, count: int) -> IntArray:
    """So many in proportion to sizes, at least 1 and at most the size of each; the largest remainders round up."""
    share = np.maximum(1, size * count // size.sum())
    while (rest := count - int(share.sum())) != 0:
        excess = np.where((share < size) if rest > 0 else (share > 1), size * count / size.sum() - share, np.nan)
        share[np.nanargmax(excess) if rest > 0 else np.nanargmin(excess)] += np.sign(rest)
    return np.asarray(share)


def _cells(hops: FloatArray, count: int) -> IntArray:
    """The nearest of so many centres to each node, the first of which has the shortest ways to all."""
    centres = [int(hops.sum(1).argmin())]
    while len(centres) < count:
        away = hops[centres].min(0)
        away[centres] = -1
        centres.append(int(away.argmax()))
    return np.asarray(hops[centres].argmin(0))


def average_distance(substrate: Substrate, domain: IntArray) -> FloatArray:
    """Hops to the other nodes of a node's edge domain over the number of its nodes (equation 16), shape (N,)."""
    hops = hop_distances(substrate, np.full(len(substrate.links), True))
    same = domain[:, None] == domain
    near = np.where(same, np.minimum(hops, len(domain)), 0.0)
    return np.asarray(near.sum(1) / same.sum(1))


def bytes_of_request(domain: IntArray, segment: IntArray) -> int:
    """What a request lets be sent (bytes): tables and parameters to each segment's server, and those to the others.

    With a single domain there is one server, and only the tables travel.
    """
    tables = len(domain) * COLUMNS * NUMBER_BYTES
    agents = len(np.unique(domain))
    if agents == 1:
        return tables
    uploaded = tables + agents * (COLUMNS + 1) * NUMBER_BYTES
    return uploaded * len(np.unique(segment))


@compiled
def strategy_tables(worlds: Worlds, play: Play, domain: IntArray, distance: FloatArray) -> Float32Array:
    """Tables of all edge domains one below the other, shape (B, N, COLUMNS), each column from 0 to 1 in each domain.

    Parameters
    ----------
    domain, distance : array, shape (W, N)
        Edge domains, and average distances within them.
    """
    batch, nodes = play.cost.shape
    table = np.zeros((batch, nodes, COLUMNS), np.float32)
    for b in range(batch):
        w, left = play.world[b], play.left[b, 0]
        for node in range(nodes):
            table[b, node, 0], table[b, node, 1] = left[node], left[nodes + node]
            for at in range(worlds.first[w, node], worlds.first[w, node + 1]):
                table[b, node, 2] += left[2 * nodes + worlds.link[w, at]]
            table[b, node, 3] = distance[w, node]
        agents = domain[w].max() + 1
        for column in range(COLUMNS):
            least, most = np.full(agents, np.inf), np.full(agents, -np.inf)
            for node in range(nodes):
                agent, value = domain[w, node], table[b, node, column]
                least[agent], most[agent] = min(least[agent], value), max(most[agent], value)
            for node in range(nodes):
                agent = domain[w, node]
                span = most[agent] - least[agent]
                table[b, node, column] = (table[b, node, column] - least[agent]) / span if span > 0 else 0.5
    return table
