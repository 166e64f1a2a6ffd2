"""Satellite to ground-station association: what an instance is, and where its numbers come from."""

from .instance import Association, AssociationDecision, Windows

__all__ = ["Association", "AssociationDecision", "Windows"]
