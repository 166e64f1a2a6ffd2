"""Substrates and requests from graph files: GraphML, GML and JSON in node-link form, as networkx reads them.

Attributes of nodes: `cpu`, `storage` (0 without), `domain` (a number or name of `DOMAINS`; several of a request's node
as a list, or in one text with commas). Of links: `bandwidth` or `bw`. Of a request as a whole: `arrival` or
`arrival_time`, and `duration` or `lifetime` (without one it stays). So data sets of Virne can be read as they are.
"""

from __future__ import annotations  # networkx's types are generic for checkers only

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx as nx
import numpy as np

from ..errors import InputError
from ..json_files import read_json
from .instance import DOMAINS, Links, Request, RequestNodes, Substrate, SubstrateNodes

BANDWIDTH, ARRIVAL, DURATION = ("bandwidth", "bw"), ("arrival", "arrival_time"), ("duration", "lifetime")
ON_GROUND = DOMAINS.index("ground")


def read_graph(path: str | Path) -> nx.MultiGraph[Any]:
    """A graph from a file, without directions; what kind of file it is, its name says.

    Raises
    ------
    InputError
        When the file cannot be read, or is no such graph.
    """
    file, suffix = str(path), Path(path).suffix.lower()
    if suffix not in READERS:
        raise InputError(f"must end with {', '.join(READERS)}", file=file)
    try:
        graph = READERS[suffix](path)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=file) from None
    except (nx.NetworkXException, ParseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"is not such a graph: {error}", file=file) from None
    if not len(graph):
        raise InputError("has no nodes", file=file)
    return nx.MultiGraph(graph)


def _node_link(path: str | Path) -> nx.Graph[Any]:
    data = read_json(path)
    if not isinstance(data, dict) or "nodes" not in data:
        raise ValueError('a JSON object with "nodes" and "edges" (or "links") is needed')
    found: nx.Graph[Any] = nx.node_link_graph(data, edges="edges" if "edges" in data else "links")
    return found


READERS: dict[str, Callable[[Any], nx.Graph[Any]]] = {
    ".graphml": nx.read_graphml,
    ".gml": lambda path: nx.read_gml(path, label="id"),
    ".json": _node_link,
}


def read_substrate(path: str | Path) -> Substrate:
    """A substrate from a graph file; parallel links are one of their bandwidth together, nodes are on ground if unsaid.

    Raises
    ------
    InputError
        When the file is no graph, or lacks or spoils an attribute.
    """
    graph, file = read_graph(path), str(path)
    allowed = _domains(graph, file, [ON_GROUND])
    if (many := np.flatnonzero(allowed.sum(1) != 1)).size:
        raise InputError("must be in one domain", _place("nodes", list(graph)[many[0]]), file)
    cpu, storage = _resources(graph, file)
    return Substrate(SubstrateNodes(allowed.argmax(1), cpu, storage), _links(graph, file))


def read_requests(path: str | Path) -> tuple[Request, ...]:
    """Requests from a folder of graph files (of it and its `v_nets`), or from one file; by arrival.

    Raises
    ------
    InputError
        When there are none, or one is broken.
    """
    path = Path(path)
    files = [path]
    if path.is_dir():
        files = sorted(
            file for folder in (path, path / "v_nets") for suffix in READERS for file in folder.glob(f"*{suffix}")
        )
    if not files:
        raise InputError(f"has no files that end with {', '.join(READERS)}", file=str(path))
    return tuple(sorted((_request(file) for file in files), key=lambda request: request.arrival))


def _request(path: Path) -> Request:
    graph, file = read_graph(path), str(path)
    arrival = _number(graph.graph, ARRIVAL, "graph", file)
    duration = _number(graph.graph, DURATION, "graph", file) if any(name in graph.graph for name in DURATION) else None
    cpu, storage = _resources(graph, file)
    nodes = RequestNodes(_domains(graph, file, list(range(len(DOMAINS)))), cpu, storage)
    try:
        return Request(arrival, duration, nodes, _links(graph, file))
    except InputError as error:
        raise error.inside(file) from None


def _resources(graph: nx.MultiGraph[Any], file: str) -> tuple[Any, Any]:
    cpu = [_number(data, ("cpu",), _place("nodes", node), file) for node, data in graph.nodes(data=True)]
    storage = [
        _number({"storage": 0} | data, ("storage",), _place("nodes", n), file) for n, data in graph.nodes(data=True)
    ]
    return np.array(cpu), np.array(storage)


def _domains(graph: nx.MultiGraph[Any], file: str, unsaid: list[int]) -> Any:
    """Domains of nodes, bool, shape (nodes, 3)."""
    found = np.zeros((len(graph), len(DOMAINS)), bool)
    for row, (node, data) in enumerate(graph.nodes(data=True)):
        said = data.get("domain", unsaid)
        for one in said.split(",") if isinstance(said, str) else said if isinstance(said, list) else [said]:
            name = str(one).strip()
            if name in DOMAINS:
                found[row, DOMAINS.index(name)] = True
            elif name in ("0", "1", "2"):
                found[row, int(name)] = True
            else:
                known = ", ".join(f"{k} ({domain})" for k, domain in enumerate(DOMAINS))
                raise InputError(f'is "{name}", must be one of {known}', f"{_place('nodes', node)}.domain", file)
    return found


def _links(graph: nx.MultiGraph[Any], file: str) -> Links:
    """Links without loops, parallel ones together."""
    number = {node: k for k, node in enumerate(graph)}
    together: dict[tuple[int, int], float] = {}
    for one, other, data in graph.edges(data=True):
        ends = min(number[one], number[other]), max(number[one], number[other])
        bandwidth = _number(data, BANDWIDTH, _place("links", f"{one}-{other}"), file)
        if one != other:
            together[ends] = together.get(ends, 0.0) + bandwidth
    pairs = np.array(list(together), np.int64).reshape(-1, 2)
    return Links(pairs[:, 0], pairs[:, 1], np.array(list(together.values()), float))


def _place(kind: str, name: Any) -> str:
    return f'{kind}["{name}"]'


def _number(data: Mapping[str, Any], names: tuple[str, ...], place: str, file: str) -> float:
    """The attribute of the first of some names that there is; at least 0."""
    name = next((name for name in names if name in data), None)
    if name is None:
        raise InputError(f"is missing{'' if len(names) == 1 else f' (or {names[1]})'}", f"{place}.{names[0]}", file)
    try:
        value = float(data[name])
    except (TypeError, ValueError):
        raise InputError(f'must be a number, is "{data[name]}"', f"{place}.{name}", file) from None
    if not 0 <= value < math.inf:
        raise InputError(f"must be at least 0 and finite, is {value:g}", f"{place}.{name}", file)
    return value
