"""The front of throughput, delay and coverage of a slicing instance, as a table, a picture and solution files."""

from collections.abc import Callable
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
from ..solvers.result import Limits
from ..solvers.slicing.pareto import Point, hypervolume, pareto_front, undominated

NAMES = ("throughput_bps", "delay_s", "coverage")
SHOWN = ("throughput (Mbit/s)", "delay (ms)", "coverage")
SCALE = np.array([1e-6, 1e3, 1.0])
COVERAGES = (0.0, 1.05)  # that are drawn


def pareto(
    instance: Instance,
    out: Path,
    *,
    time_limit_s: float | None = None,
    gap: float = 1e-3,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Find a front and write ``front.csv``, ``front.png`` and a solution file for every undominated point.

    Parameters
    ----------
    out
        Folder to write to; made when missing.
    time_limit_s
        Of each of the problems that are solved, one or two for every point (s).
    gap
        Relative gap of throughput at which a point counts as optimal.
    progress
        Is told how many steps are done with, and of how many.

    Returns
    -------
    DataFrame
        A row for each pair of goals: ``coverage_least`` and ``delay_most_s``, what is reached, a bound on the
        throughput of whatever reaches the goals, the gap, the status, and whether no other row dominates it. Its
        attribute ``hypervolume_bps_s`` is that of all rows against no throughput, the delays' cap and no coverage.

    Raises
    ------
    InputError
        When it is no slicing instance.
    """
    if not isinstance(instance, Slicing):
        raise InputError(f'is "{instance.problem}", which has one objective', "problem")
    points = pareto_front(instance, Limits(time_limit_s=time_limit_s, gap=gap), note=progress)
    rows = pd.DataFrame([_row(point, gap) for point in points])
    reached = rows[list(NAMES)].to_numpy(float)
    known = np.flatnonzero(~np.isnan(reached).any(1))
    rows["undominated"] = False
    rows.loc[known[undominated(reached[known])], "undominated"] = True
    rows.attrs["hypervolume_bps_s"] = hypervolume(reached[known], instance.delay_cap_s)
    for number, row in enumerate(rows.index[rows["undominated"]]):
        _save(instance, points[row], out / f"point-{number}.solution.json")
    with atomic(out / "front.csv") as stream:
        rows.to_csv(stream, index=False)
    _draw(rows[rows["undominated"]], instance.name, out / "front.png")
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
    """The front in space and in pairs; coloured by the gap."""
    points = rows[list(NAMES)].to_numpy(float) * SCALE
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(16.0, 4.0), layout="constrained")
        grid = figure.add_gridspec(1, 4, width_ratios=(1.4, 1, 1, 1))
        dots: dict[str, Any] = {"c": 100 * rows["gap"].to_numpy(float), "cmap": "viridis", "vmin": 0.0}
        space = figure.add_subplot(grid[0], projection="3d")
        shown = space.scatter(*points.T, **dots)
        space.set(xlabel=SHOWN[0], ylabel=SHOWN[1], zlabel=SHOWN[2], title=name, zlim=COVERAGES)
        space.set_box_aspect(None, zoom=0.8)
        for place, (x, y) in enumerate(((0, 1), (0, 2), (1, 2)), 1):
            axes = figure.add_subplot(grid[place])
            axes.scatter(points[:, x], points[:, y], **dots)
            axes.set(xlabel=SHOWN[x], ylabel=SHOWN[y])
            if y == 2:
                axes.set_ylim(*COVERAGES)
            axes.grid(alpha=0.3)
        figure.colorbar(shown, ax=figure.axes, label="gap of throughput (%)", shrink=0.8)
        with atomic(path) as stream:
            figure.savefig(stream, dpi=160, format="png", bbox_inches="tight")
