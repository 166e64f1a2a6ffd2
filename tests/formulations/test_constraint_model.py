"""The rules that keep CP-SAT's arithmetic right, each by a case that breaks when the rule is taken away."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from ortools.sat.python import cp_model
from skybound.formulations.constraint_model import (
    MAX_BOOLEAN_SUM,
    ConstraintModel,
    objective_scale,
    power_of_two,
)
from skybound.instances.errors import EngineError

ROOT = Path(__file__).parents[2]


def coefficients(model):
    """Coefficients of each linear constraint."""
    return [list(c.linear.coeffs) for c in model.native.proto.constraints if len(c.linear.coeffs)]


def knapsack(amounts, limit):
    """A model that packs as many of the amounts as the limit admits, each worth its amount, and its literals."""
    model = ConstraintModel()
    literals = [model.literal(f"x[{k}]") for k in range(len(amounts))]
    model.add_capacity(zip(literals, amounts, strict=True), limit)
    model.maximise(zip(literals, amounts, strict=True))
    return model.reads(lambda value: [value(x) for x in literals], lambda d: {}, trivial=float(sum(amounts))), literals


def test_no_other_module_builds_a_model():
    """Whoever imports CP-SAT's modelling class could build one without the rules."""
    folders = ("instances", "formulations", "solvers", "learned", "evaluation")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    builders = [str(path.relative_to(ROOT)) for path in files if "cp_model.CpModel()" in path.read_text()]
    assert builders == ["formulations/constraint_model.py"]


def test_boolean_coefficients_that_sum_beyond_32_bits_are_refused():
    model = ConstraintModel()
    pair = [(model.literal("x"), MAX_BOOLEAN_SUM // 2 + 1), (model.literal("y"), MAX_BOOLEAN_SUM // 2 + 1)]
    with pytest.raises(ValueError, match="larger unit"):
        model.add_linear(pair, [], 7)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_capacities_in_any_unit_stay_below_32_bits(size):
    """Forty irrational amounts: the unit follows their sum."""
    amounts = size * np.sqrt(np.arange(2, 42))
    model, _ = knapsack(amounts, float(amounts.sum() / 2))
    ((*row,),) = coefficients(model)
    assert 2**28 < sum(row) <= MAX_BOOLEAN_SUM


def test_decimal_amounts_are_exact_and_small():
    """Amounts in tenths become whole numbers without a common divisor."""
    model, _ = knapsack([0.2, 0.4, 0.6], 0.7)
    assert coefficients(model) == [[1, 2, 3]]


def test_an_amount_that_is_the_limit_but_for_rounding_fits():
    """0.1 + 0.2 is more than 0.3 in doubles, and within the tolerance that the limit carries."""
    model, _ = knapsack([0.1, 0.2, 0.3], 0.3 * (1 + 1e-9))
    solver = model.new_solver()
    assert solver.solve(model.native) == cp_model.OPTIMAL
    assert solver.objective_value / model.scale == pytest.approx(0.3)


@pytest.mark.parametrize("seed", range(10))
def test_covers_lead_to_what_real_numbers_admit(seed):
    """With a coarse unit rounding admits too much; cutting that off leads to the best packing of real amounts."""
    rng = np.random.default_rng(seed)
    amounts = np.append(rng.uniform(1.0, 1.0 + 1e-9, 8), 2.0**20)
    limit = 4.0
    packings = [np.array(held) for held in itertools.product((0, 1), repeat=9)]
    best = max(float(held @ amounts) for held in packings if held @ amounts <= limit)
    model, literals = knapsack(amounts, limit)
    solver, covers = model.new_solver(), 0
    for _ in range(300):
        assert solver.solve(model.native) == cp_model.OPTIMAL
        violated = model.violated_rows(solver.value)
        if not violated:
            break
        for row in violated:
            model.add_cover(row, solver.value)
            covers += 1
    assert covers
    held = np.array([solver.value(x) for x in literals])
    assert held @ amounts <= limit * (1 + 1e-12)
    assert held @ amounts == pytest.approx(best, rel=1e-8)


def test_products_need_presolve_off():
    """OR-Tools 9.15 excludes optima of such models in presolve."""
    model = ConstraintModel()
    x, y = model.integer(0, 5, "x"), model.integer(0, 25, "y")
    with pytest.raises(ValueError, match="presolve=False"):
        model.add_product(y, [x, x])


def test_solvers_have_the_wrong_rule_off():
    """The rule behind or-tools issue 5293, whether the model may be presolved or not."""
    for presolve in (True, False):
        solver = ConstraintModel(presolve=presolve).new_solver()
        assert solver.parameters.presolve_inclusion_work_limit == 0
        assert solver.parameters.cp_model_presolve is presolve


def test_objectives_are_rounded_in_favour_of_the_model():
    """Gains up, costs down: bounds of the integers are bounds of the real objective."""
    gain, cost = ConstraintModel(), ConstraintModel()
    gain.maximise([(gain.literal("x"), 1 / 3)])
    cost.minimise([(cost.literal("x"), 1 / 3)])
    assert min(gain.native.proto.objective.coeffs) / gain.scale >= 1 / 3
    assert max(cost.native.proto.objective.coeffs) / cost.scale <= 1 / 3


def test_scales_keep_objectives_within_doubles():
    for largest, total in ((1e-300, 1e-300), (1e-11, 1e-3), (1.0, 1e12), (1e300, 1e300)):
        scale = objective_scale(largest, total)
        assert largest * scale <= 2**53
        assert total * scale <= 2**62
    assert power_of_two(5.0) == 4.0
    assert power_of_two(0.0) == 1.0
    with pytest.raises(EngineError):
        power_of_two(float("inf"))


@pytest.mark.parametrize("unit", [1.0, np.pi * 1e-5, 1e9])
def test_covering_admits_what_is_covered_and_refuses_less(unit):
    """Seven covers a demand of seven; six and a half does not, whatever the unit."""
    for amount, admitted in ((7.0, True), (6.5, False)):
        model = ConstraintModel()
        cover, demand = model.literal("cover"), model.literal("demand")
        model.add_covering([(cover, amount * unit)], [(demand, 7.0 * unit)])
        model.maximise([(demand, 1.0)])
        solver = model.new_solver()
        solver.solve(model.native)
        assert bool(solver.value(demand)) is admitted
