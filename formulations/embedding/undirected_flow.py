"""The placement with paths: g[k, e, l] leads link e of request k over substrate link l, in either direction.

At each substrate node a link has one flow as its end, two where its path passes by (q), and none elsewhere. Half the
variables of a directed flow, and no order of the ends to choose. Circles beside a path are feasible and left out of the
decision; they only take room and cost, so the optimum is the problem's.
"""

from collections import defaultdict
from collections.abc import Mapping

import networkx as nx
import numpy as np

from ...instances.embedding import Embedding, EmbeddingDecision, Request, VirtualNetworks
from ...instances.embedding.instance import admitted
from ...instances.record import Decision
from ..constraint_model import BoolVar, Values
from .placement_relaxation import PlacementRelaxation


class UndirectedFlow(PlacementRelaxation):
    """Literals and rows of placement and paths.

    Attributes
    ----------
    g
        By request, request link and substrate link.
    """

    def __init__(self, instance: VirtualNetworks) -> None:
        super().__init__(instance)
        links = instance.substrate.links
        self.g: dict[tuple[int, int, int], BoolVar] = {}
        self._passes: dict[tuple[int, int, int], BoolVar] = {}
        self._shared: dict[tuple[int, int, int], BoolVar] = {}
        self._adjacent = [np.flatnonzero((links.source == n) | (links.target == n)).tolist() for n in self._nodes]
        for k, request in enumerate(instance.requests):
            for e in range(len(request.links)):
                self._add_path(k, e, request)
            self._add_stars(k, request)
        self._add_link_capacities()

    @property
    def _nodes(self) -> range:
        return range(len(self.instance.substrate.nodes))

    def _add_path(self, k: int, e: int, request: Request) -> None:
        """The flow of a link, in balance at every node."""
        model = self.model
        for link in np.flatnonzero(self.residual.wide(float(request.links.bandwidth[e]))).tolist():
            self.g[k, e, link] = model.literal(f"g[{k},{e},{link}]")
            model.add_implication(self.g[k, e, link], self.z[k])
        ends = int(request.links.source[e]), int(request.links.target[e])
        for n in self._nodes:
            here = [self.x[k, a, n] for a in ends if (k, a, n) in self.x]
            through = self._passes[k, e, n] = model.literal(f"q[{k},{e},{n}]")
            flow = [(self.g[k, e, link], 1) for link in self._adjacent[n] if (k, e, link) in self.g]
            balance = [*flow, *((end, -1) for end in here), (through, -2)]
            if self.instance.colocate:
                for end in here:
                    model.add_at_most_one([through, end])
                if len(here) == 2:
                    both = self._shared[k, e, n] = model.literal(f"w[{k},{e},{n}]")
                    model.add_implication(both, here[0])
                    model.add_implication(both, here[1])
                    model.add_any(both, ~here[0], ~here[1])
                    balance.append((both, 2))
            else:
                model.add_at_most_one([through, *here])
            model.add_linear(balance, [], 0, 0)

    def _add_stars(self, k: int, request: Request) -> None:
        """The links at a request node take at least its star."""
        demand = request.links.bandwidth.tolist()
        ends = list(zip(request.links.source.tolist(), request.links.target.tolist(), strict=True))
        used = defaultdict[int, list[tuple[BoolVar, float]]](list)
        for (_, e, _), literal in ((key, g) for key, g in self.g.items() if key[0] == k):
            for a in ends[e]:
                used[a].append((literal, demand[e]))
        for a in range(len(request.nodes)):
            own = [(self.x[k, a, n], float(self.least[k][a, n])) for n in self._nodes if (k, a, n) in self.x]
            self.model.add_covering(used[a], own)

    def _add_link_capacities(self) -> None:
        """Bandwidth of each link at every moment."""
        on_link = defaultdict[tuple[int, int], list[tuple[BoolVar, float]]](list)
        for (k, e, link), literal in self.g.items():
            on_link[k, link].append((literal, float(self.instance.requests[k].links.bandwidth[e])))
        for active in self.active:
            for link, limit in enumerate(admitted(self.instance.substrate.links.bandwidth).tolist()):
                self.model.add_capacity((term for k in active for term in on_link[k, link]), limit)

    def cost(self) -> list[tuple[BoolVar, float]]:
        """Cost of links: bandwidth on every substrate link that their flows take."""
        requests = self.instance.requests
        return [(g, float(requests[k].links.bandwidth[e])) for (k, e, _), g in self.g.items() if k in self.possible]

    def _decision(self, value: Values) -> EmbeddingDecision:
        links = self.instance.substrate.links
        flows = defaultdict[tuple[int, int], list[tuple[int, int]]](list)
        for (k, e, link), literal in self.g.items():
            if value(literal):
                flows[k, e].append((int(links.source[link]), int(links.target[link])))
        found: list[Embedding | None] = []
        for k, (request, hosts) in enumerate(zip(self.instance.requests, self._hosts(value), strict=True)):
            if hosts is None:
                found.append(None)
                continue
            paths = []
            for e, (a, b) in enumerate(zip(request.links.source, request.links.target, strict=True)):
                graph: nx.Graph[int] = nx.Graph(flows[k, e])
                graph.add_nodes_from([hosts[a], hosts[b]])
                paths.append(np.array(nx.shortest_path(graph, hosts[a], hosts[b])))
            found.append(Embedding(np.array(hosts), tuple(paths)))
        return EmbeddingDecision(tuple(found))

    def _values(self, decision: Decision) -> Mapping[BoolVar, int]:
        """Every literal's value in a decision."""
        assert isinstance(decision, EmbeddingDecision)
        found = dict(super()._values(decision))
        found |= dict.fromkeys((*self.g.values(), *self._passes.values(), *self._shared.values()), 0)
        between = self.instance.substrate.link_between
        for k, embedding in enumerate(decision.embeddings):
            for e, path in enumerate(embedding.paths if embedding is not None else ()):
                for link in between[path[:-1], path[1:]].tolist():
                    found[self.g[k, e, link]] = 1
                for n in path[1:-1].tolist():
                    found[self._passes[k, e, n]] = 1
                if len(path) == 1 and (k, e, int(path[0])) in self._shared:
                    found[self._shared[k, e, int(path[0])]] = 1
        return found
