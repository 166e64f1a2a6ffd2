"""Instances as models that other solvers read, and those solvers' answers read back."""

import csv
import io
import math
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Set
from pathlib import Path
from typing import Any

from ..formulations.problems import FORMULATIONS
from ..instances.arguments import of_kind, texts
from ..instances.errors import InputError
from ..instances.json_files import atomic, file_stem
from ..instances.record import Decision, Instance
from ..instances.solution import Solution, Status
from ..solvers.highs import described
from .model_size import MAX_MB, model_size_mb

VALUE_TOLERANCE = 1e-5  # of other solvers' values, relative to a constraint's bounds
SUFFIXES = {"lp": ".lp", "mps": ".mps", "cpsat": ".cpsat.txt"}
COMMENTS = {"lp": "\\", "mps": "*", "cpsat": "#"}  # what a line of comment begins with


def export(
    instance: Instance,
    folder: str | Path,
    formats: Iterable[str] = tuple(SUFFIXES),
    stem: str = "",
    *,
    max_mb: float | None = MAX_MB,
    announce: Callable[[str], None] | None = None,
) -> list[Path]:
    """Write an instance's explicit models.

    ``lp`` and ``mps`` hold the Pyomo model with exact numbers and readable names, ``cpsat`` the constraint model as the
    text of its protocol buffer, whose solvers report objectives in the instance's units. A comment at the top says of
    what the model is, and whether its optimum is the problem's or a bound. Where names of variables are numbers of
    choices, a legend beside the model says what they stand for.

    Parameters
    ----------
    instance
        What to write.
    folder
        Where to write; made when missing.
    formats
        Which models; all by default.
    stem
        Name of the files without ending; the instance's name by default.
    max_mb
        Size up to which a file is written (MB), by an estimate made before; None for any.
    announce
        Told the size of each file that is over a tenth of `MAX_MB`, before it is written.

    Returns
    -------
    list of Path
        The files, one a format, and the legend where there is one.

    Raises
    ------
    InputError
        When there is no such format, a file would be larger than `max_mb` or cannot be written, or an argument cannot
        be.
    """
    of_kind(instance, Instance, "instance")
    written: list[Path] = []
    for form in texts(formats, "formats"):
        if form not in SUFFIXES:
            raise InputError(f'is "{form}", unknown; known are {", ".join(SUFFIXES)}', "format")
        path = Path(folder) / f"{stem or file_stem(instance.name)}{SUFFIXES[form]}"
        module = FORMULATIONS[instance.problem].cpsat if form == "cpsat" else FORMULATIONS[instance.problem].milp
        model = module.build(instance)
        size_mb = model_size_mb(model, form)
        if max_mb is not None and size_mb > max_mb:
            words = f"would have about {size_mb:.0f} MB, more than {max_mb:g} (--max-mb, or --yes for any size)"
            raise InputError(words, "max_mb", str(path))
        if announce is not None and size_mb > MAX_MB / 10:
            announce(f"{path}: about {size_mb:.0f} MB")
        with tempfile.TemporaryDirectory() as scratch:
            draft = Path(scratch) / f"model{SUFFIXES[form]}"
            _write_model(model, form, draft)
            with atomic(path) as stream, draft.open("rb") as content:
                stream.write(_header(instance, module.describe(instance), form).encode())
                shutil.copyfileobj(content, stream)
        written.append(path)
        legend = path.with_name(f"{stem or file_stem(instance.name)}.legend.csv")
        if form != "cpsat" and hasattr(module, "legend") and legend not in written:
            _write_legend(module.legend(model, instance), legend)
            written.append(legend)
    return written


def _header(instance: Instance, optimum: str, form: str) -> str:
    """Lines of comment at the top of a model."""
    sense = FORMULATIONS[instance.problem].sense
    lines = [
        f"skybound {instance.problem}: {instance.name}",
        f"instance {instance.hash}",
        f"{sense} the objective of the instance; {optimum}",
    ]
    return "".join(f"{COMMENTS[form]} {line}\n" for line in lines)


def _write_model(model: Any, form: str, path: Path) -> None:
    if form != "cpsat":
        model.write(str(path), io_options={"symbolic_solver_labels": True})
    elif not model.write(path):
        raise InputError("CP-SAT could not write the model", file=str(path))


def _write_legend(rows: Iterable[tuple[Any, str]], path: Path) -> None:
    """Write what variables stand for, as CSV, by their names in the files."""
    from pyomo.core.base.label import LPFileLabeler

    label, text = LPFileLabeler(), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["variable", "meaning"])
    writer.writerows((label(variable), meaning) for variable, meaning in rows)
    with atomic(path) as stream:
        stream.write(text.getvalue().encode())


def export_start(instance: Instance, decision: Decision, path: str | Path) -> None:
    """Write a decision as values of the explicit model's variables, one ``name value`` a line (``.sol``, ``.mst``)."""
    model, names = _named(instance)
    FORMULATIONS[instance.problem].milp.start(model, instance, decision)
    lines = [f"{name} {variable.value!r}\n" for name, variable in names.items()]
    with atomic(path) as stream:
        stream.write("".join(["# skybound start\n", *lines]).encode())


def import_values(instance: Instance, path: str | Path) -> Decision:
    """Read what another solver found for an exported model: lines that begin with a variable's name and its value.

    HiGHS, SCIP, Gurobi and CBC write such files for LP and MPS; for the CP-SAT model, the names are those of the file's
    variables. Other lines are passed over, missing variables are 0.

    Raises
    ------
    InputError
        When the file cannot be read, no line speaks of a variable of a model, one speaks of such a variable that this
        instance's model lacks, or the values are no solution of it.
    """
    model, names = _named(instance)
    values = _values(Path(path), names.keys())
    if not values:
        return _of_constraint_model(instance, Path(path))
    for variable in names.values():
        variable.value = 0.0
    for name, value in values.items():
        names[name].set_value(value, skip_validation=True)
    if broken := _broken(model):
        raise InputError(f"its values violate: {broken}", file=str(path))
    return FORMULATIONS[instance.problem].milp.extract(model, instance)


def _values(path: Path, known: Set[str]) -> dict[str, float]:
    """Values of known variables in a file of another solver."""
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(path)) from None
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start})", file=str(path)) from None
    found: dict[str, float] = {}
    kinds = tuple({match[0] for name in known if (match := re.match(r"\w*?[^\W_]+[(\[]", name))})
    for number, line in enumerate(lines, 1):
        words = line.split()
        first = range(min(2, len(words) - 1))  # CBC counts lines before names
        at = next((k for k in first if words[k] in known), None)
        if at is None:
            if other := next((words[k] for k in first if words[k].startswith(kinds)), None):
                raise InputError(f"line {number}: there is no {other} in the model of this instance", file=str(path))
            continue
        try:
            value = float(words[at + 1])
        except ValueError:
            raise InputError(f"line {number}: {words[at]} is {words[at + 1]}, no number", file=str(path)) from None
        if not math.isfinite(value):
            raise InputError(f"line {number}: {words[at]} is {words[at + 1]}", file=str(path))
        found[words[at]] = value
    return found


def _of_constraint_model(instance: Instance, path: Path) -> Decision:
    """The decision of a file with values of the constraint model's literals; CP-SAT says whether it admits them."""
    from ortools.sat.python import cp_model

    constraint_model = FORMULATIONS[instance.problem].cpsat.build(instance)
    model = constraint_model.native
    values = _values(path, {variable.name for variable in model.proto.variables})
    if not values:
        raise InputError("has no line with a variable of this instance's models", file=str(path))
    for k, variable in enumerate(model.proto.variables):
        if list(variable.domain) != [0, 1]:
            continue  # it follows from the literals, and may be too large for a double
        value = values.get(variable.name, 0.0)
        if abs(value - round(value)) > VALUE_TOLERANCE:
            raise InputError(f"its values violate: {variable.name} is {value}, not a whole number", file=str(path))
        model.add(model.get_int_var_from_proto_index(k) == round(value))
    solver = constraint_model.new_solver()
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise InputError("its values violate the constraint model", file=str(path))
    decision: Decision = constraint_model.decision(solver.value)
    return decision


def _broken(model: Any) -> str | None:
    """One of the paper's constraints, or a whole number, that the variables' values break."""
    import pyomo.environ as pyo

    for variable in model.component_data_objects(pyo.Var):
        if variable.is_integer() and abs(variable.value - round(variable.value)) > VALUE_TOLERANCE:
            return f"{variable.name} is {variable.value}, not a whole number"
    for constraint in model.component_data_objects(pyo.Constraint, active=True):
        if not (constraint.parent_component().doc or "").startswith("("):
            continue  # it only makes the model linear, and its variables say nothing of the decision
        body, lower, upper = pyo.value(constraint.body), constraint.lb, constraint.ub
        room = VALUE_TOLERANCE * max(1.0, *(abs(end) for end in (lower, upper) if end is not None))
        if (lower is not None and body < lower - room) or (upper is not None and body > upper + room):
            return described(constraint, -math.inf if lower is None else lower, math.inf if upper is None else upper)
    return None


def imported_solution(instance: Instance, path: str | Path) -> Solution:
    """What another solver found (see `import_values`), judged by the referee: a solution that claims no bound.

    Raises
    ------
    InputError
        When the file cannot be read, or its decision is infeasible.
    """
    decision = import_values(instance, path)
    verdict = FORMULATIONS[instance.problem].judge(instance, decision)
    if verdict.objective is None:
        broken = ", ".join(f"{v.constraint} ({v.place})" for v in verdict.violations)
        raise InputError(f"its decision violates {broken}", file=str(path))
    return Solution(
        instance.problem, instance.name, Status.FEASIBLE, Path(path).name, verdict.objective, None, decision
    )


def _named(instance: Instance) -> tuple[Any, dict[str, Any]]:
    """The explicit model, and its variables by the names that they have in LP and MPS files."""
    import pyomo.environ as pyo
    from pyomo.core.base.label import LPFileLabeler, TextLabeler

    model = FORMULATIONS[instance.problem].milp.build(instance)
    variables = list(model.component_data_objects(pyo.Var))
    return model, {label(variable): variable for label in (TextLabeler(), LPFileLabeler()) for variable in variables}
