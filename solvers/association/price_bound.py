"""The model with bounds on the price of storage in HiGHS: a bound, for horizons with too many choices of links."""

from ...formulations.association import bound_milp
from ...instances.association import Association
from ..milp import solve_stated
from ..result import Answer, Limits


def solve_price_bound(instance: Association, limits: Limits) -> Answer:
    """Solve the model with bounds on the price."""
    return solve_stated(bound_milp, instance, limits)
