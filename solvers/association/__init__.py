"""Solvers of association."""
