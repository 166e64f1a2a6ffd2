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
    assert rows.attrs["hypervolume_bps"] > 0
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


def test_what_is_known_is_written_on_ctrl_c(tmp_path):
    """Bounds are there after the first problem; before that there is nothing to write."""

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        skybound.pareto(few_users(), tmp_path / "front", time_limit_s=10.0, progress=stop)
    rows = pd.read_csv(tmp_path / "front" / "front.csv")
    assert rows["undominated"].any()
    assert (rows["throughput_bps"].dropna() <= rows["throughput_bound_bps"][rows["throughput_bps"].notna()] + 1.0).all()


def test_delays_can_be_asked_for(tmp_path):
    rows = skybound.pareto(few_users(), tmp_path / "front", time_limit_s=10.0, delays_s=[0.0123])
    assert (rows["delay_most_s"] == 0.0123).any()
    assert (rows["delay_s"][rows["delay_most_s"] == 0.0123].dropna() <= 0.0123).all()


def test_a_front_of_nothing_is_a_table(tmp_path):
    """UAVs that can stand nowhere leave no point, and what was in the folder before does not stay."""
    few = few_users()
    skybound.pareto(few, tmp_path, time_limit_s=10.0)
    assert (tmp_path / "point-0.solution.json").exists()
    rows = skybound.pareto(dataclasses.replace(few, uav_min_distance_m=1e6), tmp_path)
    assert not rows["undominated"].any()
    assert set(rows["status"]) == {"infeasible"}
    assert [path.name for path in tmp_path.iterdir()] == ["front.csv"]


def test_of_equal_points_the_sharpest_proof_counts(tmp_path):
    rows = skybound.pareto(few_users(), tmp_path, time_limit_s=10.0)
    for _, best in rows[rows["undominated"]].iterrows():
        equal = (
            rows[["throughput_bps", "delay_s", "coverage"]] == best[["throughput_bps", "delay_s", "coverage"]]
        ).all(axis=1)
        assert equal.any()
        assert best["gap"] == rows["gap"][equal].min()


@pytest.mark.parametrize("delay_s", [float("nan"), -1.0, 0.0, float("inf")])
def test_delays_that_cannot_be(delay_s, tmp_path):
    with pytest.raises(InputError, match="delays_s"):
        skybound.pareto(few_users(), tmp_path / "front", delays_s=[0.01, delay_s])
    assert not (tmp_path / "front").exists()


def test_other_problems_have_no_front(tmp_path):
    with pytest.raises(InputError, match="one objective"):
        skybound.pareto(skybound.generate("placement", "congested", 0), tmp_path)
