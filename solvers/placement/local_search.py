"""Descent by moves and swaps, for all users together or each for itself; compiled."""

import math

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray
from ...instances.placement import Placement, PlacementDecision
from ..result import Answer, Limits
from .batch import Costs
from .construction import solve_greedy, solve_regret

ROUNDS = 100  # of all users answering in turn; selfish answers may cycle
HELPS = 1e-12  # relative to the total delay; less is rounding


def solve_local_search(instance: Placement, limits: Limits) -> Answer:
    """Moves and swaps from the greedy placement by dynamic regret (or a given start) until none helps."""
    first = Answer(limits.start) if limits.start is not None else solve_regret(instance, limits)
    if not isinstance(first.decision, PlacementDecision):
        return first
    return Answer(PlacementDecision(descend(Costs.of([instance]), first.decision.host)))


def solve_best_response(instance: Placement, limits: Limits) -> Answer:
    """Selfish users from the greedy placement: each in turn takes the host with its own least delay, until none moves.

    A user sees its own delay only, not what it costs the others. With player-specific delays such answers may cycle;
    they end after `ROUNDS` rounds.
    """
    first = Answer(limits.start) if limits.start is not None else solve_greedy(instance, limits)
    if not isinstance(first.decision, PlacementDecision):
        return first
    host = first.decision.host.copy()
    _answer_selfishly(*_single(Costs.of([instance])), host)
    return Answer(PlacementDecision(host))


def descend(costs: Costs, host: IntArray) -> IntArray:
    """Apply the first move or swap that helps until none does; O(I H + I^2) a round over all users.

    Parameters
    ----------
    costs
        Of one instance.
    host : array, shape (users,)
        A feasible placement; not changed.
    """
    better = host.copy()
    _descend(*_single(costs), better)
    return better


def _single(costs: Costs) -> tuple[bool, FloatArray, FloatArray, FloatArray, IntArray]:
    """One instance for the compiled code; home and cloud compute in their fixed delay, as if infinitely fast."""
    per_cps = np.concatenate([[0.0], 1 / costs.speed_cps[0], [0.0]])
    return costs.even, costs.fixed_s[0], costs.load[0], per_cps, costs.places[0]


@compiled
def _descend(
    even: bool, fixed_s: FloatArray, own: FloatArray, per_cps: FloatArray, places: IntArray, host: IntArray
) -> None:
    users, hosts = fixed_s.shape
    count, load = _loads(own, host, hosts)
    total = 0.0
    for i in range(users):
        total += fixed_s[i, host[i]]
    for k in range(hosts):
        total += _compute(even, count[k], load[k], per_cps[k])
    improved = True
    while improved:
        improved = False
        for i in range(users):
            for to in range(hosts):
                at = host[i]
                if to == at or count[to] >= places[to] or fixed_s[i, to] == np.inf:
                    continue
                change = fixed_s[i, to] - fixed_s[i, at]
                change += _change(even, count[at], load[at], -1, -own[i], per_cps[at])
                change += _change(even, count[to], load[to], 1, own[i], per_cps[to])
                if change < -HELPS * total:
                    _move(count, load, own[i], at, to)
                    host[i], total, improved = to, total + change, True
            for k in range(i + 1, users):
                at, to = host[i], host[k]
                if at == to or fixed_s[i, to] == np.inf or fixed_s[k, at] == np.inf:
                    continue
                gain = own[k] - own[i]
                change = fixed_s[i, to] + fixed_s[k, at] - fixed_s[i, at] - fixed_s[k, to]
                change += _change(even, count[at], load[at], 0, gain, per_cps[at])
                change += _change(even, count[to], load[to], 0, -gain, per_cps[to])
                if change < -HELPS * total:
                    load[at] += gain
                    load[to] -= gain
                    host[i], host[k], total, improved = to, at, total + change, True


@compiled
def _answer_selfishly(
    even: bool, fixed_s: FloatArray, own: FloatArray, per_cps: FloatArray, places: IntArray, host: IntArray
) -> None:
    users, hosts = fixed_s.shape
    count, load = _loads(own, host, hosts)
    for _ in range(ROUNDS):
        moved = False
        for i in range(users):
            at, best, least = host[i], host[i], np.inf
            for to in range(hosts):
                joins = to != at
                if joins and count[to] >= places[to]:
                    continue
                # Its own computing delay: mu D n / F, or sqrt(mu D) times the sum of roots over F.
                sharers = count[to] + joins if even else load[to] + joins * own[i]
                delay = fixed_s[i, to] + own[i] * sharers * per_cps[to]
                if not joins:
                    delay -= HELPS * math.fabs(delay)
                if delay < least:
                    best, least = to, delay
            if best != at:
                _move(count, load, own[i], at, best)
                host[i], moved = best, True
        if not moved:
            return


@compiled
def _loads(own: FloatArray, host: IntArray, hosts: int) -> tuple[FloatArray, FloatArray]:
    count, load = np.zeros(hosts), np.zeros(hosts)
    for i in range(len(host)):
        count[host[i]] += 1
        load[host[i]] += own[i]
    return count, load


@compiled
def _move(count: FloatArray, load: FloatArray, own: float, at: int, to: int) -> None:
    count[at] -= 1
    load[at] -= own
    count[to] += 1
    load[to] += own


@compiled
def _compute(even: bool, count: float, load: float, per_cps: float) -> float:
    """Computing delay of a host's users together (s)."""
    return (count * load if even else load * load) * per_cps


@compiled
def _change(even: bool, count: float, load: float, more: float, gain: float, per_cps: float) -> float:
    """Change of that delay when so many users of so much load come (s)."""
    return _compute(even, count + more, load + gain, per_cps) - _compute(even, count, load, per_cps)
