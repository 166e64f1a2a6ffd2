"""A2C and A3C on provisioning: returns by hand, a known answer, runs that resume."""

import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from skybound.instances.errors import InputError
from skybound.instances.provisioning.presets import generate
from skybound.learned.algorithms import train
from skybound.learned.policy_file import PolicyFile
from skybound.learned.provisioning import a2c, a3c
from skybound.learned.provisioning.actor_network import FlatActorCritic, SharedActorCritic
from skybound.learned.provisioning.environment import ProvisioningEnvironment
from skybound.learned.provisioning.rollout import Lesson, Played, losses, play, play_greedily
from skybound.learned.provisioning.worlds import Layout, Worlds
from skybound.solvers.solve import solve

PRESET = "tight:slots=4,users=4,resources=1/1/1/1,capacities=2/2/2/2"
QUICK = {"updates": 60, "unit": 20, "steps": 8, "environments": 4, "width": 16, "worlds": 3, "validation_worlds": 2}


def lesson(**changes):
    return replace(Lesson(gamma=0.5, by_slot=True, by_part=True, value_weight=0.5, entropy=0.0), **changes)


class Even(FlatActorCritic):
    """Says the same of everything: even chances, and one value."""

    def forward(self, observation, mask):
        chances = [torch.zeros(*mask.shape[:-1], size).log_softmax(-1) for size in self.sizes]
        return chances, torch.full((*mask.shape[:-1], self.critic.bias.shape[-1]), 3.0) + 0 * self.critic.bias.mean()


def test_returns_by_hand():
    """Three steps of which the second ends a slot: 1 + 0.5 * 2, then 2 alone, then 4 + 0.5 * 3 by the critic."""
    network = Even(Layout((1, 1, 1, 1)), 1, 4, [0])
    seen = torch.zeros(3, 1, 1, 18), torch.ones(3, 1, 1, 6, dtype=torch.bool)
    reward = torch.tensor([1.0, 2.0, 4.0]).reshape(3, 1, 1, 1)
    ends = torch.tensor([False, True, False]).reshape(3, 1, 1)
    action = torch.zeros(3, 1, 1, 3, dtype=torch.int64)
    played = Played(*seen, action, reward, ends, (seen[0][0], seen[1][0]))
    target = np.array([2.0, 2.0, 5.5])
    gained = 3 * np.log(0.5) * (target - 3).mean()
    expected = 0.5 * ((target - 3) ** 2).mean() - gained
    assert losses(network, played, lesson(by_part=False)).tolist() == pytest.approx([expected])
    with_entropy = losses(network, played, lesson(by_part=False, entropy=0.1))
    assert with_entropy.tolist() == pytest.approx([expected - 0.1 * 3 * np.log(2)])


def test_impossible_actions_are_never_taken():
    """However much the scores are for them."""
    environment = ProvisioningEnvironment(Worlds([generate(PRESET, 0)]))
    network = FlatActorCritic(environment.layout, 3, 8, [0])
    with torch.no_grad():
        network.scores.bias.copy_(torch.tensor([-50.0, 50.0] * 3))
    environment.reset(np.zeros(6, np.int64))
    played = play(network, environment, 40, lesson(), [np.random.default_rng(0)])
    mask = torch.stack(played.mask.split(network.sizes, -1), -2)
    assert mask.gather(-1, played.action[..., None]).all()
    assert (played.action == 0).any()
    assert (played.action == 1).any()


@pytest.mark.parametrize("kind", [FlatActorCritic, SharedActorCritic])
def test_seeds_learn_apart(kind):
    """Losses and play of a seed are the same beside others."""
    pool = Worlds([generate(PRESET, seed) for seed in range(3)])
    found = []
    for seeds in ([4], [3, 4]):
        environment = ProvisioningEnvironment(pool)
        environment.reset(np.tile([0, 1], len(seeds)))
        network = kind(environment.layout, 3, 8, seeds)
        played = play(network, environment, 20, lesson(), [np.random.default_rng(seed) for seed in seeds])
        found.append(
            (losses(network, played, lesson()).detach()[-1].item(), play_greedily(network, environment)[-1].tolist())
        )
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    assert found[0][1] == pytest.approx(found[1][1])


@pytest.mark.parametrize(("name", "rate"), [("a2c", 1e-2), ("a3c", 5e-3)])
def test_a_known_optimum_is_learned(name, rate, tmp_path):
    """One user in a slot: nothing is scarce, so the optimum is what pays, and the actors come near it."""
    preset = "tight:slots=10,users=1,resources=2/1/2/2"
    changes = {"updates": 2_000, "unit": 500, "environments": 16, "steps": 5, "worlds": 200, "validation_worlds": 20}
    changes |= {"width": 32, "learning_rate": [rate, 1e-4, 1.0]}
    outcome = train("provisioning", preset, name, [0], tmp_path, changes=changes)
    best = np.mean([solve(generate(preset, 2_000_000 + k)).objective for k in range(20)])
    assert best >= outcome.metrics["validation_return"][0] * (1 - 1e-9)
    assert PolicyFile.read(tmp_path).validation_return[0] >= 0.97 * best


def test_policies_solve(tmp_path):
    """Greedily, and better by the best of many; instances of other shapes are refused."""
    train("provisioning", PRESET, "a2c", [0, 1], tmp_path, changes=QUICK | {"shared": False})
    instance = generate(PRESET, 5)
    one, many = (solve(instance, f"policy:{tmp_path}?samples={count}") for count in (1, 64))
    assert one.status.has_decision
    assert one.objective <= many.objective <= solve(instance).objective + 1e-9
    assert one.objective < many.objective
    with pytest.raises(InputError, match="the policy was trained for"):
        solve(generate("paper:slots=2", 0), f"policy:{tmp_path}")


def test_a_shared_scorer_serves_any_layout(tmp_path, random_provisioning):
    """Also without satellites, caches or servers at all; options in another order have their chances in that order."""
    train("provisioning", PRESET, "a2c", [0], tmp_path, changes=QUICK)
    for seed in range(10):
        assert solve(random_provisioning(seed), f"policy:{tmp_path}").status.has_decision
    environment = ProvisioningEnvironment(Worlds([generate("tight:slots=1", 0)]))
    network = SharedActorCritic(environment.layout, 3, 8, [0])
    seen, mask = (torch.from_numpy(part)[None] for part in (environment.observe(), environment.mask))
    (_, caches, _), _ = network(seen, mask)
    options, resources = environment.layout.options, environment.layout.resources
    order = np.arange(environment.features)
    for first in (8, options + 8, 2 * options + 8, 3 * options + 6, 3 * options + resources + 6):
        order[first : first + 3] = order[first : first + 3][::-1]
    (_, turned, _), _ = network(seen[..., order.tolist()], mask)
    assert torch.allclose(turned[..., 1:], caches[..., 1:].flip(-1), atol=1e-6)
    assert not torch.allclose(turned[..., 1:], caches[..., 1:])


def test_a_resumed_run_of_a2c_equals_an_uninterrupted_one(tmp_path, interrupted):
    assert_resumed("a2c", tmp_path, lambda go: interrupted(a2c.ActorCriticLearner, 2, go), QUICK)


def test_a_resumed_run_of_a3c_equals_an_uninterrupted_one(tmp_path, interrupted):
    """With one worker; the processes are others after every interruption."""
    assert_resumed("a3c", tmp_path, lambda go: interrupted(a3c.AsynchronousLearner, 2, go), QUICK | {"workers": 1})


def assert_resumed(name, folder, interruptedly, changes):
    """A run in one go and one with interruptions come to the same."""
    train("provisioning", PRESET, name, [0, 1], folder / "whole", changes=changes)
    interruptedly(lambda: train("provisioning", PRESET, name, [0, 1], folder / "parts", changes=changes, resume=True))
    one, other = PolicyFile.read(folder / "whole"), PolicyFile.read(folder / "parts")
    assert one.validation_return == other.validation_return
    assert all(torch.equal(one.parameters[name], other.parameters[name]) for name in one.parameters)


@pytest.mark.usefixtures("hearing_interrupts")
def test_ctrl_c_lets_updates_end(tmp_path, monkeypatch):
    """Two workers, cut short in a unit without end: what they have done is kept, and the next start adds to it."""
    changes = QUICK | {"workers": 2, "updates": 10**7, "unit": 10**7, "environments": 1, "steps": 2}
    of, done = a3c.Shared.of, [0]

    def watched(network):
        shared = of(network)
        threading.Thread(target=interrupt_after, args=(shared, done[-1] + 5), daemon=True).start()
        return shared

    monkeypatch.setattr(a3c.Shared, "of", watched)
    for start in range(2):
        outcome = train("provisioning", PRESET, "a3c", [0], tmp_path, changes=changes, resume=start > 0)
        assert (outcome.stopped, outcome.units) == ("interrupted", start + 1)
        done.append(outcome.metrics["step"][0])
        assert done[-1] >= done[-2] + 5


def interrupt_after(shared, updates):
    """Press Ctrl-C when so many updates are done."""
    while shared.done < updates:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
