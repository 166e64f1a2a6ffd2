"""Deciding on estimated channels."""

import numpy as np
import pytest
from skybound.evaluation.contestants import contestant
from skybound.formulations.association.referee import judge
from skybound.instances.association.presets import generate
from skybound.instances.errors import InputError
from skybound.solvers.association.imperfect_csi import estimated
from skybound.solvers.solve import solve


def test_the_estimate_has_the_stated_error():
    """In amplitude, relative to the channel, and the same each time."""
    instance = generate("fading", 0)
    seen = estimated(instance, 0.2)
    assert np.array_equal(seen.windows.gain, estimated(instance, 0.2).windows.gain)
    ratio = seen.windows.gain / instance.windows.gain
    assert ratio.mean() == pytest.approx(1 + 0.2**2, abs=0.01)
    assert np.array_equal(estimated(instance, 0.0).windows.gain, instance.windows.gain)


@pytest.mark.parametrize("solver", ["greedy", "myopic", "decomposition"])
def test_without_error_nothing_changes_but_what_is_claimed(solver):
    instance = generate("headline:slots=4", 1)
    blind, seeing = solve(instance, f"csi:0:{solver}"), solve(instance, solver)
    assert blind.objective == pytest.approx(seeing.objective, rel=1e-9)
    assert blind.bound is None
    assert blind.status == "feasible"


def test_an_error_costs_something_and_stays_feasible():
    instance = generate("headline:slots=8", 2)
    values = [solve(instance, f"csi:{error}:decomposition").objective for error in (0.0, 0.5)]
    assert values[1] < values[0]


@pytest.mark.parametrize("seed", range(20))
def test_links_that_do_not_fit_are_dropped(seed, random_association):
    """Stations that would run full by the true channels still get a feasible decision."""
    instance = random_association(seed)
    found = solve(instance, "csi:2:myopic")
    assert judge(instance, found.decision).objective == found.objective


@pytest.mark.parametrize("name", ["csi:x:greedy", "csi:-1:greedy", "csi:0.1", "csi:inf:greedy", "csi:0.1:nobody"])
def test_other_names_are_refused(name):
    with pytest.raises(InputError):
        solve(generate("paper:slots=1", 0), name)
    with pytest.raises(InputError):
        contestant("association", name)
