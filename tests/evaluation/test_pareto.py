"""The front of slicing as users get it."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import skybound
from skybound.evaluation.command_line import app
from skybound.instances.errors import InputError
from skybound.instances.slicing.presets import generate
from typer.testing import CliRunner


def few_users():
    """A user of every slice, two stations, two UAVs in their places, a satellite."""
    whole = generate("fixed-24", 0)
    users = np.array([0, 8, 16])
    return dataclasses.replace(
        whole,
        slices=("H", "L", "C"),
        subcarriers=1,
        users=dataclasses.replace(whole.users, position=whole.users.position[users]),
        stations=dataclasses.replace(whole.stations, gain=whole.stations.gain[users][..., :1]),
        uavs=dataclasses.replace(whole.uavs, fading=whole.uavs.fading[users][..., :1]),
        satellites=dataclasses.replace(whole.satellites, gain=whole.satellites.gain[users][..., :1]),
        name="few",
        provenance={},
    )


def test_a_front_comes_as_a_table_a_picture_and_solutions(tmp_path):
    instance = few_users()
    rows = skybound.pareto(instance, tmp_path / "front", time_limit_s=10.0)
    best = rows[rows["undominated"]]
    assert len(best) >= 1
    assert (best["throughput_bps"] <= best["throughput_bound_bps"] * (1 + 1e-9)).all()
    assert rows.attrs["hypervolume_bps_s"] > 0
    assert (tmp_path / "front" / "front.png").stat().st_size > 0
    assert len(pd.read_csv(tmp_path / "front" / "front.csv")) == len(rows)
    for number in range(len(best)):
        assert skybound.verify(instance, tmp_path / "front" / f"point-{number}.solution.json").feasible


def test_the_command_prints_points(tmp_path):
    skybound.save(few_users(), tmp_path / "few.json")
    arguments = ["pareto", str(tmp_path / "few.json"), "--out", str(tmp_path / "out"), "--json", "--time-limit", "10"]
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 0
    points = [json.loads(line) for line in found.stdout.splitlines()]
    assert all(point["status"] in ("optimal", "feasible") for point in points)


def test_other_problems_have_no_front(tmp_path):
    with pytest.raises(InputError, match="one objective"):
        skybound.pareto(skybound.generate("placement", "congested", 0), tmp_path)
