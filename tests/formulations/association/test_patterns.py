"""Co-channel patterns."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from skybound.formulations.association.milp import build
from skybound.formulations.association.patterns import (
    groups_of,
    kinds_of_channels,
    links_of,
    patterns_of,
    used_patterns,
)
from skybound.formulations.association.referee import loads
from skybound.instances.association import AssociationDecision
from skybound.instances.problems import generate
from skybound.solvers.solve import solve


@pytest.mark.parametrize("seed", range(30))
def test_loads_are_the_referees(seed, random_association):
    """Each pattern alone on a channel."""
    instance = random_association(seed)
    kinds = kinds_of_channels(instance)
    for group in groups_of(instance):
        table = patterns_of(instance, group, kinds)
        for (p, link), k in product(enumerate(table.link), range(kinds)):
            links = np.array([(group.slot, i, j, k) for j, i in enumerate(link) if i >= 0], np.int64).reshape(-1, 4)
            assert table.load[k, p] == pytest.approx(loads(instance, links)[group.slot])
            assert {int(group.satellites[i]) for i in range(10) if table.mask[p] >> i & 1} == {
                i for i in link if i >= 0
            }


def test_patterns_are_all_matchings(worked_association):
    """Slot 0: satellite 0 reaches both stations, 1 and 2 reach station 1: 2 x 4 pairs of options, less (0, 0)."""
    groups = groups_of(worked_association)
    assert [group.slot for group in groups] == [0, 1, 1]
    table = patterns_of(worked_association, groups[0], 2)
    assert len({tuple(row) for row in table.link.tolist()}) == len(table.link) == 2 * 4 - 1
    assert table.link[0].tolist() == [-1, -1]


def test_without_interference_a_slot_is_an_assignment(worked_association):
    """Slot 0 of 4 links, each station with two channels; its patterns are the links."""
    groups = groups_of(worked_association)
    table = patterns_of(worked_association, groups[0], 2, single=True)
    assert (table.link >= 0).sum(1).tolist() == [0, 1, 1, 1, 1]
    assert [table.link[own, j].tolist() for j, own in enumerate(table.exclusive())] == [[0], [0, 1, 2]]


def test_the_model_of_an_assignment_is_small():
    """A variable a window and kind of channel, however many satellites a group sees."""
    instance = replace(generate("association", "headline", 0), isolation=0.0)
    windows = instance.windows
    model = build(instance)
    assert len(model.y) == (windows.valid_s > 0).sum()
    assert len(model.y) < len(build(replace(instance, isolation=0.05)).y) / 5


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("isolation", [None, 0.0])
def test_links_come_back_from_their_patterns(seed, isolation, random_association):
    """What a decision stores, and nothing of links that store nothing."""
    instance = random_association(seed)
    if isolation is not None:
        instance = replace(instance, isolation=isolation)
    kinds, groups = kinds_of_channels(instance), groups_of(instance)
    tables = [patterns_of(instance, group, kinds, single=isolation == 0) for group in groups]
    for solver in ("greedy", "random"):
        links = solve(instance, solver).decision.links
        back = links_of(instance, groups, tables, used_patterns(groups, tables, links))
        assert np.allclose(loads(instance, back), loads(instance, links))


def test_a_start_may_have_links_that_store_nothing(worked_association):
    windows = replace(worked_association.windows, valid_s=[0.0, *worked_association.windows.valid_s[1:]])
    instance = replace(worked_association, windows=windows)
    start = AssociationDecision([[0, 0, 0, 0], [1, 0, 0, 0]])
    for solver in ("milp", "cp-sat", "decomposition"):
        assert solve(instance, solver, start=start).status.has_decision
