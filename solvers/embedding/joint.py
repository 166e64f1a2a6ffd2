"""What the paper maximises: O, average revenue and the ratio of revenue to cost and the share accepted; its bounds.

With a floor under the ratio, the rest of O is linear, so the flow model finds the best for a floor. What it finds is
best for all ratios from the floor to its own. What lies between two floors is worth at most the best for the lower one
with the upper one as its ratio; the interval that promises most is halved until nothing promises more than is known.
"""

import heapq
import itertools
import time
from typing import Any, NamedTuple

import numpy as np
import pyomo.environ as pyo

from ...formulations.embedding import milp
from ...formulations.embedding.referee import judge
from ...instances.embedding import EmbeddingDecision, VirtualNetworks
from ...instances.errors import InputError
from ..highs import CompiledModel
from ..interrupts import check_interrupts
from .aggregate import aggregate
from .trace import Trace

STEP = 1e-7  # of the ratio, beyond what was found; it is added to bounds


class Joint(NamedTuple):
    """The best O that is known.

    Attributes
    ----------
    value, bound
        O of the decision, None where nothing is accepted; no decision has more than the bound.
    """

    decision: EmbeddingDecision
    value: float | None
    bound: float


def joint_bound(instance: VirtualNetworks) -> float | None:
    """A number that O (equation 12) of no decision exceeds; None without a horizon or requests.

    Average revenue and the share accepted are sums over accepted requests, bounded together by the aggregated program.
    Revenue over cost is at most that of the best request over no hops, or one a link where hosts must differ.
    """
    if instance.horizon is None or not instance.requests:
        return None
    revenue = np.array([request.revenue for request in instance.requests])
    value = revenue / instance.horizon + 1 / len(revenue)
    return aggregate(instance, Trace.of(instance), value=value).bound + _most_ratio(instance)


def _most_ratio(instance: VirtualNetworks) -> float:
    """Revenue over cost of the best request, over as few hops as can be."""
    revenue = np.array([request.revenue for request in instance.requests])
    least = np.array([request.on_nodes for request in instance.requests]) if instance.colocate else revenue
    return float(np.divide(revenue, least, out=np.where(revenue > 0, np.inf, 0.0), where=least > 0).max())


def solve_joint(instance: VirtualNetworks, *, gap: float = 1e-3, time_limit_s: float | None = None) -> Joint:
    """The most O of a small trace, to a relative gap or as far as time allows.

    Raises
    ------
    InputError
        When O is not defined: without a horizon or requests.
    """
    bound = joint_bound(instance)
    if bound is None:
        raise InputError("is needed, and requests, for O to be defined", "horizon")
    until = np.inf if time_limit_s is None else time.monotonic() + time_limit_s
    decision, value, order = EmbeddingDecision((None,) * len(instance.requests)), None, itertools.count()
    intervals = [(-bound, next(order), 0.0, _most_ratio(instance))]
    while intervals and time.monotonic() < until:
        check_interrupts()
        if value is not None and -intervals[0][0] - value <= gap * value:
            break
        _, _, low, high = heapq.heappop(intervals)
        found, most = _best_above(instance, low, until - time.monotonic())
        if most is None:
            continue  # nothing has so high a ratio
        ratio = low
        if found is not None:
            measures = judge(instance, found).measures
            joint, own = measures["O"], measures["R/C"]
            assert joint is not None
            assert own is not None
            if value is None or joint > value:
                decision, value = found, joint
            ratio = max(low, own)
            if joint < most + ratio - STEP:  # not solved to the end
                heapq.heappush(intervals, (-(most + ratio), next(order), low, ratio))
        above = ratio + STEP if found is not None else low
        middle = (above + high) / 2 if np.isfinite(high) else 2 * above + 1
        for one, other in ((above, middle), (middle, high)):
            if other > one:
                heapq.heappush(intervals, (-(most + other), next(order), one, other))
    promised = max((-interval[0] for interval in intervals), default=-np.inf)
    if value is not None:
        promised = max(promised, value + STEP)
    return Joint(decision, value, min(bound, promised) if promised > -np.inf else 0.0)


def _best_above(
    instance: VirtualNetworks, ratio: float, left_s: float
) -> tuple[EmbeddingDecision | None, float | None]:
    """What maximises the rest of O where revenue is at least so many times the cost, and a bound; None without any."""
    model = milp.build(instance)
    assert instance.horizon is not None
    share, horizon = 1 / len(instance.requests), instance.horizon
    model.profit.deactivate()
    model.rest = pyo.Objective(
        expr=sum((one.revenue / horizon + share) * model.z[k] for k, one in enumerate(instance.requests)),
        sense=pyo.maximize,
    )
    revenue: Any = sum(one.revenue * model.z[k] for k, one in enumerate(instance.requests))
    cost: Any = sum(one.on_nodes * model.z[k] for k, one in enumerate(instance.requests))
    cost += sum(float(instance.requests[k].links.bandwidth[e]) * model.f[k, e, i, j] for k, e, i, j in model.HOPS)
    if ratio > 0:
        model.floor = pyo.Constraint(expr=revenue >= ratio * cost)
    model.some = pyo.Constraint(expr=sum(model.z.values()) >= 1)
    outcome = CompiledModel(model).solve(time_limit_s=None if np.isinf(left_s) else left_s)
    return (None if outcome.x is None else milp.extract(model, instance)), outcome.bound
