"""Claims that contradict each other: a decision that the referee confirms, and a proof that none is so good."""

import math
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..formulations.problems import FORMULATIONS
from ..instances.errors import ConflictError
from ..instances.files import save, save_solution
from ..instances.json_files import file_stem
from ..instances.record import Instance
from ..instances.solution import Status
from ..solvers.claims import beats
from ..solvers.result import CLAIM_TOLERANCE, Result

Row = Mapping[str, Any]


class Conflict(NamedTuple):
    """Two rows of one instance that cannot both be right.

    Attributes
    ----------
    decision
        The row whose decision the referee confirms.
    proof
        The row that claims a bound which this decision beats, or that there is no decision.
    """

    decision: Row
    proof: Row


def find_conflict(problem: str, row: Row, others: Iterable[Row]) -> Conflict | None:
    """Return the first contradiction between a row and others of the same instance."""
    for other in others:
        for decision, proof in ((row, other), (other, row)):
            if _contradicts(problem, decision, proof):
                return Conflict(decision, proof)
    return None


def _contradicts(problem: str, decision: Row, proof: Row) -> bool:
    objective, bound = decision["objective"], proof["bound"]
    if objective is None or math.isnan(objective):
        return False
    if proof["status"] == Status.INFEASIBLE:
        return True
    if bound is None or math.isnan(bound):
        return False
    maximise = FORMULATIONS[problem].sense == "maximise"
    return beats(objective, bound, maximise=maximise, tolerance=CLAIM_TOLERANCE)


def write_evidence(instance: Instance, results: Iterable[Result], folder: Path) -> None:
    """Write the instance and the solutions with decisions, for `skybound verify`."""
    save(instance, folder / f"{file_stem(instance.name)}.json")
    for result in results:
        if result.decision is not None:
            save_solution(result.solution(), folder / f"{file_stem(instance.name)}.{file_stem(result.solver)}.json")


def conflict_error(instance: Instance, conflict: Conflict, limits: str, folder: Path | None) -> ConflictError:
    """Return the report of a contradiction: both claims, and how to reproduce them.

    Parameters
    ----------
    limits
        Options of the command line that the rows were made with.
    folder
        Folder that holds the instance and the decision; None when they were not written.
    """
    decision, proof = conflict
    stem = file_stem(instance.name)
    claim = (
        "there is no decision"
        if proof["status"] == Status.INFEASIBLE
        else f"no decision is better than {proof['bound']!r} (status {proof['status']})"
    )
    file = shlex.quote(str(folder / f"{stem}.json") if folder else f"{stem}.json")
    commands = [
        f"skybound solve {file} --solver {shlex.quote(row['solver'])} --seed {row['seed']}{limits}"
        for row in (proof, decision)
    ]
    if folder:
        solution = folder / f"{stem}.{file_stem(decision['solver'])}.json"
        if solution.exists():
            commands.append(f"skybound verify {file} {shlex.quote(str(solution))}")
    lines = [
        f"two claims about {instance.name} ({instance.hash[:12]}) contradict each other:",
        f"  {proof['solver']}: {claim}",
        f"  {decision['solver']}: a decision of {decision['objective']!r}, confirmed by the referee",
        "to reproduce:",
        *(f"  {command}" for command in commands),
    ]
    return ConflictError("\n".join(lines))
