"""Claims that contradict each other end an experiment."""

import functools
import json
import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import skybound
from skybound.evaluation import command_line, experiment
from skybound.evaluation.conflicts import find_conflict
from skybound.evaluation.experiment import evaluate
from skybound.instances.files import load
from skybound.instances.problems import generate
from skybound.instances.solution import Status
from skybound.solvers.solve import run

CASE = Path(__file__).parents[1] / "cases" / "embedding-presolve-wraps.json"


def claiming(solver_name, **changes):
    """`run` with a solver that claims something else."""

    def claim(solver, name, instance, limits):
        found = run(solver, name, instance, limits)
        return replace(found, **changes) if name == solver_name else found

    return claim


@pytest.fixture
def falsely_proven(monkeypatch):
    """CP-SAT says that 250 is the optimum, as it did when its presolve wrapped."""
    decision = run(functools.partial(_first_request), "first", load(CASE), skybound.solvers.result.Limits()).decision
    claim = {"decision": decision, "objective": 250.0, "bound": 250.0, "status": Status.OPTIMAL}
    monkeypatch.setattr(experiment, "run", claiming("cp-sat", **claim))


def _first_request(instance, limits):
    return skybound.solvers.result.Answer(instance.decision(embeddings=[None] * len(instance.requests)))


@pytest.mark.parametrize("order", [["cp-sat", "milp"], ["milp", "cp-sat"]])
def test_a_decision_that_beats_a_proof_ends_the_run(falsely_proven, tmp_path, order):
    """Whichever comes first: both rows say conflict, and the evidence is written."""
    with pytest.raises(skybound.ConflictError) as error:
        evaluate([load(CASE)], order, out=tmp_path)
    report = str(error.value)
    assert "cp-sat: no decision is better than 250.0" in report
    assert "milp: a decision of 323.0, confirmed by the referee" in report
    assert f"skybound solve {tmp_path}/conflict/f981.json --solver cp-sat --seed 0" in report
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert {row["solver"]: row["status"] for row in lines} == {"cp-sat": "conflict", "milp": "conflict"}
    evidence = tmp_path / "conflict"
    assert skybound.verify(load(evidence / "f981.json"), evidence / "f981.milp.json").passed


def test_a_conflict_is_looked_at_again_on_resume(falsely_proven, tmp_path, monkeypatch):
    with pytest.raises(skybound.ConflictError):
        evaluate([load(CASE)], ["cp-sat", "milp"], out=tmp_path)
    with pytest.raises(skybound.ConflictError):
        evaluate([load(CASE)], ["cp-sat", "milp"], out=tmp_path, resume=True)
    monkeypatch.setattr(experiment, "run", run)
    rows = evaluate([load(CASE)], ["cp-sat", "milp"], out=tmp_path, resume=True).rows
    assert (rows.status == "optimal").all()
    assert (rows.objective == 323.0).all()


def test_the_command_line_reports_it_and_ends_with_1(falsely_proven, tmp_path, monkeypatch, capsys):
    arguments = ["skybound", "evaluate", str(CASE), "--solvers", "cp-sat,milp", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 1
    assert "contradict each other" in capsys.readouterr().err


def test_infeasibility_is_a_claim_too():
    row = {"solver": "a", "objective": None, "bound": None, "status": "infeasible"}
    better = {"solver": "b", "objective": 3.0, "bound": None, "status": "feasible"}
    assert find_conflict("placement", row, [better]).proof is row
    assert find_conflict("placement", better, [row]).proof is row
    assert find_conflict("placement", better, [dict(better)]) is None


@pytest.mark.parametrize(("problem", "bound"), [("placement", 11.0), ("embedding", 9.0)])
def test_bounds_are_compared_by_the_sense_of_the_problem(problem, bound):
    decision = {"solver": "a", "objective": 10.0, "bound": math.nan, "status": "feasible"}
    proof = {"solver": "b", "objective": None, "bound": bound, "status": "no-solution"}
    assert find_conflict(problem, decision, [proof]).decision is decision
    assert find_conflict(problem, decision, [proof | {"bound": 20.0 - bound}]) is None
    assert find_conflict(problem, decision, [proof | {"bound": 10.0 + 1e-7 * (bound - 10.0)}]) is None


def test_one_instance_has_no_confidence_interval(tmp_path, capsys, monkeypatch):
    """And a distance to a bound is no regret: both ends are shown, and marked."""
    summary = evaluate([generate("placement", "congested", 0)], ["column-generation", "random"]).summary
    assert summary["regret_mean"].notna().all()
    assert summary[["regret_mean_low", "regret_mean_high"]].isna().all().all()
    instance = tmp_path / "instance.json"
    skybound.save(generate("embedding", "small:requests=6", 0), instance)
    arguments = ["skybound", "evaluate", str(instance), "--solvers", "per-request,random", "--out", str(tmp_path / "t")]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "mean regret (%) *" in printed
    assert " to ?" in printed
    assert "proven for 0 % of the instances" in printed
    table = pd.read_csv(tmp_path / "t" / "summary.csv")
    assert table["regret_mean"].isna().all()
    assert table["regret_low_mean"].notna().all()
