"""Large neighbourhoods of a trace's embeddings: a few requests of one moment leave, others are tried; compiled.

A round asks for a rejected request that promises much, takes away some of those that are active with it, near each
other half of the time, and inserts what promises most first. By chance worse results are kept, ever less often.
"""

from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray
from .insertion import NEVER, Scratch, insert, room
from .network import Network, distances
from .trace import Ground, Ledger, Trace, change

MOST_REMOVED = 3  # requests in a round
MOST_OTHERS = 10  # rejected requests that are tried beside those
LOOKS = 6  # at requests, for the one that a round asks for
TRIES = 5  # of each request when a trace is built up
NEAR = 0.5  # share of rounds that take away requests near each other
FIRST = 0.5  # share of rounds that insert the request they ask for before all others
SCATTER = 0.3  # hops by which nearness is blurred


class Aim(NamedTuple):
    """What is sought.

    Attributes
    ----------
    worth : array, shape (requests,)
        Of each request embedded without hops.
    promise : array, shape (requests,)
        By which requests are tried.
    cost_weight
        What a unit of bandwidth costs a hop.
    thrift
        What it counts beyond that, so that short paths are preferred among equals.
    spread
        Standard deviation of promises from round to round.
    """

    worth: FloatArray
    promise: FloatArray
    cost_weight: float
    thrift: float
    spread: float


@compiled
def build(
    order: IntArray,
    trace: Trace,
    ground: Ground,
    ledger: Ledger,
    aim: Aim,
    colocate: bool,
    rng: np.random.Generator,
) -> None:
    """Embed requests one after the other where there is room and it pays."""
    scratch = room(trace, ground)
    for k in order:
        for _ in range(TRIES):
            if accept(k, trace, ground, ledger, aim, colocate, rng, scratch):
                break


@compiled
def improve(
    rounds: int,
    temperature: float,
    trace: Trace,
    ground: Ground,
    ledger: Ledger,
    aim: Aim,
    colocate: bool,
    rng: np.random.Generator,
) -> None:
    """Do so many rounds.

    Parameters
    ----------
    temperature
        Worth whose loss is kept with probability 1/e.
    """
    scratch, mine = room(trace, ground), np.empty(len(trace.first), np.int64)
    kept_cost, kept_host = ledger.hops_cost.copy(), ledger.host.copy()
    kept_hops, kept_path = ledger.hops.copy(), ledger.path.copy()
    kept = Ledger(ledger.left, ledger.accepted, kept_cost, kept_host, kept_hops, kept_path)
    for _ in range(rounds):
        focus = _focus(ledger.accepted, aim, rng)
        if focus < 0:
            continue
        moment = rng.integers(trace.first[focus], trace.last[focus] + 1)
        active = trace.active[trace.active_first[moment] : trace.active_first[moment + 1]]
        others = active[~ledger.accepted[active] & (active != focus)]
        removed = _removed(active[ledger.accepted[active]], trace, ground, ledger, rng, scratch)
        before, after, count = 0.0, 0.0, 0
        for k in removed:
            before += value_of(k, aim, ledger)
            _copy(k, trace, ledger, kept)
            reject(k, trace, ground, ledger)
        for k in _tried(focus, removed, others, aim, rng):
            if accept(k, trace, ground, ledger, aim, colocate, rng, scratch):
                after += value_of(k, aim, ledger)
                mine[count] = k
                count += 1
        if after < before + temperature * np.log(rng.random()):
            for k in mine[:count]:
                reject(k, trace, ground, ledger)
            for k in removed:
                _copy(k, trace, kept, ledger)
                ledger.accepted[k] = True
                change(k, -1.0, trace, ground, ledger)


@compiled
def _copy(k: int, trace: Trace, source: Ledger, target: Ledger) -> None:
    """Write down where a request is in another ledger, too."""
    nodes = slice(trace.node_first[k], trace.node_first[k + 1])
    links = slice(trace.link_first[k], trace.link_first[k + 1])
    target.host[nodes] = source.host[nodes]
    target.hops[links] = source.hops[links]
    target.path[links] = source.path[links]
    target.hops_cost[k] = source.hops_cost[k]


@compiled
def value_of(k: int, aim: Aim, ledger: Ledger) -> float:
    """Value of an embedded request, with preference for short paths."""
    return float(aim.worth[k] - (aim.cost_weight + aim.thrift) * ledger.hops_cost[k])


@compiled
def accept(
    k: int,
    trace: Trace,
    ground: Ground,
    ledger: Ledger,
    aim: Aim,
    colocate: bool,
    rng: np.random.Generator,
    scratch: Scratch,
) -> bool:
    """Embed a request where there is room and it pays."""
    cost = insert(k, trace, ground, ledger, colocate, rng, scratch)
    if cost == NEVER or aim.worth[k] < aim.cost_weight * cost:
        return False
    ledger.accepted[k], ledger.hops_cost[k] = True, cost
    change(k, -1.0, trace, ground, ledger)
    return True


@compiled
def reject(k: int, trace: Trace, ground: Ground, ledger: Ledger) -> None:
    """Give back all that an embedded request takes."""
    change(k, 1.0, trace, ground, ledger)
    ledger.accepted[k] = False


@compiled
def _focus(accepted: BoolArray, aim: Aim, rng: np.random.Generator) -> int:
    """Of some requests, the rejected one that promises most; -1 when none of them is rejected."""
    chosen, most = -1, -np.inf
    for _ in range(LOOKS):
        k = int(rng.integers(0, len(accepted)))
        if not accepted[k]:
            promise = aim.promise[k] + aim.spread * rng.standard_normal()
            if promise > most:
                chosen, most = k, promise
    return chosen


@compiled
def _removed(
    present: IntArray, trace: Trace, ground: Ground, ledger: Ledger, rng: np.random.Generator, scratch: Scratch
) -> IntArray:
    """Requests to take away: some that are near a random node, or any."""
    key = np.empty(len(present))
    if rng.random() < NEAR:
        network = Network(ground.first, ground.neighbour, ground.link, scratch.none, scratch.none)
        away = np.empty(len(ground.domain), np.int64)
        distances(network, 0.0, np.array([rng.integers(0, len(away))]), -1, away, scratch.queue)
        for j in range(len(present)):
            host = ledger.host[trace.node_first[present[j]] : trace.node_first[present[j] + 1]]
            key[j] = away[host].mean() + SCATTER * rng.random()
    else:
        for j in range(len(present)):
            key[j] = rng.random()
    return present[np.argsort(key)[: 1 + rng.integers(0, MOST_REMOVED)]]


@compiled
def _tried(focus: int, removed: IntArray, others: IntArray, aim: Aim, rng: np.random.Generator) -> IntArray:
    """Requests in the order in which a round inserts them."""
    promise = aim.promise[others] + aim.spread * rng.standard_normal(len(others))
    others = others[np.argsort(-promise)[:MOST_OTHERS]]
    tried = np.concatenate((np.array([focus]), removed, others))
    key = -aim.promise[tried] + aim.spread * rng.standard_normal(len(tried))
    if rng.random() < FIRST:
        key[0] = -np.inf
    return tried[np.argsort(key)]
