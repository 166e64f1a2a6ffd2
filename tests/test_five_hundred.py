"""The long agreement: hundreds of random small instances by every exact route, in memory and through files."""

import collections
from dataclasses import replace

import highspy
import numpy as np
import pytest
from pyscipopt import Model
from skybound.evaluation.export import export
from skybound.instances.solution import Status
from skybound.solvers.registry import SOLVERS
from skybound.solvers.solve import solve

pytestmark = pytest.mark.slow
CHUNK = 50


def from_file(path):
    """Objective of a model file by HiGHS and by SCIP, None where it is infeasible."""
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(path))
    highs.run()
    infeasible = highs.getModelStatus() == highspy.HighsModelStatus.kInfeasible
    assert infeasible or highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    yield None if infeasible else highs.getInfo().objective_function_value
    scip = Model()
    scip.hideOutput()
    scip.setParam("misc/allowstrongdualreds", False)  # with them SCIP 10.0 cuts the optimum off one model in 500
    scip.readProblem(str(path))
    scip.optimize()
    assert scip.getStatus() in ("optimal", "infeasible")
    yield scip.getObjVal() if scip.getStatus() == "optimal" else None


@pytest.mark.parametrize("first", range(0, 500, CHUNK))
def test_every_exact_route_agrees(first, random_placement, tmp_path):
    """Enumeration, MILP, CP-SAT, column generation, and LP and MPS files solved by HiGHS and SCIP: 1e-6 relative."""
    exact = [name for name, entry in SOLVERS["placement"].items() if entry.exact]
    statuses = collections.Counter()
    for seed in range(first, first + CHUNK):
        instance = random_placement(seed)
        results = [solve(instance, name) for name in exact]
        assert len({result.status for result in results}) == 1, seed
        statuses[results[0].status] += 1
        known = solve(instance, "enumeration").objective
        found = [result.objective for result in results]
        for path in export(instance, tmp_path, ["lp", "mps"]):
            found += from_file(path)
        for value in found:
            assert value == (None if known is None else pytest.approx(known, rel=1e-6, abs=1e-9)), seed
    assert statuses[Status.INFEASIBLE] >= 0.05 * CHUNK
    assert statuses[Status.OPTIMAL] >= 0.5 * CHUNK


@pytest.mark.parametrize("first", range(0, 500, CHUNK))
def test_every_route_of_association_agrees(first, random_association, tmp_path):
    """Enumeration, decomposition, MILP, CP-SAT, and files by HiGHS and SCIP; the bound model is above them."""
    binding = 0
    for seed in range(first, first + CHUNK):
        instance = tighter(random_association(seed))
        known = solve(instance, "enumeration").objective
        slack = 1e-6 * abs(known) + 1e-9
        for name in ("decomposition", "milp", "cp-sat"):
            found = solve(instance, name)
            assert found.status is Status.OPTIMAL, (seed, name, found.reason)
            assert found.objective == pytest.approx(known, abs=slack), (seed, name)
            assert found.bound >= known - slack, (seed, name)
        model = solve(instance, "price-bound")
        assert model.bound >= known - slack, seed
        assert model.objective <= known + slack, seed
        for path in export(instance, tmp_path, ["lp", "mps"]):
            for value in from_file(path):
                assert value == pytest.approx(known, rel=1e-6, abs=1e-8), seed
        free = replace(instance, storage_price=0.0)
        roomy = replace(free, capacity=2 * free.capacity)
        binding += solve(roomy, "enumeration").objective > solve(free, "enumeration").objective * (1 + 1e-9)
    assert binding >= 0.3 * CHUNK


@pytest.mark.parametrize("first", range(0, 300, CHUNK))
def test_every_route_of_embedding_agrees(first, random_embedding, tmp_path):
    """Enumeration, MILP, CP-SAT, column generation, and LP and MPS files by HiGHS and SCIP; single requests by search.

    The clairvoyant search brackets the same optima.
    """
    exact = [name for name, entry in SOLVERS["embedding"].items() if entry.exact]
    binding, alone = 0, 0
    for seed in range(first, first + CHUNK):
        instance = random_embedding(seed)
        known = solve(instance, "enumeration").objective
        for name in exact:
            found = solve(instance, name)
            assert found.status is Status.OPTIMAL, (seed, name, found.reason)
            assert found.objective == pytest.approx(known, rel=1e-6, abs=1e-9), (seed, name)
        for path in export(instance, tmp_path, ["lp", "mps"]):
            for value in from_file(path):
                assert value == pytest.approx(known, rel=1e-6, abs=1e-6), seed
        bracket = solve(instance, "clairvoyant", time_limit_s=1.0)
        assert bracket.objective <= known + 1e-6 * max(1.0, known) <= bracket.bound + 2e-6 * max(1.0, known), seed
        roomy = replace(instance, substrate=doubled(instance.substrate))
        binding += solve(roomy, "enumeration").objective > known * (1 + 1e-9)
        for request in instance.requests:
            single = replace(instance, requests=(request,))
            best = solve(single, "enumeration").objective
            searched = solve(single, "per-request")
            assert searched.status is Status.OPTIMAL
            assert searched.objective == pytest.approx(best, rel=1e-6, abs=1e-9), seed
            alone += 1
    assert binding >= 0.3 * CHUNK
    assert alone >= CHUNK


@pytest.mark.parametrize("first", range(0, 500, CHUNK))
def test_every_route_of_provisioning_agrees(first, random_provisioning, tmp_path):
    """Enumeration, MILP, CP-SAT, decomposition, and LP and MPS files by HiGHS and SCIP; both kinds of information."""
    exact = [name for name, entry in SOLVERS["provisioning"].items() if entry.exact]
    binding, informed = 0, collections.Counter()
    for seed in range(first, first + CHUNK):
        instance = random_provisioning(seed)
        informed[instance.information] += 1
        known = solve(instance, "enumeration").objective
        for name in exact:
            found = solve(instance, name)
            assert found.status is Status.OPTIMAL, (seed, name, found.reason)
            assert found.objective == pytest.approx(known, rel=1e-6, abs=1e-9), (seed, name)
        for path in export(instance, tmp_path, ["lp", "mps"]):
            for value in from_file(path):
                assert value == pytest.approx(known, rel=1e-6, abs=1e-6), seed
        binding += solve(roomier(instance)).objective > known * (1 + 1e-9)
    assert binding >= 0.3 * CHUNK
    assert min(informed["current"], informed["previous"]) >= 0.2 * CHUNK


@pytest.mark.parametrize("first", range(0, 500, CHUNK))
def test_every_bracket_of_slicing_agrees(first, random_slicing, tmp_path):
    """Enumeration, decomposition and models bracket the same optimum, these to 1e-4; their files' optima are above it.

    With and without several users of a node on a subcarrier.
    """
    statuses, near = collections.Counter(), collections.Counter()
    for seed in range(first, first + CHUNK):
        instance = random_slicing(seed)
        known = solve(instance, "enumeration")
        statuses[known.status] += 1
        if known.status is Status.INFEASIBLE:
            assert solve(instance).status is Status.INFEASIBLE, seed
            continue
        if known.status is Status.NO_SOLUTION:  # too many ways
            continue
        slack = 1e-7 * max(1.0, abs(known.objective))
        for name in ("decomposition", "milp", "patterns", "cp-sat"):
            found = solve(instance, name, time_limit_s=20.0, gap=1e-6 if name == "decomposition" else 1e-4)
            assert found.objective <= known.bound + slack, (seed, name)
            assert found.bound >= known.objective - slack, (seed, name)
            if name == "decomposition":
                near[instance.intra_cell_reuse, found.gap <= 1e-5] += 1
            else:
                assert found.status is Status.OPTIMAL, (seed, name, found.reason)
        for path in export(instance, tmp_path, ["lp", "mps"]):
            for value in from_file(path):
                assert value >= known.objective - 1e-6 * max(1.0, abs(known.objective)), seed
    assert statuses[Status.INFEASIBLE] >= 1
    for reuse in (False, True):
        assert near[reuse, True] >= 0.15 * CHUNK
        assert near[reuse, False] <= 0.05 * CHUNK


def roomier(instance):
    """With room for everybody everywhere."""
    names = ("leo_capacity", "geo_capacity", "cache_capacity", "server_capacity")
    return replace(instance, **{name: np.full_like(getattr(instance, name), instance.users) for name in names})


def tighter(instance):
    """With a quarter of the storage, at prices to match."""
    return replace(instance, capacity=instance.capacity / 4, storage_price=instance.storage_price / 4)


def doubled(substrate):
    """Twice as much of everything."""
    nodes, links = substrate.nodes, substrate.links
    return replace(
        substrate,
        nodes=replace(nodes, cpu=2 * nodes.cpu, storage=2 * nodes.storage),
        links=replace(links, bandwidth=2 * links.bandwidth),
    )
