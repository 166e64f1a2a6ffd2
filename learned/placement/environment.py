"""The dynamics of placement for learning: a finite pool of worlds that move and fade, B of them at once."""

import functools
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...instances.fields import FloatArray, IntArray
from ...instances.placement import Placement
from ...instances.placement.presets import Preset, Slots, World
from ...solvers.placement.batch import Costs
from ..environment import View
from . import features
from .seating import seat, take


@dataclass(frozen=True)
class Trajectories:
    """W worlds of a preset over T slots: all the instances that learning may see.

    Attributes
    ----------
    world
        The W cells, positions as in the first slot.
    slots
        What changes, one entry a slot.
    costs
        What the hosts cost in all W T instances, slot t of world w at w T + t.
    """

    world: World
    slots: tuple[Slots, ...]
    costs: Costs
    seed: int

    @classmethod
    def draw(cls, preset: Preset, worlds: int, slots: int, seed: int) -> Self:
        """Draw worlds, and let their users move and the radio fade from slot to slot."""
        rng = np.random.default_rng(seed)
        first = now = World.draw(preset, worlds, rng)
        drawn = [now.slots(rng)]
        for _ in range(slots - 1):
            now = now.moved(rng)
            drawn.append(now.slots(rng))
        costs = Costs.of([_instance(first, s, w, t, seed) for w in range(worlds) for t, s in enumerate(drawn)])
        return cls(first, tuple(drawn), costs, seed)

    @property
    def worlds(self) -> int:
        """W."""
        return len(self.world.local_cps)

    def instance(self, world: int, slot: int) -> Placement:
        """One slot of one world."""
        return _instance(self.world, self.slots[slot], world, slot, self.seed)

    @functools.cached_property
    def hashes(self) -> tuple[str, ...]:
        """`Instance.hash` of every slot, slot t of world w at w T + t."""
        return tuple(self.instance(w, t).hash for w in range(self.worlds) for t in range(len(self.slots)))

    def at(self, world: IntArray, slot: int) -> Costs:
        """What the hosts cost in one slot of the given worlds."""
        return take(self.costs, world * len(self.slots) + slot)


def _instance(world: World, slots: Slots, cell: int, slot: int, seed: int) -> Placement:
    provenance = {"generator": "skybound placement trajectories", "seed": seed, "world": cell, "slot": slot}
    return world.instance(slots, cell, name=f"placement-{seed}-{cell}-{slot}", provenance=provenance)


class PlacementEnvironment:
    """Users choose hosts slot by slot; agents are users, actions are hosts (0 home, 1..J devices, J + 1 the cloud).

    The choices of a slot are simultaneous and are seated by `seating.seat`, so every joint action is feasible. The
    reward is minus the slot's total delay (s): an episode's return is minus the sum of the referee's objectives.

    Attributes
    ----------
    host : array, shape (B, users)
        The placement that the last joint action came to.
    """

    def __init__(self, trajectories: Trajectories) -> None:
        self.trajectories = trajectories
        self.worlds = trajectories.worlds
        self.horizon = len(trajectories.slots)
        _, self.agents, self.actions = trajectories.costs.shape
        self.features, self.state_features = features.sizes(self.agents, self.actions)
        self.reset(np.zeros(1, np.int64))

    def reset(self, world: IntArray) -> View:
        """Begin in the first slot of the given worlds, shape (B,)."""
        self._world, self._slot = world, 0
        self.host = np.full((len(world), self.agents), -1)
        return self._look()

    def step(self, action: IntArray) -> tuple[View, FloatArray]:
        """Place all users, shape (B, users), and go to the next slot; after the last slot the view stays."""
        self.host = seat(self._costs, action)
        reward = -self._costs.total_s(self.host)
        if self._slot == self.horizon - 1:
            return self._view, reward
        self._slot += 1
        return self._look(), reward

    def _look(self) -> View:
        self._costs = self.trajectories.at(self._world, self._slot)
        self._view = features.view(self._costs)
        return self._view
