"""Ground stations, and the files that list them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..fields import FloatArray, as_real
from ..json_files import read_json
from .earth import earth_fixed_m, upward


@dataclass(frozen=True)
class Stations:
    """Places on the ground.

    Attributes
    ----------
    latitude_deg, longitude_deg : array, shape (stations,)
        Geodetic coordinates.
    altitude_m : array, shape (stations,)
        Height above the ellipsoid.
    """

    names: list[str]
    latitude_deg: FloatArray
    longitude_deg: FloatArray
    altitude_m: FloatArray = field(default_factory=lambda: np.zeros(()))

    def __post_init__(self) -> None:
        object.__setattr__(self, "altitude_m", np.broadcast_to(self.altitude_m, self.latitude_deg.shape))

    def __len__(self) -> int:
        return len(self.names)

    @property
    def position_m(self) -> FloatArray:
        """Earth-fixed positions (m), shape (stations, 3)."""
        return earth_fixed_m(self.latitude_deg, self.longitude_deg, self.altitude_m)

    @property
    def upward(self) -> FloatArray:
        """Unit vectors of the vertical, shape (stations, 3)."""
        return upward(self.latitude_deg, self.longitude_deg)


def read_stations(path: str | Path) -> Stations:
    """Read stations from a file.

    Either GeoJSON points, named by the property ``name``, or lines ``id,name,latitude,longitude,altitude``.

    Raises
    ------
    InputError
        When the file cannot be read or a station in it is broken.
    """
    file = str(path)
    rows = _geojson(path) if file.lower().endswith((".geojson", ".json")) else _lines(path)
    if not rows:
        raise InputError("has no stations", file=file)
    for place, _, latitude, longitude, _ in rows:
        if not (-90 <= latitude <= 90 and -360 <= longitude <= 360):
            raise InputError(f"is at latitude {latitude:g}, longitude {longitude:g} (degrees)", place, file)
    names = [name for _, name, _, _, _ in rows]
    coordinates = np.array([row[2:] for row in rows])
    return Stations(names, *coordinates.T)


Row = tuple[str, str, float, float, float]  # place in the file, name, latitude, longitude, altitude


def _geojson(path: str | Path) -> list[Row]:
    content = read_json(path)
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list):
        raise InputError("must be a GeoJSON FeatureCollection", file=str(path))
    return [_feature(feature, f"features[{k}]", str(path)) for k, feature in enumerate(features)]


def _feature(feature: Any, place: str, file: str) -> Row:
    try:
        geometry, properties = feature["geometry"], feature["properties"] or {}
        kind, coordinates = geometry["type"], geometry["coordinates"]
        name = properties.get("name")
    except (TypeError, KeyError, AttributeError):
        raise InputError("must have a geometry with a type and coordinates, and properties", place, file) from None
    if kind != "Point" or not isinstance(coordinates, list) or len(coordinates) not in (2, 3):
        raise InputError("must be a Point of longitude, latitude and maybe altitude", place, file)
    try:
        longitude, latitude, *altitude = (as_real(c, f"{place}.geometry.coordinates") for c in coordinates)
    except InputError as error:
        raise error.inside(file) from None
    label = name if isinstance(name, str) and name else place
    return place, label, latitude, longitude, altitude[0] if altitude else 0.0


def _lines(path: str | Path) -> list[Row]:
    file, rows = str(path), []
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=file) from None
    except UnicodeDecodeError:
        raise InputError("is not UTF-8", file=file) from None
    for number, line in enumerate(lines, 1):
        place = f"line {number}"
        parts = line.split(",")
        if not line.strip():
            continue
        try:
            _, name, *numbers = parts
            latitude, longitude, altitude = (as_real(float(text), place) for text in numbers)
        except ValueError:
            raise InputError("must be id,name,latitude,longitude,altitude", place, file) from None
        rows.append((place, name.strip() or place, latitude, longitude, altitude))
    return rows
