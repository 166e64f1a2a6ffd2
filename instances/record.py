"""Records: frozen dataclasses whose declared fields are validated, compared, hashed and written by what they hold."""

import dataclasses
import functools
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from .errors import InputError
from .fields import Dimensions, Kind, listed


@dataclasses.dataclass(frozen=True, eq=False)
class Record:
    """A frozen dataclass with declared fields (see `fields`).

    Raises
    ------
    InputError
        When a field's value is not what the field holds; the error names field and place.
    """

    def __post_init__(self) -> None:
        dimensions = Dimensions()
        for name, kind in self.kinds().items():
            object.__setattr__(self, name, kind.read(getattr(self, name), name, dimensions))

    @classmethod
    def kinds(cls) -> dict[str, Kind]:
        """What each declared field holds, in the order of declaration."""
        return {f.name: f.metadata["kind"] for f in dataclasses.fields(cls) if "kind" in f.metadata}

    @classmethod
    def from_json(cls, data: Any, place: str, **envelope: Any) -> Self:
        """Make a record from a JSON object that must have exactly the declared fields.

        Parameters
        ----------
        data
            What the JSON parser returned.
        place
            Path of the object in its file, for errors.
        envelope
            Fields of the dataclass that are not declared ones.
        """
        if not isinstance(data, Mapping):
            raise InputError("must be an object", place)
        same_keys(data, cls.kinds(), place)
        try:
            return cls(**data, **envelope)
        except InputError as error:
            raise InputError(error.message, f"{place}.{error.field}") from None

    def to_json(self) -> dict[str, Any]:
        """The declared fields as JSON types."""
        return {name: kind.write(getattr(self, name)) for name, kind in self.kinds().items()}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and all(
            kind.same(getattr(self, name), getattr(other, name)) for name, kind in self.kinds().items()
        )

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_json()))


@dataclasses.dataclass(frozen=True)
class _Nested(Kind):
    record: type[Record]
    optional: bool = False

    def read(self, value: Any, place: str, dimensions: Dimensions) -> Record | None:
        if value is None and self.optional:
            return None
        return value if isinstance(value, self.record) else self.record.from_json(value, place)

    def write(self, value: Any) -> Any:
        return None if value is None else value.to_json()

    def same(self, one: Any, other: Any) -> bool:
        return bool(one == other)


def nested(record: type[Record], *, optional: bool = False) -> Any:
    """A record within a record, its dimensions its own; `optional` admits null."""
    return dataclasses.field(metadata={"kind": _Nested(record, optional)})


@dataclasses.dataclass(frozen=True)
class _Records(Kind):
    record: type[Record]
    optional: bool

    def read(self, value: Any, place: str, dimensions: Dimensions) -> tuple[Record | None, ...]:
        one = _Nested(self.record, self.optional)
        return tuple(one.read(item, f"{place}[{i}]", dimensions) for i, item in enumerate(listed(value, place)))

    def write(self, value: Any) -> Any:
        return [_Nested(self.record).write(item) for item in value]

    def same(self, one: Any, other: Any) -> bool:
        return bool(one == other)


def records(record: type[Record], *, optional: bool = False) -> Any:
    """A list of records, held as a tuple; `optional` admits null for each."""
    return dataclasses.field(metadata={"kind": _Records(record, optional)})


def same_keys(data: Mapping[str, Any], expected: Mapping[str, Any], place: str) -> None:
    """Object to missing and to unknown fields."""
    for name in expected:
        if name not in data:
            raise InputError(f"is missing the field {name}", place)
    for name in data:
        if name not in expected:
            raise InputError("is an unknown field", f"{place}.{name}" if place else name)


@dataclasses.dataclass(frozen=True, eq=False)
class Decision(Record):
    """What a solver decides; each problem has its own."""


@dataclasses.dataclass(frozen=True, eq=False)
class Instance(Record, ABC):
    """An instance of a problem.

    Attributes
    ----------
    name
        Name that solutions refer to.
    provenance
        How the instance came about; any JSON object, never checked inside.
    """

    problem: ClassVar[str]
    decision: ClassVar[type[Decision]]

    name: str = dataclasses.field(kw_only=True)
    provenance: Mapping[str, Any] = dataclasses.field(default_factory=dict, kw_only=True)

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256 of the data in canonical form: sorted keys, no spaces, shortest floats; name and provenance apart."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def decide(self, data: Any, place: str = "decision") -> Decision:
        """Read a decision from JSON and check that it fits this instance.

        Raises
        ------
        InputError
            When fields, shapes or indices are wrong.
        """
        decision = self.decision.from_json(data, place)
        self.check_fit(decision, place)
        return decision

    def check_decision(self, decision: Any, place: str = "decision") -> None:
        """Object to what is no decision of this problem, or does not fit this instance."""
        if not isinstance(decision, self.decision):
            raise InputError(f"must be a decision of {self.problem}, is of type {type(decision).__name__}", place)
        self.check_fit(decision, place)

    @abstractmethod
    def check_fit(self, decision: Any, place: str) -> None:
        """Object to a decision whose shapes or indices do not fit this instance."""
