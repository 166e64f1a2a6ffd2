"""The explicit models, refined until bound and decision meet; decisions get powers of a local optimum on the way."""

import contextlib
import time
from dataclasses import replace

import numpy as np

from ...formulations.slicing import link_milp, pattern_milp
from ...formulations.slicing.link_terms import most_worth
from ...formulations.slicing.links import nobody
from ...formulations.slicing.milp import has_few_patterns
from ...formulations.slicing.referee import judge
from ...formulations.slicing.tangents import Points
from ...formulations.slicing.values import Served
from ...instances.errors import InputError
from ...instances.record import Decision
from ...instances.slicing import Service, Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS
from ..cpsat import solve_cpsat
from ..milp import solve_refined, solve_stated
from ..refinement import Improve
from ..result import BOUND_ALONE, Answer, Limits
from .cells import Cells, Pattern, Rows
from .local_search import solve_local_search
from .polishing import polished

UNPROVEN = "the model of links is solved; with constants as large as its HiGHS proves nothing"
BOUND_ERROR = 3e-7  # over all that users may be worth


def solve_milp(instance: Slicing, limits: Limits) -> Answer:
    """Solve the model of patterns, refined, where these are few, else that of links, which proves nothing."""
    own = _from_local_optimum(instance, limits)
    if has_few_patterns(instance):
        with contextlib.suppress(InputError):  # too many all the same
            return solve_refined(pattern_milp, instance, own, _improver, _safe_bound, _first_points)
    answer = solve_stated(link_milp, instance, own)
    return replace(answer, bound=None, reason=answer.reason if answer.reason != BOUND_ALONE else UNPROVEN)


def solve_patterns(instance: Slicing, limits: Limits) -> Answer:
    """Solve the pattern model, refined."""
    own = _from_local_optimum(instance, limits)
    return solve_refined(pattern_milp, instance, own, _improver, _safe_bound, _first_points)


def solve_constraints(instance: Slicing, limits: Limits) -> Answer:
    """Solve the constraint model, refined."""
    return solve_cpsat(instance, _from_local_optimum(instance, limits), _improver, _first_points)


def _from_local_optimum(instance: Slicing, limits: Limits) -> Limits:
    """Return limits with a start: its objective leaves many links out of the models."""
    began = time.monotonic()
    if limits.start is not None:
        return limits
    found = solve_local_search(instance, limits).decision
    start = None if found is None else improved(instance, found)
    left = limits.time_limit_s
    if left is not None:
        left = max(left - (time.monotonic() - began), 0.0)
    return replace(limits, start=start, time_limit_s=left)


def _first_points(instance: Slicing, limits: Limits) -> Points:
    """Return no points, and the objective of the start."""
    if not isinstance(limits.start, SlicingDecision):
        return Points.none()
    value = judge(instance, limits.start).objective
    return Points.none() if value is None else Points.none(value)


def _improver(instance: Slicing) -> Improve:
    return lambda decision: improved(instance, decision)


def _safe_bound(instance: Slicing, bound: float) -> float:
    """Return a bound with what HiGHS's tolerances may hide; where nobody is worth being served, there is nothing."""
    return bound if bound <= nobody(instance) else bound + BOUND_ERROR * most_worth(instance)


def improved(instance: Slicing, decision: Decision) -> Decision:
    """Return a decision with the same links at powers of a local optimum, or itself where that is no better."""
    assert isinstance(decision, SlicingDecision)
    served = Served.of(decision)
    if not len(served.user):
        return decision
    cells = Cells(instance, Rows.of(instance), decision.uav_candidate)
    patterns, rows = list[Pattern](), list[np.ndarray]()
    for layer, n in sorted(set(zip(served.layer.tolist(), served.subcarrier.tolist(), strict=True))):
        own = np.flatnonzero((served.layer == layer) & (served.subcarrier == n))
        budget = instance.budgets_w[layer][served.node[own]]
        share = np.divide(served.power_w[own], budget, out=np.zeros(len(own)), where=budget > 0)
        none = np.zeros(len(own))
        patterns.append(
            Pattern((layer, n), served.user[own], served.node[own], share, 0.0, np.zeros(0), 0.0, none, none + 1)
        )
        rows.append(own)
    serve: list[Service | None] = [None] * len(instance.slices)
    for pattern in polished(cells, patterns, None):
        layer, n = pattern.cell
        power = pattern.share * instance.budgets_w[layer][pattern.nodes]
        for k, v, own_w in zip(pattern.users.tolist(), pattern.nodes.tolist(), power.tolist(), strict=True):
            serve[k] = Service(LAYERS[layer], v, n, own_w)
    better = SlicingDecision(decision.uav_candidate, tuple(serve))
    before, after = judge(instance, decision).objective, judge(instance, better).objective
    return decision if after is None or (before is not None and before >= after) else better
