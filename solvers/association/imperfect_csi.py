"""Solvers that know the channels with an error: they decide on an estimate, and the true channels say what it is worth.

``csi:ERROR:SOLVER`` shows the solver every channel h = sqrt(g) as h + e, with e circular symmetric complex Gaussian of
standard deviation ERROR times h (paper, section 5.1). What it decides is carried out on the true channels; links of a
slot in which a station would run out of storage are dropped there. The estimate depends on the instance alone, so all
solvers see the same one.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from ...formulations.association.patterns import within_storage
from ...instances.association import Association, AssociationDecision
from ...instances.errors import InputError
from ..result import Answer, Limits, Solver


def estimated(instance: Association, error: float) -> Association:
    """The instance as an imperfect estimate of its channels shows it."""
    rng = np.random.default_rng(int(instance.hash[:16], 16))
    real, imaginary = rng.normal(scale=error / np.sqrt(2), size=(2, *instance.windows.gain.shape))
    gain = instance.windows.gain * ((1 + real) ** 2 + imaginary**2)
    return replace(instance, windows=replace(instance.windows, gain=gain))


def with_error(solver: Solver[Any], error: float) -> Solver[Any]:
    """A solver that decides on the estimate; what it claims of it, bounds included, is not passed on."""

    def solve(instance: Association, limits: Limits) -> Answer:
        found = solver(estimated(instance, error), replace(limits, start=None))
        if not isinstance(found.decision, AssociationDecision):
            return replace(found, objective=None, bound=None, infeasible=False)
        carried_out = AssociationDecision(within_storage(instance, found.decision.links))
        return Answer(carried_out, counters=found.counters)

    return solve


def parse(place: str, problem: str) -> tuple[float, str]:
    """Error and solver of ``ERROR:SOLVER``.

    Raises
    ------
    InputError
        When it is not of this form, or for another problem.
    """
    text, colon, name = place.partition(":")
    try:
        error = float(text)
    except ValueError:
        error = -1.0
    if problem != "association" or not colon or not 0 <= error < np.inf:
        raise InputError(f'is "csi:{place}"; must be csi:ERROR:SOLVER, of association', "solver")
    return error, name
