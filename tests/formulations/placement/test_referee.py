"""The referee of placement, against cases worked by hand."""

from dataclasses import replace

import pytest
from skybound.formulations.placement.referee import judge
from skybound.formulations.verdict import Violation
from skybound.instances.placement import PlacementDecision


def decide(*host):
    return PlacementDecision(list(host))


def test_even_shares(worked):
    """0.3 + 0.452 + 0.15 + 0.1 + 0.3 s: device 0 gives each of two users half of 8e9 cycles/s."""
    verdict = judge(worked, decide(2, 3, 1, 0, 1))
    assert verdict.objective == pytest.approx(1.302, abs=1e-12)
    assert verdict.parts == pytest.approx({"local": 0.1, "transmit": 0.25, "compute": 0.5, "cloud": 0.452})
    assert verdict.feasible


def test_optimal_shares(worked):
    """Device 0 computes for (sqrt(0.4e9) + sqrt(0.8e9))^2 / 8e9 s instead of 0.3."""
    verdict = judge(replace(worked, share="optimal"), decide(2, 3, 1, 0, 1))
    assert verdict.objective == pytest.approx(1.302 - 0.3 + (0.4**0.5 + 0.8**0.5) ** 2 / 8)


def test_next_best(worked):
    assert judge(worked, decide(2, 1, 3, 0, 1)).objective == pytest.approx(1.328)


def test_every_violation_is_named(worked):
    """User 2 has no processor, user 3 no link to device 0, device 0 has 2 places, the cloud 1."""
    verdict = judge(worked, decide(3, 3, 0, 1, 1))
    assert verdict.objective is None
    assert set(verdict.parts.values()) == {None}
    assert set(verdict.violations) == {
        Violation("possible host", "user 2 at home", 1.0),
        Violation("possible host", "user 3 on device 0", 1.0),
        Violation("capacity", "cloud", 1.0),
    }
    crowded = judge(worked, decide(1, 1, 1, 0, 1)).violations
    assert crowded == (Violation("capacity", "device 0", 2.0),)


def test_a_twin_without_data_takes_a_place_and_halves_the_speed(worked):
    empty = replace(worked, data_bits=[8e6, 8e6, 0.0, 16e6, 8e6])
    verdict = judge(empty, decide(2, 3, 1, 0, 1))
    assert verdict.objective == pytest.approx(1.302 - 0.15)
    assert judge(replace(empty, device_capacity=[1, 1]), decide(2, 3, 1, 0, 1)).violations[0].place == "device 0"
    assert not judge(replace(empty, local_cps=[1e9] * 2 + [0] * 3), decide(2, 3, 0, 0, 1)).feasible


def test_unlimited_cloud(worked):
    assert judge(replace(worked, cloud_capacity=None), decide(3, 3, 3, 3, 3)).feasible


def test_no_devices(worked):
    alone = replace(worked, device_cps=[], device_capacity=[], uplink_bps=[[]] * 5, cloud_capacity=None)
    assert judge(alone, decide(0, 0, 1, 0, 0)).objective == pytest.approx(
        0.8 + 0.8 + (0.2 + 0.004 + 0.004 + 0.02) + 0.1 + 1.6
    )
