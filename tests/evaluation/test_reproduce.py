"""Figures say what is so: nobody earns more than the optimum, which earns no more than who knows the slot."""

import pandas as pd
import pytest
from skybound.evaluation.reproduce import certified, provisioning, slicing
from skybound.evaluation.reproduce.slicing_map import draw_map
from skybound.evaluation.trained import metrics
from skybound.instances.problems import generate
from skybound.solvers.solve import solve


@pytest.mark.slow
def test_no_line_of_provisioning_is_above_its_bound(tmp_path):
    effort = provisioning.Effort(
        range(2),
        {"updates": 4, "unit": 4, "worlds": 2, "environments": 2},
        {"imitation_steps": 20, "validate": 20, "label_worlds": 2, "batch": 4},
        2,
        (0.5, 2.0),
        "slots=10",
    )
    picture = provisioning.FIGURES[10](tmp_path, effort)
    assert picture.stat().st_size > 10_000
    rows = pd.read_csv(picture.with_suffix(".csv"))
    now, before = (own.pivot_table(index="x", columns="method", values="y") for _, own in rows.groupby("panel"))
    if "clairvoyant bound" in now:
        now, before = before, now
    assert now.index.tolist() == before.index.tolist() == [5.0, 20.0]
    assert (now.max(axis=1) == now["optimum (proven)"]).all()
    assert (before.max(axis=1) == before["clairvoyant bound"]).all()
    assert before["clairvoyant bound"].tolist() == pytest.approx(now["optimum (proven)"].tolist())
    assert now["greedy"].iloc[1] > now["greedy"].iloc[0]


def _little():
    """Slicing for seconds."""
    few = {"worlds": 4, "slots": 2, "validation_worlds": 3}
    teams = {"updates": 4, "unit": 2, "environments": 2, "batch": 4, **few}
    mappo = {"updates": 2, "unit": 1, "environments": 2, **few}
    ours = {"label_worlds": 1, "validation_worlds": 1, "imitation_steps": 20, "unit": 20, "validate": 20, "batch": 2}
    return slicing.Effort(range(2), few | {"updates": 40, "unit": 20}, teams, mappo, ours, (30,), 2, 4.0)


@pytest.mark.slow
def test_no_method_of_slicing_is_above_its_bound(tmp_path):
    picture = slicing.FIGURES[12](tmp_path, _little())
    assert picture.stat().st_size > 10_000
    rows = pd.read_csv(picture.with_suffix(".csv"))
    covered, objective = (own.groupby("method")["y"].max() for _, own in rows.groupby("panel"))
    assert set(rows["x"]) == {10}
    assert objective.idxmax() == "bound"
    others = objective.drop(["bound", "imitation", *slicing.UNTRAINED])  # those may find a better one
    assert others.idxmax() == certified.BEST
    assert covered.max() <= 100
    assert set(objective.index) - set(covered.index) == {"bound"}


@pytest.mark.slow
def test_stations_of_slicing_serve_no_more_than_they_have_room_for(tmp_path):
    effort = _little()
    balanced, not_balanced = (pd.read_csv(slicing.FIGURES[k](tmp_path, effort).with_suffix(".csv")) for k in (9, 8))
    for rows in (balanced, not_balanced):
        served = rows[rows["method"] != slicing.FULL_STATION].groupby(["panel", "seed"])["y"].sum()
        assert (served <= 30).all()
        assert (served > 0).all()
    at_stations = balanced[balanced["method"].str.startswith("BS")]["y"]
    assert (at_stations <= 10).all()


@pytest.mark.slow
def test_users_win_what_slicing_agents_are_shown_to_win(tmp_path):
    """What the agents' users win in the end sums to the objective less that of nobody served."""
    effort = _little()
    rows = pd.read_csv(slicing.FIGURES[3](tmp_path, effort).with_suffix(".csv"))
    assert rows["method"].nunique() == 6
    assert set(rows["x"]) == {20, 40}
    (folder,) = tmp_path.glob("runs/two-layer-maddpg-paper-*")
    last = [line for line in metrics(folder) if "validation_return" in line][-1]
    won = rows[rows["x"] == 40].groupby("seed")["y"].sum()
    for place, seed in enumerate(effort.seeds):
        assert won[seed] == pytest.approx(last["validation_return"][place] + 1, abs=1e-6)


@pytest.fixture
def slot():
    return generate("slicing", "paper-24:users=6,side=2", 0)


def test_what_is_certified_is_sought_once(slot, tmp_path, monkeypatch):
    found = certified.certified(slot, tmp_path, 20.0)
    assert found.objective <= found.bound
    monkeypatch.setattr(certified, "solve", None)
    again = certified.certified(slot, tmp_path, 20.0)
    assert (again.objective, again.bound, again.decision) == (found.objective, found.bound, found.decision)


def test_the_map_of_slicing_tells_who_serves_whom(slot, tmp_path):
    decision = solve(slot, "strongest-signal").decision
    places = {"certified solution": slot.uavs.candidates[decision.uav_candidate]}
    picture = draw_map(slot, places, decision, "a map", "two\nlines", tmp_path / "map")
    assert picture.stat().st_size > 10_000
    rows = pd.read_csv(picture.with_suffix(".csv")).set_index("what")
    assert rows.groupby(level=0).size().to_dict() == {
        "UAV, certified solution": 2, "station": 2, "user C": 2, "user H": 2, "user L": 2
    }  # fmt: skip
    services = [None if one is None else f"{one.layer} {one.node}" for one in decision.serve]
    shown = rows.loc[["user H", "user L", "user C"], "served_by"]
    assert shown.where(shown.notna(), None).tolist() == services
    assert rows.loc["station", ["x_m", "y_m"]].to_numpy().tolist() == slot.stations.position.tolist()
