"""What learning needs of an environment: B of them at once, a team of agents in each, episodes of equal length."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..instances.fields import BoolArray, FloatArray, IntArray

Float32Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class View:
    """What is seen of B environments at one moment.

    Attributes
    ----------
    observation : array, shape (B, agents, features)
        What each agent sees for itself, every feature in [-1, 1].
    state : array, shape (B, state_features)
        What is known of the whole, for training only.
    mask : array, shape (B, agents, actions)
        Which actions are possible.
    """

    observation: Float32Array
    state: Float32Array
    mask: BoolArray


class TeamEnvironment(Protocol):
    """B environments in step, drawn from a finite pool of worlds.

    Attributes
    ----------
    worlds
        Number of worlds in the pool.
    horizon
        Steps of an episode.
    """

    worlds: int
    horizon: int
    agents: int
    actions: int
    features: int
    state_features: int

    def reset(self, world: IntArray) -> View:
        """Begin an episode in each of the given worlds, shape (B,)."""

    def step(self, action: IntArray) -> tuple[View, FloatArray]:
        """Take joint actions, shape (B, agents); the next view and the team's rewards, shape (B,).

        After the last step of an episode the view is the last one again.
        """
