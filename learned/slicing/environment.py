"""The dynamics of slicing for learning: users walk and all fading is drawn anew; six agents, one a slice and layer.

In every slot stations serve first, then UAVs and satellites serve whom the stations do not, as in the paper's
two-layer scheme. Nothing that agents do changes the next slot.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...formulations.slicing.links import nobody
from ...instances.errors import InputError
from ...instances.fields import FloatArray, IntArray
from ...instances.slicing import Slicing
from ...instances.slicing.instance import SLICES, STATION
from ...instances.slicing.presets import find, walk
from ..environment import Float32Array
from .asking import Layout, Room
from .slots import NONE, Slots

AGENTS = 2 * len(SLICES)  # slices at stations, then slices in the sky
AGENT_NAMES = [f"{place}_{letter}" for place in ("station", "sky") for letter in SLICES]
BEYOND = 1.5  # times the farthest station or candidate: the range of places that agents see
LARGEST = 8.0  # logarithm (base 10) of a SNR, as far as agents see


class Earned(NamedTuple):
    """What a slot comes to.

    Attributes
    ----------
    objective : array, shape (B,)
    own : array, shape (B, agents)
        What each agent's users win by its layer, as the objective weighs it; these sum to the objective less that of
        nobody served.
    """

    objective: FloatArray
    own: FloatArray


class SlicingEnvironment:
    """B walks in step.

    Attributes
    ----------
    worlds, horizon
        Walks there are, and slots of each.
    features, actions
        Lengths of an observation and of an action; what an agent does not need of them is 0, and ignored.
    used : array of bool, shape (agents, actions)
        Which parts of actions are not ignored.
    served
        Services in the slot before.

    Parameters
    ----------
    most
        Users of a slice that observations and actions have room for; by default as many as there are.

    Raises
    ------
    InputError
        When there are more, or UAVs cannot stand anywhere.
    """

    agents = AGENTS

    def __init__(self, walks: Sequence[Sequence[Slicing]], *, priority: bool = True, most: int | None = None) -> None:
        self.slots = Slots([instance for own in walks for instance in own])
        self.worlds, self.horizon, self._priority = len(walks), len(walks[0]), priority
        self._members = [np.flatnonzero(self.slots.kind == kind) for kind in range(len(SLICES))]
        largest = max(len(own) for own in self._members)
        self.most = largest if most is None else most
        if self.most < largest:
            raise InputError(f"has {largest} users in a slice, there is room for {self.most}", "slices")
        self._layouts = Layout(self.slots, self.most, sky=False), Layout(self.slots, self.most, sky=True)
        self.actions = max(layout.size for layout in self._layouts)
        self.used = np.stack([layout.used(k, self.actions) for layout in self._layouts for k in range(len(SLICES))])
        nodes = max(len(layout.nodes) for layout in self._layouts)
        self.features = self.most * (nodes * self.slots.first.subcarriers + 2 + 2 * len(SLICES))
        self._nobody = nobody(self.slots.first)
        self.reset(np.zeros(1, np.int64))

    @classmethod
    def draw(
        cls, preset: str, seed: int, worlds: int, slots: int, *, priority: bool = True, most: int | None = None
    ) -> "SlicingEnvironment":
        """The first slots of walks of a preset with seeds from `seed` on.

        Raises
        ------
        InputError
            When the preset is unknown or has no users, or the environment cannot be.
        """
        if find(preset).users == 0:
            raise InputError("has no users", "preset")
        walks = [list(itertools.islice(walk(preset, seed + w), slots)) for w in range(worlds)]
        return cls(walks, priority=priority, most=most)

    def reset(self, world: IntArray) -> None:
        """Begin in the first slots of some walks, shape (B,)."""
        self.world, self._number = np.asarray(world, np.int64).copy(), 0
        self._begin()

    def _begin(self) -> None:
        self._slot = self.world * self.horizon + min(self._number, self.horizon - 1)
        self._room = Room(self.slots, len(self.world), priority=self._priority)

    @property
    def over(self) -> bool:
        """Whether the walks are over."""
        return self._number >= self.horizon

    def observe(self) -> Float32Array:
        """What the agents see, shape (B, agents, features), from 0 to 1.

        SNRs of their users with their layer's nodes on a logarithmic scale, those of UAVs as if these stood above the
        user; what the users are sent over twice what arrives until the delay's cap; which of them have not been served
        in this slot; the places of all users over `BEYOND` times the farthest station's or candidate's. Where there is
        room for more users than there are, 0.
        """
        slots, batch = self.slots, len(self.world)
        snr = np.log10(1 + slots.snr_above(self._slot)) / LARGEST
        first = slots.first
        bits = slots.bits[self._slot] / max(2 * first.arrival_bps * first.delay_cap_s, 1.0)
        waiting = self._room.node == NONE
        known = np.concatenate([first.stations.position.ravel(), first.uavs.candidates.ravel()])
        side = BEYOND * np.abs(known).max(initial=1.0)
        places = np.zeros((batch, len(SLICES), self.most, 2))
        for kind, own in enumerate(self._members):
            places[:, kind, : len(own)] = slots.position[self._slot][:, own] / side
        everywhere = places.reshape(batch, -1)
        found = np.zeros((batch, AGENTS, self.features), np.float32)
        for agent, (above, own) in enumerate(itertools.product(range(2), self._members)):
            layout = self._layouts[above]
            links = len(layout.nodes) * slots.first.subcarriers
            seen = snr[:, own][:, :, layout.nodes].reshape(batch, len(own), links)
            users = np.concatenate([seen, bits[:, own, None], waiting[:, own, None]], 2).reshape(batch, -1)
            found[:, agent, : users.shape[1]] = users
            found[:, agent, self.features - everywhere.shape[1] :] = everywhere
        return np.clip(found, 0, 1)

    def serve_on_ground(self, action: FloatArray) -> None:
        """Let the stations serve, by actions of the first three agents, shape (B, 3, actions)."""
        self._room.meet(self._layouts[0].requests(action, self.slots.users))

    def serve_from_sky(self, action: FloatArray) -> Earned:
        """Let UAVs and satellites serve the others, by actions of the last three, and go on to the next slot."""
        layout, slots = self._layouts[1], self.slots
        self._room.meet(layout.requests(action, slots.users))
        served = self.served = self._room.served(slots.candidates(slots.place_m(layout.wanted(action))))
        parts = slots.parts(self._slot, served)
        own = np.concatenate([parts[:, STATION], parts[:, STATION + 1 :].sum(1)], 1)
        self._number += 1
        self._begin()
        return Earned(self._nobody + own.sum(1), own)

    def step(self, action: FloatArray) -> Earned:
        """Let all serve at once, by actions of shape (B, agents, actions) from 0 to 1.

        Raises
        ------
        ValueError
            When an action is not a number.
        """
        if np.isnan(action).any():
            raise ValueError("an action is not a number")
        self.serve_on_ground(action[:, : len(SLICES)])
        return self.serve_from_sky(action[:, len(SLICES) :])
