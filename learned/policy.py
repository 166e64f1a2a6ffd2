"""A trained policy as one more solver, by the name ``policy:PATH``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..instances.errors import InputError
from ..instances.record import Instance
from ..solvers.result import Answer, Limits, Solver
from .algorithms import find
from .policy_file import PolicyFile
from .threads import torch_threads

SHIPPED = "shipped"


@dataclass(frozen=True)
class Policy:
    """A trained policy, ready to solve.

    Attributes
    ----------
    file
        What it was trained on; `file.saw(instance.hash)` tells whether an instance was among that.
    """

    file: PolicyFile
    decide: Solver[Any]

    def __call__(self, instance: Instance, limits: Limits) -> Answer:
        """Decide for an instance of the policy's problem."""
        with torch_threads(limits.threads):
            return self.decide(instance, limits)


def load(place: str, problem: str) -> Policy:
    """Load a policy.

    Parameters
    ----------
    place
        A run's folder, a policy file, or ``shipped``: the problem's policy that comes with skybound. ``?samples=64``
        behind it takes the best of 64 decisions instead of the greedy one, ``?seed=2`` the network of that trained seed
        instead of the best one, ``?samples=64&seed=2`` both.
    problem
        The problem that it must be for.

    Raises
    ------
    InputError
        When there is no such policy or option.
    """
    path, _, options = place.partition("?")
    chosen = _options(options, place)
    if path == SHIPPED:
        known = {file.parent.name: file for file in sorted(Path(__file__).parent.glob("*/shipped.pt"))}
        if problem not in known:
            raise InputError(f"there is none for {problem}, only for {', '.join(known)}", file=SHIPPED)
        file = PolicyFile.read(known[problem])
    else:
        file = PolicyFile.read(path)
    if file.problem != problem:
        raise InputError(f"is for {file.problem}, not for {problem}", file=str(file.path))
    entry = find(file.problem, file.algorithm)
    return Policy(file, entry.policy(file, chosen.get("seed", file.best_seed), chosen.get("samples", 1)))


def _options(text: str, place: str) -> dict[str, int]:
    """Options of the form ``samples=64&seed=2``."""
    least = {"samples": 1, "seed": 0}
    chosen: dict[str, int] = {}
    for part in text.split("&") if text else []:
        name, _, value = part.partition("=")
        if name not in least or name in chosen or not (value.isascii() and value.isdigit()) or int(value) < least[name]:
            raise InputError(f'has the option "{part}"; known are samples=K (from 1) and seed=N, each once', file=place)
        chosen[name] = int(value)
    return chosen
