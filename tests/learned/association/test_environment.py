"""Satellites in turn: rewards against the referee, masks against its rules, and what they see."""

import dataclasses

import numpy as np
import pytest
from skybound.formulations.association.referee import judge
from skybound.instances.association import AssociationDecision
from skybound.instances.association.presets import generate
from skybound.learned.association.environment import AssociationEnvironment
from skybound.solvers.association.days import Days
from skybound.solvers.solve import solve


def any_action(environment: AssociationEnvironment, rng: np.random.Generator) -> np.ndarray:
    return np.where(environment.mask, rng.random(environment.mask.shape), -1.0).argmax(1)


@pytest.mark.parametrize("idle", [False, True])
@pytest.mark.parametrize("preset", ["headline:slots=6", "fading:slots=6", "steep:slots=6"])
def test_a_days_return_is_the_referees_objective(preset, idle):
    instances = [generate(preset, seed) for seed in range(3)]
    environment, rng = AssociationEnvironment(Days.of(instances, idle=idle)), np.random.default_rng(0)
    world = np.array([2, 0, 1, 2])
    environment.reset(world)
    total = np.zeros(4)
    while not environment.over.all():
        total += environment.step(any_action(environment, rng))
    for b, w in enumerate(world):
        verdict = judge(instances[w], environment.links(b))
        assert verdict.objective == pytest.approx(total[b], rel=1e-12)
    assert (environment.step(np.zeros(4, np.int64)) == 0).all()


def allowed(instance, links) -> bool:
    return judge(instance, AssociationDecision(np.array(links, np.int64).reshape(-1, 4))).objective is not None


@pytest.mark.parametrize("seed", range(25))
def test_possible_actions_are_those_that_the_referee_allows(seed, random_association):
    """Link by link, in small instances whose stations run full; links that store nothing are not offered."""
    instance = random_association(seed)
    instance = dataclasses.replace(instance, capacity=instance.capacity / 8)
    days = Days.of([instance])
    environment, rng = AssociationEnvironment(days), np.random.default_rng(seed)
    refused = 0
    while not environment.over[0]:
        made = environment.links(0).links.tolist()
        slot, satellite = int(days.slot[environment.turn[0]]), int(days.satellite[environment.turn[0]])
        for action in range(instance.channels, environment.actions):
            station, channel = divmod(action, instance.channels)
            link = [slot, satellite, station - 1, channel]
            window = instance.window(*(np.array(part) for part in link[:3]))
            sends = window >= 0 and instance.windows.valid_s[window] > 0
            assert environment.mask[0, action] == (sends and allowed(instance, [*made, link]))
            refused += sends and not environment.mask[0, action]
        assert environment.mask[0, 0]
        assert not environment.mask[0, 1 : instance.channels].any()
        environment.step(any_action(environment, rng))
    assert judge(instance, environment.links(0)).objective is not None


def test_taking_the_largest_gain_is_the_load_aware_rule():
    instance = generate("fading:slots=10", 3)
    environment = AssociationEnvironment(Days.of([instance]))
    total = 0.0
    while not environment.over[0]:
        gain = np.where(environment.mask[0, environment.channels :], environment.moment.gain[0].ravel(), -np.inf)
        best = int(gain.argmax())
        total += environment.step(np.array([best + environment.channels if gain[best] > 0 else 0]))[0]
    assert total == pytest.approx(solve(instance, "load-aware").objective, rel=1e-12)


def test_no_return_is_above_the_bound_and_the_optimum_attains_it():
    instance = generate("headline:slots=5", 1)
    result = solve(instance)
    environment, rng = AssociationEnvironment(Days.of([instance])), np.random.default_rng(0)
    environment.reset(np.zeros(50, np.int64))
    total = np.zeros(50)
    while not environment.over.all():
        total += environment.step(any_action(environment, rng))
    assert (total <= result.bound * (1 + 1e-9)).all()
    links = {(t, i): (j, k) for t, i, j, k in result.decision.links.tolist()}
    environment.reset(np.zeros(1, np.int64))
    total = 0.0
    while not environment.over[0]:
        turn = environment.turn[0]
        here = int(environment.days.slot[turn]), int(environment.days.satellite[turn])
        station, channel = links.get(here, (-1, 0))
        total += environment.step(np.array([(station + 1) * environment.channels + channel]))[0]
    assert total == pytest.approx(result.objective, rel=1e-9)


def test_environments_are_independent():
    """A day comes to the same whatever runs beside it, and when another begins anew in the middle."""
    instances = [generate("headline:slots=4", seed) for seed in range(2)]
    environment, rng = AssociationEnvironment(Days.of(instances)), np.random.default_rng(1)
    environment.reset(np.array([0, 1, 1]))
    actions, rewards, seen = [], [], []
    for step in range(30):
        actions.append(any_action(environment, rng))
        seen.append(environment.observe()[1])
        rewards.append(environment.step(actions[-1])[1])
        if step == 11:
            environment.begin(np.array([0, 2]), np.array([1, 0]))
    environment.reset(np.array([1]))
    for action, reward, look in zip(actions, rewards, seen, strict=True):
        assert np.array_equal(environment.observe()[0], look)
        assert environment.step(action[1:2])[0] == pytest.approx(reward, rel=1e-12, abs=1e-15)


def test_the_papers_network_has_156_inputs_and_24_outputs():
    environment = AssociationEnvironment(Days.of([generate("paper:slots=2", 0)], idle=True), "paper")
    assert (environment.features, environment.actions) == (156, 24)
    seen = environment.observe()[0]
    assert seen[:120].tolist() == [1.0] + [0.0] * 119  # the first satellite's turn
    assert seen[120] == seen[126] == 1.0  # the virtual station is always there, and never full
    assert (seen[126:132] == 1.0).all()
    assert (seen[132:] == 0.0).all()


@pytest.mark.parametrize("observation", ["paper", "gains"])
def test_features_are_bounded(observation):
    environment = AssociationEnvironment(Days.of([generate("steep:slots=8", 0)]), observation)
    environment.reset(np.zeros(5, np.int64))
    rng = np.random.default_rng(0)
    while not environment.over.all():
        seen = environment.observe()
        assert seen.dtype == np.float32
        assert (np.abs(seen) <= 2).all()
        environment.step(any_action(environment, rng))


def test_a_day_without_windows_is_over_at_once():
    instance = generate("paper:slots=1,elevation=90", 0)
    assert not len(instance.windows)
    environment = AssociationEnvironment(Days.of([instance]))
    assert environment.over.all()
    assert len(environment.links(0).links) == 0
