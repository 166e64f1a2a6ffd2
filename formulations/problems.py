"""What every problem offers on this floor, by name."""

import importlib
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ..instances.record import Decision, Instance
from .verdict import Verdict


class Model(Protocol):
    """A module with the explicit Pyomo model of a problem.

    Attributes
    ----------
    EXACT
        Whether the model's objective is the referee's; else it is a bound on it.
    """

    EXACT: bool

    def describe(self, instance: Any) -> str:
        """Say what the optimum of an instance's model is: the problem's, or a bound."""

    def build(self, instance: Any) -> Any:
        """State the model of an instance."""

    def start(self, model: Any, instance: Any, decision: Any) -> None:
        """Give every variable its value in a decision."""

    def extract(self, model: Any, instance: Any) -> Decision:
        """Read the decision from the variables' values."""


@dataclass(frozen=True)
class Formulation:
    """A problem's sense and the modules that state it, imported when used: Pyomo and OR-Tools take a second each."""

    problem: str
    sense: Literal["minimise", "maximise"]

    def judge(self, instance: Instance, decision: Decision) -> Verdict:
        """The referee's verdict on a decision."""
        verdict: Verdict = self._module("referee").judge(instance, decision)
        return verdict

    @property
    def milp(self) -> Model:
        """The explicit Pyomo model."""
        model: Model = self._module("milp")
        return model

    @property
    def cpsat(self) -> Any:
        """The explicit CP-SAT model."""
        return self._module("cpsat")

    def _module(self, name: str) -> Any:
        return importlib.import_module(f".{self.problem}.{name}", __package__)


FORMULATIONS = {
    f.problem: f
    for f in (
        Formulation("placement", "minimise"),
        Formulation("association", "maximise"),
        Formulation("embedding", "maximise"),
        Formulation("provisioning", "maximise"),
        Formulation("slicing", "maximise"),
    )
}
