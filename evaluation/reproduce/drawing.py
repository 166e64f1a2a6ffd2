"""Curves of several methods with their seeds' intervals, and the rows behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter

from ...instances.json_files import atomic

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#999999")
WIDEST, THINNEST = 3.0, 1.2  # of lines, from the first method to the last: those that coincide still show


@dataclass(frozen=True)
class Curves:
    """What a figure says.

    Attributes
    ----------
    rows
        Columns ``method``, ``seed``, ``x``, ``y``; a method without seeds has seed -1.
    reference
        The method drawn in black, such as the optimum.
    note
        Said below the title: how the figure differs from the paper's.
    """

    title: str
    x: str
    y: str
    rows: pd.DataFrame
    reference: str
    note: str
    logarithmic: bool = False


def draw(curves: Curves | Sequence[Curves], stem: Path) -> Path:
    """Write a picture (PNG) and its rows (CSV) beside it; bands are as `bands` says.

    Parameters
    ----------
    curves
        One, or several panels side by side with the same methods and note; their rows are told apart by ``panel``.
    """
    panels = [curves] if isinstance(curves, Curves) else curves
    rows = panels[0].rows if len(panels) == 1 else pd.concat([own.rows.assign(panel=own.title) for own in panels])
    with atomic(stem.with_suffix(".csv")) as stream:
        rows.to_csv(stream, index=False)
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(7.0 if len(panels) == 1 else 4.4 * len(panels), 4.4), layout="constrained")
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        styles = _styles(panels)
        for own, place in zip(panels, axes, strict=True):
            _draw_panel(own, place, styles)
        note: dict[str, Any] = {"ha": "center", "fontsize": 8, "color": "#555555"}
        if len(panels) == 1:
            axes[0].text(0.5, 1.01, panels[0].note, transform=axes[0].transAxes, **note)
        else:
            figure.text(0.5, 1.0, panels[0].note, va="bottom", **note)
        lines = {line.get_label(): line for place in axes for line in place.get_lines()}
        figure.legend(lines.values(), lines.keys(), frameon=False, fontsize=9, loc="outside lower center", ncols=3)
        with atomic(stem.with_suffix(".png")) as stream:
            figure.savefig(stream, dpi=160, format="png", bbox_inches=None if len(panels) == 1 else "tight")
    return stem.with_suffix(".png")


def _styles(panels: Sequence[Curves]) -> dict[str, dict[str, Any]]:
    """Colour and width of every method, the same in all panels."""
    methods = list(dict.fromkeys(method for own in panels for method in own.rows["method"]))
    colours, widths = iter(COLOURS), np.linspace(WIDEST, THINNEST, len(methods))
    reference = {"color": "black", "linestyle": "--"}
    return {
        method: {"linewidth": width} | (reference if method == panels[0].reference else {"color": next(colours)})
        for method, width in zip(methods, widths, strict=True)
    }


def _draw_panel(curves: Curves, axes: Axes, styles: Mapping[str, Mapping[str, Any]]) -> None:
    """The lines of all methods with their bands."""
    for method, own in curves.rows.groupby("method", sort=False):
        table = own.pivot_table(index="x", columns="seed", values="y")
        mean = table.mean(axis=1)
        low, high = _band(table)
        style, marker = styles[str(method)], "o" if len(table) <= 12 else None
        axes.plot(table.index, mean, label=method, marker=marker, markersize=4, **style)
        axes.fill_between(table.index, low, high, color=style["color"], alpha=0.18, linewidth=0)
    if curves.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 3, 5)))
        for plain in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            plain(StrMethodFormatter("{x:g}"))
    axes.set_xlabel(curves.x)
    axes.set_ylabel(curves.y)
    axes.set_title(f"{curves.title}\n", fontsize=11)
    axes.grid(alpha=0.25, linewidth=0.6)


RESAMPLES = 1_000
FEWEST = 3  # seeds from which an interval is worth more than their range


def bands(seeds: int) -> str:
    """What the bands show."""
    return "bands: 95 % bootstrap intervals of the mean" if seeds >= FEWEST else "bands: range of the seeds"


def _band(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Lower and upper edge over the seeds (columns): bootstrapped, since few of them are far off, on one side."""
    seeds = table.shape[1]
    if seeds < FEWEST:
        return table.min(axis=1), table.max(axis=1)
    drawn = np.random.default_rng(0).integers(seeds, size=(RESAMPLES, seeds))
    low, high = np.quantile(table.to_numpy()[:, drawn].mean(2), [0.025, 0.975], axis=1)
    return pd.Series(low, table.index), pd.Series(high, table.index)
