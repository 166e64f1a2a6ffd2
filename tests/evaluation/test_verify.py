"""Solutions held against the referee."""

from dataclasses import replace

import pytest
from skybound.evaluation.verify import verify
from skybound.instances.embedding import EmbeddingDecision
from skybound.instances.placement import PlacementDecision
from skybound.instances.solution import Solution, Status


@pytest.fixture
def solution():
    decision = PlacementDecision([2, 3, 1, 0, 1])
    return Solution("placement", "worked", Status.OPTIMAL, "by hand", 1.302, 1.302, decision)


def test_a_right_solution_passes(worked, solution):
    report = verify(worked, solution)
    assert report.passed
    assert report.objective == pytest.approx(1.302)
    assert report.violations == ()


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"objective": 1.2}, "stated objective"),
        ({"bound": 1.4}, "stated bound"),
        ({"bound": 1.0}, "stated status"),
        ({"bound": None}, "stated status"),
        ({"decision": PlacementDecision([2, 3, 0, 0, 1])}, "possible host"),
        ({"decision": PlacementDecision([2, 2, 1, 0, 1])}, "capacity"),
    ],
)
def test_what_is_wrong_is_named(worked, solution, change, constraint):
    report = verify(worked, replace(solution, **change))
    assert not report.passed
    assert constraint in [violation.constraint for violation in report.violations]


def test_what_else_the_paper_reports_comes_with_it(worked_embedding):
    """Nothing is accepted: no revenue, and no ratio to no cost."""
    report = verify(worked_embedding, EmbeddingDecision((None,) * len(worked_embedding.requests)))
    assert report.measures == {"AR": 0.0, "R/C": None, "ACR": 0.0, "O": None, "normalised O": None}
    assert report.to_json()["measures"] == report.measures


def test_a_feasible_status_needs_no_bound(worked, solution):
    assert verify(worked, replace(solution, status=Status.FEASIBLE, bound=None)).passed


def test_without_a_decision_there_is_nothing_to_pass(worked, solution):
    none = replace(solution, status=Status.INFEASIBLE, objective=None, bound=None, decision=None)
    report = verify(worked, none)
    assert (report.feasible, report.objective, report.passed) == (None, None, False)
