"""What was lived through, episode by episode, for S seeds that never share any of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

Arrays = dict[str, np.ndarray[Any, Any]]


class EpisodeReplay:
    """The last episodes of each seed, sampled uniformly.

    An episode is one array a field with the step first, so a step's next observation and next mask are the following
    entries.

    Parameters
    ----------
    seeds
        S.
    capacity
        Episodes kept a seed; the oldest goes first.
    fields
        Shape of an episode, and type, of each field.
    """

    def __init__(self, seeds: int, capacity: int, fields: Mapping[str, tuple[tuple[int, ...], Any]]) -> None:
        self.capacity = capacity
        self.size = 0
        self._next = 0
        self._data: Arrays = {name: np.zeros((seeds, capacity, *shape), kind) for name, (shape, kind) in fields.items()}

    def add(self, episodes: Arrays) -> None:
        """Keep episodes of all seeds; every array has shape (S, episodes, …)."""
        count = len(next(iter(episodes.values()))[0])
        at = (self._next + np.arange(count)) % self.capacity
        for name, kept in self._data.items():
            kept[:, at] = episodes[name]
        self._next = int((self._next + count) % self.capacity)
        self.size = min(self.size + count, self.capacity)

    def sample(self, count: int, rngs: Sequence[np.random.Generator]) -> Arrays:
        """Draw episodes with replacement, each seed by its own generator; arrays of shape (S, count, …)."""
        at = np.stack([rng.integers(self.size, size=count) for rng in rngs])
        return {name: kept[np.arange(len(at))[:, None], at] for name, kept in self._data.items()}

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, filled part only."""
        return {
            "size": self.size,
            "next": self._next,
            "data": {name: torch.from_numpy(kept[:, : self.size].copy()) for name, kept in self._data.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.size, self._next = state["size"], state["next"]
        for name, kept in self._data.items():
            kept[:, : self.size] = state["data"][name].numpy()
