"""Instances in numbers that engines can work with, and answers back in the numbers asked for.

Tolerances of engines and searches are absolute, and instances may be in any unit.
"""

import functools
import importlib
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

from ..instances.record import Instance
from .result import Answer, Limits, Point

# Module and function that reduce an instance of a problem: the same optimal decisions, and objectives a factor larger.
# Embedding has none: CPU, storage and bandwidth each have a unit, and `linear_program` brings rows and costs to one.
REDUCTIONS = {
    "placement": "placement.reduction:reduced",
    "association": "association.units:in_own_units",
    "provisioning": "provisioning.units:in_own_units",
    "slicing": "slicing.scaling:scaled",
}
LEAST, LARGEST = 1.0, 1024.0  # values that are left as they are
UNIT = 32.0  # what others are brought near to

F = TypeVar("F", bound=Callable[..., Answer])


def reduced(instance: Instance, limits: Limits) -> tuple[Instance, float]:
    """Return the reduced instance, and the factor by which its objectives are larger, a power of two."""
    if instance.problem not in REDUCTIONS:
        return instance, 1.0
    module, function = REDUCTIONS[instance.problem].split(":")
    smaller: tuple[Instance, float] = getattr(importlib.import_module(f".{module}", __package__), function)(
        instance, limits
    )
    return smaller


def restored(answer: Answer, factor: float) -> Answer:
    """Return an answer for the reduced instance as one for the instance itself."""

    def back(value: float | None) -> float | None:
        return None if value is None else value / factor

    trace = tuple(Point(point.time_s, back(point.incumbent), back(point.bound)) for point in answer.trace)
    return replace(answer, objective=back(answer.objective), bound=back(answer.bound), trace=trace)


def in_reduced_units(solver: F) -> F:
    """Let a solver, whose first arguments are an instance and limits, see the reduced instance."""

    @functools.wraps(solver)
    def solve(instance: Instance, limits: Limits, *args: Any, **kwargs: Any) -> Answer:
        smaller, factor = reduced(instance, limits)
        return restored(solver(smaller, limits, *args, **kwargs), factor)

    return cast(F, solve)


def power_near(value: float) -> float:
    """Return the power of two that brings a value near to `UNIT`; 1 for values from `LEAST` to `LARGEST` and for 0."""
    if value <= 0 or LEAST <= value <= LARGEST:
        return 1.0
    return math.ldexp(1.0, round(math.log2(UNIT) - math.log2(value)))
