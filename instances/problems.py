"""The problems, by name."""

from .placement import Placement
from .record import Instance

PROBLEMS: dict[str, type[Instance]] = {Placement.problem: Placement}
