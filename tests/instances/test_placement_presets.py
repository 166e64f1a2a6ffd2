"""Presets of placement."""

import numpy as np
import pytest
from skybound.instances import problems
from skybound.instances.errors import InputError
from skybound.instances.placement.presets import EVEN_PRESETS, PRESETS, SIDE_M, World, generate


@pytest.mark.parametrize("preset", PRESETS)
def test_draws_the_preset_and_the_same_again(preset):
    instance = generate(preset, 3)
    numbers = PRESETS[preset]
    assert (instance.users, instance.devices) == (numbers.users, numbers.devices)
    assert instance == generate(preset, 3)
    assert instance != generate(preset, 4)


def test_sharing_changes_nothing_else():
    even, optimal = generate("congested", 0), generate("congested-optimal", 0)
    assert even.to_json() | {"share": "optimal"} == optimal.to_json()


@pytest.mark.parametrize("preset", EVEN_PRESETS)
def test_numbers_lie_where_the_preset_says(preset):
    numbers = PRESETS[preset]
    some = [generate(preset, seed) for seed in range(3 if numbers.users > 100 else 30)]
    local = np.concatenate([i.local_cps for i in some]) / 1e9
    bits = np.concatenate([i.data_bits for i in some])
    assert abs((local == 0).mean() - numbers.without_processor) < 0.08
    assert local[local > 0].min() >= numbers.local_ghz[0]
    assert local.max() <= numbers.local_ghz[1]
    assert bits.min() >= 4e6
    assert bits.max() <= 16e6
    for i in some:
        assert i.device_capacity.min() >= numbers.places[0]
        assert i.device_capacity.max() <= numbers.places[1]
        assert (i.local_cps == 0).sum() <= i.device_capacity.sum() + i.cloud_places


def test_satellite_rates_follow_the_band():
    """Shannon's rate of a twentieth of 20 MHz (shared) and of 20 MHz (each) at 7 to 13 dB."""
    for preset, band_hz in (("paper", 1e6), ("congested", 20e6)):
        rate = generate(preset, 0).user_satellite_bps
        assert (rate >= band_hz * np.log2(1 + 10**0.7)).all()
        assert (rate <= band_hz * np.log2(1 + 10**1.3)).all()


def test_uplink_by_hand():
    """At 100 m without fading: loss 90.5 dB, 0.2 W over 5 MHz of -174 dBm/Hz."""
    rng = np.random.default_rng(0)
    world = World.draw(PRESETS["paper"], 1, rng)
    world.user_m[:] = 0.0
    world.device_m[:] = [100.0, 0.0]
    mean_gain = 10 ** (-(128.1 + 37.6 * np.log10(0.1)) / 10)
    rates = np.concatenate([world.slots(rng).uplink_bps.ravel() for _ in range(500)])
    fading = (2 ** (rates / 5e6) - 1) * 5e6 * 10 ** (-20.4) / 0.2 / mean_gain
    assert abs(fading.mean() - 1) < 0.03
    assert abs(fading.std() - 1) < 0.05


def test_users_move_inside_the_square_and_devices_stay():
    rng = np.random.default_rng(1)
    world = World.draw(PRESETS["paper"], 50, rng)
    later = world
    for _ in range(100):
        later = later.moved(rng)
    assert (later.user_m >= 0).all()
    assert (later.user_m <= SIDE_M).all()
    assert np.abs(world.moved(rng).user_m - world.user_m).std() == pytest.approx(6, abs=0.5)  # of |N(0, 10)|
    assert later.device_m is world.device_m


def test_variants():
    assert generate("paper:users=18", 0).users == 18
    assert set(generate("paper:users=18,megabytes=0.5", 0).data_bits) == {4e6}
    assert generate("congested:users=40", 0).user_satellite_bps.min() > 20e6


@pytest.mark.parametrize(
    ("problem", "preset", "seed", "field"),
    [
        ("none", "paper", 0, "problem"),
        ("placement", "none", 0, "preset"),
        ("placement", "paper", -1, "seed"),
        ("placement", "paper:users=0", 0, "preset"),
        ("placement", "paper:users=x", 0, "preset"),
        ("placement", "paper:speed=1", 0, "preset"),
        ("placement", "paper:megabytes=inf", 0, "preset"),
    ],
)
def test_bad_requests_are_named(problem, preset, seed, field):
    with pytest.raises(InputError, match=f"^{field}: "):
        problems.generate(problem, preset, seed)
