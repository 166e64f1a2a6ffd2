"""Presets of embedding and what draws them: the substrate's three segments, and requests that come and go.

Integers throughout, as in the paper's table; what it leaves open (topology, arrivals, lifetimes) is a choice, listed in
the formulation's README.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import networkx as nx
import numpy as np

from ..errors import InputError
from ..fields import IntArray
from ..json_files import file_stem
from ..variants import drawn_from, find_preset, positive
from .graphs import read_requests, read_substrate
from .instance import DOMAINS, Links, Request, RequestNodes, Substrate, VirtualNetworks
from .ranked import embed_by_resources
from .residual import Residual
from .substrates import draw_geographic, draw_substrate

LARGEST_DEMAND = 50
LINKED = 0.5  # probability of a link between two nodes of a request
GAP, LIFETIME = 25.0, 1_000.0  # mean time between arrivals, mean duration
MOST_REQUESTS = 1_000_000
SINGLE_COST = 0.01  # weight of cost where one request is embedded at least cost
FILLED_BANDWIDTH, FILLED_CPU = 0.5, 0.4  # shares in use, either of which makes a substrate half full
MOST_REFUSED = 200  # requests in a row after which a substrate is as full as it gets


@dataclass(frozen=True)
class Preset:
    """What an instance is drawn from.

    Attributes
    ----------
    nodes
        Of space, air and ground.
    requests
        In the trace.
    sizes
        Least and most nodes of a request.
    storage
        Largest demand for storage.
    stays, anywhere, colocate
        Whether requests stay for ever, whether every domain is allowed, and whether nodes may share a substrate node.
    cost_weight
        Of the objective.
    single
        One request, of the sizes in turn, that arrives at an ``empty`` or ``half-full`` substrate; None is a trace.
    substrate, trace
        Files of the substrate, and of the requests, instead of drawn ones; see `graphs`.
    topology
        File of a real network on the ground, with as many nodes in the air and in orbit for each of its own as here.
    speeds
        Whether links of that network have the bandwidth in its file (median: that of drawn ones), or are drawn.
    domains
        Edge domains into which a distributed policy cuts the substrate; nothing that is drawn depends on it.
    """

    nodes: tuple[int, int, int] = (10, 30, 60)
    requests: int = 1_000
    sizes: tuple[int, int] = (2, 10)
    storage: int = LARGEST_DEMAND
    stays: bool = False
    anywhere: bool = False
    colocate: bool = False
    cost_weight: float = 0.0
    single: Literal["empty", "half-full"] | None = None
    substrate: str | None = None
    trace: str | None = None
    topology: str | None = None
    speeds: bool = False
    domains: int = 3


_PAPER = Preset()
PRESETS = {
    "paper": _PAPER,
    "paper-stay": replace(_PAPER, stays=True),
    "paper-any": replace(_PAPER, anywhere=True),
    "storage-20": replace(_PAPER, storage=20),
    "storage-10": replace(_PAPER, storage=10),
    "domains-3": _PAPER,
    "domains-6": replace(_PAPER, domains=6),
    "domains-10": replace(_PAPER, domains=10),
    "tiny": Preset(nodes=(1, 2, 4), requests=6, sizes=(2, 3)),
    "small": Preset(nodes=(2, 4, 6), requests=20, sizes=(2, 4)),
    "medium": Preset(nodes=(3, 7, 10), requests=40, sizes=(2, 4)),
    "single": replace(_PAPER, cost_weight=SINGLE_COST, stays=True, single="empty"),
    "single-half": replace(_PAPER, cost_weight=SINGLE_COST, stays=True, single="half-full"),
}


def _requests(preset: Preset, value: str) -> Preset:
    if not 1 <= (count := int(value)) <= MOST_REQUESTS:
        raise ValueError(f"must be from 1 to {MOST_REQUESTS}")
    return replace(preset, requests=count)


def _size(preset: Preset, value: str) -> Preset:
    return replace(preset, sizes=(positive(int(value)),) * 2)


def _yes(value: str) -> bool:
    if value not in ("yes", "no"):
        raise ValueError("must be yes or no")
    return value == "yes"


def _cost(preset: Preset, value: str) -> Preset:
    if (weight := float(value)) < 0 or not np.isfinite(weight):
        raise ValueError("must be at least 0")
    return replace(preset, cost_weight=weight)


CHANGES: dict[str, Callable[[Preset, str], Preset]] = {
    "requests": _requests,
    "size": _size,
    "colocate": lambda preset, value: replace(preset, colocate=_yes(value)),
    "cost": _cost,
    "substrate": lambda preset, value: replace(preset, substrate=value),
    "trace": lambda preset, value: replace(preset, trace=value),
    "topology": lambda preset, value: replace(preset, topology=value),
    "domains": lambda preset, value: replace(preset, domains=positive(int(value))),
    "speeds": lambda preset, value: replace(preset, speeds=_yes(value)),
}


def find(name: str) -> Preset:
    """A preset, or a variant of it such as ``paper:requests=100``.

    ``paper:topology=FILE`` has a real network on the ground, ``paper:substrate=FILE,trace=FOLDER`` reads graph files.

    Raises
    ------
    InputError
        When there is none of this name, or its variants do not go together.
    """
    preset = find_preset(name, PRESETS, CHANGES)
    if preset.topology and preset.substrate:
        raise InputError("has both a topology and a substrate", "preset")
    if preset.speeds and not preset.topology:
        raise InputError("has speeds, but no topology", "preset")
    if preset.trace and preset.single:
        raise InputError("has a trace, but is of one request", "preset")
    return preset


def generate(name: str, seed: int) -> VirtualNetworks:
    """Draw the instance of a preset and a seed.

    A shorter trace is the beginning of a longer one, and presets that differ in one respect differ in nothing else.
    """
    preset = find(name)
    substrate = _substrate(preset, np.random.default_rng([seed, 0]))
    preset = replace(preset, nodes=tuple(np.bincount(substrate.nodes.domain, minlength=len(DOMAINS)).tolist()))
    if preset.single == "half-full":
        substrate = half_full(substrate, replace(preset, requests=1), np.random.default_rng([seed, 2]))
    if preset.trace:
        requests = read_requests(preset.trace)
    elif preset.single:
        least, most = preset.sizes
        size = least + seed % (most - least + 1)
        (drawn,) = draw_requests(replace(preset, requests=1, sizes=(size, size)), np.random.default_rng([seed, 1]))
        requests = (replace(drawn, arrival=0.0),)
    else:
        requests = draw_requests(preset, np.random.default_rng([seed, 1]))
    return VirtualNetworks(
        cost_weight=preset.cost_weight,
        colocate=preset.colocate,
        horizon=_horizon(preset, requests),
        substrate=substrate,
        requests=requests,
        name=f"{file_stem(name)}-{seed}",
        provenance=drawn_from("embedding", name, seed),
    )


def _horizon(preset: Preset, requests: tuple[Request, ...]) -> float | None:
    """The time that arrivals take on average; of a trace that was read, until its last one."""
    if preset.single:
        return None
    return (requests[-1].arrival or None) if preset.trace else GAP * preset.requests


def _substrate(preset: Preset, rng: np.random.Generator) -> Substrate:
    if preset.substrate:
        return read_substrate(preset.substrate)
    if preset.topology:
        return draw_geographic(preset.topology, preset.nodes, rng, speeds=preset.speeds)
    return draw_substrate(preset.nodes, rng)


def half_full(substrate: Substrate, one: Preset, rng: np.random.Generator) -> Substrate:
    """What is left when requests, embedded by resources (NRM), have taken half of the bandwidth or 40 % of the CPU."""
    residual, refused = Residual(substrate), 0
    while refused < MOST_REFUSED and not (
        residual.bandwidth.sum() <= (1 - FILLED_BANDWIDTH) * substrate.links.bandwidth.sum()
        or residual.cpu.sum() <= (1 - FILLED_CPU) * substrate.nodes.cpu.sum()
    ):
        (request,) = draw_requests(one, rng)
        embedding = embed_by_resources(residual, request, colocate=one.colocate)
        refused = 0 if embedding else refused + 1
        if embedding:
            residual.take(request, embedding)
    return residual.left()


def draw_requests(preset: Preset, rng: np.random.Generator) -> tuple[Request, ...]:
    """Requests in the order of their arrivals, each of the same draws whatever the preset says of storage and time."""
    share = np.array(preset.nodes) / sum(preset.nodes)
    requests = []
    now = 0.0
    for _ in range(preset.requests):
        size = int(rng.integers(preset.sizes[0], preset.sizes[1] + 1))
        ends = _connected(size, rng)
        domain = np.eye(3, dtype=bool)[rng.choice(3, size, p=share)] | preset.anywhere
        lots = rng.random((2, size))
        cpu, storage = 1 + np.floor(lots * np.array([[LARGEST_DEMAND], [preset.storage]]))
        bandwidth = rng.integers(1, LARGEST_DEMAND + 1, len(ends)).astype(float)
        gap, lifetime = rng.exponential([GAP, LIFETIME])
        now += gap
        duration = None if preset.stays else float(lifetime)
        nodes = RequestNodes(domain, cpu, storage)
        requests.append(Request(now, duration, nodes, Links(ends[:, 0], ends[:, 1], bandwidth)))
    return tuple(requests)


def _connected(size: int, rng: np.random.Generator) -> IntArray:
    """Links of a random graph, drawn until it is connected, shape (links, 2)."""
    pairs = np.column_stack(np.triu_indices(size, 1))
    while True:
        ends = pairs[rng.random(len(pairs)) < LINKED]
        graph = nx.empty_graph(size)
        graph.add_edges_from(ends.tolist())
        if nx.is_connected(graph):
            return ends
