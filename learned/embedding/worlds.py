"""Traces as tables of one shape, so that the compiled code can play many at once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np

from ...instances.compiled import compiled
from ...instances.embedding import Links, Request, VirtualNetworks
from ...instances.errors import InputError
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...solvers.embedding.trace import Ground, Trace


class Worlds(NamedTuple):
    """W traces of R requests by arrival, each with its substrate of N nodes; what is shorter is filled up.

    Attributes
    ----------
    node_first, link_first : array, shape (W, R + 1)
        Where each request's nodes and links begin.
    cpu, storage : array, shape (W, request nodes)
    able : array of bool, shape (W, request nodes, 3)
    sequence : array, shape (W, request nodes)
        Numbers of each request's nodes in the order in which they are placed.
    source, target, bandwidth : array, shape (W, request links)
    arrival, departure, revenue, on_nodes : array, shape (W, R)
    leaving : array, shape (W, R)
        Requests by departure.
    cost_weight, horizon : array, shape (W,)
        The horizon is infinite where there is none.
    domain : array, shape (W, N)
    first, neighbour, link, capacity : array, shape (W, ...)
        See `Ground`.
    """

    node_first: IntArray
    link_first: IntArray
    cpu: FloatArray
    storage: FloatArray
    able: BoolArray
    sequence: IntArray
    source: IntArray
    target: IntArray
    bandwidth: FloatArray
    arrival: FloatArray
    departure: FloatArray
    revenue: FloatArray
    on_nodes: FloatArray
    leaving: IntArray
    cost_weight: FloatArray
    horizon: FloatArray
    domain: IntArray
    first: IntArray
    neighbour: IntArray
    link: IntArray
    capacity: FloatArray

    @classmethod
    def of(cls, instances: Sequence[VirtualNetworks], *, by_demand: bool) -> Self:
        """The tables of instances.

        Parameters
        ----------
        by_demand
            Nodes with most demand towards those placed come first; otherwise nodes come in the order of their numbers.

        Raises
        ------
        InputError
            When the instances differ in the number of requests or of substrate nodes.
        """
        shapes = {(len(instance.requests), len(instance.substrate.nodes)) for instance in instances}
        if len(shapes) != 1:
            raise InputError("instances must have equally many requests and substrate nodes", "preset")
        rows = [_rows(instance, by_demand=by_demand) for instance in instances]
        return cls(*(_stacked(column) for column in zip(*rows, strict=True)))

    @property
    def most_nodes(self) -> int:
        """Nodes of the largest request."""
        return int(np.diff(self.node_first).max())

    @property
    def most_links(self) -> int:
        """Links of the request that has most."""
        return int(np.diff(self.link_first).max())


def _stacked(column: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays as one, the shorter filled up with zeros."""
    longest = max(len(row) for row in column) if np.ndim(column[0]) else 0
    return np.stack([_filled(row, longest) if np.ndim(row) else row for row in column])


def _filled(row: np.ndarray, length: int) -> np.ndarray:
    return np.concatenate([row, np.zeros((length - len(row), *row.shape[1:]), row.dtype)])


def _rows(instance: VirtualNetworks, *, by_demand: bool) -> tuple[np.ndarray, ...]:
    """The rows of one instance, in the order of the fields of `Worlds`."""
    requests = tuple(instance.requests[k] for k in instance.order)
    trace, ground = Trace.of(replace(instance, requests=requests)), Ground.of(instance)
    departure = np.array([request.departure for request in requests])
    sequence = [by_demand_outwards(request) if by_demand else np.arange(len(request.nodes)) for request in requests]
    return (
        trace.node_first,
        trace.link_first,
        trace.cpu,
        trace.storage,
        trace.able,
        np.concatenate(sequence),
        trace.source,
        trace.target,
        trace.bandwidth,
        np.array([request.arrival for request in requests]),
        departure,
        np.array([request.revenue for request in requests]),
        np.array([request.on_nodes for request in requests]),
        np.argsort(departure, kind="stable"),
        np.array(instance.cost_weight),
        np.array(np.inf if instance.horizon is None else instance.horizon),
        *ground,
    )


def by_demand_outwards(request: Request) -> IntArray:
    """Nodes by their demand towards those before them, the larger demand at all among equals."""
    count, links = len(request.nodes), request.links
    between = _between(links, count)
    demand, towards = between.sum(0), np.zeros(count)
    order: list[int] = []
    for _ in range(count):
        rest = [node for node in range(count) if node not in order]
        node = max(rest, key=lambda node: (towards[node], demand[node], -node))
        order.append(node)
        towards += between[node]
    return np.array(order)


def _between(links: Links, nodes: int) -> FloatArray:
    found = np.zeros((nodes, nodes))
    found[links.source, links.target] = found[links.target, links.source] = links.bandwidth
    return found


@compiled
def trace_of(worlds: Worlds, world: int) -> Trace:
    """One world's requests, all of the one moment that is now."""
    now, none = np.zeros(worlds.arrival.shape[1], np.int64), np.zeros(0, np.int64)
    return Trace(
        worlds.node_first[world],
        worlds.link_first[world],
        worlds.cpu[world],
        worlds.storage[world],
        worlds.able[world],
        worlds.source[world],
        worlds.target[world],
        worlds.bandwidth[world],
        now,
        now,
        none,
        none,
    )


@compiled
def ground_of(worlds: Worlds, world: int) -> Ground:
    """One world's substrate."""
    return Ground(
        worlds.domain[world],
        worlds.first[world],
        worlds.neighbour[world],
        worlds.link[world],
        worlds.capacity[world],
    )
