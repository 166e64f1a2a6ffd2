"""The choice among listed hosts and paths as a program: x[k, h] puts request k on hosts h, y[k, e, p] is a path."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ...instances.embedding import Embedding, EmbeddingDecision, VirtualNetworks
from ...instances.fields import BoolArray, FloatArray, IntArray
from ..linear_program import Arrays, LinearProgram, Outcome
from .priced_embeddings import Parts


class _Column(NamedTuple):
    """Hosts of a request (link -1), or a path of one of its links."""

    request: int
    link: int
    nodes: IntArray | list[int]


class PathProgram:
    """At most one list of hosts a request, one path a link between its hosts, and the capacities at every moment.

    Parameters
    ----------
    present : array of bool, shape (requests, moments)
        When each request is active.
    capacity : array, shape (resources,)
        As in `usage`.
    parts
        Hosts and paths of each request.
    """

    def __init__(self, instance: VirtualNetworks, present: BoolArray, capacity: FloatArray, parts: list[Parts]) -> None:
        self.instance, self._present, self._capacity = instance, present, capacity
        self._columns: list[_Column] = []
        self._worth: list[float] = []
        self._entries: list[tuple[int, int, float]] = []
        self._upper: list[float] = [*np.tile(capacity, present.shape[1]).tolist(), *[1.0] * len(parts)]
        self._lower: list[float] = [-np.inf] * len(self._upper)
        for k, own in enumerate(parts):
            self._add(k, own)

    def _add(self, k: int, parts: Parts) -> None:
        """Add the columns of a request, and the rows by which paths join its hosts."""
        request, weight = self.instance.requests[k], self.instance.cost_weight
        nodes, links = len(self.instance.substrate.nodes), request.links
        row = {ends: len(self._upper) + number for number, ends in enumerate(parts.paths)}
        self._upper += [0.0] * len(row)
        self._lower += [0.0] * len(row)
        for host in parts.hosts:
            column = self._column(_Column(k, -1, host), request.revenue - weight * request.on_nodes)
            self._entries.append((len(self._capacity) * self._present.shape[1] + k, column, 1.0))
            host_pairs = zip(host[links.source].tolist(), host[links.target].tolist(), strict=True)
            for e, (source, target) in enumerate(host_pairs):
                self._entries.append((row[e, source, target], column, -1.0))
            for at, demands in ((host, request.nodes.cpu), (nodes + host, request.nodes.storage)):
                for resource, amount in zip(at.tolist(), demands.tolist(), strict=True):
                    self._take(k, column, resource, amount)
        for ends, paths in parts.paths.items():
            demand = float(links.bandwidth[ends[0]])
            for path in paths:
                column = self._column(_Column(k, ends[0], path), -weight * demand * (len(path) - 1))
                self._entries.append((row[ends], column, 1.0))
                for link in self.instance.substrate.link_between[path[:-1], path[1:]].tolist():
                    self._take(k, column, 2 * nodes + link, demand)

    def _column(self, column: _Column, worth: float) -> int:
        self._columns.append(column)
        self._worth.append(worth)
        return len(self._columns) - 1

    def _take(self, k: int, column: int, resource: int, amount: float) -> None:
        """Take an amount of a resource while the request is active."""
        for moment in np.flatnonzero(self._present[k]).tolist():
            self._entries.append((moment * len(self._capacity) + resource, column, amount))

    def solve(self, time_limit_s: float | None, threads: int) -> Outcome:
        """Solve in HiGHS."""
        entries = np.array(self._entries).reshape(-1, 3)
        row, column, value = entries[:, 0].astype(int), entries[:, 1].astype(int), entries[:, 2]
        count = len(self._columns)
        matrix = sp.csc_array((value, (row, column)), shape=(len(self._upper), count))
        kinds, lower, upper = np.ones(count, bool), np.array(self._lower), np.array(self._upper)
        arrays = Arrays(
            np.array(self._worth), np.zeros(count), np.ones(count), kinds, matrix, lower, upper, maximise=True
        )
        return LinearProgram(arrays, threads).solve(time_limit_s=time_limit_s)

    def decision(self, x: FloatArray) -> EmbeddingDecision:
        """Return the decision of the columns' values."""
        hosts: dict[int, IntArray] = {}
        paths: dict[tuple[int, int], IntArray] = {}
        for at in np.flatnonzero(x > 0.5).tolist():
            k, link, nodes = self._columns[at]
            if link < 0:
                hosts[k] = np.array(nodes)
            else:
                paths[k, link] = np.array(nodes)
        return EmbeddingDecision(
            tuple(
                Embedding(hosts[k], tuple(paths[k, e] for e in range(len(request.links)))) if k in hosts else None
                for k, request in enumerate(self.instance.requests)
            )
        )
