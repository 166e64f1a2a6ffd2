"""What the flow model adds to a search that came before it."""

from dataclasses import replace

from ...instances.embedding import EmbeddingDecision, VirtualNetworks
from ..milp import solve_milp
from ..result import Answer, Limits


def better_of(instance: VirtualNetworks, known: Answer, limits: Limits, used_s: float) -> Answer:
    """Start the flow model from what is known; the better decision and bound of both.

    Parameters
    ----------
    limits
        What is left of them.
    used_s
        Time until now, for the trace (s).
    """
    found = solve_milp(instance, replace(limits, start=known.decision))
    bounds = [bound for bound in (known.bound, found.bound) if bound is not None]
    points = tuple(point._replace(time_s=point.time_s + used_s) for point in found.trace)
    together = replace(
        found, bound=min(bounds), counters={**known.counters, **found.counters}, trace=known.trace + points
    )
    values = [
        instance.total(answer.decision) if isinstance(answer.decision, EmbeddingDecision) else float("-inf")
        for answer in (known, found)
    ]
    return together if values[1] >= values[0] else replace(together, decision=known.decision, objective=None)
