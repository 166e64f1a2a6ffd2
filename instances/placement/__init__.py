"""Digital-twin placement: what an instance is, and where its numbers come from."""

from .instance import Placement, PlacementDecision

__all__ = ["Placement", "PlacementDecision"]
