"""The referee of association, on the case worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.association.referee import data, judge
from skybound.instances.association import AssociationDecision

BEST = [[0, 0, 0, 0], [0, 1, 1, 0], [0, 2, 1, 1], [1, 0, 0, 0], [1, 1, 0, 1], [1, 2, 1, 1]]


def test_the_worked_case(worked_association):
    """Data 4, 1 (heard over satellite 0 at half strength: SINR 15 / 5), 5, 4.5, 2 and 4; storage 12, 16, then 8, 10."""
    decision = AssociationDecision(BEST)
    assert data(worked_association, decision.links) == pytest.approx([4, 1, 5, 4.5, 2, 4])
    verdict = judge(worked_association, decision)
    assert verdict.violations == ()
    assert verdict.parts["utility"] == pytest.approx(0.7 * 20.5)
    assert verdict.parts["storage"] == pytest.approx(2.4 * (4 / 12 + 6 / 16 + 6.5 / 8 + 4 / 10))
    assert verdict.objective == pytest.approx(9.74)


def test_nothing_is_worth_nothing(worked_association):
    verdict = judge(worked_association, AssociationDecision(np.zeros((0, 4), np.int64)))
    assert (verdict.objective, verdict.violations) == (0.0, ())


def test_a_window_that_ends_still_disturbs(worked_association):
    """Valid time shortens what is sent, not what is heard."""
    windows = replace(worked_association.windows, valid_s=[0.0, 0.0, *worked_association.windows.valid_s[2:]])
    deaf = replace(worked_association, windows=windows)
    assert data(deaf, np.array(BEST[:2])) == pytest.approx([0, 1])


@pytest.mark.parametrize(
    ("links", "constraint", "place", "amount"),
    [
        ([[0, 1, 0, 0]], "window", "slot 0, satellite 1, station 0", 1),
        ([[0, 0, 0, 0], [0, 0, 1, 1]], "one link a satellite", "slot 0, satellite 0", 1),
        ([[0, 0, 1, 0], [0, 1, 1, 0], [0, 2, 1, 0]], "one link a channel", "slot 0, station 1, channel 0", 2),
        ([[0, 0, 0, 0], [0, 0, 0, 0]], "one link a satellite", "slot 0, satellite 0", 1),
    ],
)
def test_what_is_violated_is_named(worked_association, links, constraint, place, amount):
    verdict = judge(worked_association, AssociationDecision(links))
    assert (verdict.objective, verdict.parts) == (None, {"utility": None, "storage": None})
    found = {(v.constraint, v.place): v.amount for v in verdict.violations}
    assert found[constraint, place] == amount


def test_storage_must_stay_positive(worked_association):
    """Station 0 takes 4, then 6.5; 10.5 would leave it nothing, 10.4 less than that."""
    for capacity, amount in ((10.5, 0.0), (10.4, 0.1)):
        verdict = judge(replace(worked_association, capacity=[capacity, 16.0]), AssociationDecision(BEST))
        (violation,) = verdict.violations
        assert (violation.constraint, violation.place) == ("storage", "station 0 after slot 1")
        assert violation.amount == pytest.approx(amount, abs=1e-12)
    assert judge(replace(worked_association, capacity=[10.6, 16.0]), AssociationDecision(BEST)).feasible


def test_a_station_without_storage_carries_no_link(worked_association):
    windows = replace(worked_association.windows, valid_s=np.zeros(7))
    none = replace(worked_association, capacity=[0.0, 16.0], windows=windows)
    (violation,) = judge(none, AssociationDecision([[0, 0, 0, 0]])).violations
    assert (violation.constraint, violation.place, violation.amount) == ("storage", "station 0 has none", 1.0)
    assert judge(none, AssociationDecision([[0, 0, 1, 0]])).objective == 0.0
