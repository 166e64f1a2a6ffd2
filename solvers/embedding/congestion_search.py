"""Search of small traces by negotiated congestion: overload is allowed, and its penalties rise until it ends; compiled.

A round embeds a rejected request whatever is left. Users of overloaded resources move or take other paths while the
penalties on these resources rise, as in PathFinder (McMurchie and Ebeling 1995). What stays overloaded ejects the
requests of least revenue per overload; what fits then is filled in. Worse results are kept ever less often.
"""

import numpy as np

from ...instances.compiled import compiled
from .congestion_pricing import Congestion, embed, lift, place, reroute, take_path
from .insertion import Scratch, room
from .neighbourhoods import Aim, accept, reject, value_of
from .trace import Ground, Ledger, Trace

REPAIRS = 200  # moves of users before a request is ejected
RISE = 0.1  # of a penalty where there is overload, as a share of its first value
DECAY = 0.7  # share of a penalty's rise that remains for the next round
TOLERATED = 0.05  # rise of penalties on overload that a move keeps with probability 1/e
WHOLE = 0.3  # share of moves that embed a request anew
PATH = 0.4  # share of the other moves off a link that keep both hosts
PAIRS = 0.6  # share of moves of a node that also move another, as packings need
NOISE = 0.5  # by which revenue per overload is stretched at random, at most


@compiled
def negotiate(
    rounds: int,
    temperature: float,
    trace: Trace,
    ground: Ground,
    ledger: Ledger,
    best: Ledger,
    congestion: Congestion,
    aim: Aim,
    colocate: bool,
    rng: np.random.Generator,
) -> None:
    """Do so many rounds, and note the best embeddings.

    A round is O(ejected requests `REPAIRS` (moments resources + links of a request (moments links + nodes²))). The
    ledger is free of overload before and after.

    Parameters
    ----------
    temperature
        Value whose loss is kept with probability 1/e.
    best
        Best embeddings so far, without overload; replaced by better ones.
    """
    scratch = room(trace, ground)
    kept, value, most = _copied(ledger), _total(ledger, aim), _total(best, aim)
    for _ in range(rounds):
        rejected = np.flatnonzero(~ledger.accepted)
        if len(rejected) == 0:
            break
        focus = int(rejected[rng.integers(0, len(rejected))])
        congestion.penalty[:] = congestion.initial + DECAY * (congestion.penalty - congestion.initial)
        if not embed(focus, trace, ground, ledger, congestion, colocate, rng):
            continue
        while not repair(REPAIRS, trace, ground, ledger, congestion, colocate, rng):
            _eject(focus, trace, ground, ledger, congestion, aim, rng)
        _fill(trace, ground, ledger, aim, colocate, rng, scratch)
        reached = _total(ledger, aim)
        if reached >= value + temperature * np.log(rng.random()):
            value = reached
            _write(ledger, kept)
            if value > most:
                most = value
                _write(ledger, best)
        else:
            _write(kept, ledger)
    _write(kept, ledger)


@compiled
def repair(
    moves: int,
    trace: Trace,
    ground: Ground,
    ledger: Ledger,
    congestion: Congestion,
    colocate: bool,
    rng: np.random.Generator,
) -> bool:
    """Move users of overloaded resources while penalties rise; whether no overload is left."""
    kept, before = _copied(ledger), np.inf
    for _ in range(moves):
        cost = _overload_cost(ledger, congestion)
        if cost == 0.0:
            return True
        if cost <= before - TOLERATED * np.log(1.0 - rng.random()):
            _write(ledger, kept)
        else:
            _write(kept, ledger)
        _raise_penalties(ledger, congestion)
        before = _overload_cost(ledger, congestion)
        moment, resource = _random_overload(ledger, rng)
        if not _move_user(moment, resource, trace, ground, ledger, congestion, colocate, rng):
            _write(kept, ledger)
    return bool(_overload_cost(ledger, congestion) == 0.0)


@compiled
def _overload_cost(ledger: Ledger, congestion: Congestion) -> float:
    """Penalties on all overload; above 0 where there is any."""
    total = 0.0
    for m in range(len(ledger.left)):
        left = ledger.left[m]
        for r in range(len(left)):
            if left[r] < 0:
                total -= congestion.penalty[m, r] * left[r]
    return total


@compiled
def _raise_penalties(ledger: Ledger, congestion: Congestion) -> None:
    """Raise penalties where there is overload."""
    for m in range(len(ledger.left)):
        left = ledger.left[m]
        for r in range(len(left)):
            if left[r] < 0:
                congestion.penalty[m, r] += RISE * congestion.initial[r]


@compiled
def _random_overload(ledger: Ledger, rng: np.random.Generator) -> tuple[int, int]:
    """A random moment and resource with overload; -1 without one."""
    moment, resource, count = -1, -1, 0
    for m in range(len(ledger.left)):
        left = ledger.left[m]
        for r in range(len(left)):
            if left[r] < 0:
                count += 1
                if rng.random() * count < 1:
                    moment, resource = m, r
    return moment, resource


@compiled
def _random_user(
    moment: int, resource: int, trace: Trace, ground: Ground, ledger: Ledger, rng: np.random.Generator
) -> tuple[int, int]:
    """A random user of a resource: its request, and its node there or, where the resource is a link, its link."""
    nodes, chosen, request, users = len(ground.domain), -1, -1, 0
    for k in trace.active[trace.active_first[moment] : trace.active_first[moment + 1]]:
        if not ledger.accepted[k]:
            continue
        if resource < 2 * nodes:
            for i in range(trace.node_first[k], trace.node_first[k + 1]):
                amount = trace.cpu[i] if resource < nodes else trace.storage[i]
                if ledger.host[i] == resource % nodes and amount > 0:
                    users += 1
                    if rng.random() * users < 1:
                        chosen, request = i - trace.node_first[k], k
        else:
            for n in range(trace.link_first[k], trace.link_first[k + 1]):
                for hop in range(ledger.hops[n]):
                    if ledger.path[n, hop] == resource - 2 * nodes and trace.bandwidth[n] > 0:
                        users += 1
                        if rng.random() * users < 1:
                            chosen, request = n, k
    return request, chosen


@compiled
def _move_user(
    moment: int,
    resource: int,
    trace: Trace,
    ground: Ground,
    ledger: Ledger,
    congestion: Congestion,
    colocate: bool,
    rng: np.random.Generator,
) -> bool:
    """Move a random user: its whole request, a link alone, or a node alone or together with another.

    False where a node finds no host any more; the ledger is to be restored then.
    """
    k, node = _random_user(moment, resource, trace, ground, ledger, rng)
    if rng.random() < WHOLE:
        reject(k, trace, ground, ledger)
        return embed(k, trace, ground, ledger, congestion, colocate, rng)
    if resource >= 2 * len(ground.domain):
        n = node
        if rng.random() < PATH:
            take_path(k, n, 1.0, trace, ground, ledger)
            reroute(k, n, trace, ground, ledger, congestion)
            return True
        node = trace.source[n] if rng.random() < 0.5 else trace.target[n]
    placed = np.ones(trace.node_first[k + 1] - trace.node_first[k], np.bool_)
    other, second, others = k, node, placed
    if rng.random() < PAIRS:
        present = trace.active[trace.active_first[moment] : trace.active_first[moment + 1]]
        other = int(present[rng.integers(0, len(present))])
        if other != k:
            others = np.ones(trace.node_first[other + 1] - trace.node_first[other], np.bool_)
        second = int(rng.integers(0, len(others)))
    pair = ledger.accepted[other] and (other != k or second != node)
    lift(k, node, placed, trace, ground, ledger)
    if pair:
        lift(other, second, others, trace, ground, ledger)
    if not place(k, node, placed, trace, ground, ledger, congestion, colocate, rng):
        return False
    return not pair or place(other, second, others, trace, ground, ledger, congestion, colocate, rng)


@compiled
def _eject(
    focus: int,
    trace: Trace,
    ground: Ground,
    ledger: Ledger,
    congestion: Congestion,
    aim: Aim,
    rng: np.random.Generator,
) -> None:
    """Reject the request of least value per penalty on its overload; the round's focus only if no other has any."""
    chosen, least = focus, np.inf
    for k in range(len(ledger.accepted)):
        if not ledger.accepted[k]:
            continue
        penalty = _penalty(k, trace, ground, ledger, congestion)
        if penalty > 0 and k != focus:
            ratio = max(value_of(k, aim, ledger), 0.0) / penalty * (1 + NOISE * rng.random())
            if ratio < least:
                chosen, least = k, ratio
    reject(chosen, trace, ground, ledger)


@compiled
def _penalty(k: int, trace: Trace, ground: Ground, ledger: Ledger, congestion: Congestion) -> float:
    """Penalty on overload that a request takes part in."""
    nodes, total = len(ground.domain), 0.0
    for moment in range(trace.first[k], trace.last[k] + 1):
        left, penalty = ledger.left[moment], congestion.penalty[moment]
        for i in range(trace.node_first[k], trace.node_first[k + 1]):
            for r, amount in ((ledger.host[i], trace.cpu[i]), (nodes + ledger.host[i], trace.storage[i])):
                total += penalty[r] * min(amount, max(-left[r], 0.0))
        for n in range(trace.link_first[k], trace.link_first[k + 1]):
            for hop in range(ledger.hops[n]):
                r = 2 * nodes + ledger.path[n, hop]
                total += penalty[r] * min(trace.bandwidth[n], max(-left[r], 0.0))
    return total


@compiled
def _fill(
    trace: Trace,
    ground: Ground,
    ledger: Ledger,
    aim: Aim,
    colocate: bool,
    rng: np.random.Generator,
    scratch: Scratch,
) -> None:
    """Embed rejected requests where there is room, those that promise most first."""
    rejected = np.flatnonzero(~ledger.accepted)
    key = -aim.promise[rejected] + aim.spread * rng.standard_normal(len(rejected))
    for k in rejected[np.argsort(key)]:
        accept(k, trace, ground, ledger, aim, colocate, rng, scratch)


@compiled
def _total(ledger: Ledger, aim: Aim) -> float:
    """Value of all embedded requests."""
    total = 0.0
    for k in range(len(ledger.accepted)):
        if ledger.accepted[k]:
            total += value_of(k, aim, ledger)
    return total


@compiled
def _copied(ledger: Ledger) -> Ledger:
    host, hops, path = ledger.host.copy(), ledger.hops.copy(), ledger.path.copy()
    return Ledger(ledger.left.copy(), ledger.accepted.copy(), ledger.hops_cost.copy(), host, hops, path)


@compiled
def _write(source: Ledger, target: Ledger) -> None:
    """Write a ledger over another."""
    target.left[:], target.accepted[:], target.hops_cost[:] = source.left, source.accepted, source.hops_cost
    target.host[:], target.hops[:], target.path[:] = source.host, source.hops, source.path
