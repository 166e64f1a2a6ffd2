"""The decomposition of slicing brackets what a brute force over powers of a few levels finds."""

import dataclasses
import itertools

import numpy as np
import pytest
from skybound.formulations.slicing.links import nobody, won
from skybound.formulations.slicing.referee import judge
from skybound.formulations.verdict import Verdict
from skybound.instances.slicing import Service, Slicing, SlicingDecision, Weights
from skybound.instances.slicing.presets import generate
from skybound.instances.solution import Status
from skybound.solvers.result import Limits
from skybound.solvers.slicing.cells import Goals
from skybound.solvers.slicing.decomposition import solve_decomposition
from skybound.solvers.slicing.placements import placements
from skybound.solvers.slicing.two_layer import two_layer
from skybound.solvers.solve import solve

LEVELS = (1e-4, 1e-3, 0.03, 1.0)


def _tiny(seed: int, *, side: int | None = None, subcarriers: int = 1) -> Slicing:
    """Three users, two stations and two UAVs, few subcarriers."""
    whole = generate("paper-24" if side else "fixed-24", seed)
    users = np.array([0, 8, 16])
    candidates = whole.uavs.candidates[: side or 2]
    return dataclasses.replace(
        whole,
        slices=("H", "L", "C"),
        subcarriers=subcarriers,
        throughput_ref_bps=50e6,
        users=dataclasses.replace(whole.users, position=whole.users.position[users]),
        stations=dataclasses.replace(whole.stations, gain=whole.stations.gain[users][..., :subcarriers]),
        uavs=dataclasses.replace(whole.uavs, candidates=candidates, fading=whole.uavs.fading[users][..., :subcarriers]),
        satellites=dataclasses.replace(whole.satellites, power_w=np.zeros(0), gain=np.zeros((3, 0, subcarriers))),
        name=f"tiny-{seed}",
        provenance=None,
    )


def _brute_force(instance: Slicing, goals: Goals | None = None) -> float:
    """The best of all services at a few levels of power that reach the goals."""
    budgets = {"station": instance.stations.power_w, "uav": instance.uavs.power_w}
    options: list[Service | None] = [None]
    for layer, budget in budgets.items():
        for v, n, level in itertools.product(range(len(budget)), range(instance.subcarriers), LEVELS):
            options.append(Service(layer, v, n, float(level * budget[v])))
    best = -np.inf
    for candidate in placements(instance):
        for serve in itertools.product(options, repeat=3):
            verdict = judge(instance, SlicingDecision(candidate, serve))
            if verdict.objective is not None and (goals is None or _reaches(verdict, goals)):
                best = max(best, verdict.objective)
    return best


def _reaches(verdict: Verdict, goals: Goals) -> bool:
    """With one user a slice."""
    parts = verdict.parts
    return (parts["coverage"] or 0.0) >= goals.covered and 0.1 - (parts["delay_s"] or 0.0) >= goals.saved_s - 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_brackets_a_brute_force(seed: int) -> None:
    instance = _tiny(seed)
    answer = solve_decomposition(instance, Limits())
    assert answer.decision is not None
    assert answer.bound is not None
    value = judge(instance, answer.decision).objective
    assert value is not None
    assert value <= answer.bound + 1e-9
    assert answer.bound - value <= 1e-4 * abs(value)
    assert _brute_force(instance) <= answer.bound + 1e-9


@pytest.mark.parametrize("goals", [Goals(1, 0.0), Goals(0, 0.0985), Goals(1, 0.09)])
def test_goals_are_reached(goals: Goals) -> None:
    instance = dataclasses.replace(_tiny(2), weights=Weights(1.0, 1e-3, 1e-3))
    answer = solve_decomposition(instance, Limits(), goals)
    assert answer.decision is not None
    assert answer.bound is not None
    verdict = judge(instance, answer.decision)
    assert verdict.objective is not None
    assert _reaches(verdict, goals)
    assert max(verdict.objective, _brute_force(instance, goals)) <= answer.bound + 1e-9


def test_goals_that_cannot_be_reached() -> None:
    assert solve_decomposition(_tiny(2), Limits(), Goals(2, 0.0)).infeasible


@pytest.mark.parametrize("gap", [1e-2, 3e-3, 1e-3])
def test_certified_at_the_papers_size(gap: float) -> None:
    """Who stops at a gap has reached it."""
    result = solve(generate("fixed-24", 0), gap=gap)
    assert result.status is Status.OPTIMAL
    assert result.gap is not None
    assert 0 <= result.gap <= gap


def test_places_of_uavs_are_worth_something() -> None:
    fixed, free = _tiny(1), _tiny(1, side=4)
    free = dataclasses.replace(
        free, uavs=dataclasses.replace(free.uavs, candidates=np.vstack([fixed.uavs.candidates, [[1_500.0, 1_500.0]]]))
    )
    one, other = (solve_decomposition(instance, Limits()) for instance in (fixed, free))
    assert one.decision is not None
    assert other.decision is not None
    assert one.bound is not None
    assert other.bound is not None
    worth = [judge(*pair).objective or 0.0 for pair in ((fixed, one.decision), (free, other.decision))]
    assert worth[1] >= worth[0] - 1e-6
    assert other.bound >= one.bound - 1e-6


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 1e8, 1e15])
@pytest.mark.parametrize("solver", ["decomposition", "zero-prices", "local-search", "enumeration"])
def test_the_unit_of_the_objective_does_not_matter(solver: str, factor: float) -> None:
    """Bounds hold and decisions are as good, whatever the weights are measured in."""
    one = _tiny(1)
    weights = Weights(one.weights.throughput * factor, one.weights.delay * factor, one.weights.coverage * factor)
    known, found = (solve(own, solver) for own in (one, dataclasses.replace(one, weights=weights)))
    assert found.objective == pytest.approx(known.objective * factor, rel=1e-5)
    if known.bound is not None:
        assert found.bound == pytest.approx(known.bound * factor, rel=2e-6)
        assert found.bound >= known.objective * factor * (1 - 1e-9)


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 1e8, 1e15])
@pytest.mark.parametrize("solver", ["milp", "patterns", "cp-sat"])
def test_explicit_models_prove_in_any_unit(solver: str, factor: float) -> None:
    """The same optimum to 1e-4, whatever the weights are measured in."""
    one = generate("paper-24:users=3,side=2", 1)
    weights = Weights(one.weights.throughput * factor, one.weights.delay * factor, one.weights.coverage * factor)
    known = solve(one)
    found = solve(dataclasses.replace(one, weights=weights), solver, gap=1e-4)
    assert found.status is Status.OPTIMAL
    assert found.objective <= known.bound * factor * (1 + 1e-9)
    assert found.bound >= known.objective * factor * (1 - 1e-9)


@pytest.mark.parametrize("weights", [(1e8, 1.0, 1.0), (1.0, 1e9, 1.0), (1e-9, 1.0, 1.0)])
def test_weights_far_apart(weights: tuple[float, float, float]) -> None:
    """Bounds hold for what others find."""
    instance = dataclasses.replace(generate("fixed-24:users=6", 0), weights=Weights(*weights))
    bound = solve(instance, time_limit_s=5.0).bound
    for other in ("zero-prices", "local-search", "load-balancing"):
        assert solve(instance, other).objective <= bound


def test_no_placement_keeps_the_distance() -> None:
    instance = dataclasses.replace(_tiny(0), uav_min_distance_m=1e5)
    assert solve_decomposition(instance, Limits()).infeasible


def test_nobody_is_worth_anything() -> None:
    instance = generate("fixed-24:users=0", 0)
    answer = solve_decomposition(instance, Limits())
    assert answer.bound == 0.0


def test_two_layers_are_bounded_apart_and_lose_against_both_together() -> None:
    for seed in range(3):
        instance = _tiny(seed)
        layers = two_layer(instance, Limits())
        assert layers.decision is not None
        value = judge(instance, layers.decision).objective
        assert value == pytest.approx(layers.first + layers.second)
        assert layers.first <= layers.first_bound + 1e-9
        assert 0 <= layers.second <= layers.second_bound + 1e-9
        joint = solve_decomposition(instance, Limits())
        assert joint.bound is not None
        assert value is not None
        assert value <= joint.bound + 1e-9


def test_whom_stations_win_nothing_with_is_left_to_the_sky() -> None:
    """Here stations serve a user with no power, whom a UAV can do something for."""
    layers = two_layer(generate("fixed-24:weights=1/0/1", 1), Limits(gap=1e-3))
    assert layers.second == pytest.approx(0.1046, abs=1e-3)


def test_what_users_win_sums_to_the_objective(random_slicing) -> None:
    for seed in range(40):
        instance = random_slicing(seed)
        decision = solve(instance, "load-balancing").decision
        if decision is not None:
            value = nobody(instance) + won(instance, decision).sum()
            assert judge(instance, decision).objective == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_several_users_of_a_node_on_a_subcarrier(seed):
    """The bound with reuse is no less than the decision without, and than any pair of users on one subcarrier."""
    single = _tiny(seed)
    several = dataclasses.replace(single, intra_cell_reuse=True)
    one, many = (solve_decomposition(own, Limits(gap=1e-4)) for own in (single, several))
    value = judge(several, many.decision).objective
    assert judge(single, one.decision).objective <= value + 1e-9 <= many.bound + 2e-9
    assert value >= _brute_force(several) - 1e-4 * abs(value)
    assert many.bound <= value + 2e-4 * abs(value)


def test_reuse_at_the_papers_size_is_bounded_in_time():
    """The search goes on from the prices without reuse, so it ends in time, and reuse brings next to nothing."""
    instance = generate("fixed-24:reuse=yes", 0)
    found = solve(instance, time_limit_s=60.0, gap=2e-3)
    assert found.status is Status.OPTIMAL
    assert found.bound <= 1.003 * solve(generate("fixed-24", 0), gap=1e-3).objective


def test_limits_are_kept_where_patterns_are_many() -> None:
    """With reuse a subcarrier has too many patterns to look at; what is left of the time is looked at all along."""
    found = solve(generate("reuse-48", 0), time_limit_s=3.0)
    assert found.runtime_s <= 9.0  # on a busy machine
    assert found.objective is not None
    assert found.bound is not None


def test_what_prices_alone_leave_open() -> None:
    """Prices leave a gap of 0.2 %, as links of a subcarrier hinder each other; planes above their worth close it."""
    found = solve(generate("fixed-30", 9), time_limit_s=60.0, gap=1e-3)
    assert found.gap is not None
    assert found.gap <= 1e-3


@pytest.mark.parametrize("seed", [127, 231, 305, 20065])
def test_powers_that_are_either_or(seed, random_slicing):
    """Links that are worth much or little power but nothing between: prices and planes alone leave gaps of 4-22 %."""
    found = solve(random_slicing(seed), time_limit_s=20)
    assert found.gap <= 1e-5
