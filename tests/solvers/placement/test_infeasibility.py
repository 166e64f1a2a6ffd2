"""Why there is no placement."""

from dataclasses import replace

import pytest
from skybound.instances.solution import Status
from skybound.solvers.placement.infeasibility import explained
from skybound.solvers.solve import solve


def test_names_users_with_too_few_places(worked):
    """Users 2 and 4 reach device 0 only, which has one place, once the cloud is closed."""
    uplink = worked.uplink_bps.copy()
    uplink[2, 1] = 0.0
    poor = replace(
        worked, local_cps=[1e9, 1e9, 0.0, 8e9, 0.0], device_capacity=[1, 1], cloud_capacity=0, uplink_bps=uplink
    )
    assert solve(poor).status is Status.INFEASIBLE
    assert explained(poor) == "2 users (2, 4) have only device 0, the cloud to be on, with 1 places"


def test_names_a_user_without_hosts(worked):
    alone = worked.uplink_bps.copy()
    alone[2] = 0.0
    cut_off = replace(worked, uplink_bps=alone, user_satellite_bps=[2e7, 2e7, 0.0, 2e7, 2e7])
    assert explained(cut_off) == "user 2 has no possible host"


@pytest.mark.parametrize("seed", range(60))
def test_agrees_with_the_solver(seed, random_placement):
    """Whatever is explained is true: the users named have fewer places than there are of them."""
    instance = random_placement(seed)
    result = solve(instance)
    if result.status is Status.INFEASIBLE:
        assert "only" in result.reason or "no possible host" in result.reason
