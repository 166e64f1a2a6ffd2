"""Rules, and management of a part."""

import numpy as np
import pytest
from skybound.formulations.provisioning.rewards import rewards
from skybound.instances.errors import InputError
from skybound.instances.provisioning.presets import generate
from skybound.solvers.solve import solve


def test_rules_by_hand(worked_provisioning):
    """Greedy user 0 takes the pair, then its server; in slot 1 it takes the hit and the slow server, which pays 4."""
    greedy = solve(worked_provisioning, "greedy").decision.choice.tolist()
    assert greedy == [[[0, 0, -1, 0], [-1, -1, 0, -1]], [[-1, -1, 0, 0], [-1, -1, -1, -1]]]
    first = solve(worked_provisioning, "best-first").decision.choice.tolist()
    assert first == [[[0, 0, -1, 0], [-1, -1, 0, -1]], [[-1, -1, 0, -1], [-1, -1, -1, 0]]]
    fixed = solve(worked_provisioning, "fixed")
    assert fixed.decision.choice.tolist() == [[[0, 0, 0, 0], [-1, -1, -1, -1]]] * 2
    assert fixed.objective == pytest.approx(156 - 12 + 19 - 24 + 18 + 4)


def test_fixed_counts_from_the_users_number_on():
    choice = solve(generate("tight:slots=1,capacities=20/20/20/20,resources=0/0/3/4", 0), "fixed").decision.choice[0]
    assert (choice[:, 2] == np.arange(20) % 3).all()
    assert (choice[:, 3] == np.arange(20) % 4).all()


def test_parts_are_managed_one_by_one():
    instance = generate("tight:slots=10", 1)
    best, fixed = solve(instance), solve(instance, "fixed")
    for part in best.parts:
        managed = solve(instance, f"managed:{part}")
        for other in best.parts:
            assert managed.parts[other] == pytest.approx((best if other == part else fixed).parts[other])
    unified = solve(instance, "managed:transmission+caching+computing")
    assert unified.objective == pytest.approx(best.objective)
    assert unified.bound is None


@pytest.mark.parametrize("name", ["managed:", "managed:cooking", "managed:caching+caching"])
def test_parts_that_there_are_not_are_refused(worked_provisioning, name):
    with pytest.raises(InputError, match="must be managed:PART"):
        solve(worked_provisioning, name)


def test_only_provisioning_is_managed(worked):
    with pytest.raises(InputError, match="must be managed:PART"):
        solve(worked, "managed:caching")


def test_random_takes_only_pairs_that_cover():
    instance = generate("tight:slots=10", 2)
    choice = solve(instance, "random", seed=1).decision.choice
    t, u = np.nonzero(choice[..., 0] >= 0)
    assert instance.covered[t, u, choice[t, u, 0]].all()
    assert (rewards(instance).computing[t, u, choice[t, u, 3]] < 0).any()
    assert (solve(instance, "random", seed=2).decision.choice != choice).any()
