"""A substrate over a real network: its nodes on the ground, platforms in the air above them, satellites in orbit."""

from __future__ import annotations  # networkx's types are generic for checkers only

from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from ..errors import InputError
from ..fields import FloatArray, IntArray
from ..orbits import SHELL
from ..orbits.earth import upward
from .graphs import read_graph

SPEED = "LinkSpeedRaw"  # bit/s, as the Internet Topology Zoo has it


class Terrestrial:
    """The nodes of a backbone and its links, from a file of the Internet Topology Zoo.

    Attributes
    ----------
    place : array, shape (nodes, 2)
        Longitude and latitude (degrees); a node without them is amid its neighbours.
    ends : array, shape (links, 2)
        Without loops and parallel links.
    speed : array, shape (links,)
        `SPEED`, parallel links together; not a number where none of them has it.
    """

    def __init__(self, path: str | Path) -> None:
        graph = read_graph(path)
        self.place = _places(graph, str(path))
        number = {node: k for k, node in enumerate(graph)}
        speeds: dict[tuple[int, int], list[float]] = {}
        for one, other, data in graph.edges(data=True):
            if one != other:
                ends = min(number[one], number[other]), max(number[one], number[other])
                speed = _real(data.get(SPEED), f"links.{SPEED}", str(path))
                if speed <= 0:
                    raise InputError(f"must be above 0, is {speed:g}", f"links.{SPEED}", str(path))
                speeds.setdefault(ends, []).append(speed)
        self.ends = np.array(list(speeds), np.int64).reshape(-1, 2)
        self.speed = np.array([np.nansum(own) if np.isfinite(own).any() else np.nan for own in speeds.values()])


def _places(graph: nx.MultiGraph[Any], file: str) -> FloatArray:
    names = "Longitude", "Latitude"
    place = np.array(
        [[_real(data.get(name), f"nodes.{name}", file) for name in names] for _, data in graph.nodes(data=True)]
    )
    if np.isnan(place).all():
        raise InputError("has no node with Longitude and Latitude", file=file)
    nodes = list(graph)
    number = {node: k for k, node in enumerate(nodes)}
    while (unknown := np.flatnonzero(np.isnan(place).any(1))).size:
        known = place.copy()
        for k in unknown:
            near = place[[number[other] for other in graph[nodes[k]]]].reshape(-1, 2)
            near = near[~np.isnan(near).any(1)]
            if len(near):
                known[k] = near.mean(0)
        if np.isnan(known).any(1).sum() == len(unknown):  # these are apart from all that have a place
            known[np.isnan(known).any(1)] = np.nanmean(place, 0)
        place = known
    return place


def _real(value: Any, place: str, file: str) -> float:
    """A finite number, not a number where there is none."""
    try:
        number = np.nan if value is None else float(value)
    except (TypeError, ValueError):
        number = np.inf
    if np.isinf(number):
        raise InputError(f'must be a finite number, is "{value}"', place, file)
    return number


def above(place: FloatArray, satellites: int, time_s: float) -> FloatArray:
    """Places under the satellites that are nearest to the middle of a region, shape (satellites, 2), in degrees.

    Parameters
    ----------
    place : array, shape (nodes, 2)
        Longitude and latitude of the region's nodes (degrees).
    time_s
        Moment in the constellation's day.
    """
    position = SHELL.positions_m(np.array([time_s]))[:, 0]
    up = position / np.linalg.norm(position, axis=1, keepdims=True)
    middle = upward(place[:, 1], place[:, 0])
    near: IntArray = np.argsort(-(up @ middle.mean(0)), kind="stable")[:satellites]
    return np.asarray(np.degrees(np.stack([np.arctan2(up[near, 1], up[near, 0]), np.arcsin(up[near, 2])], -1)))


def flat(place: FloatArray, around: FloatArray) -> FloatArray:
    """Places on a plane that has the region's own in the unit square, its longer side filled.

    Parameters
    ----------
    place, around : array, shape (..., 2)
        Longitude and latitude (degrees): to be put there, and of the region.
    """
    middle = around.mean(0)
    level = np.array([np.cos(np.radians(middle[1])), 1.0])
    own = (around - middle) * level
    least = own.min(0)
    away = place - middle
    away[..., 0] = (away[..., 0] + 180) % 360 - 180
    return np.asarray((away * level - least) / max(float((own.max(0) - least).max()), 1e-9))
