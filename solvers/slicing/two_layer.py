"""The paper's decomposition: stations first (P1), then UAVs and satellites for whom stations win nothing (P2).

Layers do not disturb each other, so P2 is the same problem over the users that are left, without stations. Both are
solved with bounds; what the decomposition costs is the joint optimum less the sum of both.
"""

import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...formulations.slicing.links import nobody, won
from ...formulations.slicing.referee import judge
from ...instances.fields import IntArray
from ...instances.slicing import Slicing, SlicingDecision, Weights
from ..result import Answer, Limits
from .decomposition import solve_decomposition
from .placements import placements
from .rules import NOWHERE

FIRST = 0.5  # of the time for P1, which uses less as a rule


class Layers(NamedTuple):
    """What both layers come to, as parts of the joint objective.

    Attributes
    ----------
    decision
        Of both; None where UAVs cannot keep their distance.
    first, first_bound
        The objective of P1, and a bound on it.
    second, second_bound
        What P2 adds to it given P1's decision, and a bound on that.
    """

    decision: SlicingDecision | None
    first: float
    first_bound: float
    second: float
    second_bound: float


def solve_two_layer(instance: Slicing, limits: Limits) -> Answer:
    """Solve P1, then P2; both bounds are in the reason, as neither bounds the joint problem."""
    found = two_layer(instance, limits)
    if found.decision is None:
        return Answer(infeasible=True, reason=NOWHERE)
    reason = (
        f"P1 {found.first:.9g}, at most {found.first_bound:.9g}; "
        f"P2 adds {found.second:.9g}, at most {found.second_bound:.9g}"
    )
    return Answer(found.decision, objective=found.first + found.second, reason=reason)


def two_layer(instance: Slicing, limits: Limits) -> Layers:
    """Solve P1, then P2 with P1's services fixed (paper, section V-A)."""
    began = time.monotonic()
    places = placements(instance)
    if not len(places):
        return Layers(None, *[float("nan")] * 4)
    ground = _without_sky(instance)
    whole, limits = limits.time_limit_s, replace(limits, start=None)
    one = solve_decomposition(ground, limits if whole is None else replace(limits, time_limit_s=FIRST * whole))
    assert isinstance(one.decision, SlicingDecision)
    worth = won(ground, one.decision).tolist()
    serve = [service if own > 0 else None for service, own in zip(one.decision.serve, worth, strict=True)]
    first = _objective(ground, replace(one.decision, serve=tuple(serve)))
    left = np.array([k for k, service in enumerate(serve) if service is None], np.int64)
    sky = _of_users(instance, left)
    rest = None if whole is None else max(0.0, whole - (time.monotonic() - began))
    two = solve_decomposition(sky, replace(limits, time_limit_s=rest))
    assert isinstance(two.decision, SlicingDecision)
    for k, service in zip(left.tolist(), two.decision.serve, strict=True):
        serve[k] = service
    bounds = [float("inf") if own.bound is None else own.bound for own in (one, two)]
    second = _objective(sky, two.decision) - nobody(sky)
    decision = SlicingDecision(two.decision.uav_candidate, tuple(serve))
    return Layers(decision, first, bounds[0], second, bounds[1] - nobody(sky))


def _objective(instance: Slicing, decision: SlicingDecision) -> float:
    value = judge(instance, decision).objective
    assert value is not None
    return value


def _without_sky(instance: Slicing) -> Slicing:
    """P1: with stations alone."""
    users = len(instance.slices)
    none = np.zeros((users, 0, instance.subcarriers))
    return replace(
        instance,
        uavs=replace(instance.uavs, power_w=np.zeros(0), fading=none),
        satellites=replace(instance.satellites, power_w=np.zeros(0), gain=none),
    )


def _of_users(instance: Slicing, own: IntArray) -> Slicing:
    """P2: without stations, for some users, who are worth what they are worth among all."""
    slices = tuple(instance.slices[k] for k in own)
    share = {letter: slices.count(letter) / max(1, instance.slices.count(letter)) for letter in "LC"}
    weights, size = instance.weights, instance.subcarriers
    uavs, satellites = (
        gain.reshape(len(instance.slices), nodes, size)[own]
        for gain, nodes in zip((instance.uavs.fading, instance.satellites.gain), instance.nodes[1:], strict=True)
    )
    bits = instance.slot_bits
    return replace(
        instance,
        slices=slices,
        slot_bits=bits[own] if isinstance(bits, np.ndarray) else bits,
        weights=Weights(weights.throughput, weights.delay * share["L"], weights.coverage * share["C"]),
        users=replace(instance.users, position=instance.users.position[own]),
        stations=replace(
            instance.stations,
            position=np.zeros((0, 2)),
            power_w=np.zeros(0),
            gain=np.zeros((len(own), 0, size)),
        ),
        uavs=replace(instance.uavs, fading=uavs),
        satellites=replace(instance.satellites, gain=satellites),
    )
