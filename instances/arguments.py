"""Checks of what functions are given: each returns the argument, or names it in an `InputError`."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from .errors import InputError
from .fields import as_real
from .record import Instance

T = TypeVar("T")
LARGEST_SEED = 2**63 - 1


def of_kind(value: T, kind: type[Any], name: str) -> T:
    """A value of a class."""
    if not isinstance(value, kind):
        raise InputError(f"must be of type {kind.__name__}, is of type {type(value).__name__}", name)
    return value


def whole(value: Any, name: str, least: int = 0, most: int = LARGEST_SEED) -> int:
    """An integer from `least` to `most`; truth values are none."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InputError(f"must be an integer, is {value!r}", name)
    if not least <= value <= most:
        raise InputError(f"must be at least {least} and at most {most}, is {value}", name)
    return int(value)


def nonnegative(value: Any, name: str) -> float:
    """A finite number from 0."""
    number = as_real(value, name)
    if number < 0:
        raise InputError(f"must be at least 0, is {value}", name)
    return number


def listed(values: Any, name: str) -> list[Any]:
    """Several values as a list; a text is one value."""
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping):
        raise InputError(f"must be a list, is of type {type(values).__name__}", name)
    return list(values)


def texts(values: Any, name: str) -> list[str]:
    """Several texts."""
    return [of_kind(value, str, f"{name}[{k}]") for k, value in enumerate(listed(values, name))]


def seed_list(values: Any, name: str = "seeds") -> list[int]:
    """Several seeds."""
    return [whole(value, f"{name}[{k}]") for k, value in enumerate(listed(values, name))]


def instance_list(values: Any, name: str = "instances") -> list[Instance]:
    """Several instances."""
    return [of_kind(value, Instance, f"{name}[{k}]") for k, value in enumerate(listed(values, name))]
