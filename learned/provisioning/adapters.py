"""Provisioning for other people's code: one agent, or one a user; a part of an action that is impossible is nothing."""

from typing import Any, ClassVar

import numpy as np

from ...instances.provisioning.presets import find, generate
from ..environment import FRESH_SEEDS
from ..turn_adapters import TurnAEC, TurnGym
from .environment import ProvisioningEnvironment
from .worlds import Worlds

LARGEST = 1.0  # of features


def _fresh(preset: str, rng: np.random.Generator) -> ProvisioningEnvironment:
    """An environment of one fresh instance."""
    return ProvisioningEnvironment(Worlds([generate(preset, int(rng.integers(*FRESH_SEEDS)))]))


def _parts(preset: str) -> list[int]:
    """Choices of each part of an action: nothing, and pairs of LEO satellite and relay, caches, servers."""
    leo, geo, caches, servers = find(preset).counts
    return [leo * geo + 1, caches + 1, servers + 1]


class ProvisioningGym(TurnGym[ProvisioningEnvironment]):
    """One agent that decides for the users in turn; see `environment` for its three-part actions.

    Parameters
    ----------
    preset
        What instances are drawn from; a preset's name.
    """

    def __init__(self, preset: str) -> None:
        super().__init__(lambda rng: _fresh(preset, rng), LARGEST, _parts(preset))


class ProvisioningAEC(TurnAEC[ProvisioningEnvironment]):
    """One agent a user, ``user_0`` on, which decides once a slot.

    Parameters
    ----------
    preset
        What instances are drawn from; a preset's name.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "skybound_provisioning",
        "render_modes": [],
        "is_parallelizable": False,
    }

    def __init__(self, preset: str) -> None:
        agents = [f"user_{u}" for u in range(find(preset).users)]
        super().__init__(lambda rng: _fresh(preset, rng), agents, _user, LARGEST, _parts(preset))


def _user(environment: ProvisioningEnvironment) -> str:
    return f"user_{environment.user[0]}"
