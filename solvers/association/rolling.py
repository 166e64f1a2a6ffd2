"""A policy that looks ahead some slots, each part solved exactly: what does foresight buy?"""

import dataclasses
import time

import numpy as np

from ...formulations.association.referee import EMPTY, loads
from ...instances.association import Association, AssociationDecision, Windows
from ...instances.association.instance import SLOT
from ...instances.fields import IntArray
from ..result import Answer, Limits
from .decomposition import solve_decomposition

ROLLING_SLOTS = 6


def solve_rolling(instance: Association, limits: Limits) -> Answer:
    """Every slot with the `ROLLING_SLOTS` - 1 after it; only the first one's links are kept."""
    until = None if limits.time_limit_s is None else time.perf_counter() + limits.time_limit_s
    made: list[IntArray] = []
    for slot in range(instance.slots):
        left = None if until is None else until - time.perf_counter()
        if left is not None and left <= 0:
            return Answer(_decision(made), reason="time limit reached; the last slots are empty")
        past = loads(instance, _decision(made).links).sum(0)
        part = _part(instance, slot, min(ROLLING_SLOTS, instance.slots - slot), instance.capacity - past)
        answer = solve_decomposition(part, dataclasses.replace(limits, time_limit_s=left, start=None))
        if not isinstance(answer.decision, AssociationDecision):
            return answer
        links = answer.decision.links[answer.decision.links[:, SLOT] == 0]
        made.append(links + np.array([slot, 0, 0, 0]))
    return Answer(_decision(made))


def _decision(parts: list[IntArray]) -> AssociationDecision:
    return AssociationDecision(np.concatenate([np.zeros((0, 4), np.int64), *parts]))


def _part(instance: Association, first: int, slots: int, capacity: np.ndarray) -> Association:
    """Some slots as an instance of their own, with the storage that is left."""
    windows = instance.windows
    own = (windows.slot >= first) & (windows.slot < first + slots)
    columns = {name: getattr(windows, name)[own] for name in ("slot", "satellite", "station", "valid_s", "gain")}
    columns["slot"] = columns["slot"] - first
    left = np.maximum((capacity - EMPTY * instance.capacity) / (1 - EMPTY), 0.0)  # full when the whole station is
    return dataclasses.replace(instance, slots=slots, capacity=left, windows=Windows(**columns))
