"""Column generation for placement: one column is the set of users that one device hosts."""

from ...instances.placement import Placement
from ..column_generation import Settings, price_and_branch
from ..result import Answer, Limits
from .even_columns import EvenColumns
from .optimal_columns import OptimalColumns

LARGE = 5_000  # users times devices from which the master is worth a warm-up


def solve_columns(instance: Placement, limits: Limits) -> Answer:
    """Price and branch to proven optimality."""
    large = instance.users * instance.devices > LARGE
    settings = Settings(smoothing=0.9, warm_up=60) if large else Settings()
    if instance.share == "even":
        answer = price_and_branch(EvenColumns(instance, limits.start), limits, settings)
    else:
        answer = price_and_branch(OptimalColumns(instance, limits.start), limits, settings)
    return _explained(instance) if answer.infeasible else answer


def _explained(instance: Placement) -> Answer:
    """Infeasibility in domain words, which the explicit model has."""
    from ...formulations.placement import milp
    from ..highs import CompiledModel

    return Answer(infeasible=True, reason=CompiledModel(milp.build(instance)).explain())
