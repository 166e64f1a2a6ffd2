"""The explicit routes on the preset that each of them proves."""

import pytest
from skybound.instances.problems import generate
from skybound.solvers.solve import solve

ROUTES = ("milp", "cp-sat", "column-generation")


def proven(seed):
    """Optima of one instance by every route."""
    instance = generate("embedding", "tiny", seed)
    results = [solve(instance, route, time_limit_s=300) for route in ROUTES]
    assert all(result.status == "optimal" for result in results)
    return instance, [result.objective for result in results]


@pytest.mark.parametrize("seed", [1, 5, 8])
def test_tiny_is_proven_by_every_explicit_route(seed):
    """Their optima agree, and capacities bind."""
    instance, objectives = proven(seed)
    assert objectives == pytest.approx([objectives[0]] * len(ROUTES), rel=1e-6)
    assert objectives[0] < sum(request.revenue for request in instance.requests)


@pytest.mark.slow
def test_ten_seeds_of_tiny_are_proven_and_most_bind():
    """Nine of ten reject a request."""
    rejecting = 0
    for seed in range(10):
        instance, objectives = proven(seed)
        assert objectives == pytest.approx([objectives[0]] * len(ROUTES), rel=1e-6)
        rejecting += objectives[0] < sum(request.revenue for request in instance.requests)
    assert rejecting == 9
