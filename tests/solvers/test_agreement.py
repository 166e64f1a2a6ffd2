"""All exact routes find the same optimum."""

import collections
import itertools
from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.problems import FORMULATIONS
from skybound.formulations.slicing.links import Sites, nobody, worths
from skybound.instances.solution import Status
from skybound.solvers.registry import SOLVERS
from skybound.solvers.solve import solve

ENTRIES = [
    (problem, entry) for problem, own in SOLVERS.items() for entry in own.values() if entry.name != "enumeration"
]
EXACT = [(problem, entry.name) for problem, entry in ENTRIES if entry.exact]
HEURISTIC = [(problem, entry.name) for problem, entry in ENTRIES if not entry.exact]


GAPS = {"slicing": 1e-4}  # powers are continuous

ENUMERATED = {}


def known_optima(make, seeds):
    """Small instances with what enumeration finds, once for all tests; few are too large for it."""
    pairs = []
    for instance in map(make, range(seeds)):
        if instance.hash not in ENUMERATED:
            ENUMERATED[instance.hash] = solve(instance, "enumeration")
        pairs.append((instance, ENUMERATED[instance.hash]))
    known = [(instance, result) for instance, result in pairs if result.status is not Status.NO_SOLUTION]
    assert len(known) >= 0.9 * seeds
    return known


@pytest.mark.parametrize(("problem", "solver"), EXACT)
def test_exact_solvers_agree_with_enumeration(problem, solver, random_instance):
    """Status and optimum, infeasibility included."""
    gap = GAPS.get(problem, 1e-6)
    for instance, known in known_optima(random_instance[problem], 40):
        found = solve(instance, solver, gap=gap)
        assert found.status is known.status, (instance.name, found.reason)
        if known.objective is not None:
            assert found.objective == pytest.approx(known.objective, rel=gap, abs=1e-12)
            assert found.bound == pytest.approx(known.objective, rel=gap, abs=1e-9)


@pytest.mark.parametrize(("problem", "solver"), HEURISTIC)
def test_others_are_feasible_and_no_better_than_the_optimum(problem, solver, random_instance):
    """Nor is a bound that they claim worse than it."""
    sign = 1 if FORMULATIONS[problem].sense == "minimise" else -1
    for instance, known in known_optima(random_instance[problem], 60):
        found = solve(instance, solver)
        assert (found.status is Status.INFEASIBLE) == (known.status is Status.INFEASIBLE)
        if known.objective is not None:
            assert found.status.has_decision, (instance.name, found.reason)
            slack = 1e-7 * max(1.0, abs(known.objective))
            assert sign * found.objective >= sign * known.objective - slack
            assert found.bound is None or sign * found.bound <= sign * known.objective + slack


def test_random_placements_are_not_trivial(random_placement):
    """At least 5 % infeasible, and at least 30 % where more places would help."""
    statuses, helped = collections.Counter(), 0
    for seed in range(200):
        instance = random_placement(seed)
        found = solve(instance, "enumeration")
        statuses[found.status] += 1
        if found.objective is not None:
            roomy = replace(instance, device_capacity=instance.device_capacity + 10, cloud_capacity=None)
            helped += solve(roomy, "enumeration").objective < found.objective * (1 - 1e-9)
    assert statuses[Status.INFEASIBLE] >= 10
    assert helped >= 0.3 * statuses[Status.OPTIMAL]


def test_random_associations_are_not_trivial(random_association):
    """In at least 30 % more storage would help, and in at least 5 % foresight does."""
    known = known_optima(random_association, 60)
    roomy = [solve(replace(instance, capacity=3 * instance.capacity)).objective for instance, _ in known]
    myopic = [solve(instance, "myopic").objective for instance, _ in known]
    best = np.array([result.objective for _, result in known])
    assert (np.array(roomy) > best + 1e-9).mean() >= 0.3
    assert (np.array(myopic) < best - 1e-9).mean() >= 0.05


def test_random_embeddings_are_not_trivial(random_embedding):
    """In at least 30 % something is rejected, and in at least 5 % departures make room."""
    known = known_optima(random_embedding, 100)
    rejecting = [None in result.decision.embeddings for _, result in known]
    stay = [replace(one, requests=tuple(replace(r, duration=None) for r in one.requests)) for one, _ in known]
    crowded = [solve(instance, "enumeration").objective for instance in stay]
    best = np.array([result.objective for _, result in known])
    assert np.mean(rejecting) >= 0.3
    assert (np.array(crowded) < best - 1e-9).mean() >= 0.05


def test_random_provisionings_are_not_trivial(random_provisioning):
    """In at least 30 % more places help, in 20 % greed loses, in 5 % who knows the slot decides otherwise."""
    known = known_optima(random_provisioning, 100)
    places = ("leo_capacity", "geo_capacity", "cache_capacity", "server_capacity")
    roomy = [
        solve(replace(one, **{name: getattr(one, name) + one.users for name in places})).objective for one, _ in known
    ]
    greedy = [solve(instance, "greedy").objective for instance, _ in known]
    informed = [solve(replace(instance, information="current")) for instance, _ in known]
    changed = [
        not np.array_equal(found.decision.choice, result.decision.choice)
        for found, (instance, result) in zip(informed, known, strict=True)
        if instance.information == "previous"
    ]
    best = np.array([result.objective for _, result in known])
    assert (np.array(roomy) > best + 1e-9).mean() >= 0.3
    assert (np.array(greedy) < best - 1e-9).mean() >= 0.2
    assert sum(changed) >= 0.05 * len(known)


def test_random_slicings_are_not_trivial(random_slicing):
    """At least 5 % infeasible; in at least 30 % of the others with several users these are in each other's way."""
    statuses, several, crowded = collections.Counter(), 0, 0
    for seed in range(100):
        instance = random_slicing(seed)
        found = solve(instance, "enumeration")
        statuses[found.status] += 1
        if found.objective is not None and len(instance.slices) > 1:
            several += 1
            users = np.arange(len(instance.slices))
            most = np.zeros(len(users))
            for own in Sites.of(instance):
                for n, site in itertools.product(range(instance.subcarriers), range(len(own.node))):
                    alone = worths(instance, users, own.distance_m[:, site], own.snr[n, :, site])
                    most = np.maximum(most, alone)
            crowded += nobody(instance) + most.sum() > found.objective + 1e-6
    assert statuses[Status.INFEASIBLE] >= 5
    assert several >= 50
    assert crowded >= 0.3 * several
