"""The explicit model: that of patterns (`pattern_milp`) where these are few, else that of links (`link_milp`).

The link model is the smaller one. Its large constants, of the size of signals over the noise, are beyond what engines
with floating-point tolerances decide safely: with SINRs of 1e7, HiGHS called decisions optimal that were 3e-4 short.
"""

from typing import Any

import pyomo.environ as pyo

from ...instances.errors import InputError
from ...instances.slicing import Slicing, SlicingDecision
from . import link_milp, pattern_milp
from .tangents import Points

EXACT = False  # the objective is a bound on the referee's
MAX_LINKS = 200_000  # users times users times sites, over all subcarriers


def describe(instance: Slicing) -> str:
    """Say what the optimum of an instance's model is."""
    return pattern_milp.describe(instance)


def build(instance: Slicing, points: Points | None = None) -> pyo.ConcreteModel:
    """State the model of an instance; `points` as for the models of patterns and of links."""
    stations, uavs, satellites = instance.nodes
    sites = stations + uavs * len(instance.uavs.candidates) + satellites
    module: Any = link_milp
    model = None
    if len(instance.slices) ** 2 * sites * instance.subcarriers <= MAX_LINKS:
        try:
            model, module = pattern_milp.build(instance, points), pattern_milp
        except InputError:  # too many patterns
            module = link_milp
    if model is None:
        model = link_milp.build(instance, points)
    model.statement = module
    return model


def start(model: pyo.ConcreteModel, instance: Slicing, decision: SlicingDecision) -> None:
    """Give every variable its value in a decision."""
    model.statement.start(model, instance, decision)


def extract(model: pyo.ConcreteModel, instance: Slicing) -> SlicingDecision:
    """Read the decision from the variables' values."""
    decision: SlicingDecision = model.statement.extract(model, instance)
    return decision


def refine(model: pyo.ConcreteModel, instance: Slicing) -> Points | None:
    """Return points that bring the bounds of the links used down to the truth; None where they are there."""
    points: Points | None = model.statement.refine(model, instance)
    return points
