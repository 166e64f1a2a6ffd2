"""The Python interface: the same as the command line, with typed objects."""

from typing import Any

from ..instances.problems import PROBLEMS
from ..instances.record import Instance
from ..solvers.registry import SOLVERS
from ..solvers.result import Result
from ..solvers.solve import solve as solve_by_name


def solve(instance: Instance, solver: str | None = None, **options: Any) -> Result:
    """Solve."""
    return solve_by_name(instance, solver, **options)


def catalogue() -> dict[str, Any]:
    """Problems with their solvers, presets and algorithms."""
    return {
        "problems": {
            name: {
                "solvers": [
                    {"name": entry.name, "kind": entry.kind, "exact": entry.exact} for entry in SOLVERS[name].values()
                ],
                "presets": list(problem.presets),
                "algorithms": [],
            }
            for name, problem in PROBLEMS.items()
        }
    }
