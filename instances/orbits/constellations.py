"""Where satellites are: Walker-delta constellations, and catalogues of element sets propagated by SGP4."""

import csv
import itertools
import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from sgp4 import omm
from sgp4.api import WGS72, Satrec, SatrecArray, jday

from ..errors import InputError
from ..fields import FloatArray
from .earth import EQUATOR_M, GRAVITY_M3_PER_S2, ROTATION_RAD_PER_S, sidereal_angle, to_earth_fixed

ELEMENTS = {
    "EPOCH",
    "MEAN_MOTION",
    "ECCENTRICITY",
    "INCLINATION",
    "RA_OF_ASC_NODE",
    "ARG_OF_PERICENTER",
    "MEAN_ANOMALY",
    "NORAD_CAT_ID",
    "BSTAR",
}
# What of a message SGP4 does not need, and some writers leave out.
OPTIONAL = {
    "CLASSIFICATION_TYPE": "U",
    "OBJECT_ID": "",
    "EPHEMERIS_TYPE": "0",
    "ELEMENT_SET_NO": "999",
    "REV_AT_EPOCH": "0",
    "MEAN_MOTION_DOT": "0",
    "MEAN_MOTION_DDOT": "0",
}


class Constellation(Protocol):
    """Satellites that move."""

    @property
    def satellites(self) -> int:
        """How many there are."""

    def positions_m(self, time_s: FloatArray) -> FloatArray:
        """Earth-fixed positions (m) at times (s), shape (satellites, T, 3); not a number where there is none."""


@dataclass(frozen=True)
class Walker:
    """A Walker-delta constellation on circular orbits about a round Earth (Walker 1984), numbered plane by plane.

    At time 0 the first satellite is at the ascending node of its plane, at longitude 0.

    Attributes
    ----------
    phasing
        F: a plane is ahead of the one before it by F * 360 / satellites degrees.
    """

    satellites: int
    planes: int
    phasing: int
    inclination_deg: float
    altitude_m: float

    def __post_init__(self) -> None:
        if self.planes < 1 or self.satellites < 1 or self.satellites % self.planes:
            raise InputError(f"must be a multiple of the planes, {self.planes}, is {self.satellites}", "satellites")
        if not 0 < self.altitude_m < math.inf:
            raise InputError(f"must be above 0, is {self.altitude_m}", "altitude_m")

    def positions_m(self, time_s: FloatArray) -> FloatArray:
        """Earth-fixed positions (m) at times (s), shape (satellites, T, 3)."""
        radius_m = EQUATOR_M + self.altitude_m
        speed = math.sqrt(GRAVITY_M3_PER_S2 / radius_m**3)
        plane, place = np.divmod(np.arange(self.satellites), self.satellites // self.planes)
        ahead = 2 * np.pi * (place * self.planes + self.phasing * plane) / self.satellites
        latitude_argument = ahead[:, None] + speed * time_s
        along, across = np.cos(latitude_argument), np.sin(latitude_argument)
        level = across * math.cos(math.radians(self.inclination_deg))
        longitude = 2 * np.pi * np.arange(self.planes)[:, None] / self.planes - ROTATION_RAD_PER_S * time_s
        cos, sin = np.cos(longitude)[plane], np.sin(longitude)[plane]
        z = across * math.sin(math.radians(self.inclination_deg))
        return radius_m * np.stack([along * cos - level * sin, along * sin + level * cos, z], -1)


# The shell of the association paper: 120 satellites in 12 planes.
SHELL = Walker(satellites=120, planes=12, phasing=1, inclination_deg=45.0, altitude_m=550e3)


@dataclass(frozen=True)
class Catalogue:
    """Satellites of a file of element sets, from a moment on.

    Attributes
    ----------
    names
        As in the file; catalogue numbers where it has none.
    start
        Time 0.
    """

    names: Sequence[str]
    elements: Sequence[Satrec]
    start: datetime

    @classmethod
    def read(cls, path: str | Path, start: datetime | None = None) -> Self:
        """Read two-line elements, with or without lines of names, or orbit mean-elements messages (.csv, .xml).

        Parameters
        ----------
        start
            Time 0, UTC where it has no time zone; None is the latest epoch in the file.

        Raises
        ------
        InputError
            When the file cannot be read or a set in it is broken.
        """
        file = str(path)
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", file=file) from None
        except UnicodeDecodeError:
            raise InputError("is not UTF-8", file=file) from None
        suffix = Path(path).suffix.lower()
        try:
            sets = _messages(text, suffix) if suffix in (".csv", ".xml") else _two_lines(text)
        except InputError as error:
            raise error.inside(file) from None
        if not sets:
            raise InputError("has no element sets", file=file)
        names, elements = zip(*sets, strict=True)
        if start is None:
            latest = max(element.jdsatepoch + element.jdsatepochF for element in elements)
            start = datetime.fromtimestamp(86_400 * (latest - 2_440_587.5), UTC)
        return cls(names, elements, start if start.tzinfo else start.replace(tzinfo=UTC))

    @property
    def satellites(self) -> int:
        """How many there are."""
        return len(self.elements)

    def positions_m(self, time_s: FloatArray) -> FloatArray:
        """Earth-fixed positions (m) at times from the start on (s), shape (satellites, T, 3).

        Not a number where SGP4 reports an error, such as a decayed orbit.
        """
        day, fraction = self._julian()
        fractions = fraction + np.asarray(time_s) / 86_400
        error, kilometres, _ = SatrecArray(self.elements).sgp4(np.full(len(fractions), day), fractions)
        kilometres[error != 0] = np.nan
        return 1e3 * to_earth_fixed(kilometres, sidereal_angle(day, fractions))

    def usable(self, time_s: FloatArray) -> Self:
        """Only satellites with a position at all these times."""
        whole = np.asarray(np.isfinite(self.positions_m(time_s)).all((1, 2)))
        names, elements = (list(itertools.compress(values, whole)) for values in (self.names, self.elements))
        return type(self)(names, elements, self.start)

    def _julian(self) -> tuple[float, float]:
        """Julian day and fraction of the start."""
        at = self.start.astimezone(UTC)
        day, fraction = jday(at.year, at.month, at.day, at.hour, at.minute, at.second + at.microsecond / 1e6)
        return float(day), float(fraction)


def _two_lines(text: str) -> list[tuple[str, Satrec]]:
    """Names and elements of lines ``1 …`` and ``2 …``, each pair maybe below a name."""
    found: list[tuple[str, Satrec]] = []
    lines = [(number, line.rstrip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    name = ""
    k = 0
    while k < len(lines):
        number, first = lines[k]
        if not (first.startswith("1 ") and len(first) >= 64):
            name = first.strip().removeprefix("0 ")
            k += 1
            if k == len(lines) or not lines[k][1].startswith("1 "):
                raise InputError("must be followed by the lines 1 and 2 of an element set", f"line {number}")
            continue
        second = lines[k + 1][1] if k + 1 < len(lines) else ""
        if not (second.startswith("2 ") and second[2:7] == first[2:7]):
            raise InputError("must be followed by line 2 of the same satellite", f"line {number}")
        for at, line in ((number, first), (lines[k + 1][0], second)):
            _check_sum(line, at)
        try:
            element = Satrec.twoline2rv(first, second)
        except ValueError as error:
            raise InputError(f"is not an element set: {str(error).splitlines()[0]}", f"line {number}") from None
        found.append((name or first[2:7].strip(), element))
        name = ""
        k += 2
    return found


def _check_sum(line: str, number: int) -> None:
    """Object to a line whose 69th character is not the sum of the digits before it, a minus being 1."""
    total = sum(int(c) if c.isdigit() else c == "-" for c in line[:68]) % 10
    if len(line) != 69 or line[68] != str(total):
        raise InputError("must have 69 characters, the last being the check sum of the others", f"line {number}")


def _messages(text: str, suffix: str) -> list[tuple[str, Satrec]]:
    """Names and elements of orbit mean-elements messages."""
    read: Callable[[str], list[Mapping[str, str]]] = _csv if suffix == ".csv" else _xml
    found = []
    for k, message in enumerate(read(text)):
        place = f"message {k}"
        if missing := sorted(ELEMENTS - {key for key, value in message.items() if value}):
            raise InputError(f"is missing {', '.join(missing)}", place)
        fields = {**OPTIONAL, **{key: value for key, value in message.items() if value}}
        if "." not in fields["EPOCH"]:
            fields["EPOCH"] += ".0"
        fields["EPOCH"] = fields["EPOCH"].removesuffix("Z")
        element = Satrec()
        try:
            omm.initialize(element, fields, WGS72)
        except ValueError as error:
            raise InputError(f"is not an element set: {error}", place) from None
        found.append((fields.get("OBJECT_NAME") or fields["NORAD_CAT_ID"], element))
    return found


def _csv(text: str) -> list[Mapping[str, str]]:
    return [{str(key): value or "" for key, value in row.items()} for row in csv.DictReader(text.splitlines())]


def _xml(text: str) -> list[Mapping[str, str]]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputError("must not declare a document type or entities")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"is not XML: {error}") from None
    segments = [element for element in root.iter() if element.tag.rpartition("}")[2] == "segment"]
    return [{e.tag.rpartition("}")[2]: (e.text or "").strip() for e in segment.iter()} for segment in segments]
