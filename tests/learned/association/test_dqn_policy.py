"""The DQN family on association: a trained network as a solver, and what it is told apart by."""

import numpy as np
import pytest
from skybound.formulations.association.referee import judge
from skybound.instances.association.presets import generate
from skybound.instances.errors import InputError
from skybound.learned.algorithms import train
from skybound.learned.association.dqn import PAPER, TUNED
from skybound.learned.policy_file import PolicyFile
from skybound.solvers.solve import solve

PRESET = "headline:slots=4"
FEW = {"worlds": 4, "validation_worlds": 2, "environments": 4, "unit": 50, "capacity": 800, "warm_up": 80, "batch": 32}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "psddqn"
    outcome = train("association", PRESET, "psddqn", [0, 1], folder, changes=FEW | {"steps": 200})
    assert outcome.stopped == "done"
    return folder


def test_a_policy_is_a_solver(run):
    """Feasible, not above the bound, and the best of several days is no worse than the greedy one."""
    day = generate(PRESET, 3_000_000)
    greedy, several = solve(day, f"policy:{run}"), solve(day, f"policy:{run}?samples=16")
    assert judge(day, greedy.decision).objective == greedy.objective
    assert greedy.objective <= several.objective <= solve(day).bound * (1 + 1e-9)


def test_its_days_are_known(run):
    file = PolicyFile.read(run)
    assert file.saw(generate(PRESET, 1_000_003).hash)
    assert file.saw(generate(PRESET, 2_000_001).hash)
    assert not file.saw(generate(PRESET, 3_000_000).hash)


def test_the_features_of_links_fit_any_number_of_satellites(run):
    assert solve(generate(f"{PRESET},satellites=60", 1), f"policy:{run}").objective > 0


def test_the_papers_network_belongs_to_its_satellites(tmp_path):
    """156 inputs name 120 satellites; others are refused."""
    changes = FEW | {"steps": 100, "environments": 1, "learn_every": 10}
    train("association", PRESET, "dqn-paper", [0], tmp_path / "run", changes=changes)
    assert PolicyFile.read(tmp_path / "run").network["features"] == 156
    assert solve(generate(PRESET, 5), f"policy:{tmp_path / 'run'}").decision is not None
    with pytest.raises(InputError, match="156 features"):
        solve(generate(f"{PRESET},satellites=60", 1), f"policy:{tmp_path / 'run'}")


def test_training_earns_more_than_chance(tmp_path):
    preset = "headline:slots=6"
    changes = FEW | {"worlds": 20, "environments": 16, "capacity": 8000, "warm_up": 800, "steps": 800, "unit": 200}
    train("association", preset, "ddqn", [0], tmp_path / "run", changes=changes)
    days = [generate(preset, 3_000_000 + k) for k in range(5)]
    learned, random = (
        np.mean([solve(day, name).objective for day in days]) for name in (f"policy:{tmp_path / 'run'}", "random")
    )
    assert learned > 1.2 * random


def test_the_papers_numbers():
    assert (PAPER.hidden, PAPER.batch, PAPER.learning_rate[0], PAPER.learn_every) == ((64, 32), 32, 0.005, 120)
    assert not TUNED.idle


def test_an_unknown_observation_is_named(tmp_path):
    with pytest.raises(InputError, match="observation"):
        train("association", PRESET, "dqn", [0], tmp_path / "run", changes=FEW | {"observation": "everything"})
