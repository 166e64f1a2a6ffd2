"""Learning by imitation: known answers, runs, and the policy as a solver."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from skybound.instances.errors import InputError
from skybound.instances.placement.presets import generate
from skybound.instances.solution import Status
from skybound.learned import policy
from skybound.learned.algorithms import train
from skybound.learned.placement.decoder import decode
from skybound.learned.placement.imitation import Lessons, PlacementImitation
from skybound.learned.placement.imitation_settings import IMITATION, REINFORCED
from skybound.learned.placement.labels import Labels, draw, from_targets
from skybound.learned.placement.student import Student
from skybound.learned.run import read_torch
from skybound.learned.targets import write_targets
from skybound.solvers.placement.batch import Partial
from skybound.solvers.result import Limits
from skybound.solvers.solve import run, solve

PRESETS = "congested,congested-40"
SEEDS = [4, 7]


@pytest.fixture(scope="module")
def changes(short) -> dict:
    """The short hyperparameters as changes of those of an algorithm."""
    return {name: value for name, value in asdict(short).items() if value != asdict(IMITATION)[name]}


def begin(folder: Path, changes: dict, *, algorithm: str = "imitation", seeds: list[int] = SEEDS, **asked):
    return train("placement", PRESETS, algorithm, seeds, folder, changes=changes, **asked)


@pytest.fixture(scope="module")
def tuned(changes) -> dict:
    """The same with fine-tuning in the last steps."""
    return changes | {"tuning_steps": 4}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, tuned) -> Path:
    """A run of two seeds that nobody interrupted, fine-tuning included."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    assert begin(folder, tuned, algorithm="imitation-rl").stopped == "done"
    return folder


def metrics(folder: Path) -> list[dict]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "cpu_s"} for line in lines]


def assert_same(one: object, other: object) -> None:
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            assert_same(mine, theirs)
    else:
        assert one == other


def test_learns_twenty_labels_by_heart(labels, short):
    """Regret falls from some per cent to nothing."""
    settings = replace(short, steps=100, warm_up=10, learning_rate=1e-2, averaging=0.9, width=24, head_width=24)
    student = Student(0, settings)
    before = student.regret(labels)
    for step in range(settings.steps):
        student.imitate(labels, step)
    assert before > 0.02
    assert student.regret(labels) < 5e-4


def test_reinforcement_finds_what_pays_without_labels(labels, short):
    """From a network that knows nothing, samples and greedy placements improve."""
    settings = replace(short, steps=26, tuning_steps=25, tuning_rate=2e-2, tuning_averaging=0.5, samples=12)
    student, some = Student(0, settings), labels.take(np.arange(6))
    before = student.regret(some)
    first, *_, last = (student.fine_tune(some, step) for step in range(1, 26))
    assert student.regret(some) < 0.6 * before
    assert last["excess"] < first["excess"]


def test_entropy_is_rewarded(labels, short):
    """With much weight on entropy, decisions stay more open than with none."""
    entropies = []
    for weight in (0.0, 1.0):
        student = Student(0, replace(short, steps=13, tuning_steps=12, tuning_rate=2e-2, entropy=weight))
        *_, last = (student.fine_tune(labels.take(np.arange(5)), step) for step in range(1, 13))
        entropies.append(last["entropy"])
    assert entropies[0] < entropies[1]


def test_regret_is_never_negative(labels, network):
    """Proven optima are what no placement is better than."""
    for samples in (1, 8):
        assert (labels.regret(decode(network, Partial(labels.costs), samples)) >= -1e-6).all()
    assert labels.regret(labels.host) == pytest.approx(0.0, abs=1e-12)


def test_labels_are_the_solvers_optima(labels):
    for k in range(5):
        instance = generate("congested", 1_000_000 + k)
        result = solve(instance, "milp")
        assert labels.optimum_s[k] == pytest.approx(result.objective, rel=2e-6)
        assert int(labels.seen[k]) == int(instance.hash[:16], 16)


def test_labels_survive_their_file(labels, tmp_path):
    labels.write(tmp_path / "labels.pt")
    again = Labels.read(tmp_path / "labels.pt")
    for name in ("host", "optimum_s", "seen"):
        assert np.array_equal(getattr(again, name), getattr(labels, name))
    assert again.costs.even == labels.costs.even
    assert np.array_equal(again.costs.fixed_s, labels.costs.fixed_s)
    joined = Labels.joined([labels.take(np.arange(7)), labels.take(np.arange(7, 20))])
    assert np.array_equal(joined.costs.load, labels.costs.load)


def test_a_label_that_is_not_proven_enough_is_refused():
    with pytest.raises(InputError, match=r"largest_gap: is .* on placement-congested-1000000, more than 0"):
        draw("congested", range(1_000_000, 1_000_003), 0.0)


def test_a_seed_is_the_same_alone_and_in_company(whole, tuned, tmp_path):
    begin(tmp_path / "alone", tuned, algorithm="imitation-rl", seeds=SEEDS[1:])
    together, alone = (read_torch(folder / "checkpoint.pt")["learner"] for folder in (whole, tmp_path / "alone"))
    assert_same(alone["students"][0], together["students"][1])
    assert_same(alone["best"][0], together["best"][1])


@pytest.mark.parametrize("stop", [3, 9, 12])
def test_resumed_equals_uninterrupted(whole, tuned, tmp_path, monkeypatch, stop):
    """Interrupted while labelling, while imitating and while fine-tuning."""
    step, calls = PlacementImitation.step, []

    def interrupted(learner: PlacementImitation) -> dict:
        calls.append(learner)
        if len(calls) == stop:
            step(learner)  # work that is lost
            raise KeyboardInterrupt
        return step(learner)

    assert stop < len(metrics(whole))
    with monkeypatch.context() as patch:
        patch.setattr(PlacementImitation, "step", interrupted)
        assert begin(tmp_path / "run", tuned, algorithm="imitation-rl").units == stop - 1
    begin(tmp_path / "run", tuned, algorithm="imitation-rl", resume=True)
    assert metrics(tmp_path / "run") == metrics(whole)
    for file in ("checkpoint.pt", "policy.pt"):
        one, other = (read_torch(folder / file) for folder in (tmp_path / "run", whole))
        assert_same(one.get("learner", one), other.get("learner", other))


def test_a_run_tells_how_it_went(whole, short):
    """Labels of both sizes first, then steps of both kinds, validated when due."""
    lines = metrics(whole)
    labelled = [line for line in lines if "labels" in line]
    assert {line["preset"] for line in labelled} == set(PRESETS.split(","))
    assert sum(line["labels"] for line in labelled) == 20 + 8 + 5 + 2
    steps = lines[len(labelled) :]
    assert [line["iteration"] for line in steps] == [2, 4, 6, 8, 10, 12]
    assert [("loss" in line, "entropy" in line) for line in steps] == [(True, False)] * 4 + [(False, True)] * 2
    validated = [line for line in steps if "validation_return" in line]
    assert [line["iteration"] for line in validated] == [4, 8, 12]
    for line in validated:
        regrets = np.array([line[f"validation_regret/{preset}"] for preset in PRESETS.split(",")])
        assert line["validation_return"] == pytest.approx(-regrets.mean(0))


def test_the_kept_network_is_the_best_in_validation(whole):
    best = np.max([line["validation_return"] for line in metrics(whole) if "validation_return" in line], 0)
    assert read_torch(whole / "policy.pt")["validation_return"] == pytest.approx(best.tolist())


def test_every_label_is_seen_before_any_is_seen_twice(labels):
    groups = [labels.take(np.arange(12)), labels.take(np.arange(12, 20))]
    lessons = Lessons(0, groups, 100)
    seen = {0: [], 1: []}
    for step in range(100):
        batch = lessons.batch(step, 4 * labels.pairs)
        assert len(batch) == 4
        seen[int(np.isin(batch.seen, groups[1].seen).all())].append(batch.seen)
    for group, batches in seen.items():
        rounds = len(groups[group]) // 4
        assert len(set(np.concatenate(batches[:rounds]).tolist())) == len(groups[group])
    assert 45 < len(seen[0]) < 75  # 60 % of the pairs


def test_learns_from_a_file_of_targets(changes, tmp_path, random_placement):
    """Instances of several shapes; infeasible ones and labels without proof are left out."""
    path = tmp_path / "targets.gz"
    instances = [generate("congested", seed) for seed in range(12)] + [random_placement(seed) for seed in range(12)]
    write_targets(instances, path)
    groups = from_targets(path, 1e-6)
    shapes = {(group.costs.shape[1:], group.costs.even) for group in groups}
    assert len(shapes) == len(groups) > 3
    assert 12 < sum(map(len, groups)) < 24
    outcome = begin(tmp_path / "run", changes | {"targets": str(path)}, seeds=[0])
    assert outcome.stopped == "done"
    kept = policy.load(str(tmp_path / "run"), "placement")
    assert kept.file.saw(instances[0].hash)
    assert kept.file.saw(generate("congested-40", 2_000_000).hash)
    assert not kept.file.saw(generate("congested", 1_000_000).hash)
    write_targets(instances[:6], path)
    with pytest.raises(InputError, match=r"targets\.gz: has other labels than the run began with"):
        begin(tmp_path / "run", changes | {"targets": str(path)}, seeds=[0], resume=True)


def test_targets_without_proof_are_no_labels(tmp_path):
    write_targets([generate("congested", 0)], tmp_path / "targets.gz", "greedy")
    with pytest.raises(InputError, match=r"targets\.gz: has no placement with a proven gap of at most 1e-06"):
        from_targets(tmp_path / "targets.gz", 1e-6)


def test_the_policy_is_a_solver(whole):
    """Of sizes it was not trained on, too; samples are never worse, and the file knows what it has seen."""
    for preset in ("congested", "congested-optimal", "paper", "congested-100"):
        instance = generate(preset, 0)
        values = []
        for options in ("", "?samples=6", "?seed=7"):
            loaded = policy.load(f"{whole}{options}", "placement")
            result = run(loaded, "policy", instance, Limits(seed=1))
            assert result.status is Status.FEASIBLE
            values.append(result.objective)
        assert values[1] <= values[0]
        assert not loaded.file.saw(instance.hash)
    assert loaded.file.saw(generate("congested", 1_000_000).hash)
    assert loaded.file.saw(generate("congested-40", 2_000_001).hash)


def test_an_infeasible_instance_is_answered_as_such(whole, worked):
    crowded = replace(worked, device_capacity=np.array([0, 0]), cloud_capacity=0)
    result = run(policy.load(str(whole), "placement"), "policy", crowded, Limits())
    assert (result.status, result.decision) == (Status.INFEASIBLE, None)


def test_one_seed_can_leave_the_others(whole, tmp_path):
    """It decides as before, knows what it has seen, and is smaller."""
    instance = generate("congested", 0)
    loaded = policy.load(f"{whole}?seed=7", "placement")
    loaded.file.write_seed(7, tmp_path / "seven.pt")
    alone = policy.load(str(tmp_path / "seven.pt"), "placement")
    assert alone.file.seeds == (7,)
    assert (alone.file.seen == loaded.file.seen).all()
    assert (tmp_path / "seven.pt").stat().st_size < (whole / "policy.pt").stat().st_size
    assert alone(instance, Limits()).decision == loaded(instance, Limits()).decision
    with pytest.raises(InputError, match="seed: is 3, trained are 4, 7"):
        loaded.file.write_seed(3, tmp_path / "three.pt")


def test_a_policy_of_another_network_is_named(whole, tmp_path):
    content = read_torch(whole / "policy.pt")
    content["network"]["layers"] = 1
    torch.save(content, tmp_path / "policy.pt")
    with pytest.raises(InputError, match="parameters: do not fit their network"):
        policy.load(str(tmp_path), "placement")


@pytest.mark.parametrize(
    ("preset", "changes", "message"),
    [
        ("congested,none", {}, 'preset: is "none", unknown'),
        ("congested,congested", {}, "preset: has a preset twice"),
        ("congested", {"steps": 0}, "steps: must be at least 1"),
        ("congested", {"validate": 15}, "validate: must be a multiple of unit, 10"),
        ("congested", {"largest_gap": -1.0}, "largest_gap: must be at least 0"),
        ("congested", {"tuning_steps": 1800}, "tuning_steps: must be from 0 to less than steps"),
        ("congested", {"samples": 1}, "samples: must be at least 2"),
    ],
)
def test_refuses_what_it_cannot_do(preset, changes, message, tmp_path):
    with pytest.raises(InputError, match=message):
        train("placement", preset, "imitation", [0], tmp_path / "run", changes=changes)
    assert not (tmp_path / "run").exists()


def test_both_algorithms_differ_in_fine_tuning():
    assert IMITATION.tuning_steps == 0
    assert 0 < REINFORCED.tuning_steps < REINFORCED.steps
