"""The solvers of every problem, by name; their modules are imported when first used."""

import importlib
from dataclasses import dataclass
from typing import Literal

from ..instances.errors import InputError
from ..instances.record import Instance
from .result import Solver

Kind = Literal["enumeration", "milp", "constraint programming", "decomposition", "heuristic", "policy"]


@dataclass(frozen=True)
class Entry:
    """A solver that users can name.

    Attributes
    ----------
    exact
        Whether it proves optimality, given time.
    place
        Module on this floor and function, ``module:function``.
    seeded
        Whether the seed makes a difference to what it finds.
    """

    name: str
    kind: Kind
    exact: bool
    place: str
    seeded: bool = False

    def load(self) -> Solver[Instance]:
        """Import the solver."""
        module, function = self.place.split(":")
        solver: Solver[Instance] = getattr(importlib.import_module(f".{module}", __package__), function)
        return solver


MILP = Entry("milp", "milp", True, "milp:solve_milp")
CPSAT = Entry("cp-sat", "constraint programming", True, "cpsat:solve_cpsat")

# The first solver of a problem is its default.
SOLVERS: dict[str, dict[str, Entry]] = {
    problem: {entry.name: entry for entry in entries}
    for problem, entries in {
        "placement": (
            Entry("column-generation", "decomposition", True, "placement.columns:solve_columns"),
            MILP,
            CPSAT,
            Entry("enumeration", "enumeration", True, "placement.enumeration:solve_enumeration"),
            Entry("random", "heuristic", False, "placement.construction:solve_random", seeded=True),
            Entry("greedy", "heuristic", False, "placement.construction:solve_greedy"),
            Entry("regret", "heuristic", False, "placement.construction:solve_regret"),
            Entry("best-response", "heuristic", False, "placement.local_search:solve_best_response"),
            Entry("local-search", "heuristic", False, "placement.local_search:solve_local_search"),
        ),
    }.items()
}


def find(problem: str, name: str | None) -> tuple[str, Solver[Instance]]:
    """Name and solver; None is the problem's best exact solver, ``pyomo:NAME`` any solver that Pyomo finds.

    Raises
    ------
    InputError
        When there is no such solver.
    """
    entries = SOLVERS[problem]
    if name is None:
        name = next(iter(entries))
    if name.startswith("pyomo:"):
        from .milp import pyomo_solver

        return name, pyomo_solver(name.removeprefix("pyomo:"))
    if name not in entries:
        raise InputError(f'is "{name}", unknown for {problem}; known are {", ".join(entries)}, pyomo:NAME', "solver")
    return name, entries[name].load()
