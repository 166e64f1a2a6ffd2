"""The solvers of every problem, by name; their modules are imported when first used."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..instances.arguments import of_kind
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
        "association": (
            Entry("decomposition", "decomposition", True, "association.decomposition:solve_decomposition"),
            MILP,
            CPSAT,
            Entry("price-bound", "milp", False, "association.price_bound:solve_price_bound"),
            Entry("enumeration", "enumeration", True, "association.enumeration:solve_enumeration"),
            Entry("random", "heuristic", False, "association.construction:solve_random", seeded=True),
            Entry("greedy", "heuristic", False, "association.construction:solve_greedy"),
            Entry("greedy-channel", "heuristic", False, "association.construction:solve_greedy_channel"),
            Entry("load-aware", "heuristic", False, "association.construction:solve_load_aware"),
            Entry("local-search", "heuristic", False, "association.local_search:solve_local_search"),
            Entry("price-iteration", "heuristic", False, "association.slot_by_slot:solve_price_iteration"),
            Entry("myopic", "heuristic", False, "association.slot_by_slot:solve_myopic"),
            Entry("rolling", "heuristic", False, "association.rolling:solve_rolling"),
        ),
        "embedding": (
            Entry("clairvoyant", "decomposition", False, "embedding.clairvoyant:solve_clairvoyant", seeded=True),
            Entry(
                "placement-decomposition",
                "decomposition",
                True,
                "embedding.placement_decomposition:solve_placement_decomposition",
                seeded=True,
            ),
            MILP,
            CPSAT,
            Entry(
                "column-generation",
                "decomposition",
                True,
                "embedding.column_generation:solve_column_generation",
                seeded=True,
            ),
            Entry("enumeration", "enumeration", True, "embedding.enumeration:solve_enumeration"),
            Entry("random", "heuristic", False, "embedding.rules:solve_random", seeded=True),
            Entry("first-fit", "heuristic", False, "embedding.rules:solve_first_fit"),
            Entry("nrm", "heuristic", False, "embedding.rules:solve_nrm"),
            Entry("grc", "heuristic", False, "embedding.rules:solve_grc"),
            Entry("rw", "heuristic", False, "embedding.rules:solve_random_walk"),
            Entry("pl", "heuristic", False, "embedding.rules:solve_pl"),
            Entry("greedy", "heuristic", False, "embedding.rules:solve_greedy"),
            Entry("d-vine", "heuristic", False, "embedding.vine:solve_d_vine"),
            Entry("r-vine", "heuristic", False, "embedding.vine:solve_r_vine", seeded=True),
            Entry("per-request", "decomposition", False, "embedding.per_request:solve_per_request"),
        ),
        "provisioning": (
            Entry("decomposition", "decomposition", True, "provisioning.decomposition:solve_decomposition"),
            MILP,
            CPSAT,
            Entry("enumeration", "enumeration", True, "provisioning.enumeration:solve_enumeration"),
            Entry("random", "heuristic", False, "provisioning.rules:solve_random", seeded=True),
            Entry("fixed", "heuristic", False, "provisioning.rules:solve_fixed"),
            Entry("greedy", "heuristic", False, "provisioning.rules:solve_greedy"),
            Entry("best-first", "heuristic", False, "provisioning.rules:solve_best_first"),
        ),
        "slicing": (
            Entry("decomposition", "decomposition", False, "slicing.decomposition:solve_decomposition"),
            Entry("milp", "milp", True, "slicing.explicit_models:solve_milp"),
            Entry("patterns", "milp", True, "slicing.explicit_models:solve_patterns"),
            Entry("cp-sat", "constraint programming", True, "slicing.explicit_models:solve_constraints"),
            Entry("enumeration", "enumeration", True, "slicing.enumeration:solve_enumeration"),
            Entry("two-layer", "decomposition", False, "slicing.two_layer:solve_two_layer"),
            Entry("random", "heuristic", False, "slicing.rules:solve_random", seeded=True),
            Entry("strongest-signal", "heuristic", False, "slicing.rules:solve_strongest_signal"),
            Entry("load-balancing", "heuristic", False, "slicing.rules:solve_load_balancing"),
            Entry("load-balancing-any", "heuristic", False, "slicing.rules:solve_load_balancing_any"),
            Entry("local-search", "heuristic", False, "slicing.local_search:solve_local_search"),
            Entry("zero-prices", "heuristic", False, "slicing.by_prices:solve_zero_prices"),
        ),
    }.items()
}


def _pyomo(name: str, problem: str) -> Solver[Instance]:
    from .milp import pyomo_solver

    return pyomo_solver(name)


def _imperfect(place: str, problem: str) -> Solver[Instance]:
    from .association.imperfect_csi import parse, with_error

    error, name = parse(place, problem)
    return with_error(find(problem, name)[1], error)


def _managed(place: str, problem: str) -> Solver[Instance]:
    from .provisioning.rules import managing

    return managing(place, problem)


def _by_domain(place: str, problem: str) -> Solver[Instance]:
    from .provisioning.domains import by_domain, parse

    domains, name = parse(place, problem)
    return by_domain(find(problem, name)[1], domains)


# What ``PREFIX:REST`` means: makes a solver of the rest and a problem. Floors above add theirs.
PREFIXES: dict[str, Callable[[str, str], Solver[Instance]]] = {
    "pyomo": _pyomo,
    "csi": _imperfect,
    "managed": _managed,
    "domains": _by_domain,
}
PREFIX_OF = {"csi": "association", "managed": "provisioning", "domains": "provisioning"}  # those of one problem


def find(problem: str, name: str | None) -> tuple[str, Solver[Instance]]:
    """Name and solver; None is the problem's default, ``PREFIX:REST`` what `PREFIXES` make of it.

    Raises
    ------
    InputError
        When there is no such solver.
    """
    entries = SOLVERS[problem]
    if name is None:
        name = next(iter(entries))
    prefix, colon, rest = of_kind(name, str, "solver").partition(":")
    if colon and prefix in PREFIXES:
        return name, PREFIXES[prefix](rest, problem)
    if name not in entries:
        known = ", ".join([*entries, *(f"{own}:…" for own in PREFIXES if PREFIX_OF.get(own, problem) == problem)])
        raise InputError(f'is "{name}", unknown for {problem}; known are {known}', "solver")
    return name, entries[name].load()
