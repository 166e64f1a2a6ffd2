"""The one way to state a CP-SAT model of real numbers, within what CP-SAT's arithmetic can be trusted with.

CP-SAT counts in integers. Rounding always favours the model: demands down, gains up, costs down. Its optimum is
therefore a bound on the problem's, and a decision that only rounding admits is found by `violated_rows` and cut off by
`add_cover`. Three rules keep the proofs of OR-Tools 9.15 right, and no model is built around them:

- boolean coefficients of a constraint sum to less than 2^31 (presolve wraps at 32 bits; or-tools issue 5293);
- the objective is at most 2^53 (it is reported as a double), its coefficients sum to at most 2^61;
- presolve runs without the rules that are known to be wrong (`new_solver`), and not at all on models with products.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
from ortools.sat.python import cp_model

from ..instances.errors import EngineError
from ..instances.fields import FloatArray
from ..instances.record import Decision

MAX_BOOLEAN_SUM = 2**31 - 1  # of the coefficients of a constraint's literals
UNIT_SUM = 2**30  # what a unit is chosen for; the rest is for rounding
MAX_OBJECTIVE = 2**52  # doubles count to 2^53 without holes; the rest is for rounding
MAX_OBJECTIVE_SUM = 2**61  # CP-SAT wants sums of domains within 64 bits
MAX_SCALE = 2.0**500  # the inverse is a double, too
DECIMAL_UNITS = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)  # tried before a power of two
ROUNDING = 1e-12  # relative difference that sums of doubles in another order may make

BoolVar: TypeAlias = Any  # cp_model.IntVar, and its negation
Values = Callable[[cp_model.IntVar], int]


class CapacityRow(NamedTuple):
    """A constraint sum(amount * literal) <= limit in real numbers.

    Attributes
    ----------
    literals
    amounts : array, shape (literals,)
    """

    literals: Sequence[BoolVar]
    amounts: FloatArray
    limit: float


class ConstraintModel:
    """A CP-SAT model whose integers stand for real numbers.

    Attributes
    ----------
    scale
        The integer objective, which is minimised, is `scale` times the real one; negative where the real one is
        maximised.
    error
        Largest difference of objective / scale to the real objective over all decisions.
    trivial
        Bound on the objective that holds by definition.
    exact
        Whether the objective is the real one but for rounding; else it is a bound on it.
    presolve
        Whether CP-SAT may presolve the model.
    linearization
        Level of CP-SAT's linear relaxation; 2 where proofs come from its bound.
    refine
        Returns what makes the next model sharper where the values of this one's solution are overrated, None where
        nothing does; `build` of the model's module takes it. None where models are not refined.
    """

    def __init__(self, *, exact: bool = True, presolve: bool = True, linearization: int = 1) -> None:
        self.exact, self.presolve, self.linearization = exact, presolve, linearization
        self.refine: Callable[[Values], Any] | None = None
        self.scale, self.error, self.trivial = 1.0, 0.0, -math.inf
        self._model = cp_model.CpModel()
        self._rows: list[CapacityRow] = []
        self._read: Callable[[Values], Decision] | None = None
        self._hint: Callable[[Decision], Mapping[BoolVar, int]] | None = None

    @property
    def native(self) -> cp_model.CpModel:
        """The model in OR-Tools, to solve and to write."""
        return self._model

    def literal(self, name: str) -> BoolVar:
        """Return a new variable that is 0 or 1."""
        return self._model.new_bool_var(name)

    def integer(self, lower: int, upper: int, name: str) -> cp_model.IntVar:
        """Return a new integer variable."""
        return self._model.new_int_var(lower, upper, name)

    def add_exactly_one(self, literals: Iterable[BoolVar]) -> None:
        """Let exactly one of the literals hold."""
        self._model.add_exactly_one(literals)

    def add_at_most_one(self, literals: Iterable[BoolVar]) -> None:
        """Let at most one of the literals hold."""
        self._model.add_at_most_one(literals)

    def add_any(self, *literals: BoolVar) -> None:
        """Let at least one of the literals hold."""
        self._model.add_bool_or(*literals)

    def add_implication(self, if_literal: BoolVar, then_literal: BoolVar) -> None:
        """Let one literal imply another."""
        self._model.add_implication(if_literal, then_literal)

    def add_circuit(self, arcs: Iterable[tuple[int, int, BoolVar]]) -> None:
        """Let the arcs whose literals hold form a circuit; a loop leaves its node out."""
        self._model.add_circuit(arcs)

    def add_product(self, product: cp_model.IntVar, factors: Sequence[cp_model.IntVar]) -> None:
        """Let a variable be the product of others.

        Raises
        ------
        ValueError
            When presolve is on, which excludes optima of such models in OR-Tools 9.15 (or-tools issue 5274).
        """
        if self.presolve:
            raise ValueError("a model with products must be built with presolve=False")
        self._model.add_multiplication_equality(product, factors)

    def add_count(self, literals: Iterable[BoolVar], upper: int, multiple_of: BoolVar | None = None) -> None:
        """Let at most `upper` literals hold; with a literal `multiple_of`, exactly `upper` if it holds, else none."""
        total = sum(literals)
        self._model.add(total <= upper if multiple_of is None else total == upper * multiple_of)

    def add_linear(
        self,
        literals: Sequence[tuple[BoolVar, int]],
        integers: Sequence[tuple[cp_model.IntVar, int]],
        upper: int,
        lower: int | None = None,
    ) -> None:
        """Let integer multiples of literals and of integer variables sum to `lower` (any, if None) to `upper`.

        Raises
        ------
        ValueError
            When the literals' coefficients sum beyond `MAX_BOOLEAN_SUM`.
        """
        if sum(abs(coefficient) for _, coefficient in literals) > MAX_BOOLEAN_SUM:
            raise ValueError(f"boolean coefficients sum beyond {MAX_BOOLEAN_SUM}: choose a larger unit")
        terms = (*literals, *integers)
        expression = cp_model.LinearExpr.weighted_sum([x for x, _ in terms], [a for _, a in terms])
        self._model.add_linear_constraint(expression, cp_model.INT_MIN if lower is None else lower, upper)

    def add_capacity(self, terms: Iterable[tuple[BoolVar, float]], limit: float) -> None:
        """Let nonnegative amounts of the literals that hold sum to at most `limit`, in real numbers.

        The row is exact where all amounts are multiples of one decimal unit, and a relaxation by less than a millionth
        of their sum elsewhere.
        """
        pairs = [pair for pair in terms if pair[1] > 0]
        row = CapacityRow([literal for literal, _ in pairs], np.array([amount for _, amount in pairs], float), limit)
        if row.amounts.sum() <= limit:
            return
        unit, whole = _unit(row.amounts)
        amounts = [round(a) if whole else math.floor(a) for a in (row.amounts * unit).tolist()]
        upper = math.floor(limit * unit * (1 + ROUNDING))
        divisor = math.gcd(*amounts) or 1
        self.add_linear([(x, a // divisor) for x, a in zip(row.literals, amounts, strict=True)], [], upper // divisor)
        self._rows.append(row)

    def add_covering(self, terms: Iterable[tuple[BoolVar, float]], demands: Iterable[tuple[BoolVar, float]]) -> None:
        """Let nonnegative amounts of literals that hold sum to at least those of others, in real numbers.

        Amounts that are no multiples of one decimal unit are rounded so that the row is a relaxation.
        """
        cover, needed = ([pair for pair in pairs if pair[1] > 0] for pairs in (terms, demands))
        if not needed:
            return
        amounts = np.array([amount for _, amount in (*cover, *needed)], float)
        unit, whole = _unit(amounts)
        up, down = (round, round) if whole else (math.ceil, math.floor)
        literals = [(x, -up(a * unit)) for x, a in cover] + [(x, down(a * unit)) for x, a in needed]
        self.add_linear(literals, [], 0)

    def maximise(
        self, terms: Iterable[tuple[BoolVar, float]], constant: float = 0.0, largest: float | None = None
    ) -> None:
        """Maximise a sum of values of literals, rounded up.

        Parameters
        ----------
        largest
            No decision's objective is farther from 0; the sum of all values unless given.
        """
        self._optimise(list(terms), constant, largest, sign=-1)

    def minimise(
        self, terms: Iterable[tuple[BoolVar, float]], constant: float = 0.0, largest: float | None = None
    ) -> None:
        """Minimise a sum of values of literals, rounded down; as `maximise`."""
        self._optimise(list(terms), constant, largest, sign=1)

    def _optimise(self, terms: list[tuple[BoolVar, float]], constant: float, largest: float | None, sign: int) -> None:
        total = sum(abs(value) for _, value in terms) + abs(constant)
        scale = objective_scale(total if largest is None else min(largest, total), total)
        costs = [(x, math.floor(sign * value * scale)) for x, value in terms]
        offset = math.floor(sign * constant * scale)
        self.set_objective([(x, cost) for x, cost in costs if cost], offset, sign * scale)
        self.error = (1 + len(terms)) / scale

    def set_objective(self, costs: list[tuple[cp_model.IntVar, int]], constant: int, scale: float) -> None:
        """Minimise integer costs that are `scale` times the real ones (negative: of an objective to maximise)."""
        self.scale = scale
        expression = cp_model.LinearExpr.weighted_sum([x for x, _ in costs], [cost for _, cost in costs])
        self._model.minimize(expression + constant)

    def reads(
        self,
        decision: Callable[[Values], Decision],
        hint: Callable[[Decision], Mapping[BoolVar, int]],
        trivial: float,
    ) -> Self:
        """Say how values become a decision and a decision values, and a bound that holds by definition."""
        self._read, self._hint, self.trivial = decision, hint, trivial
        return self

    def decision(self, value: Values) -> Decision:
        """Return the decision of the variables' values."""
        assert self._read is not None
        return self._read(value)

    def add_hint(self, decision: Decision) -> None:
        """Let the search begin at a decision."""
        assert self._hint is not None
        self._model.clear_hints()
        for variable, value in self._hint(decision).items():
            self._model.add_hint(variable, value)

    def violated_rows(self, value: Values) -> list[CapacityRow]:
        """Return the capacity rows that only rounding lets pass."""
        broken = []
        for row in self._rows:
            held = np.array([value(literal) for literal in row.literals], bool)
            if row.amounts[held].sum() > row.limit + ROUNDING * abs(row.limit):
                broken.append(row)
        return broken

    def add_cover(self, row: CapacityRow, value: Values) -> None:
        """Cut off the literals that hold and exceed a row's limit together, and all sets with larger amounts."""
        held = [k for k in np.argsort(-row.amounts, kind="stable").tolist() if value(row.literals[k])]
        sums = row.amounts[held].cumsum()
        cover = held[: int(np.searchsorted(sums, row.limit + ROUNDING * abs(row.limit), side="right")) + 1]
        extended = {*cover, *np.flatnonzero(row.amounts >= row.amounts[cover].max()).tolist()}
        self.add_count([row.literals[k] for k in sorted(extended)], len(cover) - 1)

    def new_solver(self, *, presolve: bool = True) -> cp_model.CpSolver:
        """Return a CP-SAT solver with everything off that is known to be wrong; it presolves if the model may be."""
        solver = cp_model.CpSolver()
        solver.parameters.cp_model_presolve = presolve and self.presolve
        solver.parameters.presolve_inclusion_work_limit = 0  # or-tools issue 5293
        solver.parameters.linearization_level = self.linearization
        solver.parameters.catch_sigint_signal = False
        return solver

    def real_bound(self, bound: float | None) -> float:
        """Return a bound on the real objective from one on the integers; `trivial` where there is none."""
        if bound is None:
            return self.trivial
        real = bound / self.scale
        return min(real, self.trivial) if self.scale < 0 else max(real, self.trivial)

    def write(self, path: Path) -> bool:
        """Write the model as the text of its protocol buffer; its solvers report real objectives."""
        model = self._model.clone()
        model.proto.objective.scaling_factor = 1 / self.scale
        return bool(model.export_to_file(str(path)))


def power_of_two(number: float) -> float:
    """Return the largest power of two that is at most a positive number.

    Raises
    ------
    EngineError
        When the number is not finite.
    """
    if not math.isfinite(number):
        raise EngineError("the numbers sum beyond 1.8e308, which no engine can work with")
    return math.ldexp(1.0, math.frexp(number)[1] - 1) if number > 0 else 1.0


def objective_scale(largest: float, total: float) -> float:
    """Return the largest power of two that keeps an objective within what CP-SAT takes.

    Parameters
    ----------
    largest
        No objective is farther from 0.
    total
        Sum of the absolute values of all coefficients.
    """
    scale = MAX_OBJECTIVE / 2 / power_of_two(largest)
    return min(scale, MAX_OBJECTIVE_SUM / 2 / power_of_two(total), MAX_SCALE)


def boolean_unit(total: float) -> float:
    """Return the largest power of two by which coefficients of this sum stay below 2^31, rounding included."""
    return UNIT_SUM / 2 / power_of_two(total)


def _unit(amounts: FloatArray) -> tuple[float, bool]:
    """Return what to multiply amounts by, and whether all are whole then."""
    total = float(amounts.sum())
    for unit in DECIMAL_UNITS:
        scaled = amounts * unit
        if unit * total < UNIT_SUM and (np.abs(scaled - np.rint(scaled)) <= ROUNDING * np.maximum(1.0, scaled)).all():
            return float(unit), True
    return boolean_unit(total), False
