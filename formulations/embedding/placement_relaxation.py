"""The placement relaxation: z[k] accepts request k, x[k, a, n] puts its node a on n, and links have no paths.

Nodes keep CPU and storage. Links count only by what every embedding takes: at a node all demands of a request node
there (unless nodes may share it), between a domain and the others the demands whose ends they separate, and in all the
least bandwidth times hops of the stars. Its optimum is a bound; its decision has hosts and no paths.
"""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from ...instances.embedding import Embedding, EmbeddingDecision, Links, Request, VirtualNetworks
from ...instances.embedding.instance import DOMAINS, admitted
from ...instances.embedding.residual import Residual
from ...instances.fields import BoolArray, FloatArray
from ...instances.record import Decision
from ..constraint_model import BoolVar, ConstraintModel, Values
from .moments import maximal_sets
from .stars import stars


def build(instance: VirtualNetworks) -> ConstraintModel:
    """State the relaxation of an instance."""
    return PlacementRelaxation(instance).finish()


class PlacementRelaxation:
    """Literals and rows of the placement; models with paths add to them.

    Attributes
    ----------
    z
        Acceptance of each request.
    x
        By request, request node and substrate node, where a node can be.
    least : list of arrays, shape (request nodes, nodes)
        Stars of each request.
    """

    def __init__(self, instance: VirtualNetworks) -> None:
        self.instance, self.residual = instance, Residual(instance.substrate)
        self.model = ConstraintModel(exact=False)
        self.active = [active.tolist() for active in maximal_sets(instance)]
        self.z = [self.model.literal(f"z[{k}]") for k in range(len(instance.requests))]
        self.x: dict[tuple[int, int, int], BoolVar] = {}
        self.possible: list[int] = []  # requests that fit somewhere alone; others may earn beyond all numbers
        self.least = [stars(self.residual, one, colocate=instance.colocate).least for one in instance.requests]
        for k, request in enumerate(instance.requests):
            self._add_nodes(k, request)
        self._add_node_capacities()
        self._add_domain_cuts()

    def accept_all(self) -> None:
        """Accept every request."""
        for literal in self.z:
            self.model.add_any(literal)

    def add_conflict(self, requests: list[int]) -> None:
        """Reject at least one of some requests."""
        self.model.add_count([self.z[k] for k in requests], len(requests) - 1)

    def add_revenue_cap(self, cap: float) -> None:
        """Let accepted requests earn at most a bound on the revenue."""
        self.model.add_capacity(((self.z[k], self.instance.requests[k].revenue) for k in self.possible), cap)

    def _add_nodes(self, k: int, request: Request) -> None:
        """One host a node, if the request is accepted."""
        able = np.isfinite(self.least[k])
        if able.any(1).all():
            self.possible.append(k)
        for a, n in np.argwhere(able).tolist():
            self.x[k, a, n] = self.model.literal(f"x[{k},{a},{n}]")
        for a in range(len(request.nodes)):
            hosts = np.flatnonzero(able[a]).tolist()
            self.model.add_exactly_one([~self.z[k], *(self.x[k, a, n] for n in hosts)])
        if not self.instance.colocate:
            for n in np.flatnonzero(able.sum(0) > 1).tolist():
                self.model.add_at_most_one(self.x[k, a, n] for a in np.flatnonzero(able[:, n]).tolist())

    def _add_node_capacities(self) -> None:
        """CPU, storage and adjacent bandwidth of each node, and the bandwidth in all, at every moment."""
        nodes, links = self.instance.substrate.nodes, self.instance.substrate.links
        bandwidth = admitted(links.bandwidth)
        adjacent = _sums_at_ends(links, bandwidth, len(nodes))
        on_links = [_sums_at_ends(one.links, one.links.bandwidth, len(one.nodes)) for one in self.instance.requests]
        on_node = defaultdict[tuple[int, int], list[tuple[int, BoolVar]]](list)
        for (k, a, n), literal in self.x.items():
            on_node[k, n].append((a, literal))
        demands: list[tuple[list[FloatArray], FloatArray]] = [
            ([one.nodes.cpu for one in self.instance.requests], admitted(nodes.cpu)),
            ([one.nodes.storage for one in self.instance.requests], admitted(nodes.storage)),
        ]
        if not self.instance.colocate:
            demands.append((on_links, adjacent))
        for active in self.active:
            for demand, limit in demands:
                for n in range(len(nodes)):
                    here = [(literal, float(demand[k][a])) for k in active for a, literal in on_node[k, n]]
                    self.model.add_capacity(here, float(limit[n]))
            every = ((self.x[key], float(self.least[key[0]][key[1:]]) / 2) for key in self.x if key[0] in active)
            self.model.add_capacity(every, float(bandwidth.sum()))

    def _add_domain_cuts(self) -> None:
        """Demands that cross from a domain to the others, whatever their hosts, within the bandwidth that does."""
        nodes, links = self.instance.substrate.nodes, self.instance.substrate.links
        for d in range(len(DOMAINS)):
            inside = nodes.domain == d
            across = np.asarray(inside[links.source] != inside[links.target])
            limit = float(admitted(links.bandwidth)[across].sum())
            crossing = [self._crossing_demand(k, inside) for k in range(len(self.z))]
            for active in self.active:
                self.model.add_capacity(((self.z[k], crossing[k]) for k in active), limit)

    def _crossing_demand(self, k: int, inside: BoolArray) -> float:
        """Bandwidth of a request's links whose one end can only be inside and the other only outside."""
        able, links = np.isfinite(self.least[k]), self.instance.requests[k].links
        can_in, can_out = (np.asarray(able[:, side].any(1)) for side in (inside, ~inside))
        only_in, only_out = can_in & ~can_out, can_out & ~can_in
        one, other = links.source, links.target
        return float(links.bandwidth[(only_in[one] & only_out[other]) | (only_out[one] & only_in[other])].sum())

    def worth(self) -> list[tuple[BoolVar, float]]:
        """Revenue of accepted requests less the cost of their nodes."""
        weight, requests = self.instance.cost_weight, self.instance.requests
        return [(self.z[k], requests[k].revenue - weight * requests[k].on_nodes) for k in self.possible]

    def cost(self) -> list[tuple[BoolVar, float]]:
        """Cost of links: that of stars, each link being part of two."""
        return [(x, float(self.least[k][a, n]) / 2) for (k, a, n), x in self.x.items() if k in self.possible]

    def finish(self) -> ConstraintModel:
        """State the objective and return the model."""
        worth, weight = self.worth(), self.instance.cost_weight
        cost = [(literal, -weight * amount) for literal, amount in self.cost()] if weight else []
        self.model.maximise([*worth, *cost])
        return self.model.reads(self._decision, self._values, trivial=sum(max(value, 0.0) for _, value in worth))

    def _hosts(self, value: Values) -> list[list[int] | None]:
        """Substrate nodes of each request; None where it is rejected."""
        host = {(k, a): n for (k, a, n), literal in self.x.items() if value(literal)}
        requests = self.instance.requests
        return [
            [host[k, a] for a in range(len(one.nodes))] if value(self.z[k]) else None for k, one in enumerate(requests)
        ]

    def _decision(self, value: Values) -> EmbeddingDecision:
        hosts = self._hosts(value)
        return EmbeddingDecision(tuple(None if own is None else Embedding(np.array(own), ()) for own in hosts))

    def _values(self, decision: Decision) -> Mapping[BoolVar, int]:
        """Requests and hosts of a decision."""
        assert isinstance(decision, EmbeddingDecision)
        found = dict.fromkeys((*self.z, *self.x.values()), 0)
        for k, embedding in enumerate(decision.embeddings):
            if embedding is not None:
                found[self.z[k]] = 1
                for a, n in enumerate(embedding.nodes.tolist()):
                    found[self.x[k, a, n]] = 1
        return found


def _sums_at_ends(links: Links, amount: FloatArray, count: int) -> FloatArray:
    """Sum of the amounts of all links at each node, shape (count,)."""
    return np.asarray(np.bincount(links.source, amount, count) + np.bincount(links.target, amount, count), float)
