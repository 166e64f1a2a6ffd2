"""Deep Q-learning: sum trees, replay, known values of tiny problems, masks, and runs that resume."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skybound.instances.errors import InputError
from skybound.learned.dqn import QNetwork, Settings, errors, loss
from skybound.learned.q_learner import QLearner, best_actions, play, values_of
from skybound.learned.sum_tree import SumTree
from skybound.learned.transitions import TransitionReplay

GAMMA = 0.9
QUICK = Settings(
    double=False,
    dueling=False,
    prioritised=False,
    observation="",
    idle=False,
    hidden=(32, 32),
    gamma=GAMMA,
    environments=8,
    steps=1500,
    unit=500,
    learn_every=1,
    batch=64,
    capacity=2000,
    warm_up=100,
    learning_rate=(3e-3, 1e-4),
    target_every=25,
    exploration=(1.0, 0.3, 0.5),
    priority=0.6,
    correction=0.4,
    largest_error=None,
    largest_gradient=10.0,
    worlds=2,
    validation_worlds=2,
)
FLAGS = {
    "dqn": {},
    "ddqn": {"double": True},
    "dueling": {"double": True, "dueling": True},
    "psddqn": {"double": True, "prioritised": True},
}


class Corridor:
    """Rooms 0 to 3 in a row; the day ends in room 3 with 1, or at the exit of room 0 with 0.2.

    Actions are to go left, to go right, and a trap door of value 100 that never opens. World w begins in room 1 + w.
    """

    worlds, actions, features = 2, 3, 4
    ROOMS = 4

    def reset(self, world):
        self.room = 1 + world.copy()
        self.trapped = False

    def begin(self, which, world):
        self.room[which] = 1 + world

    @property
    def over(self):
        return (self.room < 0) | (self.room == self.ROOMS - 1)

    @property
    def mask(self):
        return np.tile([True, True, False], (len(self.room), 1))

    def observe(self):
        return np.eye(self.ROOMS, dtype=np.float32)[np.clip(self.room, 0, self.ROOMS - 1)]

    def step(self, action):
        self.trapped |= bool((action == 2).any())
        over = self.over
        self.room = np.where(over, self.room, self.room + np.where(action == 1, 1, -1))
        reward = np.where(self.room == self.ROOMS - 1, 1.0, np.where(self.room < 0, 0.2, 0.0))
        return np.where(over, 0.0, reward)


# Q of (room, action), by hand: room 2 right is 1, room 1 right is .9, and so on; left of room 0 ends with .2.
KNOWN = np.array([[0.2, GAMMA**2], [GAMMA * GAMMA**2, GAMMA], [GAMMA * GAMMA, 1.0]])


def trained(flags, seeds=(0, 1), settings=QUICK):
    learner = QLearner(replace(settings, **flags), Corridor(), Corridor(), seeds)
    while learner.progress < 1:
        learner.step()
    return learner


@pytest.mark.parametrize("name", FLAGS)
def test_values_of_a_corridor_are_learned(name):
    """Every flag comes to the values that follow from Bellman's equation, and never opens the trap door."""
    learner = trained(FLAGS[name])
    seen = np.tile(np.eye(4, dtype=np.float32)[:3], (2, 1))
    values = values_of(learner.network, seen).reshape(2, 3, 3)
    assert values[:, :, :2] == pytest.approx(np.stack([KNOWN, KNOWN]), abs=0.03)
    assert not learner.environment.trapped
    assert not learner.validation.trapped
    assert learner.policy()["validation_return"] == [1.0, 1.0]


def test_a_masked_action_is_not_bootstrapped():
    """Nor one after the end, in either way of picking the next action."""
    network = QNetwork(2, (4, 4), 3, dueling=False, seeds=[0])
    with torch.no_grad():
        network.out.weight.zero_()
        network.out.bias.copy_(torch.tensor([[[1.0, 2.0, 100.0]]]))
    lived = {
        "observation": torch.zeros(1, 2, 2),
        "next_observation": torch.ones(1, 2, 2),
        "next_mask": torch.tensor([[[True, True, False], [True, True, True]]]),
        "action": torch.tensor([[0, 1]]),
        "reward": torch.tensor([[0.5, 0.5]]),
        "ended": torch.tensor([[False, True]]),
    }
    for double in (False, True):
        error = errors(network, network, lived, GAMMA, double=double)
        assert error[0].tolist() == pytest.approx([0.5 + GAMMA * 2 - 1, 0.5 - 2])


def test_double_learning_values_the_learned_networks_choice():
    learned, target = (QNetwork(1, (2, 2), 2, dueling=False, seeds=[0]) for _ in range(2))
    with torch.no_grad():
        for network, values in ((learned, [1.0, 2.0]), (target, [5.0, 3.0])):
            network.out.weight.zero_()
            network.out.bias.copy_(torch.tensor([[values]]))
    lived = {
        "observation": torch.zeros(1, 1, 1),
        "next_observation": torch.zeros(1, 1, 1),
        "next_mask": torch.ones(1, 1, 2, dtype=torch.bool),
        "action": torch.tensor([[0]]),
        "reward": torch.tensor([[0.0]]),
        "ended": torch.tensor([[False]]),
    }
    assert errors(learned, target, lived, 1.0, double=True).item() == pytest.approx(3 - 1)
    assert errors(learned, target, lived, 1.0, double=False).item() == pytest.approx(5 - 1)


def test_the_loss_is_weighted_and_linear_beyond_the_largest_error():
    error, weight = torch.tensor([[1.0, -3.0]]), torch.tensor([[1.0, 0.5]])
    assert loss(error, weight, None).item() == pytest.approx((1 + 0.5 * 9) / 2)
    assert loss(error, weight, 1.0).item() == pytest.approx((1 + 0.5 * (2 * 3 - 1)) / 2)


def test_dueling_values_have_the_value_as_their_mean():
    network = QNetwork(3, (8, 8), 4, dueling=True, seeds=[5])
    x = torch.randn(1, 6, 3, generator=torch.Generator().manual_seed(0))
    hidden = x
    for layer in network.hidden:
        hidden = torch.relu(layer(hidden))
    assert torch.allclose(network(x).mean(-1), network.out(hidden)[..., 0], atol=1e-6)


def test_seeds_learn_alike_whoever_is_beside():
    """A seed's network is the same alone as among others."""
    settings = replace(QUICK, steps=120, unit=60)
    alone, among = trained(FLAGS["psddqn"], (4,), settings), trained(FLAGS["psddqn"], (2, 4), settings)
    for one, many in zip(alone.network.parameters(), among.network.parameters(), strict=True):
        assert torch.allclose(one[0], many[1], atol=1e-5)


@pytest.mark.parametrize("name", FLAGS)
def test_a_resumed_run_equals_an_uninterrupted_one(name):
    settings = replace(QUICK, steps=300, unit=100)
    whole = trained(FLAGS[name], settings=settings)
    begun = QLearner(replace(settings, **FLAGS[name]), Corridor(), Corridor(), (0, 1))
    begun.step()
    resumed = QLearner(replace(settings, **FLAGS[name]), Corridor(), Corridor(), (0, 1))
    resumed.load_state(begun.state())
    while resumed.progress < 1:
        resumed.step()
    for one, other in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_play_returns_what_was_earned():
    learner = trained({})
    assert play(learner.network, Corridor(), np.array([0, 1, 0, 1])).tolist() == [1.0] * 4


@pytest.mark.parametrize("leaves", [1, 5, 8, 100])
def test_a_sum_tree_agrees_with_brute_force(leaves):
    """Totals and draws after many changes, leaf by leaf."""
    rng, trees = np.random.default_rng(leaves), 3
    tree, weights = SumTree(trees, leaves), np.zeros((trees, leaves))
    for _ in range(20):
        at = rng.integers(leaves, size=(trees, 4))
        new = np.where(rng.random((trees, 4)) < 0.3, 0.0, rng.exponential(size=(trees, 4)))
        tree.change(at, new)
        for k in range(4):
            weights[np.arange(trees), at[:, k]] = new[:, k]
        assert tree.total == pytest.approx(weights.sum(1))
        assert tree.leaf_weights()[:, :leaves] == pytest.approx(weights)
        if (weights.sum(1) == 0).any():
            continue
        share = rng.random((trees, 50))
        expected = [np.searchsorted(w.cumsum(), s * w.sum(), side="right") for w, s in zip(weights, share, strict=True)]
        assert tree.find(share).tolist() == np.array(expected).tolist()
        again = SumTree(trees, leaves)
        again.load(tree.leaf_weights())
        assert again.total == pytest.approx(tree.total)
        assert (again.find(share) == tree.find(share)).all()


def test_priorities_decide_how_often_a_transition_is_drawn():
    """In proportion to (|error| + a little) ^ priority, and the correction undoes it."""
    replay = TransitionReplay(1, 4, {"reward": ((), np.float32)}, priority=0.5)
    replay.add({"reward": np.arange(4.0)[None]})
    replay.learned(np.arange(4)[None], np.array([[1.0, 4.0, 9.0, 16.0]]))
    at, likelier, lived = replay.sample(10_000, [np.random.default_rng(0)])
    share = np.bincount(at[0], minlength=4) / 10_000
    assert share == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=0.01)
    assert (lived["reward"] == at).all()
    assert np.mean(1 / likelier) == pytest.approx(1.0, abs=0.05)


def test_new_transitions_have_the_largest_priority_met():
    replay = TransitionReplay(1, 4, {"reward": ((), np.float32)}, priority=1.0)
    replay.add({"reward": np.zeros((1, 2))})
    replay.learned(np.array([[0, 1]]), np.array([[0.5, 7.0]]))
    replay.add({"reward": np.zeros((1, 1))})
    at, _, _ = replay.sample(20_000, [np.random.default_rng(0)])
    share = np.bincount(at[0], minlength=4) / 20_000
    assert share == pytest.approx([0.5 / 14.5, 7 / 14.5, 7 / 14.5, 0], abs=0.02)


def test_the_oldest_transition_goes_first():
    replay = TransitionReplay(2, 3, {"reward": ((), np.float32)}, priority=0.0)
    for value in range(5):
        replay.add({"reward": np.full((2, 1), value, np.float32)})
    _, _, lived = replay.sample(500, [np.random.default_rng(k) for k in range(2)])
    assert set(lived["reward"].ravel()) == {2.0, 3.0, 4.0}


def test_best_actions_are_possible_ones():
    assert best_actions(np.array([[3.0, 2.0], [1.0, 5.0]]), np.array([[False, True], [True, True]])).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"batch": 0}, "batch"), ({"capacity": 1001}, "capacity"), ({"gamma": 1.5}, "gamma")],
)
def test_impossible_settings_are_named(changes, field):
    with pytest.raises(InputError, match=field):
        replace(QUICK, **changes)
