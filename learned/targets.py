"""Supervised data: instances with a solver's decisions and their proven gaps, gzip JSON lines.

A line is ``{"instance": <instance document>, "solution": <solution document>, "gap": <relative gap or null>}``.
"""

import contextlib
import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from ..formulations.problems import FORMULATIONS
from ..instances.arguments import instance_list
from ..instances.errors import InputError
from ..instances.fields import as_real
from ..instances.files import instance_from_json, instance_to_json, solution_from_json, solution_to_json
from ..instances.json_files import atomic, parse_json
from ..instances.record import Instance, same_keys
from ..instances.solution import Solution
from ..solvers.registry import find
from ..solvers.result import Limits, Result, relative_gap
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
        Relative gap that the solver proved; None where it has no bound.
    """

    instance: Instance
    solution: Solution
    gap: float | None


class Written(NamedTuple):
    """What became of the instances.

    Attributes
    ----------
    targets
        Lines of the file.
    left_out
        Names of the instances without a decision: infeasible, or none was found within the limit.
    """

    targets: int
    left_out: tuple[str, ...]


def write_targets(
    instances: Sequence[Instance],
    path: str | Path,
    solver: str | None = None,
    *,
    time_limit_s: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Written:
    """Solve instances and write those that have a decision, with it.

    Lines, those of instances without a decision too, are kept in ``PATH.part`` until all are there; another call with
    the same instances goes on from there.

    Parameters
    ----------
    solver
        A solver's name; None is the problem's default.
    time_limit_s
        Wall-clock limit of each instance (s).
    progress
        Called with finished and all instances.

    Raises
    ------
    InputError
        When there is no such solver, the file cannot be written, the solver fails, or ``PATH.part`` comes from other
        instances.
    """
    path, instances, limits = Path(path), instance_list(instances), Limits(time_limit_s)
    names = {problem: find(problem, solver)[0] for problem in {instance.problem for instance in instances}}
    if path.is_dir():
        raise InputError("is a folder", file=str(path))
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("a+b") as stream:
            for done in range(_known(stream, instances, names), len(instances)):
                if progress:
                    progress(done, len(instances))
                instance = instances[done]
                result = solve(instance, names[instance.problem], time_limit_s=limits.time_limit_s)
                stream.write(gzip.compress(_line(instance, result), mtime=0))
                stream.flush()
            written = _finish(stream, path)
        part.unlink()
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            if not part.stat().st_size:
                part.unlink()
    return written


def _known(stream: IO[bytes], instances: Sequence[Instance], names: Mapping[str, str]) -> int:
    """How many of the instances have their line already; whatever comes behind is cut off."""
    count, length = 0, 0
    stream.seek(0)
    for instance, (line, end) in zip(instances, _whole_lines(stream), strict=False):
        if other := _other(line, instance, names[instance.problem]):
            message = f"line {count + 1} is of another {other}; remove the file to begin anew"
            raise InputError(message, file=stream.name)
        count, length = count + 1, end
    stream.truncate(length)
    return count


def _finish(stream: IO[bytes], path: Path) -> Written:
    """Write the file: the lines that have a decision."""
    targets, left_out = 0, []
    stream.seek(0)
    with atomic(path) as out:
        for line, _ in _whole_lines(stream):
            document = parse_json(line)
            if document["solution"]["decision"] is None:
                left_out.append(document["instance"]["name"])
            else:
                targets += 1
                out.write(gzip.compress(line, mtime=0))
        if not targets:
            out.write(gzip.compress(b"", mtime=0))
    return Written(targets, tuple(left_out))


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


def _other(line: bytes, instance: Instance, solver: str) -> str | None:
    """In what a line differs from the one to be written."""
    document = parse_json(line)
    if document["instance"]["data"] != instance.to_json():
        return "instance"
    return None if document["solution"]["solver"] == solver else "solver"


def _line(instance: Instance, result: Result) -> bytes:
    if result.status == "error":
        raise InputError(f"failed on {instance.name}: {result.reason}", "solver")
    document = {
        "instance": instance_to_json(instance),
        "solution": solution_to_json(result.solution()),
        "gap": result.gap,
    }
    return json.dumps(document, allow_nan=False).encode() + b"\n"


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
