"""Supervised data: instances with a solver's solutions and their proven gaps, gzip JSON lines.

A line is ``{"instance": <instance document>, "solution": <solution document>, "gap": <relative gap or null>}``.
"""

import contextlib
import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..formulations.problems import FORMULATIONS
from ..instances.errors import InputError
from ..instances.fields import as_real
from ..instances.files import instance_from_json, instance_to_json, solution_from_json, solution_to_json
from ..instances.json_files import parse_json
from ..instances.record import Instance, same_keys
from ..instances.solution import Solution
from ..solvers.registry import find
from ..solvers.result import Result, relative_gap
from ..solvers.solve import solve

KEYS = dict.fromkeys(("instance", "solution", "gap"))
LARGEST_LINE_BYTES = 1 << 28
TOLERANCE = 1e-6  # between what a line claims and what follows from it


@dataclass(frozen=True)
class Target:
    """An instance and what a solver came to.

    Attributes
    ----------
    gap
        Relative gap that the solver proved; None where it has no decision or no bound.
    """

    instance: Instance
    solution: Solution
    gap: float | None


def write_targets(
    instances: Iterable[Instance], path: str | Path, solver: str | None = None, time_limit_s: float | None = None
) -> int:
    """Solve instances and write them with their solutions; the number of lines.

    Lines are kept in ``PATH.part`` until all are there; another call with the same instances goes on from there.

    Parameters
    ----------
    solver
        A solver's name; None is the problem's best exact one.
    time_limit_s
        Wall-clock limit of each instance (s).

    Raises
    ------
    InputError
        When the file cannot be written, the solver fails, or ``PATH.part`` comes from other instances.
    """
    path = Path(path)
    part = path.with_name(path.name + ".part")
    lines = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("a+b") as stream:
            stream.seek(0)
            known = _whole_lines(stream)
            length = 0
            for lines, instance in enumerate(instances, 1):
                line, end = next(known, (None, length))
                if line is None:
                    stream.truncate(length)
                    document = _line(instance, solve(instance, solver, time_limit_s=time_limit_s))
                    stream.write(gzip.compress(json.dumps(document, allow_nan=False).encode() + b"\n", mtime=0))
                    stream.flush()
                    length = stream.tell()
                elif (other := _other(line, instance, solver)) is None:
                    length = end
                else:
                    raise InputError(
                        f"line {lines} is of another {other}; remove the file to begin anew", file=str(part)
                    )
            stream.truncate(length)
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=str(path)) from error
    return lines


def _whole_lines(stream: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """The lines that were written whole, each one gzip member, with the byte at which they end."""
    while True:
        unpacking, line = zlib.decompressobj(zlib.MAX_WBITS | 16), b""
        while not unpacking.eof:
            packed = stream.read(1 << 16)
            if not packed:
                return
            try:
                line += unpacking.decompress(packed)
            except zlib.error as error:
                raise InputError(f"is damaged gzip: {error}; remove the file to begin anew", file=stream.name) from None
        end = stream.seek(-len(unpacking.unused_data), os.SEEK_CUR)
        yield line, end


def _other(line: bytes, instance: Instance, solver: str | None) -> str | None:
    """In what a line differs from the one to be written."""
    document = parse_json(line)
    if document["instance"]["data"] != instance.to_json():
        return "instance"
    return None if document["solution"]["solver"] == find(instance.problem, solver)[0] else "solver"


def _line(instance: Instance, result: Result) -> dict[str, Any]:
    if result.status == "error":
        raise InputError(f"failed on {instance.name}: {result.reason}", "solver")
    return {
        "instance": instance_to_json(instance),
        "solution": solution_to_json(result.solution()),
        "gap": result.gap,
    }


def read_targets(path: str | Path) -> Iterator[Target]:
    """Read targets line by line.

    Raises
    ------
    InputError
        When the file cannot be read, or a line is not as the format says, claims more than the referee finds, or a gap
        that does not follow from its solution; names file, line and field.
    """
    for number, line in _lines(Path(path)):
        try:
            yield _target(line)
        except InputError as error:
            raise error.inside(f"{path}: line {number}") from None


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with gzip.open(path) as stream:
            number = 0
            while line := stream.readline(LARGEST_LINE_BYTES):
                number += 1
                if not line.endswith(b"\n"):
                    raise InputError(f"line {number} has no end", file=str(path))
                yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"is no whole gzip file: {error}", file=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=str(path)) from None


def _target(line: bytes) -> Target:
    document = parse_json(line[:-1])
    if not isinstance(document, dict):
        raise InputError("must be a JSON object")
    same_keys(document, KEYS, "")
    with _inside("instance"):
        instance = instance_from_json(document["instance"])
    with _inside("solution"):
        solution = solution_from_json(document["solution"], instance)
        _check(instance, solution)
    gap = None if document["gap"] is None else as_real(document["gap"], "gap")
    proven = relative_gap(solution.objective, solution.bound)
    if (gap is None) != (proven is None) or abs((gap or 0.0) - (proven or 0.0)) > TOLERANCE:
        raise InputError(f"is {gap}, but objective and bound make it {proven}", "gap")
    return Target(instance, solution, gap)


@contextlib.contextmanager
def _inside(place: str) -> Iterator[None]:
    """Errors of a part of the line, with its place."""
    try:
        yield
    except InputError as error:
        raise InputError(error.message, f"{place}.{error.field}".rstrip(".")) from None


def _check(instance: Instance, solution: Solution) -> None:
    """Object to a solution that the referee does not bear out."""
    if solution.decision is None or solution.objective is None:
        return
    formulation = FORMULATIONS[instance.problem]
    verdict = formulation.judge(instance, solution.decision)
    if verdict.objective is None:
        broken = ", ".join(f"{v.constraint} ({v.place})" for v in verdict.violations)
        raise InputError(f"violates {broken}", "decision")
    if (relative_gap(solution.objective, verdict.objective) or 0.0) > TOLERANCE:
        raise InputError(f"is {solution.objective}, the referee finds {verdict.objective}", "objective")
    if solution.bound is not None:
        beyond = solution.bound - solution.objective
        beyond = beyond if formulation.sense == "minimise" else -beyond
        if beyond > TOLERANCE * max(abs(solution.bound), abs(solution.objective)):
            raise InputError(f"is {solution.bound}, on the wrong side of the objective {solution.objective}", "bound")
