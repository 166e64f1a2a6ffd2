"""The constraint model of association."""

from dataclasses import replace

import pytest
from skybound.formulations.association.cpsat import build
from skybound.instances.association.presets import generate
from skybound.instances.solution import Status
from skybound.solvers.solve import solve


def test_a_model_of_the_papers_size_is_valid():
    """Its integers stay within what CP-SAT takes."""
    assert build(generate("paper:slots=6", 0)).native.validate() == ""
    assert build(generate("steep:slots=30", 1)).native.validate() == ""


@pytest.mark.parametrize("solver", ["milp", "cp-sat"])
def test_data_that_earn_nothing_are_not_stored(solver):
    """Storage still costs, so the optimum is 0."""
    instance = replace(generate("headline:slots=2,satellites=20", 0), utility_weight=0.0)
    found = solve(instance, solver)
    assert (found.status, found.objective) == (Status.OPTIMAL, 0.0)
