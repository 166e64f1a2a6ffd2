"""The bound on O, against all decisions of tiny instances."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.embedding.referee import judge
from skybound.instances.embedding import EmbeddingDecision
from skybound.instances.embedding.instance import admitted
from skybound.instances.embedding.presets import generate
from skybound.instances.errors import InputError
from skybound.learned.embedding.environment import EmbeddingEnvironment
from skybound.solvers.embedding.enumeration import _options
from skybound.solvers.embedding.joint import joint_bound, solve_joint
from skybound.solvers.solve import solve


def test_no_decision_exceeds_the_bound(random_embedding):
    """Random plays of tiny instances, and the optimum; some come near."""
    nearest = np.inf
    for seed in range(60):
        instance = random_embedding(seed)
        bound = joint_bound(instance)
        if bound is None:
            assert instance.horizon is None
            continue
        environment, rng = EmbeddingEnvironment([instance], stepwise=True), np.random.default_rng(seed)
        environment.reset(np.zeros(10, np.int64))
        while not environment.over.all():
            mask = environment.mask
            environment.step(np.where(mask, rng.random(mask.shape), -1).argmax(1))
        decisions = [environment.decision(b) for b in range(10)] + [solve(instance, "enumeration").decision]
        for decision in decisions:
            found = judge(instance, decision).measures["O"]
            if found is not None:
                assert found <= bound + 1e-9
                nearest = min(nearest, bound / found - 1)
    assert nearest < 0.02


def every_joint(instance):
    """O of all sets of embeddings of a tiny instance."""
    nodes, links = instance.substrate.nodes, instance.substrate.links
    capacity = np.concatenate([nodes.cpu, nodes.storage, links.bandwidth])
    most = admitted(capacity)
    options = [[None, *_options(instance, request, most)] for request in instance.requests]
    for chosen in itertools.product(*options):
        decision = EmbeddingDecision(tuple(None if one is None else one[2] for one in chosen))
        verdict = judge(instance, decision)
        if verdict.feasible and verdict.measures["O"] is not None:
            yield verdict.measures["O"]


def test_the_most_of_tiny_traces_is_found(random_embedding):
    """By floors under the ratio and by trying all; in some the best revenue is not the best O."""
    compared = 0
    for seed in range(300):
        instance = random_embedding(seed)
        few = instance.horizon is not None and 1 < len(instance.requests) < 4 and len(instance.substrate.nodes) < 5
        if not few or instance.colocate:
            continue
        best = max(every_joint(instance), default=None)
        found = solve_joint(instance, gap=1e-6)
        if best is None:
            assert found.value is None
            continue
        assert found.value == pytest.approx(best, rel=2e-6), seed
        assert best * (1 - 1e-12) <= found.bound <= best * (1 + 2e-6) + 1e-6
        assert judge(instance, found.decision).measures["O"] == pytest.approx(found.value)
        compared += 1
    assert compared >= 8


def test_what_has_no_horizon_is_named(worked_embedding):
    with pytest.raises(InputError, match="horizon"):
        solve_joint(replace(worked_embedding, horizon=None))


def test_a_request_alone_comes_to_the_bound(worked_embedding):
    """Two nodes on two linked hosts: 18 / 16 + 1 + 1."""
    alone = replace(worked_embedding, requests=worked_embedding.requests[:1], cost_weight=0.0)
    assert joint_bound(alone) == pytest.approx(18 / 16 + 2)
    assert judge(alone, solve(alone, "enumeration").decision).measures["O"] == pytest.approx(18 / 16 + 2)


def test_the_bound_holds_for_rules_on_traces():
    instance = generate("paper:requests=60", 0)
    for name in ("greedy", "nrm", "per-request"):
        assert judge(instance, solve(instance, name).decision).measures["O"] < joint_bound(instance)
