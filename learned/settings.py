"""Checks that hyperparameters of all algorithms share."""

from collections.abc import Sequence

from ..instances.errors import InputError


def at_least_one(settings: object, names: Sequence[str]) -> None:
    """Object to counts below 1.

    Raises
    ------
    InputError
        Naming the hyperparameter.
    """
    for name in names:
        if (value := getattr(settings, name)) < 1:
            raise InputError(f"must be at least 1, is {value}", name)
