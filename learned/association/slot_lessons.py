"""What the link network learns from: slots with the exact solver's decisions, where days come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import torch

from ...instances.fields import FloatArray, IntArray
from ...solvers.association.groups import Groups, decision
from ...solvers.association.slot_by_slot import SlotSolver
from .foresight import Foresight, Scenery, play_exactly, play_links
from .slot_state import NONE, UNDECIDED, SlotState


@dataclass(frozen=True)
class SlotLessons:
    """Slots and what is best in them.

    Attributes
    ----------
    slot : array, shape (lessons,)
        Rows of the graph.
    left, ahead : array, shape (lessons, J)
        Storage when the slot begins, and its price to the slots after it.
    choice : array, shape (lessons, V)
        The best actions at these prices, by a satellite's place.
    """

    slot: IntArray
    left: FloatArray
    ahead: FloatArray
    choice: IntArray

    @classmethod
    def of_days(
        cls, scenery: Scenery, worlds: Sequence[int], played: Sequence[tuple[FloatArray, FloatArray, IntArray]]
    ) -> Self:
        """Lessons of days: storage left and its price, each (T, J), and choices (T, V), but for slots without turns."""
        slots = scenery.days.shape[3]
        slot = np.concatenate([world * slots + np.arange(slots) for world in worlds])
        columns = [np.concatenate(column) for column in zip(*played, strict=True)]
        kept = scenery.graph.satellites[slot] > 0
        return cls(slot[kept], *(column[kept] for column in columns))

    @classmethod
    def joined(cls, parts: Sequence["SlotLessons"]) -> Self:
        """All lessons of several."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)))

    def __len__(self) -> int:
        return len(self.slot)

    def take(self, rows: IntArray) -> Self:
        """Some of the lessons."""
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))

    def partly_decided(self, scenery: Scenery, rng: np.random.Generator) -> SlotState:
        """States on the way: some satellites have decided as is best, the others are open, at least one a slot."""
        many, places = self.choice.shape
        present = np.arange(places) < scenery.graph.satellites[self.slot][:, None]
        lots = np.where(present, rng.random((many, places)), np.inf)
        opened = lots >= rng.random((many, 1))
        opened[np.arange(many), np.where(present, lots, -1.0).argmax(1)] = True
        choice = np.where(opened & present, UNDECIDED, np.where(present, self.choice, NONE))
        return SlotState(scenery.graph, self.slot, self.left, self.ahead, choice)

    def state(self) -> dict[str, Any]:
        """The arrays as tensors."""
        return {f.name: torch.from_numpy(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Self:
        """What `state` has given."""
        return cls(*(state[f.name].numpy() for f in fields(cls)))


def exact_lessons(foresight: Foresight, scenery: Scenery, worlds: Sequence[int]) -> SlotLessons:
    """Lessons where the exact solver comes to at the network's prices."""
    played = []
    for world in worlds:
        one, _ = play_exactly(foresight, scenery, world)
        played.append((one.left[0], one.ahead[0], one.choice[0]))
    return SlotLessons.of_days(scenery, worlds, played)


def collected_lessons(foresight: Foresight, scenery: Scenery, worlds: Sequence[int]) -> SlotLessons:
    """Lessons where the networks come to themselves, with the exact solver as expert (DAgger)."""
    own = play_links(foresight, scenery, np.array(worlds))
    played = []
    for k, world in enumerate(worlds):
        instance = scenery.days.instances[world]
        groups, _ = Groups.reduced(instance)
        decide = SlotSolver(instance, groups)
        pattern = np.zeros((len(groups.slot), instance.channels), np.int64)
        for t in range(instance.slots):
            decide(t, own.left[k, t], own.ahead[k, t], pattern)
        choice = scenery.graph.choices(world, decision(groups, pattern).links)
        played.append((own.left[k], own.ahead[k], choice))
    return SlotLessons.of_days(scenery, worlds, played)
