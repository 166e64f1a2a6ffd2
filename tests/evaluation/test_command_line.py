"""The command line, run as a user runs it."""

import importlib.metadata
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from skybound.evaluation import api, command_line
from skybound.instances.files import load, save, save_solution
from skybound.solvers.solve import solve
from typer.testing import CliRunner

COMMAND = [sys.executable, "-m", "skybound.evaluation.command_line"]


def skybound(*arguments, cwd):
    return subprocess.run([*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)


@pytest.fixture
def file(worked, tmp_path):
    save(worked, tmp_path / "worked.json")
    return tmp_path / "worked.json"


def test_generate_solve_verify(tmp_path):
    done = skybound(
        "generate", "placement", "--preset", "congested", "--seed", 5, "--count", 2, "--out", "i", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    files = done.stdout.split()
    assert len(files) == 2
    done = skybound("solve", *files, "--out", "s", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [r["status"] for r in results] == ["optimal"] * 2
    keys = "problem instance hash solver status objective bound gap runtime_s decision reason"
    assert {*keys.split()} <= results[0].keys()
    assert results[0]["hash"] == load(tmp_path / files[0]).hash
    solution = f"s/{results[0]['instance']}.solution.json"
    done = skybound("verify", files[0], solution, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["feasible"]
    assert report["objective"] == pytest.approx(results[0]["objective"])
    assert report["violations"] == []


def test_people_get_tables(file, tmp_path):
    done = skybound("solve", file, cwd=tmp_path)
    assert "1.302" in done.stdout
    assert "optimal" in done.stdout
    done = skybound("evaluate", file, "--solvers", "milp,greedy", "--out", "t", cwd=tmp_path)
    assert "mean regret" in done.stdout
    assert done.returncode == 0, done.stderr


def test_a_spoilt_solution_fails_verification(worked, file, tmp_path):
    save_solution(solve(worked).solution(), tmp_path / "s.json")
    document = json.loads((tmp_path / "s.json").read_text())
    document["decision"]["host"] = [1, 1, 1, 0, 1]
    (tmp_path / "s.json").write_text(json.dumps(document))
    done = skybound("verify", file, "s.json", "--json", cwd=tmp_path)
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["feasible"], report["objective"]) == (False, None)
    assert report["violations"] == [{"constraint": "capacity", "place": "device 0", "amount": 2.0}]


def test_infeasible_is_exit_code_1_with_a_reason(worked_data, tmp_path, file):
    document = json.loads(file.read_text())
    document["data"] |= {"local_cps": [0.0] * 5, "cloud_capacity": 0}
    file.write_text(json.dumps(document))
    done = skybound("solve", file, "--json", cwd=tmp_path)
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert (result["status"], result["objective"], result["bound"], result["decision"]) == (
        "infeasible",
        None,
        None,
        None,
    )
    assert result["reason"] == "5 users (0, 1, 2, 3, 4) have only device 0, device 1, the cloud to be on, with 3 places"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["solve", "absent.json"], "absent.json: cannot be read: No such file or directory"),
        (["solve", "worked.json", "--solver", "nosuch"], 'solver: is "nosuch", unknown'),
        (["solve", "worked.json", "--solver", "policy:nosuch"], "nosuch: "),
        (["solve", "spoilt.json"], "spoilt.json: data.uplink_bps[1][0]: must be at least 0, is -1.0"),
        (
            ["generate", "placement", "--preset", "nosuch", "--out", "x"],
            'preset: is "nosuch", unknown; known are paper',
        ),
        (["generate", "nosuch", "--preset", "paper", "--out", "x"], 'problem: is "nosuch", unknown'),
        (["export", "worked.json", "--format", "xls", "--out", "x"], 'format: is "xls", unknown'),
        (["evaluate", "worked.json", "--solvers", "milp", "--seeds", "a", "--out", "x"], "--seeds: must be like 0-4"),
        (["train", "placement", "--preset", "paper", "--algorithm", "nosuch", "--out", "x"], 'algorithm: is "nosuch"'),
        (["targets", ".", "--out", "spoilt.json/x.gz"], "spoilt.json"),
        (["solve", "worked.json", "--gap", "-1"], "--gap"),
        (["solve", "worked.json", "--gap", "inf"], "gap: must be finite, is inf"),
        (["solve", "worked.json", "--time-limit", "inf"], "time_limit_s: must be finite, is inf"),
        (["solve", ""], "'FILE...': must not be empty"),
        (["solve", "worked.json", "--out", ""], "'--out': must not be empty"),
        (["verify", "worked.json", ""], "'SOLUTION': must not be empty"),
        (["targets", "", "--out", "x.gz"], "'DIR': must not be empty"),
        (["train", "placement", "--preset", "paper", "--algorithm", "vdn", "--out", ""], "'--out': must not be empty"),
        (["nosuch"], "nosuch"),
    ],
)
def test_bad_input_is_exit_code_2_without_traceback(arguments, message, file, tmp_path):
    document = json.loads(file.read_text())
    document["data"]["uplink_bps"][1][0] = -1.0
    (tmp_path / "spoilt.json").write_text(json.dumps(document))
    done = skybound(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert {path.name for path in tmp_path.iterdir()} == {"worked.json", "spoilt.json"}


def test_list_names_everything(tmp_path):
    known = json.loads(skybound("list", "--json", cwd=tmp_path).stdout)["problems"]["placement"]
    assert {"name": "column-generation", "kind": "decomposition", "exact": True} in known["solvers"]
    assert "congested" in known["presets"]
    assert "vdn" in known["algorithms"]


def test_says_its_version(tmp_path):
    done = skybound("--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"skybound {importlib.metadata.version('skybound')}\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["--version"], ["solve", "worked.json"]])
def test_output_that_cannot_be_written_is_said_in_one_line(arguments, file, tmp_path):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, *arguments], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "skybound: output: No space left on device\n"


def test_a_reader_who_leaves_is_no_error(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*COMMAND, "list"], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(("out", "kept"), [([], ""), (["--out", "s"], "; what was finished is kept")])
def test_an_interruption_keeps_what_is_written(out, kept, file, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "solve", interrupted)
    done = CliRunner().invoke(command_line.app, ["solve", str(file), *out])
    assert (done.exit_code, done.output) == (130, f"skybound: interrupted{kept}\n")


def test_every_command_helps_with_an_example(tmp_path):
    listed = skybound("--help", cwd=tmp_path).stdout
    for command in ("generate", "solve", "verify", "export", "targets", "train", "evaluate", "reproduce", "list"):
        assert command in listed
        assert f"skybound {command}" in skybound(command, "--help", cwd=tmp_path).stdout


def test_a_start_is_taken_up(worked, file, tmp_path):
    save_solution(solve(worked, "greedy").solution(), tmp_path / "start.json")
    done = skybound("solve", file, "--solver", "milp", "--start", "start.json", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["status"] == "optimal", done.stderr


def test_values_of_another_solver_become_a_solution(worked, file, tmp_path):
    skybound("solve", file, "--out", "s", cwd=tmp_path)
    done = skybound(
        "export", file, "--format", "lp", "--solution", "s/worked.solution.json", "--out", "m", cwd=tmp_path
    )
    assert done.stdout.split() == ["m/worked.lp", "m/worked.sol"]
    done = skybound("export", file, "--values", "m/worked.sol", "--out", "back", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert skybound("verify", file, done.stdout.strip(), cwd=tmp_path).returncode == 0


def test_a_file_is_no_folder(tmp_path, file):
    (tmp_path / "here").write_text("")
    for command in (
        ("generate", "placement", "--preset", "congested"),
        ("solve", file),
        ("export", file),
        ("evaluate", file, "--solvers", "greedy"),
    ):
        done = skybound(*command, "--out", tmp_path / "here", cwd=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert "here" in done.stderr


def test_targets_leave_out_what_has_no_solution(worked, tmp_path):
    """The count of both is said, and the exit code is 1."""
    save(worked, tmp_path / "i" / "a.json")
    done = skybound("targets", "i", "--out", "t.gz", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "1 targets in t.gz\n"), done.stderr
    save(replace(worked, local_cps=[0.0] * 5, cloud_capacity=0, name="poor"), tmp_path / "i" / "b.json")
    done = skybound("targets", "i", "--out", "t.gz", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stdout == "1 targets in t.gz; 1 instances without a solution left out: poor\n"
    done = skybound("targets", "i", "--out", "t.gz", "--json", cwd=tmp_path)
    assert json.loads(done.stdout) == {"file": "t.gz", "targets": 1, "left_out": ["poor"]}
    assert {path.name for path in tmp_path.iterdir()} == {"i", "t.gz"}


def test_presets_that_cannot_be_drawn_are_refused(tmp_path):
    done = skybound("generate", "placement", "--preset", "congested:users=200", "--out", tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert "has too few places for 200 users" in done.stderr


def test_names_are_shown_as_they_are(tmp_path, file):
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"name": "[/red]a[bold]b"}))
    done = skybound("solve", file, cwd=tmp_path)
    assert done.returncode == 0
    assert "[/red]a[bold]b" in done.stdout


def test_a_budget_too_small_for_a_policy_says_so(tmp_path):
    command = (
        "train",
        "placement",
        "--preset",
        "congested",
        "--algorithm",
        "imitation",
        "--out",
        "run",
        "--budget",
        "0",
    )
    done = skybound(*command, cwd=tmp_path)
    assert done.returncode == 1
    assert "there is no policy" in done.stdout
    assert not (tmp_path / "run" / "policy.pt").exists()
