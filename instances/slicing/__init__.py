"""Slicing: what an instance is, and where its numbers come from."""

from .instance import Satellites, Service, Slicing, SlicingDecision, Stations, Uavs, Users, Weights

__all__ = ["Satellites", "Service", "Slicing", "SlicingDecision", "Stations", "Uavs", "Users", "Weights"]
