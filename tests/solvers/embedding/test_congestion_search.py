"""Negotiated congestion: embeddings with overload are repaired, and results keep to capacities."""

from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.embedding.referee import judge
from skybound.instances.embedding import (
    EmbeddingDecision,
    Links,
    Request,
    RequestNodes,
    Substrate,
    SubstrateNodes,
    VirtualNetworks,
)
from skybound.instances.problems import generate
from skybound.solvers.embedding.congestion_pricing import congestion, embed
from skybound.solvers.embedding.congestion_search import repair
from skybound.solvers.embedding.neighbourhood_search import NeighbourhoodSearch, search_small_trace
from skybound.solvers.embedding.trace import Ground, Ledger, Trace
from skybound.solvers.result import Limits
from skybound.solvers.solve import solve


def square(*bandwidth, cpu=1.0):
    """Four ground nodes in a circle with links of 3, and a pair of linked nodes for each bandwidth, all at once."""
    substrate = Substrate(SubstrateNodes([2] * 4, [cpu] * 4, [0.0] * 4), Links([0, 1, 2, 0], [1, 2, 3, 3], [3.0] * 4))
    domain = np.eye(3, dtype=bool)[[2, 2]]
    requests = tuple(
        Request(0.0, 1.0, RequestNodes(domain, [1.0, 1.0], [0.0, 0.0]), Links([0], [1], [amount]))
        for amount in bandwidth
    )
    return VirtualNetworks(
        substrate=substrate, requests=requests, cost_weight=0.0, colocate=False, horizon=None, name="square"
    )


def embedded(instance, seed):
    """Tables, and all requests embedded with overload."""
    trace, ground, rng = Trace.of(instance), Ground.of(instance), np.random.default_rng(seed)
    ledger, penalties = Ledger.empty(trace, ground), congestion(trace, ground)
    for k in range(len(instance.requests)):
        assert embed(k, trace, ground, ledger, penalties, instance.colocate, rng)
    return trace, ground, ledger, penalties, rng


@pytest.mark.parametrize("seed", range(10))
def test_repair_ends_overload_where_all_requests_fit(seed):
    """Two pairs of 2 with room for one node a host and one link a path: neighbours on opposite sides."""
    instance = square(2.0, 2.0)
    trace, ground, ledger, penalties, rng = embedded(instance, seed)
    assert repair(200, trace, ground, ledger, penalties, False, rng)
    decision = EmbeddingDecision(ledger.embeddings(instance, trace))
    assert None not in decision.embeddings
    assert judge(instance, decision).feasible


def test_repair_reports_overload_that_no_move_ends():
    """Three pairs need six of four hosts."""
    trace, ground, ledger, penalties, rng = embedded(square(1.0, 1.0, 1.0), 0)
    assert not repair(200, trace, ground, ledger, penalties, False, rng)
    assert (penalties.penalty > penalties.initial).any()


def test_request_larger_than_any_link_is_never_embedded():
    instance = square(4.0)
    trace, ground = Trace.of(instance), Ground.of(instance)
    ledger = Ledger.empty(trace, ground)
    assert not embed(0, trace, ground, ledger, congestion(trace, ground), False, np.random.default_rng(0))
    assert ledger.left[0] == pytest.approx(ground.capacity)


@pytest.mark.parametrize("colocate", [False, True])
@pytest.mark.parametrize("cost_weight", [0.0, 0.3])
@pytest.mark.parametrize("preset", ["small", "paper-any:requests=30"])
def test_ledger_stays_consistent_and_feasible(preset, colocate, cost_weight):
    instance = replace(generate("embedding", preset, 0), colocate=colocate, cost_weight=cost_weight)
    search = NeighbourhoodSearch(instance, Limits())
    first = search.value
    search.negotiate(1.0, 3)
    decision = EmbeddingDecision(search.best.embeddings(instance, search.trace))
    verdict = judge(instance, decision)
    assert verdict.feasible
    assert verdict.objective == pytest.approx(search.value)
    assert search.value >= first
    left = search.ledger.left.copy()
    search.ledger.settle(search.trace, search.ground)
    assert left == pytest.approx(search.ledger.left, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_search_is_feasible_and_at_most_the_optimum(seed, random_embedding):
    instance = random_embedding(seed)
    search = NeighbourhoodSearch(instance, Limits())
    search.negotiate(1.0, 5)
    verdict = judge(instance, EmbeddingDecision(search.best.embeddings(instance, search.trace)))
    assert verdict.feasible
    assert verdict.objective <= solve(instance, "enumeration").objective + 1e-6


def test_same_seed_gives_the_same_embeddings_and_a_start_is_not_lost():
    instance = generate("embedding", "small", 3)
    start = solve(instance, "greedy")
    runs = []
    for _ in range(2):
        search = NeighbourhoodSearch(instance, Limits(seed=5, start=start.decision))
        search.negotiate(1.0, 3)
        runs.append(search)
    assert runs[0].best.host.tolist() == runs[1].best.host.tolist()
    assert runs[0].value == runs[1].value >= start.objective


@pytest.mark.slow
def test_default_rounds_reach_3400_of_3498_on_small_seed_1():
    assert search_small_trace(generate("embedding", "small", 1), Limits()).value >= 3400
