"""What an association may be, and its presets."""

import math
from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.association.referee import judge
from skybound.instances.association import AssociationDecision, Windows
from skybound.instances.association.presets import find, generate
from skybound.instances.errors import InputError
from skybound.instances.json_files import file_stem

ISS = """\
1 25544U 98067A   19343.69339541  .00001764  00000-0  38792-4 0  9991
2 25544  51.6439 211.2001 0007417  17.6667  85.6398 15.50103472202482
"""


@pytest.mark.parametrize(
    ("preset", "capacity", "storage_price"),
    [
        ("paper", 200, 100),
        ("headline", 100, 100),
        ("headline-near", 100, 100),
        ("fading", 100, 100),
        ("steep", 60, 40),
        ("steep-spread", 60, 80),
    ],
)
def test_presets_have_their_numbers(preset, capacity, storage_price):
    instance = generate(preset, 0)
    counts = instance.satellites, instance.stations, instance.channels, instance.slots
    assert counts == (120, 5, 4, 30)
    assert instance.slot_s == 210
    assert (instance.capacity == capacity).all()
    weights = instance.storage_price, instance.utility_weight, instance.cost_weight, instance.isolation
    assert weights == (storage_price, 0.7, 0.3, 0.05)
    assert find(preset).walker.planes == 12
    alike = bool((instance.windows.gain == instance.windows.gain[:, :1]).all())
    assert alike == (preset != "fading")


def test_more_places_than_can_be_counted_are_refused(worked_association):
    with pytest.raises(InputError, match="slots: times satellites and stations"):
        replace(worked_association, satellites=2**53, slots=2**12)


@pytest.mark.parametrize(("gain", "name"), [(1e308, "gain"), (1e300, "gain")])
def test_signals_beyond_numbers_are_refused(worked_association, gain, name):
    windows = worked_association.windows
    loud = Windows(windows.slot, windows.satellite, windows.station, windows.valid_s, np.full(windows.gain.shape, gain))
    with pytest.raises(InputError, match=rf"windows\.{name}\[0\]"):
        replace(worked_association, power_w=1e10, windows=loud)


def test_weak_signals_are_not_lost(worked_association):
    """log2(1 + x) of a SINR below the precision of 1 is x / ln 2."""
    windows = worked_association.windows
    sinr = 1e-17
    faint = np.full(windows.gain.shape, sinr * worked_association.noise_w / worked_association.power_w)
    unit = 1e-17 * worked_association.bandwidth_hz
    instance = replace(
        worked_association,
        data_unit_bits=unit,
        storage_price=0.0,
        capacity=np.full(worked_association.stations, 1e9),
        windows=Windows(windows.slot, windows.satellite, windows.station, windows.valid_s, faint),
    )
    link = [windows.slot[0], windows.satellite[0], windows.station[0], 0]
    expected = instance.utility_weight * windows.valid_s[0] / math.log(2)
    assert judge(instance, AssociationDecision(np.array([link]))).objective == pytest.approx(expected)


def test_seeds_move_the_start_of_real_skies(tmp_path):
    """A start of one's own belongs to element sets."""
    file = tmp_path / "one.tle"
    file.write_text(ISS)
    one, again, other = (generate(f"snapshot:tle={file},slots=200,elevation=0", seed) for seed in (0, 0, 1))
    assert one.hash == again.hash != other.hash
    assert one.satellites == 1
    with pytest.raises(InputError, match="has a start without element sets"):
        generate("paper:start=2024-01-01", 0)


def test_names_are_those_of_files_anywhere():
    name = generate("headline:slots=2", 0).name
    assert name == "association-headline_slots=2-0"
    assert len({file_stem("x" * 300 + end) for end in "ab"}) == 2
    assert len(file_stem("x" * 300)) <= 150


def test_a_price_beyond_doubles_is_refused(worked_association):
    """cost_weight times storage_price is infinite."""
    with pytest.raises(InputError, match="storage_price: makes the price of storage too large"):
        replace(worked_association, cost_weight=1e308, storage_price=100.0)
