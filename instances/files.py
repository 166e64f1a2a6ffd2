"""Instance and solution files: the envelope around a problem's data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import InputError
from .fields import as_real
from .json_files import read_json, write_json
from .problems import problem
from .record import Instance, same_keys
from .solution import Solution, Status

VERSION = 1
INSTANCE_KEYS = dict.fromkeys(("format", "version", "problem", "name", "provenance", "data"))
SOLUTION_KEYS = dict.fromkeys(
    ("format", "version", "problem", "instance", "objective", "bound", "status", "solver", "decision")
)


def load(path: str | Path) -> Instance:
    """Read an instance file (``.json`` or ``.json.gz``).

    Raises
    ------
    InputError
        When anything in the file is not as the format says; names file, field and place.
    """
    try:
        return instance_from_json(read_json(path))
    except InputError as error:
        raise error.inside(str(path)) from None


def instance_from_json(document: Any) -> Instance:
    """Make an instance of a parsed instance document."""
    kind = _open(document, "skybound-instance", INSTANCE_KEYS)
    if not isinstance(document["provenance"], Mapping):
        raise InputError("must be an object", "provenance")
    name = _text(document, "name")
    return kind.from_json(document["data"], "data", name=name, provenance=document["provenance"])


def instance_to_json(instance: Instance) -> dict[str, Any]:
    """The instance document of an instance."""
    return {
        "format": "skybound-instance",
        "version": VERSION,
        "problem": instance.problem,
        "name": instance.name,
        "provenance": dict(instance.provenance),
        "data": instance.to_json(),
    }


def save(instance: Instance, path: str | Path) -> None:
    """Write an instance file atomically, as gzip when the name ends in ``.gz``."""
    write_json(path, instance_to_json(instance))


def load_solution(path: str | Path, instance: Instance) -> Solution:
    """Read a solution file of an instance.

    Raises
    ------
    InputError
        When anything in the file is not as the format says, or does not fit the instance.
    """
    try:
        return solution_from_json(read_json(path), instance)
    except InputError as error:
        raise error.inside(str(path)) from None


def solution_from_json(document: Any, instance: Instance) -> Solution:
    """Make a solution of a parsed solution document."""
    _open(document, "skybound-solution", SOLUTION_KEYS)
    for key, own in (("problem", instance.problem), ("instance", instance.name)):
        if _text(document, key) != own:
            raise InputError(f'is "{document[key]}", but the instance given is "{own}"', key)
    if _text(document, "status") not in list(Status):
        raise InputError(f'must be one of {", ".join(Status)}, is "{document["status"]}"', "status")
    status = Status(document["status"])
    objective, bound = (
        None if document[key] is None else as_real(document[key], key) for key in ("objective", "bound")
    )
    decision = None if document["decision"] is None else instance.decide(document["decision"])
    if status.has_decision != (decision is not None):
        raise InputError(f'must {"not " * status.has_decision}be null when the status is "{status}"', "decision")
    if status.has_decision != (objective is not None):
        raise InputError(f'must {"not " * status.has_decision}be null when the status is "{status}"', "objective")
    if status is Status.INFEASIBLE and bound is not None:
        raise InputError('must be null when the status is "infeasible"', "bound")
    return Solution(instance.problem, instance.name, status, _text(document, "solver"), objective, bound, decision)


def solution_to_json(solution: Solution) -> dict[str, Any]:
    """The solution document of a solution."""
    return {
        "format": "skybound-solution",
        "version": VERSION,
        "problem": solution.problem,
        "instance": solution.instance,
        "objective": solution.objective,
        "bound": solution.bound,
        "status": str(solution.status),
        "solver": solution.solver,
        "decision": None if solution.decision is None else solution.decision.to_json(),
    }


def save_solution(solution: Solution, path: str | Path) -> None:
    """Write a solution file atomically."""
    write_json(path, solution_to_json(solution))


def _open(document: Any, form: str, keys: Mapping[str, Any]) -> type[Instance]:
    """Check the envelope; return the class of the problem."""
    if not isinstance(document, Mapping):
        raise InputError("must be a JSON object")
    if document.get("format") != form:
        raise InputError(f'must be "{form}"', "format")
    version = document.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InputError("must be an integer from 1 up", "version")
    if version > VERSION:
        raise InputError(f"is {version}, newer than this skybound reads ({VERSION})", "version")
    same_keys(document, keys, "")
    return problem(_text(document, "problem")).kind


def _text(document: Mapping[str, Any], key: str) -> str:
    if not isinstance(document[key], str):
        raise InputError("must be a text", key)
    text = str(document[key])
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError("has half a surrogate pair, which is no character", key) from None
    return text
