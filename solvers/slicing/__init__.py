"""Solvers of slicing: brute force, certified decomposition with continuous powers, rules."""
