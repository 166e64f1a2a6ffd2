"""Ways through what is left of a substrate: hop distances, paths down them, and taking them back; compiled."""

from typing import NamedTuple

from ...instances.compiled import compiled
from ...instances.embedding.residual import Residual
from ...instances.fields import FloatArray, IntArray

FAR_AWAY = 1 << 30


class Network(NamedTuple):
    """A substrate for the compiled code; see `Adjacency`.

    Attributes
    ----------
    left, slack : array, shape (links,)
        Bandwidth, and how much more may be used.
    """

    first: IntArray
    neighbour: IntArray
    link: IntArray
    left: FloatArray
    slack: FloatArray


def network(residual: Residual) -> Network:
    """What is left of a substrate, for the compiled code."""
    adjacency, left = residual.adjacency, residual.bandwidth.copy()
    slack = residual.allowed()[2] - left
    return Network(adjacency.first, adjacency.neighbour, adjacency.link, left, slack)


@compiled
def distances(
    network: Network,
    demand: float,
    target: IntArray,
    source: int,
    away: IntArray,
    queue: IntArray,
    most: int = FAR_AWAY,
) -> None:
    """Hops to the closest of some nodes over links with so much left, filled into `away`; `FAR_AWAY` without a path.

    Those farther away than a source are left out, and those farther than `most` hops; a source of -1 is none.
    """
    away[:] = FAR_AWAY
    head, tail = 0, len(target)
    queue[:tail] = target
    for k in range(tail):
        away[target[k]] = 0
    while head < tail and (source < 0 or away[source] == FAR_AWAY):
        node = queue[head]
        head += 1
        if away[node] >= most:
            break
        for at in range(network.first[node], network.first[node + 1]):
            other, link = network.neighbour[at], network.link[at]
            if away[other] == FAR_AWAY and network.left[link] + network.slack[link] >= demand:
                away[other] = away[node] + 1
                queue[tail] = other
                tail += 1


@compiled
def walk(network: Network, demand: float, source: int, away: FloatArray | IntArray, path: IntArray) -> int:
    """Take the first path down the distances to its target; its number of nodes, or 0 when one hop has no room."""
    path[0], count = source, 1
    while away[path[count - 1]] > 0:
        node, on = path[count - 1], -1
        for at in range(network.first[node], network.first[node + 1]):
            other, link = network.neighbour[at], network.link[at]
            if away[other] < away[node] and network.left[link] + network.slack[link] >= demand:
                network.left[link] -= demand
                on = other
                break
        if on < 0:
            give_back(network, demand, path, count)
            return 0
        path[count] = on
        count += 1
    return count


@compiled
def give_back(network: Network, demand: float, path: IntArray, count: int) -> None:
    """Undo a path."""
    for k in range(count - 1):
        for at in range(network.first[path[k]], network.first[path[k] + 1]):
            if network.neighbour[at] == path[k + 1]:
                network.left[network.link[at]] += demand
                break


@compiled
def widest(network: Network, demand: float, away: IntArray, target: int, path: IntArray) -> bool:
    """A shortest path to a node, from its end back over the link with most bandwidth left.

    Whether there is one; there is where distances are those of what is left now.
    """
    node = target
    for hop in range(away[target] - 1, -1, -1):
        chosen, most = -1, -1.0
        for at in range(network.first[node], network.first[node + 1]):
            left = network.left[network.link[at]]
            if away[network.neighbour[at]] == hop and left >= demand and left > most:
                chosen, most = at, left
        if chosen < 0:
            return False
        path[hop], node = network.link[chosen], network.neighbour[chosen]
    return True
