"""Kernels that NumPy cannot express, compiled once and kept on disk."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(kernel: F) -> F:
    """Compile a kernel at its first call and cache it (numba, beside the source or in the user's cache folder)."""
    return cast(F, numba.njit(cache=True)(kernel))
