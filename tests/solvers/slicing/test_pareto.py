"""The front of slicing: every point is proven, and measures of fronts are right by hand."""

import dataclasses
import itertools

import numpy as np
import pytest
from skybound.formulations.slicing.referee import judge
from skybound.instances.slicing import Service, SlicingDecision
from skybound.instances.slicing.instance import LAYERS
from skybound.solvers.result import Limits
from skybound.solvers.slicing.pareto import Front, hypervolume, undominated
from skybound.solvers.slicing.placements import placements

SHARES = (0.05, 0.4, 1.0)


def everything(instance):
    """What all decisions over some powers reach, shape (decisions, 3)."""
    options = [None]
    for layer, budget in zip(LAYERS, instance.budgets_w, strict=True):
        for v, n, share in itertools.product(range(len(budget)), range(instance.subcarriers), SHARES):
            options.append(Service(layer, v, n, share * float(budget[v])))
    reached = []
    for candidate in placements(instance):
        for serve in itertools.product(options, repeat=len(instance.slices)):
            verdict = judge(instance, SlicingDecision(candidate, serve))
            if not verdict.violations:
                reached.append([verdict.parts[name] for name in ("throughput_bps", "delay_s", "coverage")])
    return np.array(reached, float)


def test_no_decision_is_beyond_the_bounds(random_slicing):
    compared = 0
    for seed in range(60):
        instance = random_slicing(seed)
        ways = len(placements(instance)) * (1 + 3 * sum(instance.nodes) * instance.subcarriers) ** len(instance.slices)
        if not {"H", "L"} <= set(instance.slices) or not 0 < ways <= 5_000:
            continue
        instance = dataclasses.replace(instance, sinr_threshold=max(instance.sinr_threshold, 0.1))
        best = everything(instance)
        front = Front(instance, Limits(gap=1e-3, time_limit_s=5.0))
        front.search()
        for point in front.points():
            own = best[(best[:, 2] >= point.coverage - 1e-9) & (best[:, 1] <= point.delay_s * (1 + 1e-9))]
            assert not len(own) or own[:, 0].max() <= point.throughput_bound_bps + 1.0
            if point.decision is None:
                continue
            parts = judge(instance, point.decision).parts
            np.testing.assert_allclose([parts["throughput_bps"], parts["delay_s"], parts["coverage"]], point.reached)
            assert point.reached[0] <= point.throughput_bound_bps * (1 + 1e-7) + 1.0
        compared += 1
    assert compared >= 7


def test_dominated_points():
    reached = np.array([[5, 0.2, 1], [5, 0.3, 1], [6, 0.3, 0.5], [5, 0.2, 1], [1, 0.9, 0.2]])
    assert undominated(reached).tolist() == [True, False, True, False, False]
    # less than what can be told apart does not keep a point that is worse in something else
    reached = np.array([[5e8, 1e-3, 0.875], [5e8, 1e-3 + 1e-12, 1.0], [5e8 - 1.0, 1e-3, 1.0]])
    assert undominated(reached).tolist() == [False, True, False]
    assert undominated(np.zeros((0, 3))).tolist() == []


def test_hypervolume_by_hand():
    # 5 x 0.8 x 1 and 6 x 0.7 x 0.5, of which 5 x 0.7 x 0.5 is common
    reached = np.array([[5, 0.2, 1.0], [6, 0.3, 0.5], [4, 0.5, 0.5]])
    assert hypervolume(reached, 1.0) == pytest.approx(5 * 0.8 * 1 + 6 * 0.7 * 0.5 - 5 * 0.7 * 0.5)
    assert hypervolume(np.zeros((0, 3)), 1.0) == 0.0


def test_hypervolume_counts_delays_in_caps():
    assert hypervolume(np.array([[5, 0.02, 1.0]]), 0.1) == pytest.approx(5 * 0.8)
