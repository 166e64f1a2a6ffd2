"""How a network places."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skybound.formulations.placement.referee import judge
from skybound.instances.placement import PlacementDecision
from skybound.learned.placement.decision_head import Seated
from skybound.learned.placement.decoder import decode, rounds
from skybound.learned.placement.edge_network import EdgeNetwork, Size
from skybound.learned.placement.scene import HIDDEN, Scene
from skybound.solvers.placement.batch import Costs, Partial


@pytest.mark.parametrize("samples", [1, 5])
def test_every_placement_is_feasible_whatever_the_instance(feasible, network, samples):
    """Holes everywhere, both ways of sharing, no devices, closed and unlimited clouds; the referee objects to none."""
    instances = feasible(150)
    assert {instance.share for instance in instances} == {"even", "optimal"}
    assert any(instance.devices == 0 for instance in instances)
    assert any(instance.cloud_capacity is None for instance in instances)
    binding = 0
    for instance in instances:
        partial = Partial(Costs.of([instance]))
        host = decode(network, partial, samples)[0]
        verdict = judge(instance, PlacementDecision(host))
        assert verdict.objective == pytest.approx(partial.costs.total_s(host[None])[0], rel=1e-9)
        binding += (np.bincount(host, minlength=instance.devices + 2) == partial.costs.places[0])[1:].any()
    assert binding > 0.3 * len(instances)


def test_a_host_not_offered_is_never_chosen_even_when_preferred(feasible, network):
    """Every decision of every round, for a network that likes what cannot be best."""
    for instance in feasible(60):
        partial = Partial(Costs.of([instance]))
        pairs = network(Scene.of(partial.costs)).pairs
        with torch.no_grad():
            pairs.packed[..., 4] += torch.where(pairs.packed[..., 4] > HIDDEN / 2, 0.0, -2 * HIDDEN)
        for step in rounds(network, pairs, partial):
            assert step.offered.gather(2, step.host[:, :, None]).all()


def assert_same_but_for_a_tie(one, other):
    """One instance of a batch may be decided otherwise, where rounding, which machines do differently, breaks a tie."""
    assert (one != other).any(1).sum() <= 1


def test_a_batch_decides_as_each_instance_alone(labels, network):
    together = decode(network, Partial(labels.costs))
    alone = [decode(network, Partial(labels.take(np.array([k])).costs))[0] for k in range(len(labels))]
    assert_same_but_for_a_tie(together, np.stack(alone))
    logits = [network(Scene.of(labels.take(np.array([k])).costs)).logits for k in range(len(labels))]
    torch.testing.assert_close(torch.cat(logits), network(Scene.of(labels.costs)).logits)


def test_reordering_users_reorders_logits_and_the_decision(labels, network, permuted):
    order = np.random.default_rng(0).permutation(labels.costs.shape[1])
    costs, other = labels.costs, permuted(labels.costs, order)
    torch.testing.assert_close(network(Scene.of(other)).logits, network(Scene.of(costs)).logits[:, order])
    assert_same_but_for_a_tie(decode(network, Partial(other)), decode(network, Partial(costs))[:, order])


def test_reordering_devices_reorders_logits(labels, network):
    """Devices are told apart by what they are, not by their number."""
    costs, hosts = labels.costs, np.array([0, 3, 1, 2, 4])
    other = replace(
        costs, fixed_s=costs.fixed_s[:, :, hosts], speed_cps=costs.speed_cps[:, hosts[1:-1] - 1],
        places=costs.places[:, hosts],
    )  # fmt: skip
    torch.testing.assert_close(network(Scene.of(other)).logits, network(Scene.of(costs)).logits[:, :, hosts])


def test_units_of_time_do_not_matter(labels, network):
    """The same network decides alike when everything takes a thousand times as long."""
    slow = replace(labels.costs, fixed_s=1e3 * labels.costs.fixed_s, speed_cps=labels.costs.speed_cps / 1e3)
    torch.testing.assert_close(network(Scene.of(slow)).logits, network(Scene.of(labels.costs)).logits)
    assert_same_but_for_a_tie(decode(network, Partial(slow)), decode(network, Partial(labels.costs)))


def test_samples_are_never_worse_than_greedy_and_often_better(labels, network):
    greedy, few, many = (labels.regret(decode(network, Partial(labels.costs), k, seed=3)) for k in (1, 2, 16))
    assert (few <= greedy).all()
    assert (many <= greedy).all()
    assert many.mean() < few.mean() < greedy.mean()


def test_samples_follow_the_seed(labels, network):
    one, again, other = (decode(network, Partial(labels.costs), 4, seed) for seed in (0, 0, 1))
    assert (one == again).all()
    assert (one != other).any()


def test_samples_that_do_not_fit_at_once_are_drawn_in_turn(labels, network, monkeypatch):
    monkeypatch.setattr("skybound.learned.placement.decoder.PAIRS_AT_ONCE", 2500)
    greedy, many = (labels.regret(decode(network, Partial(labels.costs), k)) for k in (1, 5))
    assert (many <= greedy).all()
    assert (many < greedy).any()


def test_draws_have_the_probabilities_of_the_logits(network):
    """One user with three hosts; frequencies of 4,000 draws at temperature 1."""
    costs = Costs(True, np.array([[[1.0, 1.2, 0.9]]]), np.ones((1, 1)), np.array([[2.0]]), np.array([[1, 1, 1]]))
    many = Partial(costs.repeat(4000))
    with torch.no_grad():
        pairs = network(Scene.of(costs)).pairs.repeat(4000)
        (step,) = rounds(network, pairs, many, np.ones(4000), torch.Generator().manual_seed(0))
    expected = torch.softmax(step.logits[0, 0], 0).numpy()
    assert np.bincount(many.host[:, 0], minlength=3) / 4000 == pytest.approx(expected, abs=0.03)


def test_before_training_the_head_repeats_the_encoder(labels):
    network = EdgeNetwork(Size(width=16, layers=2, heads=2, loads=2, head_width=16), seed=1)
    scene = Scene.of(labels.costs)
    encoding = network(scene)
    logits = network.head(encoding.pairs, Seated.at(scene, torch.zeros(scene.fixed.shape)), scene.possible)
    torch.testing.assert_close(logits, encoding.logits)


def test_the_scene_knows_both_ways_of_sharing():
    """Slope times load is what users of work 1, 4 and 9 compute on a device of speed 2."""
    work = np.array([[1.0, 4.0, 9.0]])
    fixed = np.full((1, 3, 3), np.inf)
    fixed[:, :, 1] = 0.0
    for even, load, expected in ((True, work, 3 * work / 2), (False, np.sqrt(work), np.sqrt(work) * 6 / 2)):
        costs = Costs(even, fixed, load, np.array([[2.0]]), np.array([[3, 3, 0]]))
        scene = Scene.of(costs)
        scale = (work / 2).mean()
        crowd = scene.weight[0, :, 1].sum()
        assert (scene.slope[0, :, 1] * crowd).numpy() * scale == pytest.approx(expected[0])
        torch.testing.assert_close(scene.slope * scene.weight, scene.alone)
