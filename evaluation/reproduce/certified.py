"""The best decision known and a proven bound, for figures of problems whose optima take too long to prove."""

from pathlib import Path

from ...instances.files import load_solution, save_solution
from ...instances.record import Instance
from ...instances.solution import Solution
from ...solvers.solve import solve

BEST = "certified solution"
GAP = 2e-3  # relative: what figures cannot show


def certified(instance: Instance, folder: Path, time_limit_s: float) -> Solution:
    """What the problem's default solver finds within the limit; kept in the folder, and not sought again.

    Raises
    ------
    RuntimeError
        When it has no decision or no bound by then.
    """
    path = folder / f"{time_limit_s:g}s" / f"{instance.name}-{instance.hash[:8]}.solution.json"
    if path.exists():
        return load_solution(path, instance)
    result = solve(instance, time_limit_s=time_limit_s, gap=GAP)
    if result.decision is None or result.bound is None:
        raise RuntimeError(f"{instance.name} has no decision with a bound in {time_limit_s:g} s ({result.reason})")
    save_solution(result.solution(), path)
    return result.solution()
