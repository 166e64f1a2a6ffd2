"""What a solver is asked, what it answers, and what is reported of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from ..instances.arguments import nonnegative, whole
from ..instances.record import Decision, Instance
from ..instances.solution import Solution, Status

CLAIM_TOLERANCE = 1e-6  # relative difference to the referee's objective that an engine's arithmetic explains
MOST_THREADS = 1_024
BOUND_ALONE = "the model is solved; its optimum is a bound on the problem's"  # where it is not exact
SMALLEST_GAP = 1e-9  # what doubles can tell apart after some thousand additions

Problem = TypeVar("Problem", bound=Instance, contravariant=True)


class Point(NamedTuple):
    """What was known at a moment of a solver's run; None is not known yet."""

    time_s: float
    incumbent: float | None
    bound: float | None


@dataclass(frozen=True)
class Limits:
    """What a solver is asked for.

    Attributes
    ----------
    time_limit_s
        Wall-clock limit (s), None for none.
    gap
        Relative gap at which a decision counts as optimal; at least `SMALLEST_GAP`.
    seed
        Seed of whatever the solver draws.
    start
        A feasible decision to start from; solvers that cannot use one ignore it.
    threads
        Threads that an engine may use.

    Raises
    ------
    InputError
        When a limit cannot be; names it.
    """

    time_limit_s: float | None = None
    gap: float = 1e-6
    seed: int = 0
    start: Decision | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        if self.time_limit_s is not None:
            object.__setattr__(self, "time_limit_s", nonnegative(self.time_limit_s, "time_limit_s"))
        object.__setattr__(self, "gap", nonnegative(self.gap, "gap"))
        object.__setattr__(self, "seed", whole(self.seed, "seed"))
        object.__setattr__(self, "threads", whole(self.threads, "threads", 1, MOST_THREADS))


@dataclass(frozen=True)
class Answer:
    """What a solver says for itself, before the referee has seen it.

    Attributes
    ----------
    decision
        Its decision; None when it has none.
    infeasible
        Whether it proved that there is no decision.
    failure
        What kept it from answering; None when nothing did.
    objective
        Value it claims for the decision; None when it claims none.
    bound
        Proven bound on the optimum; None when it proves none.
    tolerance
        Relative difference to the referee's objective that its arithmetic explains.
    reason
        Why it stopped or what makes the instance infeasible, in words.
    counters
        Counts of its work, such as nodes, columns and LP iterations.
    """

    decision: Decision | None = None
    infeasible: bool = False
    failure: str | None = None
    objective: float | None = None
    bound: float | None = None
    tolerance: float = CLAIM_TOLERANCE
    reason: str | None = None
    counters: Mapping[str, int] = field(default_factory=dict)
    trace: tuple[Point, ...] = ()


class Solver(Protocol[Problem]):
    """Anything that answers for an instance."""

    def __call__(self, instance: Problem, limits: Limits) -> Answer:
        """Decide for the instance within the limits."""


class ModelSolver(Protocol):
    """A solver of explicit models: of the problem's own, or of one that somebody added constraints to."""

    def __call__(self, instance: Instance, limits: Limits, model: Any = None) -> Answer:
        """Decide for the instance within the limits; `model` is a Pyomo model, None the problem's own."""


@dataclass(frozen=True)
class Result:
    """What is reported of one solver on one instance; objective and parts are always the referee's.

    Attributes
    ----------
    instance, hash
        Name and hash of the instance.
    objective, bound
        Value of the decision and proven bound on the optimum, None where there is none.
    parts
        The objective's parts.
    runtime_s
        Wall-clock time (s).
    modified
        Whether the model was changed by the user; such results are not compared.
    """

    problem: str
    instance: str
    hash: str
    solver: str
    seed: int
    status: Status
    decision: Decision | None
    objective: float | None
    bound: float | None
    parts: Mapping[str, float | None]
    runtime_s: float
    reason: str | None
    counters: Mapping[str, int]
    trace: tuple[Point, ...]
    modified: bool = False

    @property
    def gap(self) -> float | None:
        """Relative gap between objective and bound; None where one is missing."""
        return relative_gap(self.objective, self.bound)

    def solution(self) -> Solution:
        """The decision and its claims, for a solution file."""
        status, bound = self.status, self.bound
        if self.modified:  # what is proven of a changed model is not proven of the problem
            status, bound = Status.FEASIBLE if status is Status.OPTIMAL else status, None
        return Solution(self.problem, self.instance, status, self.solver, self.objective, bound, self.decision)

    def to_json(self) -> dict[str, Any]:
        """The result as JSON types; the trace is left out."""
        return {
            "problem": self.problem,
            "instance": self.instance,
            "hash": self.hash,
            "solver": self.solver,
            "seed": self.seed,
            "status": str(self.status),
            "objective": self.objective,
            "bound": self.bound,
            "gap": self.gap,
            "parts": dict(self.parts),
            "runtime_s": self.runtime_s,
            "decision": None if self.decision is None else self.decision.to_json(),
            "reason": self.reason,
            "counters": dict(self.counters),
            "modified": self.modified,
        }


def relative_gap(objective: float | None, bound: float | None) -> float | None:
    """|p - d| / max(|p|, |d|), 0 when both are 0, None where one is missing."""
    if objective is None or bound is None:
        return None
    return 0.0 if objective == bound else abs(objective - bound) / max(abs(objective), abs(bound))
