"""Embeddings of one request at prices of what they take: the most profitable, or parts of all above a profit."""

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ...formulations.embedding.referee import usage
from ...instances.embedding import Embedding, Request, VirtualNetworks
from ...instances.embedding.instance import admitted
from ...instances.embedding.residual import Adjacency, Residual
from ...instances.fields import FloatArray, IntArray
from .rules import outwards

LITTLE = 1e-12
LOOKS = 1_000  # steps between questions whether to go on


class Offer(NamedTuple):
    """An embedding, what it takes of each resource (see `usage`), and its profit at the prices."""

    embedding: Embedding
    use: FloatArray
    profit: float


class Parts(NamedTuple):
    """Hosts and paths of which embeddings are made.

    Attributes
    ----------
    hosts
        Substrate nodes of all request nodes, shape (request nodes,) each.
    paths
        Nodes of simple paths, by link of the request and ends.
    """

    hosts: list[IntArray]
    paths: dict[tuple[int, int, int], list[list[int]]]

    @property
    def size(self) -> int:
        """Number of hosts and paths."""
        return len(self.hosts) + sum(map(len, self.paths.values()))


class Ways(NamedTuple):
    """What a demand costs.

    Attributes
    ----------
    step : array, shape (links,)
        On each link; infinite where it has not enough bandwidth.
    least : array, shape (N, N)
        Between nodes.
    """

    step: FloatArray
    least: FloatArray


class PricedEmbeddings:
    """The embeddings of a request in an empty substrate.

    Hosts come first, then simple paths, each bounded from below by the cheapest hosts and ways of what is left.

    Parameters
    ----------
    check
        Called now and then; raises to stop.
    """

    def __init__(self, instance: VirtualNetworks, request: Request, check: Callable[[], None]) -> None:
        self.instance, self.request, self._check = instance, request, check
        residual = Residual(instance.substrate)
        self._able = residual.hosts(request)
        self._wide = {demand: residual.wide(demand) for demand in request.links.bandwidth.tolist()}
        self._adjacency = Adjacency(instance.substrate.links, len(instance.substrate.nodes))
        self._order = outwards(request)
        nodes, links = instance.substrate.nodes, instance.substrate.links
        self._most = admitted(np.concatenate([nodes.cpu, nodes.storage, links.bandwidth]))
        self._loops = 0

    def best(self, price: FloatArray) -> Offer | None:
        """The most profitable embedding with any profit, at prices of resources, not negative; None without one."""
        best: Offer | None = None
        worth, host_cost, ways = self._priced(price)

        def budget() -> float:
            return worth - (0.0 if best is None else best.profit)

        for host, cost in self._hosts(host_cost, ways, budget):
            for paths, total in self._paths(host, ways, cost, budget):
                if budget() - total <= LITTLE * max(1.0, abs(worth)):
                    continue
                embedding = Embedding(np.array(host), tuple(np.array(path) for path in paths))
                use = usage(self.instance, self.request, embedding)
                if (use <= self._most).all():
                    best = Offer(embedding, use, worth - total)
        return best

    def parts_above(self, price: FloatArray, profit: float, most: int) -> Parts | None:
        """Hosts and paths of all embeddings with more profit, and perhaps of others; None if more than `most`.

        A path is listed when it and the cheapest ways of the other links cost less than the profit leaves, so paths
        are not combined with each other.
        """
        worth, host_cost, ways = self._priced(price)
        links, budget = self.request.links, lambda: worth - profit
        hosts: list[IntArray] = []
        rest: dict[tuple[int, int, int], float] = {}
        for host, cost in self._hosts(host_cost, ways, budget):
            if not self._fits(host):
                continue
            hosts.append(host)
            if len(hosts) > most:
                return None
            ends = zip(host[links.source].tolist(), host[links.target].tolist(), links.bandwidth.tolist(), strict=True)
            for e, (source, target, demand) in enumerate(ends):
                others = cost - float(ways[demand].least[source, target])
                rest[e, source, target] = min(rest.get((e, source, target), np.inf), others)
        parts = Parts(hosts, {})
        for (e, source, target), others in rest.items():
            found = self._simple_paths(source, target, ways[float(links.bandwidth[e])], others, budget)
            own = parts.paths[e, source, target] = []
            own += [path for path, _ in itertools.islice(found, most + 1)]
            if parts.size > most:
                return None
        return parts

    def _fits(self, host: IntArray) -> bool:
        """Whether request nodes on one host have room together."""
        nodes, demands = len(self._able[0]), (self.request.nodes.cpu, self.request.nodes.storage)
        use = np.concatenate([np.bincount(host, demand, nodes) for demand in demands])
        return bool((use <= self._most[: 2 * nodes]).all())

    def _priced(self, price: FloatArray) -> tuple[float, FloatArray, dict[float, Ways]]:
        """The worth without hops, costs of hosts, shape (request nodes, nodes), and ways of each demand."""
        request, nodes = self.request, len(self._able[0])
        cost_weight = self.instance.cost_weight
        host_cost = np.where(
            self._able,
            request.nodes.cpu[:, None] * price[:nodes] + request.nodes.storage[:, None] * price[nodes : 2 * nodes],
            np.inf,
        )
        link_price = price[2 * nodes :] + cost_weight
        ways = {demand: self._ways(link_price, demand) for demand in self._wide}
        return request.revenue - cost_weight * request.on_nodes, host_cost, ways

    def _ways(self, link_price: FloatArray, demand: float) -> Ways:
        """What a demand costs on links and between nodes, O(N^3) (Floyd and Warshall)."""
        links, nodes = self.instance.substrate.links, len(self._able[0])
        step = np.where(self._wide[demand], demand * link_price, np.inf)
        least = np.full((nodes, nodes), np.inf)
        least[links.source, links.target] = least[links.target, links.source] = step
        np.fill_diagonal(least, 0.0)
        for middle in range(nodes):
            least = np.minimum(least, least[:, middle, None] + least[middle])
        return Ways(step, least)

    def _look_up(self) -> None:
        """Ask now and then whether to go on."""
        self._loops += 1
        if self._loops % LOOKS == 0:
            self._check()

    def _hosts(
        self, host_cost: FloatArray, ways: dict[float, Ways], budget: Callable[[], float]
    ) -> Iterator[tuple[IntArray, float]]:
        """Hosts of all nodes, with what they and the cheapest ways between them cost, below the budget."""
        links, count = self.request.links, len(host_cost)
        host = np.full(count, -1)
        own = [np.flatnonzero((links.source == node) | (links.target == node)) for node in range(count)]

        def place(depth: int, cost: float, ahead: FloatArray) -> Iterator[tuple[IntArray, float]]:
            self._look_up()
            if depth == count:
                yield host.copy(), cost
                return
            node = self._order[depth]
            for n in np.argsort(ahead[node], kind="stable").tolist():
                step, rest = float(ahead[node, n]), self._order[depth + 1 :]
                if cost + step + ahead[rest].min(1).sum() >= budget():
                    break  # hosts that follow cost more
                host[node], then = n, ahead.copy()
                if not self.instance.colocate:
                    then[rest, n] = np.inf
                for link in own[node]:
                    other = int(links.source[link] + links.target[link]) - node
                    if host[other] < 0:
                        then[other] += ways[float(links.bandwidth[link])].least[n]
                if cost + step + then[rest].min(1, initial=np.inf).sum() < budget():
                    yield from place(depth + 1, cost + step, then)
                host[node] = -1

        yield from place(0, 0.0, host_cost)

    def _paths(
        self,
        host: IntArray,
        ways: dict[float, Ways],
        cost: float,
        budget: Callable[[], float],
    ) -> Iterator[tuple[list[list[int]], float]]:
        """Simple paths of all links between hosts, with the total cost, below the budget."""
        links = self.request.links
        ends = list(zip(host[links.source].tolist(), host[links.target].tolist(), strict=True))

        def go_on(paths: list[list[int]], cost: float) -> Iterator[tuple[list[list[int]], float]]:
            if len(paths) == len(ends):
                yield paths, cost
                return
            demand, (source, target) = float(links.bandwidth[len(paths)]), ends[len(paths)]
            rest = cost - float(ways[demand].least[source, target])
            for path, more in self._simple_paths(source, target, ways[demand], rest, budget):
                yield from go_on([*paths, path], rest + more)

        yield from go_on([], cost)

    def _simple_paths(
        self, source: int, target: int, ways: Ways, cost: float, budget: Callable[[], float]
    ) -> Iterator[tuple[list[int], float]]:
        """Simple paths over links that are wide enough, with their cost, below the budget beside another cost."""
        first, neighbour, link = self._adjacency.first, self._adjacency.neighbour, self._adjacency.link
        path = [source]

        def go_on(paid: float) -> Iterator[tuple[list[int], float]]:
            self._look_up()
            if path[-1] == target:
                yield path.copy(), paid
                return
            for at in range(first[path[-1]], first[path[-1] + 1]):
                other, more = int(neighbour[at]), paid + float(ways.step[link[at]])
                if other in path:
                    continue
                if cost + more + float(ways.least[other, target]) < budget():
                    path.append(other)
                    yield from go_on(more)
                    path.pop()

        yield from go_on(0.0)
