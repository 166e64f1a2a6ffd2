"""Horizons played slot by slot: myopically, at settled prices, and looking ahead."""

import dataclasses

import numpy as np
import pytest
from skybound.formulations.association.referee import judge, loads
from skybound.instances.association import AssociationDecision, Windows
from skybound.instances.association.presets import generate
from skybound.solvers.association.groups import Groups, decision
from skybound.solvers.association.slot_by_slot import marginal_prices, play
from skybound.solvers.solve import solve


def slot_alone(instance, slot, capacity):
    """One slot as an instance of its own."""
    own = instance.windows.slot == slot
    columns = {name: getattr(instance.windows, name)[own] for name in ("satellite", "station", "valid_s", "gain")}
    windows = Windows(slot=np.zeros(own.sum(), np.int64), **columns)
    return dataclasses.replace(instance, slots=1, capacity=capacity, windows=windows)


@pytest.mark.parametrize("seed", range(30))
def test_the_myopic_policy_is_best_in_every_slot(random_association, seed):
    """At the storage that it finds, against the enumeration of the slot alone."""
    instance = random_association(seed)
    links = solve(instance, "myopic").decision.links
    for slot in range(instance.slots):
        before = loads(instance, links[links[:, 0] < slot]).sum(0)
        alone = slot_alone(instance, slot, np.maximum(instance.capacity - before, 0))
        own = links[links[:, 0] == slot] * np.array([0, 1, 1, 1])
        load = loads(alone, own)[0]
        price = np.divide(instance.price_weight, alone.capacity, out=np.zeros(len(load)), where=load > 0)
        value = ((instance.utility_weight - price) * load).sum()
        assert value == pytest.approx(solve(alone, "enumeration").objective, rel=1e-9, abs=1e-12)


def test_at_the_optimums_own_prices_the_play_is_almost_optimal():
    instance = generate("headline", 0)
    optimum = solve(instance)
    load = loads(instance, optimum.decision.links)
    left = instance.capacity - np.vstack([np.zeros(instance.stations), load.cumsum(0)[:-1]])
    price = marginal_prices(load, left, instance.price_weight)
    played = play(instance, Groups.reduced(instance)[0], lambda t, _: price[t])
    assert optimum.objective * (1 - 1e-4) < played.value <= optimum.objective * (1 + 1e-9)


def test_a_plays_value_is_the_referees(random_association):
    instance = random_association(3)
    groups = Groups.reduced(instance)[0]
    played = play(instance, groups, lambda _, left: 0.01 * left)
    assert judge(instance, decision(groups, played.pattern)).objective == pytest.approx(played.value, rel=1e-12)


def test_marginal_prices_are_derivatives_of_the_cost_ahead():
    """By differences of the sum of weight L / H when storage changes by a little."""
    rng = np.random.default_rng(0)
    load, weight = rng.uniform(0, 2, (6, 3)), 30.0
    load[2, 1] = 0.0

    def cost_ahead(storage, slot):
        left = storage - np.vstack([np.zeros(3), load[slot + 1 :].cumsum(0)[:-1]]) if slot < 5 else storage[None]
        return (weight * load[slot + 1 :] / left[: len(load) - slot - 1]).sum(0)

    left = 100 - np.vstack([np.zeros(3), load.cumsum(0)[:-1]])
    price = marginal_prices(load, left, weight)
    for slot in range(6):
        after = left[slot] - load[slot]
        slope = (cost_ahead(after - 1e-4, slot) - cost_ahead(after + 1e-4, slot)) / 2e-4
        assert price[slot] == pytest.approx(slope, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("preset", ["headline", "steep"])
def test_price_iteration_comes_close_to_the_optimum(preset):
    """And closer than the myopic policy, which is where it begins."""
    instance = generate(preset, 0)
    optimum, myopic, settled = (solve(instance, name).objective for name in (None, "myopic", "price-iteration"))
    assert myopic < 0.999 * optimum
    assert 0.9995 * optimum < settled <= optimum * (1 + 1e-9)


def test_looking_ahead_pays():
    instance = generate("headline:slots=12,capacity=60", 1)
    myopic, rolling = (solve(instance, name).objective for name in ("myopic", "rolling"))
    assert rolling > myopic


def test_no_solver_of_slots_takes_a_station_that_is_full(random_association):
    full = dataclasses.replace(random_association(5), capacity=np.zeros(random_association(5).stations))
    for name in ("myopic", "price-iteration", "rolling"):
        decided = solve(full, name).decision
        assert isinstance(decided, AssociationDecision)
        assert len(decided.links) == 0
