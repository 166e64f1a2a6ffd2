"""What learning needs of an environment: B of them at once, drawn from a finite pool of worlds.

A team's episodes have equal length, and all its agents act at once. Where agents act in turn, one acts at a time, and
episodes may differ in length.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..instances.fields import BoolArray, FloatArray, IntArray

Float32Array = np.ndarray[Any, np.dtype[np.float32]]
FRESH_SEEDS = 10_000_000, 2**31  # of instances drawn without end; those trained, validated and reported on are below


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


class TurnEnvironment(Protocol):
    """B environments in which one agent at a time takes an action; after an episode nothing happens any more.

    Attributes
    ----------
    worlds
        Number of worlds in the pool.
    """

    worlds: int
    actions: int
    features: int

    @property
    def over(self) -> BoolArray:
        """Whether the episode is over, shape (B,)."""

    @property
    def mask(self) -> BoolArray:
        """Which actions are possible, shape (B, actions); at least one is."""

    def observe(self) -> Float32Array:
        """What the agent whose turn it is sees, shape (B, features)."""

    def reset(self, world: IntArray) -> None:
        """Begin an episode in each of the given worlds, shape (B,)."""

    def begin(self, which: IntArray, world: IntArray) -> None:
        """Begin new episodes in some of the B environments."""

    def step(self, action: IntArray) -> FloatArray:
        """Take an action in each environment, shape (B,); the rewards, shape (B,)."""
