"""A trained team as a solver."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from skybound.instances.errors import InputError
from skybound.instances.placement.presets import PRESETS, World, generate
from skybound.instances.solution import Status
from skybound.learned import policy
from skybound.learned.algorithms import train
from skybound.learned.placement.environment import PlacementEnvironment, Trajectories
from skybound.learned.placement.value_decomposition import TRAINING_SEED, VALIDATION_SEED, PlacementValueLearner
from skybound.learned.run import read_torch
from skybound.solvers.result import Limits
from skybound.solvers.solve import run

SEEDS = [4, 7]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A team of two seeds, hardly trained."""
    changes = {
        "iterations": 4, "unit": 2, "episodes": 2, "batch": 4, "capacity": 6, "hidden": 8, "worlds": 3, "slots": 2,
        "validation_worlds": 3,
    }  # fmt: skip
    path = tmp_path_factory.mktemp("runs") / "vdn"
    train("placement", "congested", "vdn", SEEDS, path, changes=changes)
    return path


def solved(place: str, instance, seed: int = 0):
    return run(policy.load(place, "placement"), "policy", instance, Limits(seed=seed))


def test_solves_like_any_solver(folder):
    """From the run's folder or from the file; the referee finds it feasible."""
    instance = generate("congested", 3_000_000)
    results = [solved(str(place), instance) for place in (folder, folder / "policy.pt")]
    assert results[0].status is Status.FEASIBLE
    assert results[0].objective == results[1].objective


def test_more_samples_are_never_worse_and_repeat_by_seed(folder):
    better = 0
    for k in range(5):
        instance = generate("congested", 3_000_000 + k)
        greedy, best = (solved(f"{folder}{options}", instance).objective for options in ("", "?samples=32"))
        assert best <= greedy
        assert solved(f"{folder}?samples=32", instance).objective == best
        better += best < greedy
    assert better > 0


def test_decides_as_in_the_first_slot_of_an_episode(folder):
    """The solver's greedy placements are what validation measured."""
    file = policy.load(str(folder), "placement").file
    pool = Trajectories.draw(PRESETS["congested"], 3, 1, VALIDATION_SEED)
    for seed, known in zip(file.seeds, file.validation_return, strict=True):
        values = [solved(f"{folder}?seed={seed}", pool.instance(w, 0)).objective for w in range(3)]
        assert -np.mean(values) == pytest.approx(known)


def test_the_best_seed_in_validation_is_the_default(folder):
    file = policy.load(str(folder), "placement").file
    instance = generate("congested", 3_000_000)
    assert file.best_seed in SEEDS
    assert max(file.validation_return) == file.validation_return[SEEDS.index(file.best_seed)]
    default, chosen = (solved(place, instance).decision for place in (str(folder), f"{folder}?seed={file.best_seed}"))
    assert default == chosen


def test_knows_what_it_has_seen(folder):
    """All training and validation instances, and no other."""
    file = policy.load(str(folder), "placement").file
    training = Trajectories.draw(PRESETS["congested"], 3, 2, TRAINING_SEED)
    validation = Trajectories.draw(PRESETS["congested"], 3, 1, VALIDATION_SEED)
    assert all(file.saw(text) for text in (*training.hashes, *validation.hashes))
    assert len(file.seen) == 9
    assert not file.saw(generate("congested", 3_000_000).hash)


def test_takes_other_numbers_of_users_but_not_of_devices(folder):
    """Users share one network; a host is an output of it."""
    preset = replace(PRESETS["congested"], users=24)
    rng = np.random.default_rng(0)
    world = World.draw(preset, 1, rng)
    instance = world.instance(world.slots(rng), 0, name="more", provenance={})
    assert solved(f"{folder}?samples=4", instance).status is Status.FEASIBLE
    with pytest.raises(InputError, match="was trained for 3 devices, the instance has 4"):
        solved(str(folder), generate("congested-40", 3_000_000))


def test_says_when_there_is_no_placement(folder):
    instance = generate("congested", 3_000_000)
    full = replace(instance, device_capacity=np.zeros(3, int), cloud_capacity=0)
    assert solved(str(folder), full).status is Status.INFEASIBLE


@pytest.mark.parametrize(
    "options", ["samples=0", "samples", "samples=-1", "samples=1.5", "samples=2&samples=2", "speed=1", "seed=", "&"]
)
def test_options_are_read_strictly(folder, options):
    with pytest.raises(InputError, match="has the option"):
        policy.load(f"{folder}?{options}", "placement")


def test_unknown_seeds_are_refused(folder):
    with pytest.raises(InputError, match="seed: is 5, trained are 4, 7"):
        policy.load(f"{folder}?seed=5", "placement")


def test_what_is_no_policy_is_refused(folder, tmp_path):
    """Nothing there, an empty folder, another file, tensors that are no policy, and a policy with pieces missing."""
    with pytest.raises(InputError, match="is not there"):
        policy.load(str(tmp_path / "none"), "placement")
    with pytest.raises(InputError, match=r"has no policy\.pt"):
        policy.load(str(tmp_path), "placement")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(InputError, match="is not a file of tensors"):
        policy.load(str(tmp_path / "text.pt"), "placement")
    with pytest.raises(InputError, match="is not a policy"):
        policy.load(str(folder / "checkpoint.pt"), "placement")
    content = read_torch(folder / "policy.pt")
    for name, match in (("seen", "not a whole policy"), ("parameters", "not a whole policy"), ("seeds", "not a whole")):
        torch.save({key: value for key, value in content.items() if key != name}, tmp_path / "part.pt")
        with pytest.raises(InputError, match=match):
            policy.load(str(tmp_path / "part.pt"), "placement")
    content["parameters"].popitem()
    torch.save(content, tmp_path / "part.pt")
    with pytest.raises(InputError, match="do not fit their network"):
        policy.load(str(tmp_path / "part.pt"), "placement")
    torch.save(content | {"algorithm": "none"}, tmp_path / "part.pt")
    with pytest.raises(InputError, match='algorithm: is "none"'):
        policy.load(str(tmp_path / "part.pt"), "placement")


def test_nothing_in_a_policy_file_is_executed(tmp_path):
    class Bomb:
        def __reduce__(self) -> tuple:
            return (exec, ("raise SystemExit",))

    torch.save({"format": "skybound-policy", "bomb": Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(InputError, match="is not a file of tensors"):
        policy.load(str(tmp_path / "bomb.pt"), "placement")


def test_learning_finds_the_better_host():
    """After two hundred iterations users choose much better than at random."""
    from skybound.learned.placement.value_decomposition import TUNED

    settings = replace(
        TUNED, iterations=150, unit=150, batch=16, episodes=8, worlds=40, slots=2, hidden=32, validation_worlds=40
    )
    learner = PlacementValueLearner("congested", [0], settings)
    validation = PlacementEnvironment(learner.validation_pool)
    validation.reset(np.arange(40))
    rng = np.random.default_rng(0)
    _, at_random = validation.step(rng.integers(5, size=(40, 20)))
    found = -learner.step()["validation_return"][0]
    assert found < 0.75 * -at_random.mean()
