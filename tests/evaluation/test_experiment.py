"""Experiments: rows, references, summaries, interruptions."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skybound
import torch
from skybound.evaluation import experiment
from skybound.evaluation.experiment import evaluate, summarise
from skybound.instances.errors import InputError
from skybound.instances.problems import generate
from skybound.instances.solution import Status
from skybound.learned.policy_file import PolicyFile
from skybound.learned.run import read_torch, write_torch
from skybound.solvers.solve import run

SHIPPED = Path(skybound.__file__).parent / "learned" / "placement" / "shipped.pt"

SOLVERS = ["column-generation", "greedy", "random"]


@pytest.fixture
def instances():
    return [generate("placement", "congested", seed) for seed in range(4)]


def test_rows_and_summary(instances):
    found = evaluate(instances, SOLVERS, seeds=[0, 1, 2])
    rows, summary = found.rows, found.summary.set_index("solver")
    assert len(rows) == 4 * (1 + 1 + 3)
    exact = rows[rows.solver == "column-generation"]
    assert (exact.status == "optimal").all()
    assert (exact.regret == 0).all()
    greedy = rows[rows.solver == "greedy"].set_index("hash")
    optimum = exact.set_index("hash").objective
    assert np.allclose(greedy.regret, greedy.objective / optimum[greedy.index] - 1)
    assert summary.loc["random", "regret_mean"] > summary.loc["greedy", "regret_mean"] > 0
    assert summary.loc["greedy", "regret_mean_low"] <= summary.loc["greedy", "regret_mean"]
    assert summary.loc["column-generation", "proven"] == 1


def test_without_a_proven_optimum_regret_is_an_interval(instances, monkeypatch):
    """Greedy's regret lies between those to the best decision known and to the bound, here 10 % below it."""

    def unproven(solver, name, instance, limits):
        found = run(solver, name, instance, limits)
        if name == "greedy":
            return found
        return replace(found, status=Status.FEASIBLE, bound=0.9 * found.objective)

    monkeypatch.setattr(experiment, "run", unproven)
    rows = evaluate(instances, ["column-generation", "greedy"]).rows
    best = rows[rows.solver == "column-generation"].set_index("hash").objective
    assert not rows.proven.any()
    assert rows.regret.isna().all()
    assert (rows.regret_low < rows.regret_high).all()
    assert np.allclose(rows.regret_low, rows.objective / best[rows.hash].to_numpy() - 1)
    assert np.allclose(rows.regret_high, rows.objective / (0.9 * best[rows.hash].to_numpy()) - 1)


def test_an_interrupted_experiment_goes_on(instances, tmp_path):
    """Half of the rows, and one cut in the middle of its line."""
    whole = evaluate(instances, SOLVERS, seeds=[0, 1], out=tmp_path / "whole").rows
    evaluate(instances[:2], SOLVERS, seeds=[0, 1], out=tmp_path / "part")
    path = tmp_path / "part" / "rows.jsonl"
    path.write_text(path.read_text()[:-30])
    kept = path.read_text().splitlines(keepends=True)[:-1]
    again = evaluate(instances, SOLVERS, seeds=[0, 1], out=tmp_path / "part", resume=True).rows
    assert path.read_text().startswith("".join(kept))
    assert all(json.loads(line) for line in path.read_text().splitlines())
    columns = ["hash", "solver", "seed", "objective", "regret"]
    pd.testing.assert_frame_equal(whole[columns], again[columns])
    assert (tmp_path / "part" / "summary.csv").exists()
    assert (tmp_path / "part" / "rows.parquet").exists()


def test_an_experiment_is_not_overwritten_or_mixed(instances, tmp_path):
    evaluate(instances[:1], ["greedy"], out=tmp_path)
    with pytest.raises(InputError, match="exists already"):
        evaluate(instances[:1], ["greedy"], out=tmp_path)
    with pytest.raises(InputError, match="was begun with"):
        evaluate(instances[:1], ["greedy"], out=tmp_path, resume=True, time_limit_s=3.0)


def test_what_cannot_begin_leaves_nothing(instances, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise InputError("has 9 users, there is room for 8", "instance")

    evaluate(instances[:1], ["greedy"], out=tmp_path / "begun")
    monkeypatch.setattr(experiment, "run", refuse)
    for folder, resume in (("new", False), ("begun", True)):
        with pytest.raises(InputError, match="room"):
            evaluate(instances, ["greedy"], out=tmp_path / folder, resume=resume)
    assert [path.name for path in tmp_path.iterdir()] == ["begun"]


def test_instances_are_of_one_problem_and_distinct(instances):
    with pytest.raises(InputError, match="is the same instance as"):
        evaluate([instances[0], instances[0]], ["greedy"])
    with pytest.raises(InputError, match="needs instances of one problem"):
        evaluate([], ["greedy"])


def test_a_coarse_gap_does_not_make_an_optimum(instances):
    """What is optimal within 20 % is no reference for regret; the bound is."""
    rows = evaluate(instances[:2], ["milp", "local-search"], gap=0.2).rows
    exact = evaluate(instances[:2], ["column-generation"]).rows.set_index("hash").objective
    search = rows[rows.solver == "local-search"].set_index("hash")
    true = search.objective / exact[search.index] - 1
    assert (search.regret_low <= true + 1e-9).all()
    assert (true <= search.regret_high + 1e-6).all()


def test_rows_of_another_policy_at_the_same_place_are_done_again(instances, tmp_path):
    policy = tmp_path / "policy.pt"
    PolicyFile.read(SHIPPED).write_seed(1, policy)
    first = evaluate(instances[:1], [f"policy:{policy}"], out=tmp_path / "out").rows
    content = read_torch(policy)
    content["parameters"] = {name: torch.zeros_like(value) for name, value in content["parameters"].items()}
    write_torch(policy, content)
    second = evaluate(instances[:1], [f"policy:{policy}"], out=tmp_path / "out", resume=True).rows
    assert first.objective[0] != second.objective[0]


def test_something_must_be_evaluated(instances):
    with pytest.raises(InputError, match="solvers: must not be empty"):
        evaluate(instances, [])
    with pytest.raises(InputError, match="seeds: must not be empty"):
        evaluate(instances, ["greedy"], seeds=[])


def test_solvers_that_draw_are_compared_seed_by_seed():
    """One draws 0 or 0.2 and the other 0.1 more; what does not draw is taken off both seeds."""

    def rows(solver, *regrets):
        fixed = {"group": "", "objective": 1.0, "proven": False, "gap_to_bound": 0.0, "runtime_s": 0.0}
        fixed |= {"optimum_known": False, "regret": np.nan}
        return [
            fixed | {"solver": solver, "hash": name, "seed": seed, "regret_high": regret, "regret_low": regret}
            for name in "abcd"
            for seed, regret in enumerate(regrets)
        ]

    table = pd.DataFrame([*rows("one", 0.0, 0.2), *rows("other", 0.1, 0.3), *rows("rule", 0.1)])
    for against, middle, width in (("one", 0.1, 0.0), ("rule", 0.1, 0.2)):
        line = summarise(table, against).set_index("solver").loc["other"]
        assert line["difference_mean"] == pytest.approx(middle)
        assert line["difference_mean_high"] - line["difference_mean_low"] == pytest.approx(width)
