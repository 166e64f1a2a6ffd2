"""What people see in a terminal: tables and progress."""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table


def console() -> Console:
    """Where tables go; a file or a pipe has room for long lines."""
    here = Console()
    return here if here.is_terminal else Console(width=160)


def progress(words: str) -> Progress:
    """A bar on standard error, where that is a terminal; gone afterwards."""
    errors = Console(stderr=True)
    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


@contextlib.contextmanager
def counted(words: str) -> Iterator[Callable[[int, int], None]]:
    """Progress that is told how many are finished, and of how many."""
    with progress(words) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def shown(items: Sequence[Any], words: str) -> Iterator[Any]:
    """The items one by one, with progress on a terminal when there are several."""
    with progress(words) as bar:
        yield from items if len(items) < 2 else bar.track(items)


def print_results(results: Sequence[dict[str, Any]]) -> None:
    """Results as a table, and the reasons of those that are not optimal."""
    table = Table("instance", "solver", "status", "objective", "bound", "gap", "time (s)")
    for r in results:
        numbers = (_text(r[key]) for key in ("objective", "bound", "gap", "runtime_s"))
        table.add_row(escape(r["instance"]), escape(r["solver"]), r["status"], *numbers)
    here = console()
    here.print(table)
    for r in results:
        if r["reason"]:
            here.print(f"{r['instance']}: {r['reason']}", markup=False)


def print_report(report: dict[str, Any]) -> None:
    """What the referee says of a solution."""
    here = console()
    words = {True: "feasible", False: "infeasible", None: "no decision to judge"}[report["feasible"]]
    here.print(f"{words}, objective {_text(report['objective'])}")
    for values in (report["parts"], report["measures"]):
        if values and report["feasible"]:
            here.print(", ".join(f"{name} {_text(value)}" for name, value in values.items()))
    if report["violations"]:
        table = Table("violated", "where", "amount")
        for violation in report["violations"]:
            table.add_row(violation["constraint"], escape(violation["place"]), _text(violation["amount"]))
        here.print(table)


def print_summary(summary: pd.DataFrame) -> None:
    """The summary as people read it: regrets in per cent with their intervals."""
    all_proven = bool((summary["optimum_known"] == 1).all())
    regrets = {"regret_mean": "mean regret (%)", "regret_iqm": "IQM regret (%)"}
    headings = list(regrets.values()) if all_proven else ["mean regret (%) *"]
    compared = "difference_mean" in summary
    columns = ["runs", "solved", "proven", *headings, *["difference (%)"] * compared, "median time (s)"]
    table = Table(Column("solver", overflow="fold"), *columns)
    for row in summary.to_dict("records"):
        shares = [f"{100 * row[key]:.0f} %" for key in ("solved", "proven")]
        estimates = [_estimate(row, key) for key in regrets] if all_proven else [_bracket(row)]
        estimates += [_estimate(row, "difference_mean")] if compared else []
        table.add_row(escape(row["solver"]), str(row["runs"]), *shares, *estimates, f"{row['time_median_s']:.4f}")
    here = console()
    here.print(table)
    if not all_proven:
        share = 100 * float(summary["optimum_known"].mean())
        here.print(
            f"* The optimum is proven for {share:.0f} % of the instances. Regret lies between the distances to the "
            "best decision known and to the best bound.",
            highlight=False,
        )


def _estimate(row: Mapping[Any, Any], key: str) -> str:
    """An estimate in per cent, with its interval where it has one."""
    value, low, high = row[key], row[f"{key}_low"], row[f"{key}_high"]
    if math.isnan(value):
        return "-"
    return f"{100 * value:.3f}" + ("" if math.isnan(low) else f" [{100 * low:.3f}, {100 * high:.3f}]")


def _bracket(row: Mapping[Any, Any]) -> str:
    """The distances to the best decision known and to the bound, in per cent; open where there is no bound."""
    low, high = row["regret_low_mean"], row["regret_high_mean"]
    ends = ["?" if math.isnan(end) else f"{100 * end:.3f}" for end in (low, high)]
    return "-" if math.isnan(low) and math.isnan(high) else f"{ends[0]} to {ends[1]}"


def print_catalogue(problems: dict[str, Any]) -> None:
    """What there is for each problem."""
    table = Table("problem", "solvers (* exact)", "presets", "algorithms")
    for name, own in problems.items():
        solvers = [entry["name"] + (" *" if entry["exact"] else "") for entry in own["solvers"]]
        table.add_row(name, *("\n".join(column) for column in (solvers, own["presets"], own["algorithms"])))
    console().print(table, "* proves optimality", sep="")


def _text(value: Any) -> str:
    if value is None or value != value:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def print_front(rows: pd.DataFrame, volume: float) -> None:
    """Points of a front, and its hypervolume."""
    table = Table("coverage >=", "delay <= (ms)", "throughput (Mbit/s)", "delay (ms)", "coverage", "gap", "status")
    for row in rows.to_dict("records"):
        numbers = (
            row["coverage_least"],
            1e3 * row["delay_most_s"],
            1e-6 * row["throughput_bps"],
            1e3 * row["delay_s"],
            row["coverage"],
            row["gap"],
        )
        table.add_row(*map(_text, numbers), row["status"])
    here = console()
    here.print(table)
    here.print(f"hypervolume {volume:.6g} bit/s, delays in caps")
