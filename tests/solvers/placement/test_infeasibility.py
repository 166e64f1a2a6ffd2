"""Why there is no placement."""

import re
from dataclasses import replace

import numpy as np
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
    assert explained(poor) == "2 users (2, 4) have only device 0, the cloud to be on, with 1 place"


def test_names_a_user_without_hosts(worked):
    alone = worked.uplink_bps.copy()
    alone[2] = 0.0
    cut_off = replace(worked, uplink_bps=alone, user_satellite_bps=[2e7, 2e7, 0.0, 2e7, 2e7])
    assert explained(cut_off) == "user 2 has no possible host"


def test_names_nobody_who_can_be_at_home(worked):
    """Users 1 and 2 alone have no home, and the cloud has the only place."""
    scarce = replace(worked, local_cps=[1e9, 0.0, 0.0, 8e9, 5e8], device_capacity=[0, 0], cloud_capacity=1)
    assert explained(scarce) == "2 users (1, 2) have only device 0, device 1, the cloud to be on, with 1 place"


def test_names_nobody_whose_host_has_room(worked):
    """Users 2 and 4 share the one place of device 0; user 0 has device 1 for itself."""
    uplink = [[0.0, 8e7], [4e7, 4e7], [8e7, 0.0], [0.0, 4e7], [8e7, 0.0]]
    scarce = replace(
        worked, local_cps=[0.0, 1e9, 0.0, 8e9, 0.0], device_capacity=[1, 1], cloud_capacity=0, uplink_bps=uplink
    )
    assert explained(scarce) == "2 users (2, 4) have only device 0, the cloud to be on, with 1 place"


@pytest.mark.parametrize("seed", range(60))
def test_agrees_with_the_solver(seed, random_placement):
    """Whatever is explained is true: the users named have no home, and fewer places than there are of them."""
    instance = random_placement(seed)
    result = solve(instance)
    if result.status is Status.INFEASIBLE:
        who, _, rest = result.reason.partition(" ha")
        users = [int(number) for number in re.findall(r"\d+", who.partition("(")[2] or who)]
        places = int(rest.split()[-2]) if "with" in rest else 0
        assert not np.isfinite(instance.local_s[users]).any()
        assert len(users) > places
