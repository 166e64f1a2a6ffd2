"""Imitation of slicing: networks that know no numbers, prices that prove bounds, learning from certified solutions."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from skybound.evaluation.trained import metrics
from skybound.formulations.slicing.referee import judge
from skybound.instances.errors import InputError
from skybound.instances.slicing.presets import generate
from skybound.learned.algorithms import train
from skybound.learned.policy import load
from skybound.learned.slicing.imitation import SlicingImitation, slope_of_reward
from skybound.learned.slicing.imitation_settings import IMITATION
from skybound.learned.slicing.price_labels import PriceLabels
from skybound.learned.slicing.price_network import PriceNetwork, Sight
from skybound.solvers.result import Limits
from skybound.solvers.slicing.by_prices import decide_by_prices
from skybound.solvers.slicing.decomposition import shared_prices
from skybound.solvers.slicing.everywhere import SharedBound
from skybound.solvers.slicing.placements import placements
from skybound.solvers.solve import solve

PRESET = "paper-24:users=6,side=3"
FEW = {"label_worlds": 4, "validation_worlds": 1, "batch": 4, "width": 8, "layers": 1, "unit": 10, "tuning_batch": 2}


def test_decisions_by_any_prices_are_feasible(random_slicing):
    """Also of untrained networks, whatever the numbers of users and nodes; no better than the bound."""
    network, decided = PriceNetwork(8, 2), 0
    for seed in range(40):
        instance = random_slicing(seed)
        if not len(placements(instance)):
            assert decide_by_prices(instance, np.zeros(0), Limits(), 1).infeasible
            continue
        prices = network.prices(instance)
        assert (prices >= 0).all()
        found = judge(instance, decide_by_prices(instance, prices, Limits(), 2).decision)
        assert found.feasible
        bound = solve(instance, gap=1e-3).bound
        assert found.objective <= bound + 1e-9
        decided += 1
    assert decided >= 20


def regret(instance, bound, prices):
    """Of what prices lead to with the first placement that they name, to a bound."""
    value = judge(instance, decide_by_prices(instance, prices, Limits(), 1).decision).objective
    return (bound - value) / bound


def test_certified_prices_lead_to_certified_decisions():
    """With the prices of the certified solution the decision is near the bound; others send UAVs elsewhere."""
    instance = generate("paper-24", 7_000_000)
    prices, answer = shared_prices(instance, Limits(gap=1e-2))
    assert regret(instance, answer.bound, prices) < 4e-3
    assert regret(instance, answer.bound, 0 * prices) > 6e-3


def test_users_can_be_renumbered():
    """Their prices change places with them."""
    network, sight = PriceNetwork(8, 2), Sight.of(generate("paper-24", 0))
    order = torch.from_numpy(np.random.default_rng(0).permutation(24))
    other = sight._replace(user=sight.user[:, order], link=sight.link[:, order])
    with torch.inference_mode():
        one, two = network(sight, 2)[0], network(other, 2)[0]
    torch.testing.assert_close(two[:24], one[:24][order])
    torch.testing.assert_close(two[24:], one[24:])


def test_slopes_of_bounds():
    """The bound is convex: it lies above its tangent, and near it."""
    instance, rng = generate("fixed-24", 0), np.random.default_rng(0)
    bound = SharedBound(instance)
    point = rng.uniform(0.02, 0.06, 31)
    value, slope = bound.at(point)
    for size in (1e-2, 1e-3):
        move = size * rng.uniform(-1, 1, 31)
        above = bound.at(point + move)[0] - value - slope @ move
        assert -1e-6 <= above <= 40 * size
    # down the slope is down
    assert bound.at(point - 1e-4 * slope)[0] < value


def test_labels_prove_their_gap(tmp_path):
    """Their prices prove the bound again, and a label with a larger gap than is admitted is refused."""
    labels = PriceLabels.draw(PRESET, [1_000_000], 1e-3, 60.0, 1e-2)
    assert labels.gap[0] <= 1e-2
    value, _ = SharedBound(labels.instances[0]).at(labels.prices[0])
    assert value - 1 == pytest.approx(labels.bound[0], rel=5e-3)
    labels.write(tmp_path / "labels.pt")
    again = PriceLabels.read(tmp_path / "labels.pt")
    np.testing.assert_array_equal(again.prices, labels.prices)
    with pytest.raises(ValueError, match="more than 1e-12"):
        PriceLabels.draw(PRESET, [1_000_000], 1e-2, 60.0, 1e-12)


def test_imitation_learns_resumes_and_solves(tmp_path, interrupted):
    """Several starts are as one; errors fall; the policy decides instances of other sizes."""
    changes = FEW | {"imitation_steps": 200, "validate": 200, "tuning_steps": 0}
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    train("slicing", PRESET, "imitation", [0, 1], whole, changes=changes)
    again = partial(train, "slicing", PRESET, "imitation", [0, 1], halves, changes=changes, resume=True)
    interrupted(SlicingImitation, 5, again)
    one, two = (torch.load(run / "policy.pt", weights_only=True) for run in (whole, halves))
    for name, value in one["parameters"].items():
        assert torch.equal(value, two["parameters"][name])
    errors = [line["price_error"] for line in metrics(whole) if "price_error" in line]
    assert np.mean(errors[-1]) < 0.8 * np.mean(errors[0])
    for preset in (PRESET, "paper-24:users=9,side=2"):
        instance = generate(preset, 3)
        assert solve(instance, f"policy:{whole}?seed=1").objective <= solve(instance, gap=1e-3).bound + 1e-9


def test_fine_tuning_lowers_the_bound(tmp_path):
    """The mean bound of what is expected falls, without a look at labels."""
    changes = FEW | {"imitation_steps": 10, "validate": 10, "tuning_steps": 150, "tuning_rate": 3e-3}
    train("slicing", PRESET, "imitation-tuned", [0], tmp_path / "run", changes=changes)
    bounds = [line["bound"][0] for line in metrics(tmp_path / "run") if "bound" in line]
    assert bounds[-1] < bounds[0] - 0.05


def test_slope_of_reward():
    """In the mean it is that of what is lost; a reward that is the same everywhere has none."""
    rng, point, best = np.random.default_rng(0), np.array([0.5, 1.0, 2.0]), np.array([0.1, 0.0, -0.3])
    drawn = [slope_of_reward(lambda at: -np.square(np.log(at) - best).sum(), point, 0.1, rng) for _ in range(20_000)]
    exact = 2 * (np.log(point) - best) / point
    np.testing.assert_allclose(np.mean([slope for _, slope in drawn], 0), exact, atol=0.05)
    assert not slope_of_reward(lambda at: 1.0, point, 0.1, rng)[1].any()


@pytest.mark.slow
def test_fine_tuning_by_reward(tmp_path):
    """From a network that has learned next to nothing, decisions become better on the slots learned from."""
    changes = FEW | {"imitation_steps": 10, "validate": 10, "tuning_steps": 100, "tuning_rate": 1e-2, "tried": 1}
    train("slicing", PRESET, "imitation-rl", [0], tmp_path / "run", changes=changes)
    lost = [line["loss"][0] for line in metrics(tmp_path / "run") if "loss" in line]
    assert np.mean(lost[-3:]) < np.mean(lost[:3])


def test_fine_tuning_by_reward_repeats(tmp_path, interrupted):
    """Equal seeds learn equally, also in several starts."""
    changes = FEW | {"imitation_steps": 10, "validate": 10, "tuning_steps": 2, "tried": 1}
    runs = tmp_path / "whole", tmp_path / "halves"
    train("slicing", PRESET, "imitation-rl", [0], runs[0], changes=changes)
    again = partial(train, "slicing", PRESET, "imitation-rl", [0], runs[1], changes=changes, resume=True)
    interrupted(SlicingImitation, 2, again)
    one, two = ([(line["loss"], line["gradient_norm"]) for line in metrics(run) if "loss" in line] for run in runs)
    assert one == two
    assert one[0][1][0] > 0


def test_a_trained_policy_comes_along():
    """It knows better than an untrained one where UAVs should stand in slots that it has not seen."""
    untrained, known = PriceNetwork(IMITATION.width, IMITATION.layers), load("shipped", "slicing").decide.network
    lost = []
    for seed in (7_000_000, 7_000_001, 7_000_003):
        instance = generate("paper-24", seed)
        bound = solve(instance, time_limit_s=20.0, gap=5e-3).bound
        assert solve(instance, "policy:shipped").objective > 0.99 * bound
        lost.append([regret(instance, bound, network.prices(instance)) for network in (known, untrained)])
    assert np.mean(lost, 0)[0] < 0.7 * np.mean(lost, 0)[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [("learning_rate", 0.0), ("tuning_rate", -1.0), ("averaging", 1.5), ("weight_decay", -1.0), ("wanted_gap", -0.1)],
)
def test_hyperparameters_that_cannot_be(name, value):
    """They are named."""
    with pytest.raises(InputError, match=name):
        replace(IMITATION, **{name: value})


def test_without_time_the_papers_rule_decides():
    """Prices that there is no time for leave what load balancing decides."""
    instance = generate("paper-24", 0)
    rule, hurried = (solve(instance, name, time_limit_s=1e-3) for name in ("load-balancing", "zero-prices"))
    assert hurried.objective >= rule.objective


def test_bounds_do_not_remember():
    """What a bound is at some prices does not depend on the prices before."""
    instance = generate(PRESET, 0)
    point, _ = shared_prices(instance, Limits(gap=1e-2))
    fresh, used = SharedBound(instance), SharedBound(instance)
    used.at(2 * point)
    for one, two in zip(fresh.at(point), used.at(point), strict=True):
        assert np.array_equal(one, two)


@pytest.mark.parametrize("preset", ["paper-24:users=0,side=2", "paper-24:users=3,side=2,weights=0/0/0"])
def test_slots_that_are_worth_nothing_teach_nothing(preset, tmp_path):
    with pytest.raises(InputError, match="no user is worth anything"):
        train("slicing", preset, "imitation", [0], tmp_path, changes=FEW | {"imitation_steps": 10, "validate": 10})
