"""The pattern model in HiGHS: sharper than the explicit one, for instances of few users."""

from ...formulations.slicing import pattern_milp
from ...instances.slicing import Slicing
from ..milp import solve_stated
from ..result import Answer, Limits


def solve_patterns(instance: Slicing, limits: Limits) -> Answer:
    """Solve the pattern model."""
    return solve_stated(pattern_milp, instance, limits)
