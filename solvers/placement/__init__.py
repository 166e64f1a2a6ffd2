"""Placement: what only placement's structure allows."""
