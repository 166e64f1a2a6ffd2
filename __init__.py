"""How far from the optimum is the learned policy? Exact optima, bounds and policies for space-air-ground networks."""

from .evaluation.api import build, evaluate, export, generate, load, pareto, save, solve, targets, train, verify
from .instances.errors import ConflictError, InputError

__all__ = [
    "ConflictError",
    "InputError",
    "build",
    "evaluate",
    "export",
    "generate",
    "load",
    "pareto",
    "save",
    "solve",
    "targets",
    "train",
    "verify",
]
