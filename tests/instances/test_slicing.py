"""What a slicing may be, and its presets."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from skybound.instances.errors import InputError
from skybound.instances.slicing import Slicing
from skybound.instances.slicing.presets import SIDE_M, generate, walk


def test_presets_have_the_papers_numbers():
    instance = generate("paper-30", 0)
    assert "".join(instance.slices) == "H" * 10 + "L" * 10 + "C" * 10
    assert instance.nodes == (2, 2, 1)
    assert [set(budget) for budget in instance.budgets_w] == [{10.0}, {100.0}, {1000.0}]
    assert (instance.subcarriers, instance.subcarrier_hz, instance.noise_w) == (10, 3e6, pytest.approx(3e-10))
    assert instance.throughput_ref_bps == 500e6
    assert len(instance.uavs.candidates) == 49
    assert instance.uavs.candidates.tolist()[:2] == [[0, 0], [0, 500]]
    assert generate("fixed-24", 0).uavs.candidates.tolist() == [[1000, 2000], [2000, 1000]]
    assert generate("reuse-24:capacity=48", 0).intra_cell_reuse
    gain = (299_792_458 / (4 * np.pi * 2e9)) ** 2 * 200e3**-1.5
    assert instance.satellites.gain == pytest.approx(np.full((30, 1, 10), gain))


def test_fading_has_a_mean_of_one():
    drawn = [generate("paper-48", seed) for seed in range(30)]
    assert np.mean([one.uavs.fading for one in drawn]) == pytest.approx(1, abs=0.02)
    away = [np.linalg.norm(one.users.position[:, None] - one.stations.position, axis=2) for one in drawn]
    fading = [one.stations.gain * far[..., None] ** 1.5 for one, far in zip(drawn, away, strict=True)]
    assert np.mean(fading) == pytest.approx(1, abs=0.02)
    assert np.var(fading) == pytest.approx(1, abs=0.1)


def test_what_differs_in_one_respect_differs_in_nothing_else():
    paper = generate("paper-24", 3)
    assert generate("reuse-24", 3) == replace(paper, intra_cell_reuse=True)
    drawn = generate("paper-24:poisson=yes", 3)
    assert replace(drawn, slot_bits=50_000.0) == paper
    assert drawn.slot_bits.mean() == pytest.approx(50_000, rel=0.1)
    assert len(set(drawn.slot_bits.tolist())) > 3
    assert generate("fixed-24", 3).stations == paper.stations


def test_users_walk_and_all_fading_is_drawn_anew():
    slots = list(itertools.islice(walk("paper-48", 1), 200))
    assert slots[7] == generate("paper-48:slot=7", 1)
    steps = np.array([after.users.position - before.users.position for before, after in itertools.pairwise(slots)])
    assert steps.std() == pytest.approx(5, rel=0.03)
    assert min(one.users.position.min() for one in slots) >= 0
    assert max(one.users.position.max() for one in slots) <= SIDE_M
    assert not np.array_equal(slots[0].uavs.fading, slots[1].uavs.fading)


def test_instances_are_written_and_read(worked_slicing):
    for instance in (worked_slicing, generate("paper-24", 0), generate("paper-24:poisson=yes", 0)):
        again = Slicing.from_json(instance.to_json(), "data", name=instance.name)
        assert again == instance
        assert again.hash == instance.hash


def test_anything_may_be_missing(worked_slicing):
    """No users, no subcarriers, no stations, no UAVs, no candidates, no satellites."""
    data = worked_slicing.to_json()
    nobody = data | {
        "slices": [],
        "users": {"position": []},
        "stations": data["stations"] | {"gain": []},
        "uavs": data["uavs"] | {"fading": []},
        "satellites": data["satellites"] | {"gain": []},
    }
    nowhere = data | {
        "stations": {"position": [], "power_w": [], "gain": [[]] * 4},
        "uavs": data["uavs"] | {"power_w": [], "candidates": [], "fading": [[]] * 4},
        "satellites": data["satellites"] | {"power_w": [], "gain": [[]] * 4},
    }
    for fields in (nobody, nowhere):
        instance = Slicing.from_json(fields, "data", name="few")
        assert Slicing.from_json(instance.to_json(), "data", name="few") == instance


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slices": ["H", "L", "C", "X"]}, r"slices\[3\]: must be one of H, L, C"),
        ({"slices": ["H", "L", "C"]}, "users.position"),
        ({"subcarriers": 2}, "stations.gain"),
        ({"noise_w": 0.0}, "noise_w: must be above 0"),
        ({"slot_bits": [1.0, 2.0]}, "slot_bits"),
        ({"slot_bits": [1.0, 2.0, -1.0, 0.0]}, r"slot_bits\[2\]"),
        ({"slot_bits": "many"}, "slot_bits: must be a number"),
        (
            {"weights": {"throughput": 1e308, "delay": 1.0, "coverage": 1.0}},
            r"weights.throughput: must be at most 1e\+30",
        ),
        ({"throughput_ref_bps": 1e-308}, "throughput_ref_bps: is .* times smaller than subcarrier_hz"),
        ({"noise_w": 1e-60}, "comes to a ratio of .* to the noise, more than"),
        ({"intra_cell_reuse": 1}, "intra_cell_reuse: must be true or false"),
        ({"users": {"position": [[0, 0], [0, 1], [0, 2], [0, float("inf")]]}}, r"position\[3\]\[1\]: must be finite"),
    ],
)
def test_what_cannot_be_is_refused(worked_slicing, change, message):
    with pytest.raises(InputError, match=message):
        Slicing.from_json(worked_slicing.to_json() | change, "data", name="wrong")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"uav_candidate": []}, "uav_candidate: has 0 entries for 1"),
        ({"uav_candidate": [2]}, r"uav_candidate\[0\]: must be below 2, is 2"),
        ({"serve": [None] * 3}, "serve: has 3 entries for 4"),
        ({"serve": [{"layer": "station", "node": 2, "subcarrier": 0, "power_w": 0.0}, None, None, None]}, "node"),
        ({"serve": [{"layer": "uav", "node": 0, "subcarrier": 1, "power_w": 0.0}, None, None, None]}, "subcarrier"),
        (
            {"serve": [{"layer": "ship", "node": 0, "subcarrier": 0, "power_w": 0.0}, None, None, None]},
            "must be one of",
        ),
        ({"serve": [{"layer": "uav", "node": 0, "subcarrier": 0, "power_w": -1.0}, None, None, None]}, "at least 0"),
    ],
)
def test_decisions_must_fit(worked_slicing, change, message):
    with pytest.raises(InputError, match=message):
        worked_slicing.decide({"uav_candidate": [0], "serve": [None] * 4} | change)


@pytest.mark.parametrize(
    "name", ["paper-25", "paper-24:users=25", "paper-24:side=1", "paper-24:weights=1/1", "paper-24:slot=-1"]
)
def test_presets_that_are_not_there_are_refused(name):
    with pytest.raises(InputError, match="preset"):
        generate(name, 0)
