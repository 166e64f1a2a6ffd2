"""The optimum that figures show."""

from ...instances.record import Instance
from ...solvers.result import Result
from ...solvers.solve import solve

OPTIMUM = "optimum (proven)"


def optimum(instance: Instance) -> Result:
    """The optimum, by the problem's default solver.

    Raises
    ------
    RuntimeError
        When it was not proven: nothing else is drawn under that name.
    """
    result = solve(instance)
    if result.status != "optimal":
        raise RuntimeError(f"{instance.name} is not proven ({result.reason}): gap {result.gap}")
    return result
