"""Moves, swaps and selfish answers."""

import numpy as np
import pytest
from skybound.formulations.placement.referee import judge
from skybound.instances.placement import PlacementDecision
from skybound.instances.problems import generate
from skybound.solvers.placement.batch import Costs
from skybound.solvers.placement.local_search import descend
from skybound.solvers.solve import solve


def neighbours(host, instance):
    for i in range(len(host)):
        for to in range(instance.devices + 2):
            moved = host.copy()
            moved[i] = to
            yield moved
        for k in range(i):
            swapped = host.copy()
            swapped[[i, k]] = host[[k, i]]
            yield swapped


@pytest.mark.parametrize("preset", ["congested", "congested-optimal"])
def test_descent_ends_where_no_move_or_swap_helps(preset):
    for seed in range(5):
        instance = generate("placement", preset, seed)
        begin = solve(instance, "random", seed=seed)
        host = descend(Costs.of([instance]), begin.decision.host)
        reached = judge(instance, PlacementDecision(host)).objective
        assert reached < begin.objective
        for other in neighbours(host, instance):
            value = judge(instance, PlacementDecision(other)).objective
            assert value is None or value >= reached * (1 - 1e-9)


@pytest.mark.parametrize("preset", ["congested", "congested-optimal"])
def test_selfish_users_have_no_better_answer(preset):
    """Own delay under even sharing is transmission plus n mu D / F, under optimal sharing it weighs sqrt(mu D)."""
    for seed in range(5):
        instance = generate("placement", preset, seed)
        host = solve(instance, "best-response").decision.host
        root = np.sqrt(instance.work_cycles)

        def own(user, at, host=host, instance=instance, root=root):
            if at in (0, instance.cloud):
                return instance.local_s[user] if at == 0 else instance.cloud_s[user]
            others = (host == at) & (np.arange(len(host)) != user)
            if instance.share == "even":
                compute = instance.work_cycles[user] * (others.sum() + 1) / instance.device_cps[at - 1]
            else:
                compute = root[user] * (root[others].sum() + root[user]) / instance.device_cps[at - 1]
            return instance.transmit_s[user, at - 1] + compute

        count = np.bincount(host, minlength=instance.devices + 2)
        places = [instance.users, *instance.device_capacity, instance.cloud_places]
        for user in range(instance.users):
            for at in range(instance.devices + 2):
                if at != host[user] and count[at] < places[at]:
                    assert own(user, at) >= own(user, host[user]) * (1 - 1e-9)
