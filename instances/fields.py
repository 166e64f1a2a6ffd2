"""Fields of a record, declared by what they hold: kind of number, range and named dimensions.

A dataclass attribute declared by one of the functions here is validated, copied and frozen when the record is made,
whether from Python values or from JSON. Dimensions are named, and equal names must have equal sizes within one record::

    data_bits: FloatArray = reals("users")
    uplink_bps: FloatArray = reals("users", "devices")
    links: IntArray = integers("links", 4)
"""

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

LARGEST_INTEGER = 2**53  # beyond it not every integer is a double, and other readers of JSON would change it


class Dimensions:
    """Sizes of the named dimensions met so far, each with the field that set it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, str]] = {}

    def agree(self, name: str, size: int, place: str) -> None:
        """Note a dimension's size, or object to one that differs from an earlier field's."""
        known, where = self._known.setdefault(name, (size, place))
        if known != size:
            raise InputError(f"has {size} entries, but there are {known} {name} by {where}", place)

    def size(self, name: str) -> int:
        """Size of a dimension, 0 when no field has shown one."""
        return self._known.get(name, (0, ""))[0]


class Kind(ABC):
    """What a field holds: how to read and check it, and how to write it as JSON."""

    @abstractmethod
    def read(self, value: Any, place: str, dimensions: Dimensions) -> Any:
        """Return the checked value; `place` names it in errors."""

    def write(self, value: Any) -> Any:
        """Return the value as JSON types."""
        return value

    def same(self, one: Any, other: Any) -> bool:
        """Whether two checked values are equal."""
        return bool(np.array_equal(one, other))


@dataclasses.dataclass(frozen=True)
class _Range:
    """Numbers admitted by a field."""

    integer: bool
    least: float
    above_least: bool = False
    most: float = math.inf

    def check(self, value: Any, place: str) -> float | int:
        number = _integer(value, place) if self.integer else as_real(value, place)
        if number < self.least or (self.above_least and number == self.least):
            raise InputError(f"must be {'above' if self.above_least else 'at least'} {self.least:g}, is {value}", place)
        if number > self.most:
            raise InputError(f"must be at most {self.most:g}, is {value}", place)
        return number

    def check_array(self, array: npt.NDArray[Any], place: str) -> None:
        """Check all numbers at once, and name the first one that is wrong."""
        wrong = ~np.isfinite(array) | (array <= self.least if self.above_least else array < self.least)
        wrong |= array > (min(self.most, LARGEST_INTEGER) if self.integer else self.most)
        if wrong.any():
            at = tuple(np.argwhere(wrong)[0])
            self.check(array[at].item(), place + "".join(f"[{i}]" for i in at))


def as_real(value: Any, place: str) -> float:
    """A finite number of either sign, or an error that names the place."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise InputError(f"must be a number, is {_shown(value)}", place)
    try:
        number = float(value)
    except OverflowError:
        raise InputError("is too large for a double", place) from None
    if not math.isfinite(number):
        raise InputError(f"must be finite, is {number}", place)
    return number + 0.0  # -0.0 becomes 0.0, so that equal instances have equal hashes


def _integer(value: Any, place: str) -> int:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise InputError(f"must be an integer, is {_shown(value)}", place)
    if abs(int(value)) > LARGEST_INTEGER:
        raise InputError("is too large for an integer here (limit 2^53)", place)
    return int(value)


def _shown(value: Any) -> str:
    """A value as JSON would show it, cut short."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = f'"{value}"' if isinstance(value, str) else "a list" if isinstance(value, list | tuple) else repr(value)
    text = "an object" if isinstance(value, Mapping) else text
    return text if len(text) <= 40 else text[:37] + "..."


@dataclasses.dataclass(frozen=True)
class _Scalar(Kind):
    range: _Range
    optional: bool

    def read(self, value: Any, place: str, dimensions: Dimensions) -> Any:
        if value is None and self.optional:
            return None
        return self.range.check(value, place)


@dataclasses.dataclass(frozen=True)
class _Choice(Kind):
    options: tuple[str, ...]

    def read(self, value: Any, place: str, dimensions: Dimensions) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise InputError(f"must be one of {', '.join(self.options)}, is {_shown(value)}", place)
        return value


@dataclasses.dataclass(frozen=True)
class _Choices(Kind):
    """A list of words, held as a tuple."""

    dimension: str
    option: _Choice

    def read(self, value: Any, place: str, dimensions: Dimensions) -> tuple[str, ...]:
        words = tuple(
            self.option.read(item, f"{place}[{i}]", dimensions) for i, item in enumerate(listed(value, place))
        )
        dimensions.agree(self.dimension, len(words), place)
        return words

    def write(self, value: Any) -> Any:
        return list(value)


class _Flag(Kind):
    def read(self, value: Any, place: str, dimensions: Dimensions) -> bool:
        if not isinstance(value, bool | np.bool_):
            raise InputError(f"must be true or false, is {_shown(value)}", place)
        return bool(value)


@dataclasses.dataclass(frozen=True)
class _Array(Kind):
    range: _Range
    dimensions: tuple[str | int, ...]  # a number is the size itself

    def read(self, value: Any, place: str, dimensions: Dimensions) -> npt.NDArray[Any]:
        dtype = np.int64 if self.range.integer else np.float64
        if isinstance(value, np.ndarray):
            array = self._from_array(value, place)
        else:
            numbers: list[float | int] = []
            shape = self._flatten(value, place, 0, dimensions, numbers)
            array = np.array(numbers, dtype).reshape(shape)
        for axis, name in enumerate(self.dimensions):
            if array.size or not any(n == 0 for n in array.shape[:axis]):
                _agree(name, array.shape[axis], place + "[0]" * axis, dimensions)
        self.range.check_array(array, place)
        array = array.astype(dtype) + dtype(0)
        array.setflags(write=False)
        return array

    def write(self, value: Any) -> Any:
        return value.tolist()

    def _from_array(self, value: npt.NDArray[Any], place: str) -> npt.NDArray[Any]:
        if value.ndim != len(self.dimensions):
            raise InputError(f"must have {len(self.dimensions)} dimensions, has {value.ndim}", place)
        if not np.issubdtype(value.dtype, np.integer) and (
            self.range.integer or not np.issubdtype(value.dtype, np.floating)
        ):
            raise InputError(f"must hold {'integers' if self.range.integer else 'numbers'}, holds {value.dtype}", place)
        return value

    def _flatten(
        self, value: Any, place: str, axis: int, dimensions: Dimensions, numbers: list[float | int]
    ) -> tuple[int, ...]:
        """Append the numbers of nested lists in order; return the shape."""
        listed(value, place, f" of {_words(self.dimensions[axis])}")
        if axis + 1 == len(self.dimensions):
            exact = int if self.range.integer else float
            for i, item in enumerate(value):
                # The common case first: a plain number needs no further look before the check of the whole array.
                if type(item) is exact and (exact is float or abs(item) <= LARGEST_INTEGER):
                    numbers.append(item)
                else:
                    numbers.append(_integer(item, f"{place}[{i}]") if exact is int else as_real(item, f"{place}[{i}]"))
            return (len(value),)
        shapes = [self._flatten(item, f"{place}[{i}]", axis + 1, dimensions, numbers) for i, item in enumerate(value)]
        for i, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise InputError(f"has {shape[0]} entries, but {place}[0] has {shapes[0][0]}", f"{place}[{i}]")
        inner = shapes[0] if shapes else tuple(_size(name, dimensions) for name in self.dimensions[axis + 1 :])
        return (len(value), *inner)


@dataclasses.dataclass(frozen=True)
class _OneOrMany(Kind):
    """A number for all, or an array of one for each."""

    one: _Scalar
    many: _Array

    def read(self, value: Any, place: str, dimensions: Dimensions) -> Any:
        kind = self.many if isinstance(value, list | tuple | np.ndarray) else self.one
        return kind.read(value, place, dimensions)

    def write(self, value: Any) -> Any:
        return value.tolist() if isinstance(value, np.ndarray) else value

    def same(self, one: Any, other: Any) -> bool:
        return isinstance(one, np.ndarray) == isinstance(other, np.ndarray) and bool(np.array_equal(one, other))


@dataclasses.dataclass(frozen=True)
class _Lists(Kind):
    """Lists of integers of any length, held as a tuple of arrays."""

    dimension: str

    def read(self, value: Any, place: str, dimensions: Dimensions) -> tuple[IntArray, ...]:
        one = _Array(_Range(True, 0), ("entries",))
        read = tuple(one.read(item, f"{place}[{i}]", Dimensions()) for i, item in enumerate(listed(value, place)))
        dimensions.agree(self.dimension, len(read), place)
        return read

    def write(self, value: Any) -> Any:
        return [item.tolist() for item in value]

    def same(self, one: Any, other: Any) -> bool:
        return len(one) == len(other) and all(map(np.array_equal, one, other))


@dataclasses.dataclass(frozen=True)
class _Subsets(Kind):
    """Non-empty lists of different numbers below a size, held as a table of booleans."""

    dimension: str
    size: int

    def read(self, value: Any, place: str, dimensions: Dimensions) -> BoolArray:
        if isinstance(value, np.ndarray) and value.dtype == bool and value.shape[1:] == (self.size,):
            held = value.copy()
        else:
            lists = _Lists(self.dimension).read(value, place, Dimensions())
            held = np.zeros((len(lists), self.size), bool)
            for i, members in enumerate(lists):
                self._check(members, f"{place}[{i}]")
                held[i, members] = True
        if (empty := np.flatnonzero(~held.any(1))).size:
            raise InputError("must not be empty", f"{place}[{empty[0]}]")
        dimensions.agree(self.dimension, len(held), place)
        held.setflags(write=False)
        return held

    def _check(self, members: IntArray, place: str) -> None:
        for k, member in enumerate(members.tolist()):
            if member >= self.size:
                raise InputError(f"must be below {self.size}, is {member}", f"{place}[{k}]")
            if member in members[:k]:
                raise InputError(f"is {member} again", f"{place}[{k}]")

    def write(self, value: Any) -> Any:
        return [np.flatnonzero(row).tolist() for row in value]


def listed(value: Any, place: str, words: str = "") -> Sequence[Any]:
    """The value, if it is a list; the words say of what."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError(f"must be a list{words}, is {_shown(value)}", place)
    return value


def _agree(dimension: str | int, size: int, place: str, dimensions: Dimensions) -> None:
    if isinstance(dimension, str):
        dimensions.agree(dimension, size, place)
    elif size != dimension:
        raise InputError(f"has {size} entries, must have {dimension}", place)


def _size(dimension: str | int, dimensions: Dimensions) -> int:
    return dimensions.size(dimension) if isinstance(dimension, str) else dimension


def _words(dimension: str | int) -> str:
    return dimension if isinstance(dimension, str) else f"{dimension} numbers"


def _declare(kind: Kind) -> Any:
    return dataclasses.field(metadata={"kind": kind})


def real(*, positive: bool = False, most: float = math.inf, optional: bool = False) -> Any:
    """A number, at least 0 or above it; `optional` admits null."""
    return _declare(_Scalar(_Range(False, 0, positive, most), optional))


def integer(*, least: int = 0, optional: bool = False) -> Any:
    """An integer; `optional` admits null."""
    return _declare(_Scalar(_Range(True, least), optional))


def flag() -> Any:
    """True or false."""
    return _declare(_Flag())


def integer_lists(dimension: str) -> Any:
    """Lists of non-negative integers, one for each of the dimension; a tuple of arrays."""
    return _declare(_Lists(dimension))


def subsets(dimension: str, size: int) -> Any:
    """Non-empty lists of different numbers below `size`; an array of booleans, (dimension, size)."""
    return _declare(_Subsets(dimension, size))


def choice(*options: str) -> Any:
    """One of the given words."""
    return _declare(_Choice(options))


def choices(dimension: str, *options: str) -> Any:
    """A list of some of the given words."""
    return _declare(_Choices(dimension, _Choice(options)))


def reals(*dimensions: str | int, positive: bool = False, most: float = math.inf, signed: bool = False) -> Any:
    """An array of numbers, at least 0, above it or of either sign, with named dimensions or fixed sizes."""
    return _declare(_Array(_Range(False, -math.inf if signed else 0, positive, most), dimensions))


def real_or_reals(dimension: str) -> Any:
    """A number from 0 up, or an array with one for each."""
    numbers = _Range(False, 0)
    return _declare(_OneOrMany(_Scalar(numbers, False), _Array(numbers, (dimension,))))


def integers(*dimensions: str | int, least: int = 0, most: float = math.inf) -> Any:
    """An array of integers with named dimensions or fixed sizes."""
    return _declare(_Array(_Range(True, least, most=most), dimensions))
