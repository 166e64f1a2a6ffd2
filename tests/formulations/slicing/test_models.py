"""The models of slicing: bounds on all powers, and what they refuse."""

import numpy as np
import pyomo.environ as pyo
import pytest
from skybound.formulations.slicing import link_milp, pattern_milp
from skybound.formulations.slicing.referee import judge
from skybound.instances.errors import InputError
from skybound.instances.slicing import Service, SlicingDecision
from skybound.instances.slicing.instance import LAYERS
from skybound.instances.slicing.presets import generate
from skybound.solvers.highs import CompiledModel
from skybound.solvers.slicing.placements import placements
from skybound.solvers.solve import solve


@pytest.mark.parametrize("module", [link_milp, pattern_milp])
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


def test_points_bring_the_model_down_to_the_truth(random_slicing):
    """Its optimum after refinement is that of enumeration, from above."""
    lowered = 0
    for seed in (0, 3, 8):
        instance = random_slicing(seed)
        known, points, bounds = solve(instance, "enumeration").objective, None, []
        for _ in range(12):
            model = pattern_milp.build(instance, points)
            bounds.append(CompiledModel(model, 1).solve(gap=1e-7).bound)
            points = pattern_milp.refine(model, instance)
            if points is None:
                break
        assert min(bounds) >= known - 1e-6
        assert bounds[-1] == pytest.approx(known, rel=1e-4)
        lowered += bounds[0] > bounds[-1] + 1e-6
    assert lowered >= 1
