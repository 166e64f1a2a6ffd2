"""A CP-SAT model that relaxes a linear Pyomo model: what integers cannot say exactly is rounded in the model's favour.

A continuous variable v from l to u becomes an integer V with l + q V <= v <= l + q (V + 1), its unit q a power of two.
Where a row v <= c y makes v 0 with a literal y, it is l + q V <= v <= l + q (V + y). Rows are relaxed by what units and
rounded coefficients can hide, so no feasible point is lost and the optimum is a bound. Where rows have coefficients
that are no multiples of a common unit, literals stand in them through images: integers with a range of their own, as
the coefficients of literals must stay small (see `constraint_model`).
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn

from ..instances.record import Decision
from .constraint_model import ROUNDING, UNIT_SUM, ConstraintModel, Values, objective_scale, power_of_two

STEPS = 2**20  # of a continuous variable's range, at least half of them
IMAGE = 2**20  # of a literal that is 1
ROW_SUM = 2.0**55  # largest value of a row
TINY = 1e-200

Read = Callable[[Any], Decision]


class _Column:
    """A variable: its integer, lower end and unit; for a binary one its literal, and an image once it is asked for."""

    def __init__(self, model: ConstraintModel, variable: Any) -> None:
        self.binary = variable.is_binary()
        lower, upper = (0.0, 1.0) if self.binary else variable.bounds
        self.lower, self.name, self._model = float(lower), variable.name, model
        width = float(upper) - float(lower)
        self.unit = 1.0 if self.binary else 2 * power_of_two(width / STEPS) if width > 0 else 1.0
        self.steps = 1 if self.binary else math.ceil(width / self.unit)
        self.variable = model.literal(self.name) if self.binary else model.integer(0, self.steps, self.name)
        self.indicator: _Column | None = None
        self._image: Any = None

    def image(self) -> Any:
        """Return an integer that is 0 with the literal, and otherwise `IMAGE` or 1 less."""
        if self._image is None:
            self._image = self._model.integer(0, IMAGE, f"{self.name}~")
            self._model.add_linear([(self.variable, -IMAGE)], [(self._image, 1)], 0, lower=-1)
        return self._image


def relaxed(source: pyo.ConcreteModel, read: Read, write: Callable[[Decision], None]) -> ConstraintModel:
    """Return the integer relaxation of a linear model to be maximised, all of whose variables have bounds.

    Parameters
    ----------
    read
        Returns the decision of the source's values.
    write
        Gives the source the values of a decision.
    """
    model = ConstraintModel(exact=False, linearization=2)
    variables = list(source.component_data_objects(pyo.Var))
    columns = {id(variable): _Column(model, variable) for variable in variables}
    rows = list(_rows(source, columns))
    for terms, upper in rows:
        _note_indicator(terms, upper)
    for terms, upper in rows:
        _add_row(model, terms, upper)
    trivial = _maximise(model, source, columns)

    def load(value: Values) -> None:
        for variable in variables:
            column = columns[id(variable)]
            variable.set_value(column.lower + column.unit * value(column.variable), skip_validation=True)

    def decision(value: Values) -> Decision:
        load(value)
        return read(source)

    def hint(own: Decision) -> Mapping[Any, int]:
        write(own)
        found: dict[Any, int] = {}
        for variable in variables:
            column = columns[id(variable)]
            steps = math.floor(((variable.value or 0.0) - column.lower) / column.unit + 1e-9)
            found[column.variable] = min(max(steps, 0), column.steps)
            if column._image is not None:
                found[column._image] = IMAGE * found[column.variable]
        return found

    return model.reads(decision, hint, trivial)


Terms = list[tuple[_Column, float]]


def _rows(source: pyo.ConcreteModel, columns: dict[int, _Column]) -> Iterator[tuple[Terms, float]]:
    """Yield all rows as sums that are at most a number."""
    for row in source.component_data_objects(pyo.Constraint, active=True):
        form = generate_standard_repn(row.body, quadratic=False)
        terms = [(columns[id(v)], float(a)) for v, a in zip(form.linear_vars, form.linear_coefs, strict=True) if a != 0]
        if row.upper is not None:
            yield terms, float(pyo.value(row.upper)) - float(form.constant)
        if row.lower is not None:
            yield [(c, -a) for c, a in terms], float(form.constant) - float(pyo.value(row.lower))


def _note_indicator(terms: Terms, upper: float) -> None:
    """Note the literal with which a variable is 0, where a row v <= c u says so."""
    if len(terms) == 2 and upper == 0:
        (first, a), (second, b) = sorted(terms, key=lambda term: term[0].binary)
        if not first.binary and second.binary and a > 0 > b and first.lower == 0:
            first.indicator = second


def _add_row(model: ConstraintModel, terms: Terms, upper: float) -> None:
    """Relax that a sum of variables is at most `upper`."""
    if not terms:
        if upper < 0:
            model.add_any()  # never
        return
    literals = [(c, a) for c, a in terms if c.binary]
    others = [(c, a) for c, a in terms if not c.binary]
    upper -= sum(a * c.lower for c, a in others)
    upper += sum(-a * c.unit for c, a in others if a < 0 and c.indicator is None)
    literals += [(c.indicator, a * c.unit) for c, a in others if a < 0 and c.indicator is not None]
    literals = _collected(literals)
    total = sum(abs(a) for _, a in literals)
    largest = sum(abs(a) * c.unit * (c.steps + 1) for c, a in others)
    scale = power_of_two(ROW_SUM / max(total + largest + abs(upper), TINY))
    direct = min(scale, power_of_two(UNIT_SUM / max(total, TINY)) / 2)
    if all(a * c.unit * direct == round(a * c.unit * direct) for c, a in others):
        whole = all(a == round(a) for _, a in literals) and not others and upper == round(upper)
        scale = 1.0 if whole else direct
        own = [(c.variable, math.floor(a * scale)) for c, a in literals]
        integers = [(c.variable, round(a * c.unit * scale)) for c, a in others]
    else:
        own = []
        integers = [(c.variable, math.floor(a * c.unit * scale)) for c, a in others]
        integers += [(c.image(), math.floor(a / IMAGE * scale)) for c, a in literals]
        upper += sum(-a / IMAGE for _, a in literals if a < 0)
    exact = abs(upper * scale - round(upper * scale)) <= ROUNDING * abs(upper * scale)
    model.add_linear(own, integers, round(upper * scale) if exact else math.ceil(upper * scale))


def _collected(terms: Terms) -> Terms:
    """Return terms with one coefficient a variable."""
    found: dict[int, tuple[_Column, float]] = {}
    for column, a in terms:
        found[id(column)] = column, found.get(id(column), (column, 0.0))[1] + a
    return list(found.values())


def _maximise(model: ConstraintModel, source: pyo.ConcreteModel, columns: dict[int, _Column]) -> float:
    """State the objective, rounded up; return its bound by definition."""
    objective = next(source.component_data_objects(pyo.Objective, active=True))
    form = generate_standard_repn(objective.expr, quadratic=False)
    terms = [(columns[id(v)], float(a)) for v, a in zip(form.linear_vars, form.linear_coefs, strict=True)]
    constant = float(form.constant)
    for column, value in terms:
        constant += value * column.lower
        if not column.binary and column.indicator is None:
            constant += max(value, 0.0) * column.unit
    terms += [(c.indicator, a * c.unit) for c, a in terms if a > 0 and c.indicator is not None]
    terms = _collected(terms)
    largest = sum(abs(a) * c.unit * c.steps for c, a in terms) + abs(constant)
    scale = objective_scale(largest, largest)
    costs = [(c.variable, -math.ceil(a * c.unit * scale)) for c, a in terms]
    model.set_objective(costs, -math.ceil(constant * scale), -scale)
    return constant + sum(max(a, 0.0) * c.unit * c.steps for c, a in terms)
