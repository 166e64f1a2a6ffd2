"""Sizes of model files, estimated from samples before anything is written."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

MAX_MB = 100.0  # of a file that is written without being asked for
SAMPLE = 2_000  # rows and variables that are looked at
SPACES = 3  # bytes of a factor's sign and spaces
BOUND = 24  # bytes of a row's or column's limit


def model_size_mb(model: Any, form: str) -> float:
    """Return the size of a model's file (MB): ``lp``, ``mps`` or ``cpsat``."""
    size = _constraint_model_size(model.native.proto) if form == "cpsat" else _linear_size(model, form)
    return size / 1e6


def _constraint_model_size(proto: Any) -> float:
    """Bytes of a protocol buffer as text."""
    parts = ((proto.constraints, len(proto.constraints)), (proto.variables, len(proto.variables)))
    return sum(_scaled(part, count, lambda entry: len(str(entry))) for part, count in parts)


def _linear_size(model: Any, form: str) -> float:
    """Bytes of a Pyomo model as LP or MPS: each factor stands with its column, in MPS with its row, too."""
    import pyomo.environ as pyo
    from pyomo.repn import generate_standard_repn

    def size_of_row(row: Any) -> float:
        body = generate_standard_repn(row.body)
        of_row = len(row.name) if form == "mps" else 0
        factors = zip(body.linear_vars, body.linear_coefs, strict=True)
        return sum(len(column.name) + of_row + len(f"{a!r}") + SPACES for column, a in factors) + len(row.name) + BOUND

    rows = model.component_data_objects(pyo.Constraint, active=True)
    columns = model.component_data_objects(pyo.Var)
    size = _scaled(rows, model.nconstraints(), size_of_row)
    return size + _scaled(columns, model.nvariables(), lambda column: 2 * len(column.name) + BOUND)


def _scaled(entries: Iterable[Any] | Sequence[Any], count: int, size: Callable[[Any], float]) -> float:
    """Sum of the entries' sizes, by some of them spread over all."""
    step = max(1, count // SAMPLE)
    sizes = [size(entry) for entry in itertools.islice(entries, 0, None, step)]
    return count * sum(sizes) / len(sizes) if sizes else 0.0
