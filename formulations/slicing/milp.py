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
    module: Any = pattern_milp if has_few_patterns(instance) else link_milp
    try:
        model = module.build(instance, points)
    except InputError:  # too many patterns all the same
        module = link_milp
        model = module.build(instance, points)
    model.statement = module
    return model


def has_few_patterns(instance: Slicing) -> bool:
    """Return whether patterns are worth a try."""
    stations, uavs, satellites = instance.nodes
    sites = stations + uavs * len(instance.uavs.candidates) + satellites
    return len(instance.slices) ** 2 * sites * instance.subcarriers <= MAX_LINKS


def start(model: pyo.ConcreteModel, instance: Slicing, decision: SlicingDecision) -> None:
    """Give every variable its value in a decision."""
    model.statement.start(model, instance, decision)


def extract(model: pyo.ConcreteModel, instance: Slicing) -> SlicingDecision:
    """Read the decision from the variables' values."""
    decision: SlicingDecision = model.statement.extract(model, instance)
    return decision
