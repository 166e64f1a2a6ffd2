"""The constraint model: the link model in integers, rounded in its favour (see `integer_relaxation`)."""

from typing import cast

from ...instances.slicing import Slicing, SlicingDecision
from ..constraint_model import ConstraintModel, Values
from ..integer_relaxation import relaxed
from . import link_milp
from .tangents import Points


def describe(instance: Slicing) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is an upper bound on the problem's: rates and delays are bounded linearly, powers are rounded"


def build(instance: Slicing, points: Points | None = None) -> ConstraintModel:
    """State the constraint model of an instance.

    Parameters
    ----------
    points
        At which bounds of rates and delays are exact, beside some that are always.
    """
    source = link_milp.build(instance, points)
    model = relaxed(
        source,
        lambda own: link_milp.extract(own, instance),
        lambda decision: link_milp.start(source, instance, cast(SlicingDecision, decision)),
    )

    def refine(value: Values) -> Points | None:
        model.decision(value)  # gives the source its values
        return link_milp.refine(source, instance)

    model.refine = refine
    return model
