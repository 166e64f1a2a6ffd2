"""A hundred small instances a problem: the explicit models against enumeration."""

import pytest
from skybound.formulations.problems import FORMULATIONS
from skybound.instances.solution import Status
from skybound.solvers.claims import beats
from skybound.solvers.solve import solve

pytestmark = pytest.mark.slow
MODELS = {
    "placement": ("milp", "cp-sat"),
    "association": ("milp", "cp-sat"),
    "embedding": ("milp", "cp-sat"),
    "provisioning": ("milp", "cp-sat"),
    "slicing": ("milp", "patterns", "cp-sat"),
}
GAPS = {"slicing": 1e-4}  # powers are continuous


@pytest.mark.parametrize(("problem", "solver"), [(problem, name) for problem, own in MODELS.items() for name in own])
def test_explicit_models_agree_with_enumeration(problem, solver, random_instance):
    """Status, optimum and bound, infeasibility included."""
    gap, compared = GAPS.get(problem, 1e-6), 0
    maximise = FORMULATIONS[problem].sense == "maximise"
    for seed in range(110):
        instance = random_instance[problem](seed)
        known = solve(instance, "enumeration")
        if known.status is Status.NO_SOLUTION:  # too many decisions
            continue
        found = solve(instance, solver, gap=gap)
        assert found.status is known.status, (seed, found.reason)
        if known.objective is not None:
            assert found.objective == pytest.approx(known.objective, rel=gap, abs=1e-9), seed
            assert not beats(known.objective, found.bound, maximise=maximise, tolerance=1e-7), seed
        compared += 1
    assert compared >= 100
