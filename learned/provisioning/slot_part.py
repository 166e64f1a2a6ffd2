"""One part of the reward in some slots: what users could earn where, what has room, and who has decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...formulations.provisioning.rewards import KINDS
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.provisioning.instance import NONE
from .worlds import Worlds


@dataclass
class Part:
    """B slots of U users who take one of A x C options, or nothing.

    An option takes a place of its row and one of its column: of a LEO satellite and of a relay. Caches and servers are
    rows with a single column, which has room for all.

    Attributes
    ----------
    value : array, shape (B, U, A, C)
        Rewards over the largest of the part.
    rows, columns : array, shape (B, A) and (B, C)
        Places that are left.
    open : array of bool, shape (B, U)
        Who has not decided yet.
    option : array, shape (B, U)
        What has been taken: row C + column, or `NONE`.
    """

    value: FloatArray
    rows: IntArray
    columns: IntArray
    open: BoolArray
    option: IntArray

    @classmethod
    def of(cls, pool: Worlds) -> list[Self]:
        """The parts of all slots of a pool, slot t of world w at w T + t; nobody has decided."""
        slots = len(pool.instances) * pool.slots
        first, found = 0, []
        for part, kinds in enumerate(KINDS):
            value = pool.value[..., first : first + pool.layout.sizes[part]]
            first += pool.layout.sizes[part]
            places = [np.stack([instance.capacities[kind] for instance in pool.instances]) for kind in kinds]
            if len(places) == 1:
                places.append(np.full((len(pool.instances), 1), pool.users))
            rows, columns = (np.repeat(own, pool.slots, 0) for own in places)
            shape = slots, pool.users, rows.shape[1], columns.shape[1]
            nobody = np.full(shape[:2], NONE)
            found.append(cls(value.reshape(shape), rows, columns, np.ones(shape[:2], bool), nobody))
        return found

    def __len__(self) -> int:
        return len(self.value)

    def take(self, slots: IntArray) -> Self:
        """A copy of some of the slots."""
        return type(self)(*(getattr(self, name)[slots] for name in ("value", "rows", "columns", "open", "option")))

    @property
    def possible(self) -> BoolArray:
        """What pays and has room, of those who have not decided, shape (B, U, A, C)."""
        room = (self.rows > 0)[:, :, None] & (self.columns > 0)[:, None]
        return np.asarray((self.value > 0) & room[:, None] & self.open[:, :, None, None])

    @property
    def able(self) -> BoolArray:
        """Who could take something, shape (B, U)."""
        return np.asarray(self.possible.any((2, 3)))

    def possible_of(self, user: IntArray) -> BoolArray:
        """What a user of each slot could take, nothing first, shape (B, 1 + A C)."""
        slot = np.arange(len(self))
        room = (self.rows > 0)[:, :, None] & (self.columns > 0)[:, None]
        able = (self.value[slot, user] > 0) & room & self.open[slot, user][:, None, None]
        return np.concatenate([np.ones((len(self), 1), bool), able.reshape(len(self), -1)], 1)

    def decide(self, slot: IntArray, user: IntArray, option: IntArray) -> None:
        """Give users what they take, each an array of one shape; no place is given twice at a time."""
        self.option[slot, user], self.open[slot, user] = option, False
        slot, option = slot[option >= 0], option[option >= 0]
        row, column = np.divmod(option, max(self.columns.shape[1], 1))
        np.subtract.at(self.rows, (slot, row), 1)
        np.subtract.at(self.columns, (slot, column), 1)

    @property
    def earned(self) -> FloatArray:
        """What has been earned, over the largest reward of the part, shape (B,)."""
        value = self.value.reshape(*self.option.shape, -1)
        if not value.shape[2]:
            return np.zeros(len(self))
        taken = np.take_along_axis(value, np.maximum(self.option, 0)[..., None], 2)[..., 0]
        return np.asarray(np.where(self.option >= 0, taken, 0.0).sum(1))


def options_of(choice: IntArray, parts: Sequence[Part]) -> list[IntArray]:
    """Choices of all slots, shape (B, U, 4), as options of each part, shape (B, U)."""
    found = []
    for kinds, part in zip(KINDS, parts, strict=True):
        columns = part.columns.shape[1]
        row, column = choice[..., kinds[0]], choice[..., kinds[1]] if len(kinds) > 1 else 0
        found.append(np.where(row >= 0, row * columns + column, NONE))
    return found


def choice_of(parts: Sequence[Part], slots: int) -> IntArray:
    """What has been taken, as decisions have it, shape (B / slots, slots, users, 4)."""
    found = []
    for kinds, part in zip(KINDS, parts, strict=True):
        row, column = np.divmod(part.option, max(part.columns.shape[1], 1))
        found += [np.where(part.option >= 0, row, NONE), np.where(part.option >= 0, column, NONE)][: len(kinds)]
    choice = np.stack(found, -1)
    return choice.reshape(-1, slots, *choice.shape[1:])
