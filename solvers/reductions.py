"""Instances in numbers that engines can work with, and answers back in the numbers asked for."""

import importlib
from dataclasses import replace

from ..instances.record import Instance
from .result import Answer, Limits, Point

# Module and function that reduce an instance of a problem: the same optimal decisions, and objectives a factor larger.
REDUCTIONS = {"placement": "placement.reduction:reduced", "slicing": "slicing.scaling:scaled"}


def reduced(instance: Instance, limits: Limits) -> tuple[Instance, float]:
    """The reduced instance, and the factor by which its objectives are larger."""
    if instance.problem not in REDUCTIONS:
        return instance, 1.0
    module, function = REDUCTIONS[instance.problem].split(":")
    smaller: tuple[Instance, float] = getattr(importlib.import_module(f".{module}", __package__), function)(
        instance, limits
    )
    return smaller


def restored(answer: Answer, factor: float) -> Answer:
    """An answer for the reduced instance as one for the instance itself."""

    def back(value: float | None) -> float | None:
        return None if value is None else value / factor

    trace = tuple(Point(point.time_s, back(point.incumbent), back(point.bound)) for point in answer.trace)
    return replace(answer, objective=back(answer.objective), bound=back(answer.bound), trace=trace)
