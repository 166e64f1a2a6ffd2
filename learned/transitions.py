"""Transitions that were lived, drawn uniformly or by their errors, for S seeds that share none of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..instances.fields import FloatArray, IntArray
from .replay import Arrays
from .sum_tree import SumTree

SMALLEST = 1e-3  # added to every error, so that no transition is out of reach


class TransitionReplay:
    """The last transitions of each seed.

    Parameters
    ----------
    seeds
        S.
    capacity
        Transitions kept a seed; the oldest goes first.
    fields
        Shape and type of each field.
    priority
        Exponent of the error in the probability of being drawn, (28); 0 draws uniformly.
    """

    def __init__(
        self, seeds: int, capacity: int, fields: Mapping[str, tuple[tuple[int, ...], Any]], priority: float
    ) -> None:
        self.capacity, self.priority = capacity, priority
        self.size = 0
        self._next = 0
        self._data: Arrays = {name: np.zeros((seeds, capacity, *shape), kind) for name, (shape, kind) in fields.items()}
        self._tree = SumTree(seeds, capacity)
        self._largest = np.ones((seeds, 1))

    def add(self, transitions: Arrays) -> None:
        """Keep transitions of all seeds, arrays of shape (S, n, …); new ones have the largest priority met."""
        seeds, count = next(iter(transitions.values())).shape[:2]
        at = (self._next + np.arange(count)) % self.capacity
        for name, kept in self._data.items():
            kept[:, at] = transitions[name]
        self._tree.change(np.tile(at, (seeds, 1)), np.broadcast_to(self._largest, (seeds, count)))
        self._next = int((self._next + count) % self.capacity)
        self.size = min(self.size + count, self.capacity)

    def sample(self, count: int, rngs: Sequence[np.random.Generator]) -> tuple[IntArray, FloatArray, Arrays]:
        """Draw transitions, each seed by its own generator.

        Returns
        -------
        tuple
            Where they are kept, (S, count), their probability over that of uniform draws, (S, count), and arrays of
            shape (S, count, …).
        """
        lots = np.stack([rng.random(count) for rng in rngs])
        if self.priority == 0:
            at = np.asarray((lots * self.size).astype(np.int64))
            likelier = np.ones(at.shape)
        else:
            # One draw from each of `count` equal parts of the total.
            at = self._tree.find((np.arange(count) + lots) / count)
            likelier = self._tree.weight(at) * self.size / self._tree.total[:, None]
        return at, likelier, {name: kept[np.arange(len(at))[:, None], at] for name, kept in self._data.items()}

    def learned(self, at: IntArray, error: FloatArray) -> None:
        """Renew the priorities of transitions by their errors, (32) and (33)."""
        weight = (np.abs(error) + SMALLEST) ** self.priority
        self._tree.change(at, weight)
        self._largest = np.maximum(self._largest, weight.max(1, keepdims=True))

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, filled part only."""
        return {
            "size": self.size,
            "next": self._next,
            "data": {name: torch.from_numpy(kept[:, : self.size].copy()) for name, kept in self._data.items()},
            "weights": torch.from_numpy(self._tree.leaf_weights()),
            "largest": torch.from_numpy(self._largest),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.size, self._next = state["size"], state["next"]
        for name, kept in self._data.items():
            kept[:, : self.size] = state["data"][name].numpy()
        self._tree.load(state["weights"].numpy())
        self._largest = state["largest"].numpy()
