"""Run folders: what is kept, what is lost, and going on."""

import json
import pickle
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from skybound.instances.errors import InputError
from skybound.learned.algorithms import train
from skybound.learned.placement.value_decomposition import PlacementValueLearner
from skybound.learned.run import read_torch

SEEDS = [0, 3]


def begin(folder: Path, changes: dict, *, resume: bool = False, algorithm: str = "qmix", **limits: float):
    return train("placement", "congested", algorithm, SEEDS, folder, resume=resume, changes=changes, **limits)


def metrics(folder: Path) -> list[dict]:
    """Lines of the metrics, without the time that they took."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "cpu_s"} for line in lines]


def same(one: object, other: object) -> bool:
    """Whether two trees of tensors and plain values are equal bit for bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def assert_same_run(one: Path, other: Path) -> None:
    assert metrics(one) == metrics(other)
    assert same(read_torch(one / "checkpoint.pt")["learner"], read_torch(other / "checkpoint.pt")["learner"])
    assert same(read_torch(one / "policy.pt"), read_torch(other / "policy.pt"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, tiny_changes) -> Path:
    """A run that nobody interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    assert begin(folder, tiny_changes).stopped == "done"
    return folder


def test_a_run_tells_what_it_is_and_how_it_went(whole, tiny_changes):
    about = json.loads((whole / "run.json").read_text())
    assert (about["problem"], about["preset"], about["algorithm"]) == ("placement", "congested", "qmix")
    assert about["seeds"] == SEEDS
    assert about["skybound"]
    assert {key: about["hyperparameters"][key] for key in tiny_changes} == tiny_changes
    lines = metrics(whole)
    assert [line["unit"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[-1]["iteration"] == 12
    assert len(lines[-1]["validation_return"]) == len(SEEDS)


def test_ctrl_c_keeps_what_is_finished_and_resuming_ends_the_same(whole, tmp_path, tiny_changes, monkeypatch):
    step, calls = PlacementValueLearner.step, []

    def interrupted(learner: PlacementValueLearner) -> dict:
        calls.append(learner)
        if len(calls) == 4:
            step(learner)  # work that is lost
            raise KeyboardInterrupt
        return step(learner)

    with monkeypatch.context() as patch:
        patch.setattr(PlacementValueLearner, "step", interrupted)
        outcome = begin(tmp_path / "run", tiny_changes)
    assert (outcome.stopped, outcome.units) == ("interrupted", 3)
    with (tmp_path / "run" / "metrics.jsonl").open("a") as stream:
        stream.write('{"unit": 4, "iteration": 8}\n{"unit"')  # lines that came after their last checkpoint
    assert begin(tmp_path / "run", tiny_changes, resume=True).stopped == "done"
    assert_same_run(tmp_path / "run", whole)


def test_a_budget_ends_a_run_that_can_go_on(whole, tmp_path, tiny_changes):
    """Nothing begins once the CPU time is spent; with more of it the run goes on."""
    outcome = begin(tmp_path / "run", tiny_changes, budget_cpu_s=0.0)
    assert (outcome.stopped, outcome.units) == ("budget", 0)
    assert begin(tmp_path / "run", tiny_changes, resume=True, budget_cpu_s=1e9).stopped == "done"
    assert_same_run(tmp_path / "run", whole)


KILLED = """
import json, os, signal, sys, torch
from skybound.learned import run
from skybound.learned.algorithms import train

torch.set_num_threads(1)
write, written = run.torch.save, []

def write_and_die(content, stream):
    written.append(content["format" if "format" in content else "units"])
    if written[-1] == 4:
        stream.write(b"torn")
        stream.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    write(content, stream)

run.torch.save = write_and_die
train("placement", "congested", "qmix", json.loads(sys.argv[1]), sys.argv[2], changes=json.loads(sys.argv[3]))
"""


def test_sigkill_loses_at_most_the_unit_in_hand(whole, tmp_path, tiny_changes):
    """Killed while the fourth checkpoint is being written: three units stand, and going on ends the same."""
    folder = tmp_path / "run"
    arguments = json.dumps(SEEDS), str(folder), json.dumps(tiny_changes)
    assert subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False).returncode == -signal.SIGKILL
    assert read_torch(folder / "checkpoint.pt")["units"] == 3
    assert len(metrics(folder)) == 4
    assert begin(folder, tiny_changes, resume=True).units == 6
    assert_same_run(folder, whole)
    assert sorted(file.name for file in folder.iterdir()) == sorted(file.name for file in whole.iterdir())


def test_a_folder_holds_one_run(whole, tiny_changes):
    with pytest.raises(InputError, match="holds a run already"):
        begin(whole, tiny_changes)
    with pytest.raises(InputError, match=r'algorithm: the run there has "qmix", not "vdn"'):
        begin(whole, tiny_changes, resume=True, algorithm="vdn")
    with pytest.raises(InputError, match="hyperparameters: the run there has"):
        begin(whole, tiny_changes | {"batch": 5}, resume=True)


def test_a_damaged_checkpoint_is_named(whole, tmp_path, tiny_changes):
    damaged = shutil.copytree(whole, tmp_path / "damaged")
    (damaged / "checkpoint.pt").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"checkpoint\.pt: is not a file of tensors"):
        begin(damaged, tiny_changes, resume=True)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"algorithm": "none"}, 'algorithm: is "none", unknown for placement; known are iql, vdn, qmix'),
        ({"preset": "none"}, 'preset: is "none", unknown'),
        ({"problem": "none"}, "unknown for none"),
        ({"seeds": [1, 1]}, "seeds: must be different"),
        ({"seeds": []}, "seeds: must be different"),
        ({"changes": {"speed": 1}}, "speed: is unknown for vdn"),
        ({"changes": {"reward": "gold"}}, 'reward: is "gold"'),
        ({"changes": {"mixer": "gold"}}, "mixer: must be one of none, sum, monotone"),
        ({"changes": {"iterations": "many"}}, "iterations: must be of type int, is 'many'"),
        ({"changes": {"gamma": float("nan")}}, "gamma: must be of type float, is nan"),
        ({"changes": {"learning_rate": [1e-3]}}, "learning_rate: must be of type tuple"),
        ({"changes": {"batch": 0}}, "batch: must be at least 1"),
        ({"changes": {"capacity": 3}}, "episodes: is 16, more than the capacity of 3"),
    ],
)
def test_refuses_what_it_does_not_know(asked, message, tmp_path):
    known = {"problem": "placement", "preset": "congested", "algorithm": "vdn", "seeds": [0]}
    with pytest.raises(InputError, match=message):
        train(**(known | asked), folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"PK", pickle.dumps({"a": print})])
def test_a_file_of_something_else_is_named_without_advice(content, tmp_path):
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_torch(tmp_path / "x.pt")
    assert str(error.value) == f"{tmp_path / 'x.pt'}: is not a file of tensors, or not a whole one"
