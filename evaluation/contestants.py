"""Whatever can be named where a solver is asked for: solvers, Pyomo's solvers and trained policies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..instances.record import Instance
from ..solvers.registry import SOLVERS, find
from ..solvers.result import Solver


@dataclass(frozen=True)
class Contestant:
    """A named solver or policy.

    Attributes
    ----------
    seeded
        Whether a seed makes a difference.
    seeds
        Which of the seeds asked for exist.
    solver
        The solver of a seed.
    seen
        Whether the instance of a hash was trained or validated on.
    """

    name: str
    seeded: bool
    seeds: Callable[[Sequence[int]], Sequence[int]]
    solver: Callable[[int], Solver[Instance]]
    seen: Callable[[str], bool]


def contestant(problem: str, name: str) -> Contestant:
    """Find what a name means for a problem.

    Raises
    ------
    InputError
        When it means nothing.
    """
    found, solver = find(problem, name)
    entry = SOLVERS[problem].get(found)
    return Contestant(
        found, entry is not None and entry.seeded, lambda seeds: seeds, lambda seed: solver, lambda digest: False
    )
