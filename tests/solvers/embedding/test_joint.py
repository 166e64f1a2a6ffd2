"""The bound on O, against all decisions of tiny instances."""

from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.embedding.referee import judge
from skybound.instances.embedding.presets import generate
from skybound.learned.embedding.environment import EmbeddingEnvironment
from skybound.solvers.embedding.joint import joint_bound
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


def test_a_request_alone_comes_to_the_bound(worked_embedding):
    """Two nodes on two linked hosts: 18 / 16 + 1 + 1."""
    alone = replace(worked_embedding, requests=worked_embedding.requests[:1], cost_weight=0.0)
    assert joint_bound(alone) == pytest.approx(18 / 16 + 2)
    assert judge(alone, solve(alone, "enumeration").decision).measures["O"] == pytest.approx(18 / 16 + 2)


def test_the_bound_holds_for_rules_on_traces():
    instance = generate("paper:requests=60", 0)
    for name in ("greedy", "nrm", "per-request"):
        assert judge(instance, solve(instance, name).decision).measures["O"] < joint_bound(instance)
