"""Controllers of domains."""

import numpy as np
import pytest
from skybound.instances.errors import InputError
from skybound.instances.provisioning.presets import generate
from skybound.solvers.provisioning.domains import _domain
from skybound.solvers.solve import solve


def test_one_domain_is_a_global_controller():
    instance = generate("tight:slots=10", 0)
    best = solve(instance)
    for name in ("decomposition", "best-first"):
        assert solve(instance, f"domains:1:{name}").objective == pytest.approx(solve(instance, name).objective)
    assert solve(instance, "domains:1:decomposition").bound is None
    losses = [best.objective - solve(instance, f"domains:{count}:decomposition").objective for count in (1, 2, 5, 20)]
    assert losses[0] == pytest.approx(0, abs=1e-6)
    assert losses[1] > 0
    assert losses == sorted(losses)


def test_domains_share_everything_out():
    instance = generate("paper:slots=1,users=7", 0)
    parts = [_domain(instance, np.arange(d, 7, 3), d, 3) for d in range(3)]
    assert [part.users for part in parts] == [3, 2, 2]
    for k, capacity in enumerate(instance.capacities):
        shares = np.array([part.capacities[k] for part in parts])
        assert (shares.sum(0) == capacity).all()
        assert (np.ptp(shares, 0) <= 1).all()
        assert np.ptp(shares.sum(1)) <= 1


def test_there_are_no_more_domains_than_users(worked_provisioning):
    assert solve(worked_provisioning, "domains:9:decomposition").status.has_decision


@pytest.mark.parametrize("name", ["domains:2", "domains:0:greedy", "domains:x:greedy", "domains:-1:greedy"])
def test_domains_must_be_counted(worked_provisioning, name):
    with pytest.raises(InputError, match="must be domains:COUNT:SOLVER"):
        solve(worked_provisioning, name)


def test_only_provisioning_has_domains(worked):
    with pytest.raises(InputError, match="must be domains:COUNT:SOLVER"):
        solve(worked, "domains:2:greedy")
