"""The decomposition of association and its parts."""

import math
import tracemalloc
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from skybound.formulations.association import patterns as patterns_module
from skybound.formulations.association.patterns import groups_of
from skybound.formulations.association.referee import judge, loads
from skybound.instances.association import Association, Windows
from skybound.instances.association.presets import generate
from skybound.instances.errors import InputError
from skybound.instances.solution import Status
from skybound.solvers.association import decomposition
from skybound.solvers.association import groups as groups_module
from skybound.solvers.association.groups import Groups, decision
from skybound.solvers.association.incumbents import started
from skybound.solvers.association.relaxed_groups import bounds
from skybound.solvers.association.slot_choices import best_choices, list_choices
from skybound.solvers.association.state import State
from skybound.solvers.association.station_prices import least_bound, tightened
from skybound.solvers.association.storage_price import conjugate, least_rest, rest, telescoped
from skybound.solvers.association.terms import Terms
from skybound.solvers.association.trajectories import Trajectories, multipliers_at
from skybound.solvers.association.units import in_own_units
from skybound.solvers.result import Limits
from skybound.solvers.solve import solve


def test_the_worked_case(worked_association):
    for solver in ("decomposition", "enumeration", "cp-sat"):
        result = solve(worked_association, solver)
        assert result.status is Status.OPTIMAL
        assert result.objective == pytest.approx(9.74)


def test_the_price_telescopes():
    """Over any loads the logarithms add up to that of the total, and the rests to what remains."""
    rng = np.random.default_rng(0)
    load, capacity, shift = rng.uniform(0, 3, 10), 50.0, 1.5
    left = capacity - np.append(0, load.cumsum()[:-1])
    whole = (load / left).sum()
    rests = sum(rest(*pair, shift) for pair in zip(load, left, strict=True))
    assert whole == pytest.approx(float(telescoped(load.sum(), capacity, shift)) + rests)


@pytest.mark.parametrize("seed", range(20))
def test_the_least_rest_is_below_all_and_concave(seed):
    rng = np.random.default_rng(seed)
    most = rng.uniform(0.5, 5)
    low, high = np.sort(rng.uniform(0.5, 60, 2))
    shift = max(rng.uniform(0, most), most - low + 0.01)
    loads = np.linspace(0, min(most, high), 50)
    found = np.array([least_rest(load, low, high, shift) for load in loads])
    for load, least in zip(loads, found, strict=True):
        values = [rest(load, left, shift) for left in np.linspace(max(low, load, 1e-9), max(high, load, 1e-9), 400)]
        assert least <= min(values) + 1e-12
        if load <= low:
            assert least == pytest.approx(min(values), abs=1e-12)
    assert (np.diff(found, 2) <= 1e-12).all()


def test_the_conjugate_is_the_largest_difference():
    price, weight = np.array([0.3, 0.01, 5.0, 0.0]), 20.0
    capacity, shift, low, high = np.full(4, 60.0), np.full(4, 2.0), np.full(4, 1.0), np.full(4, 55.0)
    value, total = conjugate(price, weight, capacity, shift, low, high)
    grid = np.linspace(1, 55, 20_001)[:, None]
    known = (price * grid - weight * telescoped(grid, capacity, shift)).max(0)
    assert value == pytest.approx(known, abs=1e-5)
    assert ((low <= total) & (total <= high)).all()


@pytest.mark.parametrize("seed", range(30))
def test_groups_are_priced_as_if_all_choices_were_tried(seed, random_association):
    """Best value and list, against every way to give channels patterns without a satellite twice."""
    instance = random_association(seed)
    groups = Groups.reduced(instance)[0]
    if not len(groups.slot):
        return
    rng = np.random.default_rng(seed)
    value = rng.uniform(-0.2, 0.7, (instance.slots, instance.stations))
    low = rng.uniform(5, 15, value.shape)
    weight = rng.uniform(0, 6, value.shape)
    shift = np.maximum(groups.most.max(0) / 2, (groups.most - low[groups.slot]).max(0)) + 0.1
    terms = Terms(value, weight, low, low + rng.uniform(0, 10, value.shape), shift)
    best, _, choices = best_choices(groups, terms, instance.channels)
    listed = list_choices(groups, terms, instance.channels, best - 0.5, 10_000)
    for g, slot in enumerate(groups.slot):
        rows = range(groups.first[g], groups.first[g + 1])
        kinds = len(groups.load)
        known = {}
        for picked in product(rows, repeat=instance.channels):
            seen = [i for row in picked for i in groups.link[row] if i >= 0]
            if len(set(seen)) == len(seen):
                load = sum(groups.load[k if kinds > 1 else 0, row] for k, row in enumerate(picked))
                rests = [
                    least_rest(x, terms.low[slot, j], terms.high[slot, j], shift[j]) if x > 0 else 0.0
                    for j, x in enumerate(load)
                ]
                if (load <= terms.high[slot]).all():
                    known[tuple(load.round(10))] = float(load @ value[slot] - weight[slot] @ rests)
        assert -1e-12 <= best[g] - max(known.values()) <= 1e-9
        assert choices.load[g].round(10).tolist() in [list(load) for load, v in known.items() if v > best[g] - 1e-9]
        found = {tuple(load) for load in listed.load[listed.group == g].round(10)}
        assert {load for load, v in known.items() if v > best[g] - 0.5 + 1e-9} <= found


@pytest.mark.parametrize("preset", ["paper", "headline", "headline-near", "fading"])
def test_presets_are_proven(preset):
    """Whole horizons, in seconds."""
    result = solve(generate(preset, 0), time_limit_s=300)
    assert result.status is Status.OPTIMAL
    assert result.gap <= 1e-6


def test_memory_stays_small():
    tracemalloc.start()
    solve(generate("headline", 0), time_limit_s=30)
    assert tracemalloc.get_traced_memory()[1] < 500e6
    tracemalloc.stop()


def test_a_time_limit_leaves_a_bracket():
    result = solve(generate("steep-spread", 0), time_limit_s=0.5)
    assert result.status is Status.FEASIBLE
    assert result.reason == "time limit reached"
    assert 0 < result.objective < result.bound < math.inf


@pytest.mark.parametrize("solver", ["decomposition", "milp", "cp-sat", "enumeration"])
def test_sending_nothing_is_optimal_where_storage_is_too_dear(solver, worked_association):
    result = solve(replace(worked_association, storage_price=1e4 * worked_association.storage_price), solver)
    assert (result.status, result.objective, result.bound) == (Status.OPTIMAL, 0.0, 0.0)


def test_without_windows_nothing_is_sent(worked_association_data):
    windows = {name: [] for name in ("slot", "satellite", "station", "valid_s", "gain")}
    empty = Association.from_json(worked_association_data | {"windows": windows}, "data", name="empty")
    for solver in ("decomposition", "milp", "cp-sat", "enumeration", "greedy", "myopic"):
        result = solve(empty, solver)
        assert (result.objective, len(result.decision.links)) == (0.0, 0)


@pytest.mark.parametrize("seed", range(30))
def test_trajectories_lead_to_the_optimum_too(seed, random_association, monkeypatch):
    """Without a second round of station prices, which would close small instances."""
    monkeypatch.setattr(decomposition, "FAR", -1.0)
    monkeypatch.setattr(decomposition, "LISTED_GAP", -1.0)
    instance = random_association(seed)
    known = solve(instance, "enumeration")
    found = solve(instance, "decomposition")
    assert found.objective <= known.objective + 1e-9
    assert found.bound >= known.objective * (1 - 1e-9) - 1e-9
    assert found.gap < 1e-3


def test_a_steep_price_is_bounded():
    result = solve(generate("steep", 0), time_limit_s=300)
    assert result.gap < 1e-3


@pytest.mark.parametrize("seed", range(30))
def test_stations_filled_to_the_brim(seed, random_association, monkeypatch):
    """Storage that costs little or nothing and is nearly used up, by all steps of the decomposition."""
    monkeypatch.setattr(decomposition, "FAR", -1.0)
    monkeypatch.setattr(decomposition, "LISTED_GAP", -1.0)
    instance = replace(random_association(seed), storage_price=float(seed % 2))
    stored = loads(instance, solve(instance, "enumeration").decision.links).sum(0)
    full = replace(instance, capacity=np.maximum(stored * (1 + 1e-6), 1e-3))
    known, found = solve(full, "enumeration"), solve(full, "decomposition")
    assert found.objective <= known.objective + 1e-9
    assert found.bound >= known.objective * (1 - 1e-9) - 1e-9


@pytest.mark.parametrize("seed", range(40))
def test_large_groups_are_bounded_without_their_patterns(seed, random_association, monkeypatch):
    """Every group counts as large here, and choices are sought among one satellite of each."""
    monkeypatch.setattr(groups_module, "MOST_SATELLITES", 0)
    monkeypatch.setattr(groups_module, "CANDIDATES", 1)
    instance = random_association(seed)
    known, found = solve(instance, "enumeration"), solve(instance, "decomposition")
    assert found.objective <= known.objective + 1e-9
    assert found.bound >= known.objective * (1 - 1e-9) - 1e-9
    if instance.satellites == instance.stations == 1 and known.objective > 0:
        assert found.gap < 0.05


@pytest.mark.parametrize("seed", range(20))
def test_a_relaxed_group_is_worth_at_least_its_best_choice(seed, random_association, monkeypatch):
    instance = random_association(seed)
    whole = Groups.reduced(instance)[0]
    monkeypatch.setattr(groups_module, "MOST_SATELLITES", 0)
    groups, relaxed = Groups.reduced(instance)
    assert [one.group for one in relaxed] == list(range(len(whole.slot)))
    if not relaxed:
        return
    rng = np.random.default_rng(seed)
    value = rng.uniform(-0.2, 0.7, (instance.slots, instance.stations))
    low = rng.uniform(5, 15, value.shape)
    shift = np.maximum(whole.most.max(0) / 2, (whole.most - low[whole.slot]).max(0)) + 0.1
    terms = Terms(value, rng.uniform(0, 6, value.shape), low, low + rng.uniform(0, 10, value.shape), shift)
    bound, load = bounds(relaxed, groups, terms, instance.channels)
    best = best_choices(whole, terms, instance.channels).value
    assert (bound >= best - 1e-9).all()
    # A small change of the values changes the bound at the rate of the loads: it is convex, and these are its slopes.
    lower = terms._replace(value=value - 1e-7)
    moved, _ = bounds(relaxed, groups, lower, instance.channels)
    assert (moved >= bound - 1e-7 * load.sum(1) - 1e-12).all()


def test_a_sky_full_of_satellites():
    """Three stations, hundreds of satellites: certified although no pattern could be listed."""
    instance = generate("paper:satellites=1200,slots=6,capacity=30", 0)
    assert max(len(group.satellites) for group in groups_of(instance)) > groups_module.MOST_SATELLITES
    result = solve(instance, time_limit_s=60)
    assert result.gap < 0.03


@pytest.mark.parametrize("seed", range(30))
def test_a_start_is_the_first_incumbent(seed, random_association):
    """Whatever the time is, the answer is no worse than the start, which comes back link by link where links count."""
    instance = random_association(seed)
    start = solve(instance, "greedy").decision
    groups = Groups.reduced(instance)[0]
    taken = started(instance, groups, start.links)
    known = judge(instance, start).objective
    assert taken.value == pytest.approx(known, rel=1e-9, abs=1e-12)
    assert judge(instance, decision(groups, taken.pattern)).objective == pytest.approx(known, rel=1e-9, abs=1e-12)
    assert solve(instance, start=start, time_limit_s=0).objective >= known - 1e-9


@pytest.mark.parametrize("factor", [1e-9, 8e6, 5e10])
def test_the_unit_of_data_does_not_matter(factor, random_association):
    """With data in pebibits or in bits the optimum is the same, in that unit."""
    for seed in range(10):
        instance = random_association(seed)
        known = solve(instance, "enumeration").objective
        other = replace(
            instance,
            data_unit_bits=instance.data_unit_bits / factor,
            capacity=instance.capacity * factor,
            storage_price=instance.storage_price * factor,
        )
        for name in ("decomposition", "enumeration"):
            found = solve(other, name)
            assert found.status is Status.OPTIMAL, (seed, name)
            assert found.objective / factor == pytest.approx(known, rel=1e-6, abs=1e-9), (seed, name)


def test_the_work_is_the_same_in_any_unit():
    """With other units of data and of the objective, as many prices, choices and nodes lead to the same proof."""
    instance = generate("headline", 0)
    other = replace(
        instance,
        data_unit_bits=instance.data_unit_bits / 64,
        capacity=instance.capacity * 64,
        storage_price=instance.storage_price * 64,
        utility_weight=instance.utility_weight * 4,
        cost_weight=instance.cost_weight * 4,
    )
    one, same = solve(instance), solve(other)
    assert one.status is same.status is Status.OPTIMAL
    assert one.counters == same.counters
    assert 0.5 <= in_own_units(other, Limits())[0].utility_weight <= 1


def test_stations_without_storage_have_nothing_ahead(worked_association, monkeypatch):
    """Whatever was in memory before."""
    monkeypatch.setattr(np, "empty", lambda shape, *_: np.full(shape, np.nan))
    closed = replace(worked_association, capacity=worked_association.capacity * [1.0, 0.0])
    states = 10
    most = np.tile([1.0, 0.0], (closed.slots, 1))
    whole = np.tile(closed.capacity, (closed.slots + 1, 1))
    trajectories = Trajectories(closed, most, states, np.zeros(whole.shape), whole)
    trajectories.price(multipliers_at(closed, np.zeros(most.shape), most))
    assert (trajectories.ahead[1] == 0).all()
    assert (trajectories.ahead[0] != 0).any()


def disturbing(valid_s: float, gain: float) -> Association:
    """Satellite 0 fits into station 0 only while satellite 1, which has nothing to send, disturbs it."""
    return Association(
        satellites=2,
        stations=2,
        channels=1,
        slots=1,
        slot_s=100.0,
        bandwidth_hz=1e6,
        power_w=1.0,
        noise_w=1e-12,
        isolation=1.0,
        data_unit_bits=1e8,
        capacity=np.array([4.0, 4.0]),
        storage_price=0.0,
        utility_weight=0.7,
        cost_weight=0.3,
        windows=Windows(
            np.zeros(3, int),
            np.array([0, 1, 1]),
            np.array([0, 0, 1]),
            np.array([100.0, 0.0, valid_s]),
            np.array([[6.3e-11], [1.5e-11], [gain]]),
        ),
        name="disturbing",
    )


@pytest.mark.parametrize(("valid_s", "gain"), [(0.0, 1e-12), (100.0, 0.0)])
def test_links_without_data_disturb(valid_s, gain):
    """By hand: alone 6.3e-11 / 1e-12 stores log2(64) = 6 > 4 units; disturbed, log2(1 + 63 / 16)."""
    instance = disturbing(valid_s, gain)
    for name in ("enumeration", "decomposition", "cp-sat", "milp"):
        found = solve(instance, name)
        assert found.status is Status.OPTIMAL, name
        assert found.objective == pytest.approx(0.7 * math.log2(1 + 63 / 16)), name


def test_looking_ahead_leaves_what_must_stay_free():
    """Two links that would fill the station but for a trifle: the policy leaves out one and stays feasible."""
    found = solve(brim(8 * (1 + 5e-10)), "rolling")
    assert found.status is Status.FEASIBLE
    assert found.objective == pytest.approx(0.7 * 4)


def test_groups_with_too_many_patterns_are_bounded(monkeypatch):
    """Few satellites that each reach many stations: candidates for choices, an assignment for the bound."""
    instance = generate("headline:slots=2", 0)
    best = solve(instance).objective
    monkeypatch.setattr(groups_module, "LARGEST_TABLE", 25)
    monkeypatch.setattr(groups_module, "SMALL_TABLE", 100)
    groups, relaxed = Groups.reduced(instance)
    assert relaxed
    assert np.diff(groups.first).max() <= 20
    found = solve(instance, time_limit_s=5)
    assert found.objective <= best * (1 + 1e-9)
    assert found.bound >= best * (1 - 1e-9)


def test_all_tables_together_have_a_limit(monkeypatch):
    """The largest groups make room for the others."""
    instance = generate("headline:slots=2", 0)
    size = sorted(patterns_module.table_size(group) for group in groups_of(instance))
    monkeypatch.setattr(groups_module, "ALL_TABLES", sum(size[:-1]))
    _, relaxed = Groups.reduced(instance)
    assert [patterns_module.table_size(groups_of(instance)[one.group]) for one in relaxed] == size[-1:]


def test_prices_are_not_sought_when_it_is_late():
    """One pricing says what is known; another would take the time of all groups again."""
    instance = generate("headline:slots=2", 0)
    groups, relaxed = Groups.reduced(instance)
    state = State(instance, groups, Limits(), 0.0, relaxed)
    storage, asked = state.anywhere(), []

    def best(price):
        asked.append(price)
        terms = np.tile(instance.utility_weight - price, (instance.slots, 1))
        return state.best(Terms(terms, np.full(terms.shape, instance.price_weight), *storage))

    stations = state.stations(storage.shift)
    bound, _ = least_bound(state.price, best, stations, 1e-6, lambda: True)
    assert len(asked) == 1
    slot = groups.slot
    same = tightened(
        state.stored, bound, 0.0, slot, lambda price: best(price).value, stations, (0.5, 2.0), lambda: True
    )
    assert len(asked) == 1
    assert (same.low == state.stored.low).all()
    narrower = tightened(
        state.stored, bound, 0.0, slot, lambda price: best(price).value, stations, (0.5, 2.0), lambda: False
    )
    assert len(asked) == 1 + 2 * instance.stations
    assert (narrower.high <= same.high).all()


def test_models_of_too_many_patterns_are_refused(monkeypatch):
    monkeypatch.setattr(patterns_module, "LARGEST_TABLE", 25)
    with pytest.raises(InputError, match="windows: slot 0 may have too many co-channel patterns over 5 stations"):
        solve(generate("headline:slots=2", 0), "milp")


def brim(capacity: float) -> Association:
    """Two slots in which one satellite can store 4 units each."""
    one = disturbing(100.0, 1.5e-11)
    windows = Windows(np.arange(2), np.zeros(2, int), np.zeros(2, int), np.full(2, 100.0), np.full((2, 1), 1.5e-11))
    return replace(one, satellites=1, stations=1, slots=2, capacity=np.array([capacity]), windows=windows)
