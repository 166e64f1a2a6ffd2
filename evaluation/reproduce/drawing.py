"""Curves of several methods with their seeds' intervals, and the rows behind them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
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


def draw(curves: Curves, stem: Path) -> Path:
    """Write a picture (PNG) and its rows (CSV) beside it; bands are as `bands` says."""
    with atomic(stem.with_suffix(".csv")) as stream:
        curves.rows.to_csv(stream, index=False)
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(7.0, 4.4), layout="constrained")
        axes = figure.add_subplot()
        colours = iter(COLOURS)
        methods = curves.rows.groupby("method", sort=False)
        for (method, own), width in zip(methods, np.linspace(WIDEST, THINNEST, len(methods)), strict=True):
            reference = method == curves.reference
            colour = "black" if reference else next(colours)
            table = own.pivot_table(index="x", columns="seed", values="y")
            mean = table.mean(axis=1)
            low, high = _band(table)
            few = len(table) <= 12
            style: dict[str, Any] = {
                "linestyle": "--" if reference else "-",
                "marker": "o" if few else None,
                "markersize": 4,
            }
            axes.plot(table.index, mean, label=method, color=colour, linewidth=width, **style)
            axes.fill_between(table.index, low, high, color=colour, alpha=0.18, linewidth=0)
        if curves.logarithmic:
            axes.set_yscale("log")
            axes.yaxis.set_minor_locator(LogLocator(subs=(2, 3, 5)))
            for plain in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
                plain(StrMethodFormatter("{x:g}"))
        axes.set_xlabel(curves.x)
        axes.set_ylabel(curves.y)
        axes.set_title(f"{curves.title}\n", fontsize=11)
        axes.text(0.5, 1.01, curves.note, transform=axes.transAxes, ha="center", fontsize=8, color="#555555")
        figure.legend(frameon=False, fontsize=9, loc="outside lower center", ncols=3)
        axes.grid(alpha=0.25, linewidth=0.6)
        with atomic(stem.with_suffix(".png")) as stream:
            figure.savefig(stream, dpi=160, format="png")
    return stem.with_suffix(".png")


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
