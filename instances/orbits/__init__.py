"""Satellites over ground stations: constellations, stations, visibility windows and link budgets."""

from .constellations import SHELL, Catalogue, Constellation, Walker
from .stations import Stations, read_stations
from .visibility import Windows, elevation_deg, windows

__all__ = [
    "SHELL",
    "Catalogue",
    "Constellation",
    "Stations",
    "Walker",
    "Windows",
    "elevation_deg",
    "read_stations",
    "windows",
]
