"""Figure 7 of the slicing paper: users, stations, and where UAVs stand by several methods, on a map."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...instances.fields import FloatArray
from ...instances.json_files import atomic
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import SLICES
from .drawing import COLOURS

KM = 1e3
USERS = dict(zip(SLICES, zip("osD", COLOURS, strict=False), strict=True))  # marker and colour of a slice
# Marker and size of the methods' UAVs in their order, so that those at one place still show; colours come after users'.
UAVS = (("s", 190.0), ("o", 120.0), ("^", 80.0), ("x", 40.0))


def draw_map(
    instance: Slicing,
    places: Mapping[str, FloatArray],
    best: SlicingDecision,
    title: str,
    note: str,
    stem: Path,
) -> Path:
    """Write a picture (PNG) and what is in it (CSV).

    Parameters
    ----------
    places
        Where UAVs stand (m), shape (uavs, 2), by method.
    best
        The decision whose links are drawn; users whom a satellite serves have none, and are hollow.
    """
    rows = _rows(instance, places, best)
    with atomic(stem.with_suffix(".csv")) as stream:
        rows.to_csv(stream, index=False)
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(7.6, 5.6), layout="constrained")
        axes = figure.subplots()
        _draw_links(axes, instance, best)
        _draw_users(axes, instance, best)
        x, y = instance.stations.position.T / KM
        axes.scatter(x, y, marker="P", s=150, color="black", label="station", zorder=4)
        uavs = {method: place.T / KM for method, place in places.items()}
        colours = ("black", *COLOURS[len(SLICES) :])
        for (method, (x, y)), (marker, size), colour in zip(uavs.items(), UAVS, colours, strict=False):
            face: dict[str, Any] = {"c": colour} if marker == "x" else {"facecolors": "none", "edgecolors": colour}
            axes.scatter(x, y, marker=marker, s=size, linewidths=1.8, label=f"UAV: {method}", zorder=5, **face)
        axes.set(xlabel="x (km)", ylabel="y (km)", aspect="equal")
        axes.set_title(title, fontsize=11, pad=28)  # above two lines
        axes.text(0.5, 1.01, note, transform=axes.transAxes, ha="center", fontsize=8, color="#555555")
        figure.legend(frameon=False, fontsize=9, loc="outside right center", markerscale=0.7)
        with atomic(stem.with_suffix(".png")) as stream:
            figure.savefig(stream, dpi=160, format="png", bbox_inches="tight")
    return stem.with_suffix(".png")


def _rows(instance: Slicing, places: Mapping[str, FloatArray], best: SlicingDecision) -> pd.DataFrame:
    """Everything on the map: what it is, its number, where it is (m), and for users by whom `best` serves them."""
    rows: list[dict[str, Any]] = []
    for k, (letter, place) in enumerate(zip(instance.slices, instance.users.position, strict=True)):
        by = _server(best, k)
        rows.append({"what": f"user {letter}", "number": k, "place": place, "served_by": by and f"{by[0]} {by[1]}"})
    fixed = {"station": instance.stations.position, **{f"UAV, {method}": place for method, place in places.items()}}
    rows += [{"what": what, "number": n, "place": own} for what, place in fixed.items() for n, own in enumerate(place)]
    return pd.DataFrame([row | dict(zip(("x_m", "y_m"), row.pop("place"), strict=True)) for row in rows])


def _server(decision: SlicingDecision, user: int) -> tuple[str, int] | None:
    """Layer and number of who serves a user."""
    service = decision.serve[user]
    return None if service is None else (service.layer, service.node)


def _draw_links(axes: Axes, instance: Slicing, best: SlicingDecision) -> None:
    """Thin lines from users to the stations and UAVs that serve them."""
    nodes = {"station": instance.stations.position, "uav": instance.uavs.candidates[best.uav_candidate]}
    for k, place in enumerate(instance.users.position / KM):
        by = _server(best, k)
        if by is not None and by[0] in nodes:
            node = nodes[by[0]][by[1]] / KM
            style = "-" if by[0] == "station" else ":"
            axes.plot(*zip(place, node, strict=True), color="#bbbbbb", linewidth=0.8, linestyle=style, zorder=1)


def _draw_users(axes: Axes, instance: Slicing, best: SlicingDecision) -> None:
    """Users by slice; hollow where no line goes."""
    for letter, (marker, colour) in USERS.items():
        own = [k for k, other in enumerate(instance.slices) if other == letter]
        near = [(by := _server(best, k)) is not None and by[0] != "satellite" for k in own]
        faces = [colour if there else "white" for there in near]
        x, y = instance.users.position[own].T / KM
        axes.scatter(x, y, marker=marker, s=34, c=faces, edgecolors=colour, zorder=6)
        axes.scatter([], [], marker=marker, s=34, color=colour, label=f"user {letter}")
