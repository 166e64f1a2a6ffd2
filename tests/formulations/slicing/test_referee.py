"""The referee of slicing, on a case worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.slicing.referee import judge
from skybound.formulations.slicing.values import Served, gains, objectives, sinr
from skybound.instances.slicing import SlicingDecision

LIGHT = 299_792_458.0


def service(layer, node, power, subcarrier=0):
    return {"layer": layer, "node": node, "subcarrier": subcarrier, "power_w": power}


def decided(*serve, candidate=1):
    return SlicingDecision(uav_candidate=[candidate], serve=list(serve))


BEST = (service("station", 0, 1.0), service("station", 1, 0.25), service("satellite", 0, 80.0), service("uav", 0, 20.0))


def test_the_worked_case(worked_slicing):
    """Stations disturb each other, layers do not; the C users are exactly on the threshold."""
    verdict = judge(worked_slicing, decided(*BEST))
    assert verdict.violations == ()
    high, low = 1.02e-4 / (0.25e-6 + 1e-6), 0.25 * 3e-5 / (1e-6 + 1e-6)
    assert high == pytest.approx(81.6)
    rate = 1e6 * np.log2(1 + low)
    mu = rate / 1e3
    delay = np.hypot(100, 100) / LIGHT + 1e4 / rate + 100 / (2 * (mu**2 - 100 * mu))
    assert verdict.parts == pytest.approx(
        {"throughput_bps": 1e6 * np.log2(82.6), "delay_s": delay, "coverage": 1.0}, rel=1e-12
    )
    assert verdict.objective == pytest.approx(np.log2(82.6) / 10 - delay / 0.1 + 1)
    assert verdict.measures == pytest.approx(
        {"throughput_mbps": np.log2(82.6), "delay_ms": 1e3 * delay, "coverage_percent": 100.0}
    )


def test_weights_weigh(worked_slicing):
    parts = judge(worked_slicing, decided(*BEST)).parts
    other = replace(worked_slicing, weights={"throughput": 2.0, "delay": 0.5, "coverage": 3.0})
    expected = 2 * parts["throughput_bps"] / 1e7 - 0.5 * parts["delay_s"] / 0.1 + 3
    assert judge(other, decided(*BEST)).objective == pytest.approx(expected)


def test_who_is_not_served_has_nothing_and_waits_longest(worked_slicing):
    verdict = judge(worked_slicing, decided(None, None, None, None))
    assert verdict.parts == {"throughput_bps": 0.0, "delay_s": 0.1, "coverage": 0.0}
    assert verdict.objective == -1.0


def test_a_slow_queue_waits_longest(worked_slicing):
    """100 packets a second come; at a rate of 100 packets a second and less nothing is steady."""
    for power, capped in ((1e-9, True), (0.0, True), (0.25, False)):
        verdict = judge(worked_slicing, decided(None, service("station", 1, power), None, None))
        assert (verdict.parts["delay_s"] == 0.1) == capped
    slow = replace(worked_slicing, delay_cap_s=0.001)
    assert judge(slow, decided(*BEST)).parts["delay_s"] == 0.001


def test_coverage_begins_at_the_threshold(worked_slicing):
    for power, share in ((80.0, 1.0), (80.0 * (1 - 1e-8), 0.5), (80.0 * (1 - 1e-10), 1.0)):
        verdict = judge(worked_slicing, decided(*BEST[:2], service("satellite", 0, power), BEST[3]))
        assert verdict.parts["coverage"] == share


def test_gain_depends_on_where_the_uav_stands(worked_slicing):
    """Straight overhead the distance is the altitude; on the other candidate the user hears half of what it must."""
    for candidate, distance in ((1, 100.0), (0, np.hypot(300, 100))):
        gain = gains(worked_slicing, np.array([candidate]))[1][3, 0, 0]
        assert gain == pytest.approx(1e-3 * distance**-2 * 0.5)
    far = judge(worked_slicing, decided(*BEST[:3], service("uav", 0, 100.0), candidate=0))
    assert far.parts["coverage"] == 0.5


def test_delay_counts_the_way_of_the_layer(worked_slicing):
    """In space to a UAV, the altitude to a satellite."""
    fast = replace(worked_slicing, slot_bits=0.0, arrival_bps=0.0)
    for one, distance in (
        ("uav", np.sqrt(200**2 + 700**2 + 100**2)),
        ("satellite", 2e5),
        ("station", np.hypot(100, 400)),
    ):
        verdict = judge(fast, decided(None, service(one, 0, 1.0), None, None))
        assert verdict.parts["delay_s"] == pytest.approx(distance / LIGHT)


def test_every_user_may_have_its_own_bits(worked_slicing):
    own = replace(worked_slicing, slot_bits=[0.0, 2e4, 0.0, 0.0])
    twice, once = (judge(instance, decided(*BEST)).parts["delay_s"] for instance in (own, worked_slicing))
    rate = 1e6 * np.log2(1 + 0.25 * 3e-5 / 2e-6)
    assert twice - once == pytest.approx(1e4 / rate)


def test_intra_cell_reuse_disturbs_within_the_cell(worked_slicing):
    """Two users of one node on one subcarrier hear each other over their own gains."""
    both = decided(service("station", 0, 0.5), service("station", 0, 0.25), None, None)
    assert [violation.constraint for violation in judge(worked_slicing, both).violations] == ["one user"]
    reused = replace(worked_slicing, intra_cell_reuse=True)
    ratio = sinr(reused, np.array([1]), Served.of(both))
    assert ratio == pytest.approx([0.5 * 1.02e-4 / (1e-6 + 0.25 * 1.02e-4), 0.25e-6 / (1e-6 + 0.5e-6)])
    assert judge(reused, both).feasible


def test_every_violation_is_named(worked_slicing):
    crowded = decided(service("station", 0, 0.6), service("station", 0, 0.6), None, None)
    violations = judge(replace(worked_slicing, station_capacity=1), crowded).violations
    assert [(one.constraint, one.place) for one in violations] == [
        ("one user", "station 0, subcarrier 0"),
        ("capacity", "station 0"),
        ("budget", "station 0"),
    ]
    assert [one.amount for one in violations] == pytest.approx([1, 1, 0.2])
    budget = decided(None, None, None, service("uav", 0, 100.0 * (1 + 2e-9)))
    assert judge(worked_slicing, budget).violations[0].constraint == "budget"
    assert judge(worked_slicing, decided(None, None, None, service("uav", 0, 100.0 * (1 + 5e-10)))).feasible


def test_uavs_keep_apart(worked_slicing):
    uavs = replace(worked_slicing.uavs, power_w=[1.0, 1.0], fading=np.ones((4, 2, 1)))
    pair = replace(worked_slicing, uavs=uavs, uav_min_distance_m=300.0)
    for candidates, feasible in (((0, 1), True), ((1, 1), False)):
        assert judge(pair, SlicingDecision(uav_candidate=candidates, serve=[None] * 4)).feasible == feasible
    near = judge(pair, SlicingDecision(uav_candidate=[0, 0], serve=[None] * 4)).violations[0]
    assert (near.constraint, near.place, near.amount) == ("distance", "UAVs 0 and 1", 300.0)


def test_zero_power_is_a_service(worked_slicing):
    """It takes the subcarrier, and has a rate of 0."""
    silent = decided(service("station", 0, 0.0), service("station", 0, 0.1), None, None)
    assert not judge(worked_slicing, silent).feasible
    found = objectives(worked_slicing, np.array([1]), Served.of(decided(service("station", 0, 0.0), None, None, None)))
    assert found.throughput_bps == 0.0


def test_slices_without_users_count_nothing(worked_slicing):
    for letter, parts in (("H", {"delay_s": 0.0, "coverage": 0.0}), ("L", {"coverage": 0.0}), ("C", {"delay_s": 0.0})):
        verdict = judge(replace(worked_slicing, slices=[letter] * 4), decided(None, None, None, None))
        assert {name: verdict.parts[name] for name in parts} == parts
