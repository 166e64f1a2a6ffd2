"""Column generation for placement: one column is the set of users that one device hosts."""

from ...instances.placement import Placement
from ..column_generation import Settings, price_and_branch
from ..reductions import restored
from ..result import Answer, Limits
from .even_columns import EvenColumns
from .infeasibility import explained
from .optimal_columns import OptimalColumns
from .reduction import reduced

LARGE = 5_000  # users times devices from which the master is worth a warm-up


def solve_columns(instance: Placement, limits: Limits) -> Answer:
    """Price and branch to proven optimality."""
    smaller, factor = reduced(instance, limits)
    large = instance.users * instance.devices > LARGE
    settings = Settings(smoothing=0.9, warm_up=60) if large else Settings()
    if instance.share == "even":
        answer = price_and_branch(EvenColumns(smaller, limits.start), limits, settings)
    else:
        answer = price_and_branch(OptimalColumns(smaller, limits.start), limits, settings)
    return Answer(infeasible=True, reason=explained(instance)) if answer.infeasible else restored(answer, factor)
