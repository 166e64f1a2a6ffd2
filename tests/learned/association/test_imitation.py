"""Imitation on association: runs that resume, policies as solvers, and settings."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from skybound.formulations.association.referee import judge
from skybound.instances.association.presets import generate
from skybound.instances.errors import InputError
from skybound.learned import policy
from skybound.learned.algorithms import train
from skybound.learned.association.imitation import AssociationImitation
from skybound.learned.association.imitation_settings import IMITATION, PRICES, REINFORCED
from skybound.learned.policy_file import PolicyFile
from skybound.solvers.result import Limits
from skybound.solvers.solve import solve

PRESET = "headline:slots=5"
FEW = {
    "label_days": 3,
    "validation_days": 2,
    "chunk_days": 2,
    "price_steps": 40,
    "slot_days": 3,
    "collected_days": 2,
    "batch": 8,
    "width": 8,
    "unit": 10,
    "validate": 20,
}
LINKS = FEW | {"link_steps": 20, "layers": 1, "collections": 1}
TUNED = LINKS | {"tuning_steps": 10, "tuning_batch": 2, "samples": 3}
CASES = {"prices": FEW, "imitation": LINKS, "imitation-rl": TUNED}


@pytest.fixture(scope="module", params=CASES)
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / request.param
    outcome = train("association", PRESET, request.param, [0, 1], folder, changes=CASES[request.param])
    assert outcome.stopped == "done"
    return request.param, folder


def test_a_policy_is_a_solver(run):
    """Its links are feasible, never better than the bound, and the same each time."""
    _, folder = run
    instance = generate(PRESET, 3_000_000)
    one, again = (solve(instance, f"policy:{folder}") for _ in range(2))
    assert one.decision.links.tolist() == again.decision.links.tolist()
    assert 0 < one.objective <= solve(instance).bound * (1 + 1e-9)
    assert judge(instance, one.decision).objective == one.objective


def test_the_days_of_training_and_validation_are_known(run):
    _, folder = run
    file = PolicyFile.read(folder)
    assert all(file.saw(generate(PRESET, seed).hash) for seed in (1_000_000, 1_000_002, 2_000_000, 2_000_001))
    assert not file.saw(generate(PRESET, 3_000_000).hash)


def test_a_resumed_run_equals_an_uninterrupted_one(run, tmp_path, interrupted):
    """Interrupted in every stage."""
    algorithm, whole = run
    again = {"resume": True, "changes": CASES[algorithm]}
    interrupted(
        AssociationImitation,
        3,
        lambda: train("association", PRESET, algorithm, [0, 1], tmp_path / "run", **again),
    )
    one, other = PolicyFile.read(whole), PolicyFile.read(tmp_path / "run")
    assert one.parameters.keys() == other.parameters.keys()
    assert all(torch.equal(one.parameters[name], other.parameters[name]) for name in one.parameters)


def test_prices_learned_beat_none(tmp_path):
    """After a short training the exact play at the network's prices is closer to the optimum than the myopic one."""
    preset = "headline:slots=12,capacity=80"
    changes = {"largest_gap": 1e-3, "label_days": 8, "validation_days": 3, "price_steps": 300, "validate": 100}
    train("association", preset, "prices", [0], tmp_path / "run", changes=changes)
    days = [generate(preset, 3_000_000 + k) for k in range(4)]
    optimum, myopic, learned = (
        np.array([solve(day, name).objective for day in days])
        for name in (None, "myopic", f"policy:{tmp_path / 'run'}")
    )
    assert (1 - learned / optimum).mean() < 0.5 * (1 - myopic / optimum).mean()


def test_several_presets_are_learned_at_once(tmp_path):
    changes = FEW | {"price_steps": 20}
    preset = "headline:slots=5;headline:slots=5,capacity=150"
    train("association", preset, "prices", [0], tmp_path / "run", changes=changes)
    assert PolicyFile.read(tmp_path / "run").preset == preset


def test_an_exact_policy_takes_instances_of_any_shape(run):
    _, folder = run
    decide = policy.load(str(folder), "association")
    other = generate("headline:slots=3,satellites=60", 1)
    assert decide(other, Limits()).decision is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"validate": 30}, "validate"),
        ({"layers": 0}, "layers"),
        ({"samples": 1}, "samples"),
        ({"largest_gap": -1.0}, "largest_gap"),
        ({"label_days": 0}, "label_days"),
    ],
)
def test_impossible_settings_are_named(changes, field):
    with pytest.raises(InputError, match=field):
        replace(IMITATION, **changes)
    assert {"link_steps", "tuning_steps"} <= asdict(REINFORCED).keys() == asdict(PRICES).keys()
