"""Objectives and violations of a slicing decision, straight from the definition; knows no model."""

import itertools
from collections.abc import Iterator

import numpy as np

from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS
from ..verdict import Verdict, Violation
from .values import TOLERANCE, Objectives, Served, objectives, weighed

PARTS = Objectives._fields


def judge(instance: Slicing, decision: SlicingDecision) -> Verdict:
    """Judge where UAVs stand and how users are served.

    The objective weighs the sum of rates of H users over its reference, the mean delay of L users over its cap and the
    share of C users that are covered; its parts are those three, unweighed, and its measures the same in the paper's
    units.
    """
    served = Served.of(decision)
    violations = [*_close(instance, decision), *_crowded(instance, served), *_overdrawn(instance, served)]
    if violations:
        return Verdict(None, dict.fromkeys(PARTS), tuple(violations))
    found = objectives(instance, decision.uav_candidate, served)
    reported = {
        "throughput_mbps": found.throughput_bps / 1e6,
        "delay_ms": 1e3 * found.delay_s,
        "coverage_percent": 100 * found.coverage,
    }
    return Verdict(weighed(instance, found), found._asdict(), measures=reported)


def _close(instance: Slicing, decision: SlicingDecision) -> Iterator[Violation]:
    """UAVs that stand too near each other."""
    least = instance.uav_min_distance_m
    place = instance.uavs.candidates.reshape(-1, 2)[decision.uav_candidate]
    for one, other in itertools.combinations(range(len(place)), 2):
        apart = float(np.linalg.norm(place[one] - place[other]))
        if apart < least - TOLERANCE * max(1.0, least):
            yield Violation("distance", f"UAVs {one} and {other}", least - apart)


def _crowded(instance: Slicing, served: Served) -> Iterator[Violation]:
    """Subcarriers of a node with several users, and stations with more than they serve."""
    if not instance.intra_cell_reuse:
        place = np.stack([served.layer, served.node, served.subcarrier], 1)
        for (layer, node, subcarrier), users in zip(*np.unique(place, axis=0, return_counts=True), strict=True):
            if users > 1:
                yield Violation("one user", f"{LAYERS[layer]} {node}, subcarrier {subcarrier}", float(users - 1))
    station, users = np.unique(served.node[served.layer == 0], return_counts=True)
    for m, count in zip(station, users, strict=True):
        if count > instance.station_capacity:
            yield Violation("capacity", f"station {m}", float(count - instance.station_capacity))


def _overdrawn(instance: Slicing, served: Served) -> Iterator[Violation]:
    """Nodes that send with more than their budgets."""
    for layer, budget in enumerate(instance.budgets_w):
        own = served.layer == layer
        sent = np.bincount(served.node[own], served.power_w[own], minlength=len(budget))
        for node in np.flatnonzero(sent > budget * (1 + TOLERANCE)):
            yield Violation("budget", f"{LAYERS[layer]} {node}", float(sent[node] - budget[node]))
