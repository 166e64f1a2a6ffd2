"""Whatever can be named where a solver is asked for: solvers, Pyomo's solvers and trained policies."""

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..instances.errors import InputError
from ..instances.record import Instance
from ..solvers.association import imperfect_csi
from ..solvers.provisioning import domains
from ..solvers.registry import SOLVERS, find
from ..solvers.result import Solver

POLICY = "policy:"
# Prefixes before another contestant: what reads the place behind them, and what makes a solver of a solver.
Wrap = Callable[[Solver[Any], Any], Solver[Any]]
AROUND: dict[str, tuple[Callable[[str, str], tuple[Any, str]], Wrap]] = {
    "csi:": (imperfect_csi.parse, imperfect_csi.with_error),
    "domains:": (domains.parse, domains.by_domain),
}


@dataclass(frozen=True)
class Contestant:
    """A named solver or policy.

    Attributes
    ----------
    seeds
        Which of the seeds asked for make a difference to it; of policies, those that were trained.
    solver
        The solver of a seed.
    seen
        Whether the instance of a hash was trained or validated on.
    identity
        Hash of the policy's file; empty for solvers.
    """

    name: str
    seeds: Callable[[Sequence[int]], Sequence[int]]
    solver: Callable[[int], Solver[Instance]]
    seen: Callable[[str], bool]
    identity: str = ""


def contestant(problem: str, name: str | None) -> Contestant:
    """Find what a name means for a problem; None is its default.

    Raises
    ------
    InputError
        When it means nothing.
    """
    if name is not None and name.startswith(POLICY):
        return _policy(problem, name)
    for prefix, (parse, wrap) in AROUND.items():
        if name is not None and name.startswith(prefix):
            how, place = parse(name.removeprefix(prefix), problem)
            inner = contestant(problem, place)
            return replace(inner, name=name, solver=_wrapped(wrap, inner, how))
    found, solver = find(problem, name)
    entry = SOLVERS[problem].get(found)
    seeded = entry is not None and entry.seeded
    return Contestant(found, lambda seeds: seeds if seeded else seeds[:1], lambda _: solver, lambda _: False)


def _wrapped(wrap: Wrap, inner: Contestant, how: Any) -> Callable[[int], Solver[Instance]]:
    """The solver of a seed, in another one."""
    return lambda seed: wrap(inner.solver(seed), how)


def _policy(problem: str, name: str) -> Contestant:
    from ..learned.policy import load

    place = name.removeprefix(POLICY)
    policy = load(place, problem)
    path, _, options = place.partition("?")
    identity = hashlib.sha256(policy.file.path.read_bytes()).hexdigest()
    if "seed=" in options or len(policy.file.seeds) == 1:
        return Contestant(name, lambda seeds: seeds[:1], lambda _: policy, policy.file.saw, identity)

    def trained(seeds: Sequence[int]) -> Sequence[int]:
        known = [seed for seed in seeds if seed in policy.file.seeds]
        if not known:
            raise InputError(
                f"has none of these seeds; trained are {', '.join(map(str, policy.file.seeds))}", file=path
            )
        return known

    begun = f"{path}?{options}&" if options else f"{path}?"
    of_seed = functools.cache(lambda seed: load(f"{begun}seed={seed}", problem))
    return Contestant(name, trained, of_seed, policy.file.saw, identity)
