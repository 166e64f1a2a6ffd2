"""Checks and schedules that the hyperparameters of all algorithms share."""

import math
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ..instances.errors import InputError


def at_least(settings: object, least: float, names: Sequence[str]) -> None:
    """Object to numbers below the least one.

    Raises
    ------
    InputError
        Naming the hyperparameter.
    """
    for name in names:
        if (value := getattr(settings, name)) < least:
            raise InputError(f"must be at least {least:g}, is {value}", name)


def above_zero(settings: object, names: Sequence[str]) -> None:
    """Object to numbers of 0 or less.

    Raises
    ------
    InputError
        Naming the hyperparameter.
    """
    for name in names:
        if (value := getattr(settings, name)) <= 0:
            raise InputError(f"must be above 0, is {value}", name)


def shares(settings: object, names: Sequence[str]) -> None:
    """Object to what is not from 0 to 1.

    Raises
    ------
    InputError
        Naming the hyperparameter.
    """
    for name in names:
        if not 0 <= (value := getattr(settings, name)) <= 1:
            raise InputError(f"must be from 0 to 1, is {value}", name)


def schedules(settings: object, names: Sequence[str]) -> None:
    """Object to schedules for `linear` with values below 0, or a share of the way that is not above 0 and at most 1.

    Raises
    ------
    InputError
        Naming the hyperparameter.
    """
    for name in names:
        first, last, share = getattr(settings, name)
        if min(first, last) < 0 or not 0 < share <= 1:
            raise InputError(
                f"must be two values from 0 up and a share above 0 and at most 1, is {[first, last, share]}", name
            )


def validated_between_units(unit: int, validate: int) -> None:
    """Object to validations that do not fall on the end of a unit of work.

    Raises
    ------
    InputError
        Naming the hyperparameter.
    """
    if validate % unit:
        raise InputError(f"must be a multiple of unit, {unit}, is {validate}", "validate")


def linear(schedule: tuple[float, float, float], progress: float) -> float:
    """From the first value to the second, over the given share of the way."""
    first, last, share = schedule
    return last if progress >= share else first + (last - first) * progress / share


def cosine(schedule: tuple[float, float], progress: float) -> float:
    """From the first value to the second, along half a cosine."""
    first, last = schedule
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2


def half_cosine(share: float) -> float:
    """From 1 to almost 0."""
    return cosine((1.0, 0.0), share) + 0.003


def fitting(settings: object, name: str, value: Any) -> Any:
    """A new value of a hyperparameter, as the field's type has it: an integer for a float, a list for a tuple.

    Raises
    ------
    InputError
        When the value is of another type, or not finite.
    """
    wanted = get_type_hints(type(settings))[name]
    for kind in get_args(wanted) if isinstance(wanted, UnionType) else (wanted,):
        found = _as(kind, value)
        if found is not None or (kind is NoneType and value is None):
            return found
    if get_origin(wanted) is Literal:
        raise InputError(f"must be one of {', '.join(get_args(wanted))}, is {value!r}", name)
    words = wanted.__name__ if isinstance(wanted, type) and not get_args(wanted) else str(wanted)
    raise InputError(f"must be of type {words}, is {value!r}", name)


def _as(kind: Any, value: Any) -> Any:
    """The value as one of this type; None when it is none."""
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        if not isinstance(value, list | tuple) or len(value) != len(kinds):
            return None
        parts = tuple(_as(one, part) for one, part in zip(kinds, value, strict=True))
        return None if None in parts else parts
    if get_origin(kind) is Literal:
        return value if value in get_args(kind) else None
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return float(value) if number else None
    return value if type(value) is kind else None
