"""Presets by name, and their variants such as ``paper:users=18``."""

import functools
import importlib.metadata
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .errors import InputError

Preset = TypeVar("Preset")
Number = TypeVar("Number", int, float)


def find_preset(
    name: str, presets: Mapping[str, Preset], changes: Mapping[str, Callable[[Preset, str], Preset]]
) -> Preset:
    """A preset, or a variant of it.

    Parameters
    ----------
    name
        ``PRESET`` or ``PRESET:KEY=VALUE,KEY=VALUE``.
    changes
        What a key does to a preset, given the text of the value; a `ValueError` means that the value cannot be.

    Raises
    ------
    InputError
        When there is no such preset or variant.
    """
    base, colon, variant = name.partition(":")
    if base not in presets:
        raise InputError(f'is "{base}", unknown; known are {", ".join(presets)}', "preset")
    preset, seen = presets[base], set[str]()
    for change in variant.split(",") if colon else []:
        key, _, value = change.partition("=")
        if key not in changes:
            known = ", ".join(f"{key}=…" for key in changes)
            raise InputError(f'has the variant "{change}", unknown; known are {known}', "preset")
        if key in seen:
            raise InputError(f'has the variant "{key}" twice', "preset")
        seen.add(key)
        try:
            preset = changes[key](preset, value)
        except InputError:
            raise
        except ValueError as error:
            raise InputError(f'has the variant "{change}": {error}', "preset") from None
    return preset


def drawn_from(problem: str, preset: str, seed: int) -> dict[str, Any]:
    """The provenance of a generated instance."""
    return {"generator": f"skybound {problem}", "version": _version(), "preset": preset, "seed": seed}


@functools.cache  # it reads the files of the installation
def _version() -> str:
    return importlib.metadata.version("skybound")


def positive(value: Number) -> Number:
    """The number, if it is finite and above 0."""
    if not 0 < value < math.inf:
        raise ValueError("must be above 0")
    return value


def whole_number(text: str) -> int:
    """The whole number that a text is."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError("must be a whole number")
    return int(text)


def number(text: str) -> float:
    """The number that a text is."""
    try:
        return float(text)
    except ValueError:
        raise ValueError("must be a number") from None
