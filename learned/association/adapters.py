"""Association for other people's code: one agent, or one a satellite; an impossible action is no link."""

from typing import Any, ClassVar

import numpy as np

from ...instances.association.presets import generate
from ...instances.errors import InputError
from ...solvers.association.days import Days
from ..environment import FRESH_SEEDS
from ..turn_adapters import TurnAEC, TurnGym
from .environment import AssociationEnvironment

LARGEST = 2.0  # of features
MOST_EMPTY = 20  # days without turns in a row


def _fresh(preset: str, observation: str, rng: np.random.Generator) -> AssociationEnvironment:
    """An environment of one fresh day; days without turns are passed over, but not for ever."""
    for _ in range(MOST_EMPTY):
        days = Days.of([generate(preset, int(rng.integers(*FRESH_SEEDS)))])
        if days.nobody:
            return AssociationEnvironment(days, observation)
    raise InputError(f"{MOST_EMPTY} days on which no satellite reaches a station", preset)


class AssociationGym(TurnGym[AssociationEnvironment]):
    """One agent that decides for the satellites in turn; actions are (station + 1) K + channel, 0 is no link.

    Parameters
    ----------
    preset
        What days are drawn from; a preset's name.
    observation
        A name of `observations.OBSERVATIONS`.
    """

    def __init__(self, preset: str, observation: str = "gains") -> None:
        super().__init__(lambda rng: _fresh(preset, observation, rng), LARGEST)


class AssociationAEC(TurnAEC[AssociationEnvironment]):
    """One agent a satellite, ``satellite_0`` on, which acts whenever it is its turn.

    Parameters
    ----------
    preset
        What days are drawn from; a preset's name.
    observation
        A name of `observations.OBSERVATIONS`.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "skybound_association",
        "render_modes": [],
        "is_parallelizable": False,
    }

    def __init__(self, preset: str, observation: str = "gains") -> None:
        satellites = _fresh(preset, observation, np.random.default_rng(0)).days.shape[0]
        agents = [f"satellite_{i}" for i in range(satellites)]
        super().__init__(lambda rng: _fresh(preset, observation, rng), agents, _satellite, LARGEST)


def _satellite(environment: AssociationEnvironment) -> str:
    return f"satellite_{environment.days.satellite[environment.turn[0]]}"
