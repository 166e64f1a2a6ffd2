"""The constraint model: every path is a circuit through a dummy node, so it is simple and costs what it costs.

z[k] accepts request k, x[k, a, n] puts its node a on n. For each link of a request a circuit leads from the dummy node
to the source's host, over the substrate to the target's host, and back; nodes that it passes by loop on themselves, all
of them when the request is rejected.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...instances.embedding import Embedding, EmbeddingDecision, Request, VirtualNetworks
from ...instances.embedding.instance import admitted
from ...instances.embedding.residual import Residual
from ...instances.record import Decision
from ..constraint_model import BoolVar, ConstraintModel, Values
from .moments import maximal_sets
from .stars import stars


def describe(instance: VirtualNetworks) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is the problem's, with the objective rounded up"


def build(instance: VirtualNetworks) -> ConstraintModel:
    """State the constraint model of an instance."""
    return _Builder(instance).finish()


class _Builder:
    """Collects the literals of all requests, then what they take of the substrate."""

    def __init__(self, instance: VirtualNetworks) -> None:
        self.instance, self.residual = instance, Residual(instance.substrate)
        self.model = ConstraintModel()
        self.z = [self.model.literal(f"z[{k}]") for k in range(len(instance.requests))]
        self.possible: list[int] = []  # requests that fit somewhere alone
        self.x: dict[tuple[int, int, int], BoolVar] = {}
        self.f: dict[tuple[int, int, int, int], BoolVar] = {}
        for k, request in enumerate(instance.requests):
            self._nodes(k, request)
            for e in range(len(request.links)):
                self._path(k, request, e)
        self._capacities()

    def _nodes(self, k: int, request: Request) -> None:
        """One host a node, if the request is accepted."""
        able = np.isfinite(stars(self.residual, request, colocate=self.instance.colocate).least)
        for a, n in np.argwhere(able).tolist():
            self.x[k, a, n] = self.model.literal(f"x[{k},{a},{n}]")
        if able.any(1).all():
            self.possible.append(k)
        for a in range(len(request.nodes)):
            self.model.add_exactly_one([~self.z[k], *(self.x[k, a, n] for n in np.flatnonzero(able[a]).tolist())])
        if not self.instance.colocate:
            for n in np.flatnonzero(able.sum(0) > 1).tolist():
                self.model.add_at_most_one(self.x[k, a, n] for a in np.flatnonzero(able[:, n]).tolist())

    def _path(self, k: int, request: Request, e: int) -> None:
        """The circuit of a link; the dummy node is the last one."""
        links, wide = self.instance.substrate.links, self.residual.wide(float(request.links.bandwidth[e]))
        dummy = len(self.instance.substrate.nodes)
        arcs: list[Any] = [(dummy, dummy, ~self.z[k])]
        for n in range(dummy):
            arcs.append((n, n, self.model.literal(f"past[{k},{e},{n}]")))
            for a, arc in ((request.links.source[e], (dummy, n)), (request.links.target[e], (n, dummy))):
                if (k, int(a), n) in self.x:
                    arcs.append((*arc, self.x[k, int(a), n]))
        for i, j in zip(links.source[wide].tolist(), links.target[wide].tolist(), strict=True):
            for hop in ((i, j), (j, i)):
                self.f[(k, e, *hop)] = self.model.literal(f"f[{k},{e},{hop[0]},{hop[1]}]")
                arcs.append((*hop, self.f[(k, e, *hop)]))
        self.model.add_circuit(arcs)

    def _capacities(self) -> None:
        """What fits, whenever the most requests are active."""
        nodes, links = self.instance.substrate.nodes, self.instance.substrate.links
        between = self.instance.substrate.link_between
        using: dict[tuple[str, int, int], list[tuple[float, BoolVar]]] = defaultdict(list)
        for (k, a, n), literal in self.x.items():
            using["cpu", k, n].append((float(self.instance.requests[k].nodes.cpu[a]), literal))
            using["storage", k, n].append((float(self.instance.requests[k].nodes.storage[a]), literal))
        for (k, e, i, j), literal in self.f.items():
            demand = float(self.instance.requests[k].links.bandwidth[e])
            using["bandwidth", k, int(between[i, j])].append((demand, literal))
        for active in maximal_sets(self.instance):
            for name, capacity in (("cpu", nodes.cpu), ("storage", nodes.storage), ("bandwidth", links.bandwidth)):
                for at, limit in enumerate(admitted(capacity).tolist()):
                    used = [pair for k in active.tolist() for pair in using[name, k, at]]
                    self.model.add_capacity(((literal, demand) for demand, literal in used), limit)

    def finish(self) -> ConstraintModel:
        weight = self.instance.cost_weight
        most_hops = max(len(self.instance.substrate.nodes) - 1, 0)
        requests = {k: self.instance.requests[k] for k in self.possible}
        worth = {k: one.revenue - weight * one.on_nodes for k, one in requests.items()}
        largest = sum(map(abs, worth.values()))
        largest += weight * most_hops * sum(float(one.links.bandwidth.sum()) for one in requests.values())
        terms = [(self.z[k], value) for k, value in worth.items()]
        if weight:
            demand = {k: one.links.bandwidth.tolist() for k, one in requests.items()}
            hops = ((k, e, literal) for (k, e, _, _), literal in self.f.items() if k in requests)
            terms += [(literal, -weight * demand[k][e]) for k, e, literal in hops]
        self.model.maximise(terms, largest=largest)
        return self.model.reads(self._decision, self._values, trivial=sum(max(w, 0.0) for w in worth.values()))

    def _decision(self, value: Values) -> EmbeddingDecision:
        host = {(k, a): n for (k, a, n), literal in self.x.items() if value(literal)}
        onward = {(k, e, i): j for (k, e, i, j), literal in self.f.items() if value(literal)}
        found: list[Embedding | None] = []
        for k, request in enumerate(self.instance.requests):
            if not value(self.z[k]):
                found.append(None)
                continue
            nodes = [host[k, a] for a in range(len(request.nodes))]
            paths = []
            for e, a in enumerate(request.links.source.tolist()):
                path = [nodes[a]]
                while (k, e, path[-1]) in onward:
                    path.append(onward[k, e, path[-1]])
                paths.append(np.array(path))
            found.append(Embedding(np.array(nodes), tuple(paths)))
        return EmbeddingDecision(tuple(found))

    def _values(self, decision: Decision) -> Mapping[BoolVar, int]:
        """Requests, hosts and hops of a decision."""
        assert isinstance(decision, EmbeddingDecision)
        found = dict.fromkeys((*self.z, *self.x.values(), *self.f.values()), 0)
        for k, embedding in enumerate(decision.embeddings):
            if embedding is None:
                continue
            found[self.z[k]] = 1
            for a, n in enumerate(embedding.nodes.tolist()):
                found[self.x[k, a, n]] = 1
            for e, path in enumerate(embedding.paths):
                for i, j in zip(path[:-1].tolist(), path[1:].tolist(), strict=True):
                    found[self.f[k, e, i, j]] = 1
        return found
