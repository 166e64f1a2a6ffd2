"""The models of slicing: exact on powers of some levels, bounds on all powers, and what they refuse."""

import itertools

import numpy as np
import pyomo.environ as pyo
import pytest
from skybound.formulations.slicing import milp, pattern_milp
from skybound.formulations.slicing.links import Intervals
from skybound.formulations.slicing.referee import judge
from skybound.instances.errors import InputError
from skybound.instances.slicing import Service, SlicingDecision
from skybound.instances.slicing.instance import LAYERS
from skybound.instances.slicing.presets import generate
from skybound.instances.solution import Status
from skybound.solvers.highs import CompiledModel
from skybound.solvers.slicing.placements import placements

SHARES = (0.05, 0.4, 1.0)
MOST = 30_000  # decisions of a brute force


def on_some_powers(instance):
    """The best objective over powers of `SHARES`; None where there is no placement, and where there are too many."""
    options = [None]
    for layer, budget in zip(LAYERS, instance.budgets_w, strict=True):
        for v, n, share in itertools.product(range(len(budget)), range(instance.subcarriers), SHARES):
            options.append(Service(layer, v, n, share * float(budget[v])))
    places = placements(instance)
    if len(places) * len(options) ** len(instance.slices) > MOST:
        return False, None
    found = (
        judge(instance, SlicingDecision(candidate, serve)).objective
        for candidate in places
        for serve in itertools.product(options, repeat=len(instance.slices))
    )
    return True, max((value for value in found if value is not None), default=None)


def agree(make, seeds):
    """The pattern model over some powers against all decisions; how many had any to compare."""
    compared = 0
    for seed in seeds:
        instance = make(seed)
        known, value = on_some_powers(instance)
        if not known:
            continue
        model = pattern_milp.build(instance, Intervals.only(SHARES))
        outcome = CompiledModel(model, 1).solve(time_limit_s=None, gap=1e-9, start=False)
        if value is None:
            assert outcome.status is Status.INFEASIBLE
            continue
        assert outcome.objective == pytest.approx(value, abs=1e-7), seed
        small = CompiledModel(milp.build(instance, Intervals.only(SHARES)), 1).solve(
            time_limit_s=5.0, gap=1e-6, start=False
        )
        assert small.bound >= value - 1e-6, seed
        decision = pattern_milp.extract(model, instance)
        assert judge(instance, decision).objective == pytest.approx(value, abs=1e-7), seed
        compared += 1
    return compared


def test_patterns_are_exact_on_some_powers(random_slicing):
    assert agree(random_slicing, range(25)) >= 18


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 500, 50))
def test_patterns_are_exact_on_some_powers_of_many(first, random_slicing):
    assert agree(random_slicing, range(first, first + 50)) >= 37


@pytest.mark.parametrize("module", [milp, pattern_milp])
def test_any_decision_is_within_the_models(module, random_slicing):
    """Its values satisfy every constraint, and the model's objective there is no less than the referee's."""
    checked = 0
    for seed in range(30):
        instance = random_slicing(seed)
        if not len(placements(instance)):
            continue
        rng = np.random.default_rng(seed)
        serve, taken = [], set()
        for _ in instance.slices:
            layer = int(rng.integers(3))
            place = layer, int(rng.integers(9)), int(rng.integers(instance.subcarriers))
            free = place[1] < instance.nodes[layer] and place not in taken and len(taken) < instance.station_capacity
            if free:
                taken.add(place)
                power = float(instance.budgets_w[layer][place[1]]) * rng.uniform(0, 1 / 3)
                serve.append(Service(LAYERS[layer], *place[1:], power))
            else:
                serve.append(None)
        decision = SlicingDecision(placements(instance)[-1], tuple(serve))
        value = judge(instance, decision).objective
        assert value is not None
        model = module.build(instance)
        module.start(model, instance, decision)
        for row in model.component_data_objects(pyo.Constraint, active=True):
            assert row.lower is None or pyo.value(row.body) >= pyo.value(row.lower) - 1e-7, (seed, row.name)
            assert row.upper is None or pyo.value(row.body) <= pyo.value(row.upper) + 1e-7, (seed, row.name)
        assert pyo.value(next(model.component_data_objects(pyo.Objective))) >= value - 1e-7, seed
        checked += 1
    assert checked >= 15


def test_too_many_patterns_are_refused():
    instance = generate("reuse-24", 0)
    with pytest.raises(InputError, match="patterns of links"):
        pattern_milp.build(instance)
