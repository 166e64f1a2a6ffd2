"""The fast path, and what Pyomo's compiler does on the way."""

import time

import numpy as np
import pyomo.environ as pyo
import pytest
from skybound.formulations.placement import milp
from skybound.formulations.templates import templates
from skybound.instances.problems import generate
from skybound.instances.solution import Status
from skybound.solvers.highs import CompiledModel


def small():
    """max 3x + 2y + 5 with 1 <= x + y <= 4 as a range, x <= 3, integers: x = 3, y = 1."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 3), domain=pyo.Integers)
    m.y = pyo.Var(bounds=(0, None), domain=pyo.Integers)
    m.fixed = pyo.Var(initialize=2.0)
    m.fixed.fix()
    m.unused = pyo.Var(bounds=(1, 7))
    m.total = pyo.Constraint(expr=(1, m.x + m.y, 4), doc="between {lower:g} and {upper:g} in all")
    m.with_fixed = pyo.Constraint(expr=m.x + m.fixed <= 5)
    m.value = pyo.Objective(expr=3 * m.x + 2 * m.y + m.fixed + 3, sense=pyo.maximize)
    return m


def test_ranges_fixed_and_unused_variables_and_maximisation():
    model = small()
    compiled = CompiledModel(model)
    assert len(compiled.constraints) == 2  # the range is one row
    outcome = compiled.solve()
    assert (outcome.status, outcome.objective, outcome.bound) == (Status.OPTIMAL, 16.0, 16.0)
    assert [pyo.value(v) for v in (model.x, model.y, model.fixed, model.unused)] == [3, 1, 2, 1]


def test_the_bound_of_a_maximisation_lies_above():
    """Stopped at a wide gap, bound >= optimum >= incumbent."""
    rng = np.random.default_rng(0)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(40), domain=pyo.Binary)
    weight = rng.integers(20, 60, (5, 40))
    value = rng.integers(20, 60, 40)
    m.fits = pyo.Constraint(range(5), rule=lambda m, r: sum(int(weight[r, k]) * m.x[k] for k in range(40)) <= 500)
    m.value = pyo.Objective(expr=sum(int(value[k]) * m.x[k] for k in range(40)), sense=pyo.maximize)
    best = CompiledModel(m).solve().objective
    loose = CompiledModel(m).solve(gap=0.2)
    assert loose.objective <= best <= loose.bound
    assert loose.objective < loose.bound


def test_duals_are_changes_of_the_optimum():
    """max 2x + y with x + y <= 4 and x <= 3: one more in all is worth 1, one more x another 1."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.total = pyo.Constraint(expr=m.x + m.y <= 4)
    m.most_x = pyo.Constraint(expr=m.x <= 3)
    m.value = pyo.Objective(expr=2 * m.x + m.y, sense=pyo.maximize)
    outcome = CompiledModel(m).solve()
    assert outcome.objective == 7
    assert outcome.row_dual.tolist() == [1.0, 1.0]


def test_a_constant_row_that_does_not_hold_is_infeasible():
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.gone = pyo.Var(initialize=3.0)
    m.gone.fix()
    m.row = pyo.Constraint([7], rule=lambda m, k: m.gone <= 2, doc="box {0} holds at most 2")
    m.value = pyo.Objective(expr=m.x)
    compiled = CompiledModel(m)
    outcome = compiled.solve()
    assert outcome.status is Status.INFEASIBLE
    assert outcome.reason == compiled.explain() == "box 7 holds at most 2"


def test_infeasible_relaxations_are_explained():
    m = small()
    m.much = pyo.Constraint(expr=m.x + m.y >= 6, doc="at least {lower:g} in all")
    compiled = CompiledModel(m)
    assert compiled.solve().status is Status.INFEASIBLE
    assert set(compiled.explain().split("; ")) == {"between 1 and 4 in all", "at least 6 in all"}


def test_infeasible_integers_are_explained_by_families():
    """2x + 2y = 3 has a relaxation."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(domain=pyo.Binary), pyo.Var(domain=pyo.Binary)
    m.odd = pyo.Constraint(expr=2 * m.x + 2 * m.y == 3)
    m.harmless = pyo.Constraint(expr=m.x + m.y <= 2)
    m.value = pyo.Objective(expr=m.x)
    compiled = CompiledModel(m)
    assert compiled.solve().status is Status.INFEASIBLE
    assert compiled.explain() == "no decision satisfies odd together"


def test_not_one_objective_is_an_error():
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.row = pyo.Constraint(expr=m.x >= 0.5)
    with pytest.raises(ValueError, match="has 0 objectives"):
        CompiledModel(m)


def one_sided(arrays):
    """Rows with their bounds, equations turned so that their first entry is positive."""
    rows = arrays.matrix.toarray()
    lower, upper = arrays.row_lower, arrays.row_upper
    turned = (lower == upper) & (rows[np.arange(len(rows)), (rows != 0).argmax(1)] < 0)
    sign = np.where(turned, -1.0, 1.0)
    return np.column_stack([rows * sign[:, None], lower * sign, upper * sign]) + 0.0


def test_templates_give_the_same_program(random_placement):
    for seed in range(40):
        instance = random_placement(seed)
        plain = CompiledModel(milp.build(instance))
        with templates():
            templated = CompiledModel(milp.build(instance))
        if plain.program is None:
            assert templated.program is None
            continue
        a, b = plain.arrays, templated.arrays
        order = {v.name: k for k, v in enumerate(templated.variables)}
        columns = [order[v.name] for v in plain.variables]
        rows = {c.name: k for k, c in enumerate(templated.constraints)}
        row_order = [rows[c.name] for c in plain.constraints]
        assert np.array_equal(a.cost, b.cost[columns])
        assert np.array_equal(one_sided(a), one_sided(b)[np.ix_(row_order, [*columns, -2, -1])])


def test_a_start_is_used():
    """With no time to search, the start is what is found."""
    instance = generate("placement", "congested-40", 0)
    from skybound.solvers.solve import solve

    greedy = solve(instance, "greedy")
    started = solve(instance, "milp", start=greedy.decision, time_limit_s=0.2)
    assert started.objective is not None
    assert started.objective <= greedy.objective * (1 + 1e-9)


def test_the_log_is_captured_and_the_trace_ends_at_the_optimum():
    instance = generate("placement", "congested-optimal", 0)
    lines = []
    outcome = CompiledModel(milp.build(instance)).solve(gap=1e-6, log=lines.append)
    assert any("Solving report" in line for line in lines)
    assert outcome.trace
    for earlier, later in zip(outcome.trace, outcome.trace[1:], strict=False):
        assert earlier.time_s <= later.time_s
    assert outcome.trace[-1].incumbent == pytest.approx(outcome.objective)


def test_a_time_limit_keeps_incumbent_and_bound():
    instance = generate("placement", "congested-100-optimal", 0)
    began = time.monotonic()
    outcome = CompiledModel(milp.build(instance)).solve(time_limit_s=5)
    assert time.monotonic() - began < 20
    assert outcome.status is Status.FEASIBLE
    assert outcome.bound < outcome.objective
