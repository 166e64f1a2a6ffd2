"""A solution file held against the referee: its decision and its claims."""

from dataclasses import asdict, dataclass, field
from typing import Any

from ..formulations.problems import FORMULATIONS
from ..formulations.verdict import Violation
from ..instances.arguments import nonnegative, of_kind
from ..instances.record import Decision, Instance
from ..instances.solution import Solution, Status
from ..solvers.claims import beats
from ..solvers.result import relative_gap

OBJECTIVE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Report:
    """What the referee says of a solution.

    Attributes
    ----------
    feasible
        Whether the decision keeps every constraint; None without a decision.
    objective
        The referee's objective, None without a feasible decision.
    parts
        The objective's parts.
    violations
        Broken constraints, and claims (objective, bound, status) that do not hold.
    measures
        What else the problem's paper reports.
    """

    feasible: bool | None
    objective: float | None
    parts: dict[str, float | None]
    violations: tuple[Violation, ...]
    measures: dict[str, float | None] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether there is a decision, and everything about it holds."""
        return bool(self.feasible) and not self.violations

    def to_json(self) -> dict[str, Any]:
        """The report as JSON types."""
        return asdict(self)


def verify(instance: Instance, solution: Solution | Decision, gap: float = 1e-6) -> Report:
    """Judge a solution's decision and claims; a decision alone claims nothing.

    Parameters
    ----------
    instance
        What it is a solution of.
    solution
        Decision and claims.
    gap
        Relative gap within which "optimal" was claimed.

    Raises
    ------
    InputError
        When the decision is of another problem or does not fit the instance, or an argument cannot be.
    """
    of_kind(instance, Instance, "instance")
    gap = nonnegative(gap, "gap")
    decision = solution if isinstance(solution, Decision) else of_kind(solution, Solution, "solution").decision
    if decision is None:
        return Report(None, None, {}, ())
    instance.check_decision(decision)
    formulation = FORMULATIONS[instance.problem]
    verdict = formulation.judge(instance, decision)
    claims = []
    if isinstance(solution, Solution) and verdict.objective is not None:
        claims = _false_claims(solution, verdict.objective, formulation.sense, gap)
    violations = (*verdict.violations, *claims)
    return Report(verdict.feasible, verdict.objective, verdict.parts, violations, dict(verdict.measures))


def _false_claims(solution: Solution, objective: float, sense: str, gap: float) -> list[Violation]:
    found = []
    claimed, bound = solution.objective, solution.bound
    if claimed is None or (relative_gap(claimed, objective) or 0.0) > OBJECTIVE_TOLERANCE:
        off = abs((claimed or 0.0) - objective)
        found.append(Violation("stated objective", f"{claimed} is stated, {objective} is right", off))
    if bound is not None and beats(objective, bound, maximise=sense == "maximise", tolerance=OBJECTIVE_TOLERANCE):
        words = f"the decision has {objective}, beyond the bound {bound}"
        found.append(Violation("stated bound", words, abs(objective - bound)))
    open_gap = relative_gap(objective, bound)
    if solution.status is Status.OPTIMAL and (open_gap is None or open_gap > gap):
        words = "no bound is stated" if open_gap is None else f"the gap to the stated bound is {open_gap:.3g}"
        found.append(Violation("stated status", f"optimal is stated, but {words}", open_gap or 0.0))
    return found
