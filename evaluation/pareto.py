"""The front of throughput, delay and coverage of a slicing instance, as a table, a picture and solution files."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..formulations.slicing.referee import judge
from ..instances.errors import InputError
from ..instances.files import save_solution
from ..instances.json_files import atomic
from ..instances.record import Instance
from ..instances.slicing import Slicing
from ..instances.solution import Solution, Status
from ..solvers.interrupts import noting_interrupts
from ..solvers.result import Limits
from ..solvers.slicing.pareto import Front, Point, hypervolume, undominated

NAMES = ("throughput_bps", "delay_s", "coverage")
SHOWN = ("throughput (Mbit/s)", "delay (ms)", "coverage")
SCALE = np.array([1e-6, 1e3, 1.0])


def pareto(
    instance: Instance,
    out: Path,
    *,
    time_limit_s: float | None = None,
    gap: float = 1e-3,
    delays_s: Sequence[float] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Find a front and write ``front.csv``, and ``front.png`` and a solution file for every undominated point, if any.

    Ctrl-C ends it early; what is known by then is written.

    Parameters
    ----------
    out
        Folder to write to; made when missing.
    time_limit_s
        Of each of the problems that are solved, one or two for every point (s).
    gap
        Relative gap of throughput at which a point counts as optimal.
    delays_s
        Goals of delays (s) beside those that are found to be of interest.
    progress
        Is told how many steps are done with, and of how many.

    Returns
    -------
    DataFrame
        A row for each pair of goals: ``coverage_least`` and ``delay_most_s``, what is reached, a bound on the
        throughput of whatever reaches the goals, the gap, the status, and whether no other row dominates it. Its
        attribute ``hypervolume_bps`` is that of all rows against no throughput, the delays' cap and no coverage, with
        delays in caps.

    Raises
    ------
    InputError
        When it is no slicing instance, or a delay is no number above 0.
    """
    if not isinstance(instance, Slicing):
        raise InputError(f'is "{instance.problem}", which has one objective', "problem")
    for delay_s in delays_s:
        if not 0 < delay_s < np.inf:
            raise InputError(f"must be numbers above 0, one is {delay_s}", "delays_s")
    front = Front(instance, Limits(time_limit_s=time_limit_s, gap=gap), delays_s)
    try:
        with noting_interrupts():
            front.search(progress)
    except KeyboardInterrupt:
        _write(instance, front.points(), gap, out)
        raise
    return _write(instance, front.points(), gap, out)


def _write(instance: Slicing, points: Sequence[Point], gap: float, out: Path) -> pd.DataFrame:
    """Points as rows, and all files."""
    if not points:  # stopped before anything was solved
        return pd.DataFrame()
    rows = pd.DataFrame([_row(point, gap) for point in points])
    reached = rows[list(NAMES)].to_numpy(float)
    order = np.argsort(rows["throughput_bound_bps"], kind="stable")  # of equal points the one with the sharpest proof
    known = order[~np.isnan(reached[order]).any(1)]
    rows["undominated"] = False
    rows.loc[known[undominated(reached[known])], "undominated"] = True
    rows.attrs["hypervolume_bps"] = hypervolume(reached[known], instance.delay_cap_s)
    for older in [*out.glob("point-*.solution.json"), out / "front.png"]:
        older.unlink(missing_ok=True)
    best = rows[rows["undominated"]]
    for number, row in enumerate(best.index):
        _save(instance, points[row], out / f"point-{number}.solution.json")
    with atomic(out / "front.csv") as stream:
        rows.to_csv(stream, index=False)
    if len(best):
        _draw(best, instance.name, out / "front.png")
    return rows


def _row(point: Point, gap: float) -> dict[str, object]:
    status = Status.INFEASIBLE if point.throughput_bound_bps < 0 else Status.NO_SOLUTION
    if point.decision is not None:
        status = Status.OPTIMAL if point.gap <= gap else Status.FEASIBLE
    return {
        "coverage_least": point.coverage,
        "delay_most_s": point.delay_s,
        **dict(zip(NAMES, point.reached, strict=True)),
        "throughput_bound_bps": point.throughput_bound_bps,
        "gap": point.gap,
        "status": str(status),
    }


def _save(instance: Slicing, point: Point, path: Path) -> None:
    assert point.decision is not None
    verdict = judge(instance, point.decision)
    solution = Solution(
        problem=instance.problem,
        instance=instance.name,
        objective=verdict.objective,
        bound=None,
        status=Status.FEASIBLE,
        solver="pareto",
        decision=point.decision,
    )
    save_solution(solution, path)


def _draw(rows: pd.DataFrame, name: str, path: Path) -> None:
    """The front in pairs of what varies, and in space where all does; coloured by the gap."""
    points = rows[list(NAMES)].to_numpy(float) * SCALE
    varied = [k for k in range(len(NAMES)) if np.ptp(points[:, k]) > 0]
    pairs = list(itertools.combinations(varied, 2)) or [(0, 1)]
    solid = len(varied) == len(NAMES)
    widths = [1.4] * solid + [1.0] * len(pairs)
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(2.0 + 3.6 * sum(widths), 4.0), layout="constrained")
        grid = figure.add_gridspec(1, len(widths), width_ratios=widths)
        dots: dict[str, Any] = {"c": 100 * rows["gap"].to_numpy(float), "cmap": "viridis", "vmin": 0.0}
        for place, (x, y) in enumerate(pairs, int(solid)):
            axes = figure.add_subplot(grid[place])
            shown = axes.scatter(points[:, x], points[:, y], **dots)
            axes.set(xlabel=SHOWN[x], ylabel=SHOWN[y])
            axes.grid(alpha=0.3)
        if solid:
            space = figure.add_subplot(grid[0], projection="3d")
            space.scatter(*points.T, **dots)
            space.set(xlabel=SHOWN[0], ylabel=SHOWN[1], zlabel=SHOWN[2])
            space.set_box_aspect(None, zoom=0.75)
        figure.suptitle(name if solid or 2 in varied else f"{name}, coverage {points[0, 2]:g} at every point")
        figure.colorbar(shown, ax=figure.axes, label="gap of throughput (%)", shrink=0.8)
        with atomic(path) as stream:
            figure.savefig(stream, dpi=160, format="png", bbox_inches="tight")
