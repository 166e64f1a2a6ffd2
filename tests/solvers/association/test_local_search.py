"""Descent by links."""

import numpy as np
import pytest
from skybound.formulations.association.referee import judge
from skybound.instances.association import AssociationDecision
from skybound.instances.problems import generate
from skybound.solvers.association.local_search import climb
from skybound.solvers.solve import solve


def changes(instance, links):
    """Every channel offered to every satellite with a window there, and to none."""
    windows = instance.windows
    for t, j in np.ndindex(instance.slots, instance.stations):
        seen = windows.satellite[(windows.slot == t) & (windows.station == j)].tolist()
        for k in range(instance.channels):
            here = (links[:, [0, 2, 3]] == (t, j, k)).all(1)
            loser = links[here, 1].tolist()
            for taker in [-1, *seen]:
                there = (links[:, 0] == t) & (links[:, 1] == taker)
                rest, own = links[~here & ~there], links[there]
                taken = [] if taker < 0 else [[t, taker, j, k]]
                yield np.array([*rest.tolist(), *taken], np.int64).reshape(-1, 4)
                if loser and len(own):
                    yield np.array([*rest.tolist(), *taken, [t, loser[0], *own[0, 2:]]], np.int64)


@pytest.mark.parametrize("seed", range(30))
def test_ends_where_no_change_is_better(seed, random_association):
    instance = random_association(seed)
    begin = solve(instance, "random", seed=seed).decision.links
    links = climb(instance, begin)
    reached = judge(instance, AssociationDecision(links)).objective
    assert reached >= judge(instance, AssociationDecision(begin)).objective
    for other in changes(instance, links):
        value = judge(instance, AssociationDecision(other)).objective
        assert value is None or value <= reached + 1e-9 * max(1.0, abs(reached))


def test_comes_closer_than_the_rule_that_it_begins_with():
    for seed in range(3):
        instance = generate("association", "headline", seed)
        optimum = solve(instance).objective
        rule, found = (solve(instance, name).objective for name in ("load-aware", "local-search"))
        assert optimum - found < (optimum - rule) / 2
