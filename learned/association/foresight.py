"""Both networks of imitation, and how they play days: prices of storage first, then the slot's links."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import nn

from ...instances.association import Association, AssociationDecision
from ...instances.fields import FloatArray, IntArray
from ...solvers.association.days import Days
from ...solvers.association.groups import Groups, decision
from ...solvers.association.slot_by_slot import play
from .link_network import LinkNetwork
from .price_network import PriceNetwork
from .prospects import Prospects
from .slot_decoder import rounds
from .slot_graph import SlotGraph
from .slot_state import SlotState

COLDEST, HOTTEST = 0.2, 1.0


@dataclass(frozen=True)
class Size:
    """Sizes of the networks; no layers of links leave slots to the exact solver."""

    price_width: int
    width: int
    layers: int


class Foresight(nn.Module):
    """The networks of one seed."""

    def __init__(self, size: Size, seed: int = 0) -> None:
        super().__init__()
        self.price = PriceNetwork(size.price_width, seed)
        self.link = LinkNetwork(size.width, size.layers, seed) if size.layers else None


@dataclass(frozen=True)
class Scenery:
    """Days as the networks see them."""

    days: Days
    graph: SlotGraph
    prospects: Prospects

    @classmethod
    def of(cls, instances: Sequence[Association]) -> Self:
        """The scenery of instances of one shape."""
        days = Days.of(instances)
        return cls(days, SlotGraph.of(days), Prospects.of(days))


@dataclass(frozen=True)
class Played:
    """Days as they were played.

    Attributes
    ----------
    choice : array, shape (B, T, V)
        Actions by a satellite's place in the slot's turns.
    left, ahead : array, shape (B, T, J)
        Storage when each slot begins, and its price to the slots after it.
    value : array, shape (B,)
        The objectives.
    """

    choice: IntArray
    left: FloatArray
    ahead: FloatArray
    value: FloatArray


@torch.no_grad()
def play_links(foresight: Foresight, scenery: Scenery, world: IntArray, samples: int = 1, seed: int = 0) -> Played:
    """Play the days of some worlds, shape (B,), by both networks.

    Parameters
    ----------
    samples
        1: every satellite's likeliest link. More: of each slot the best of so many by what its data is worth at the
        prices of the moment, which is known when the slot is decided: the likeliest links, and draws at temperatures
        that rise from `COLDEST` to `HOTTEST`.
    """
    assert foresight.link is not None
    days, graph, batch = scenery.days, scenery.graph, len(world)
    _, stations, _, slots = days.shape
    choice = np.zeros((batch, slots, graph.shape[0]), np.int64)
    left, ahead = np.zeros((2, batch, slots, stations))
    value, now = np.zeros(batch), days.of_worlds("capacity")[world]
    temperature = np.tile(np.append(0.0, np.geomspace(COLDEST, HOTTEST, samples - 1)), batch)
    rng, many = np.random.default_rng(seed), np.repeat(np.arange(batch), samples)
    for t in range(slots):
        left[:, t], slot = now, np.full(batch, t)
        ahead[:, t] = foresight.price.ahead(scenery.prospects, world, slot, now)
        state = SlotState(graph, world[many] * slots + t, now[many], ahead[many, t])
        for _ in rounds(foresight.link, state, temperature, rng):
            pass
        best = np.arange(batch) * samples + state.value.reshape(batch, samples).argmax(1)
        choice[:, t] = state.choice[best]
        value += ((state.worth + ahead[many, t]) * state.load).sum(1)[best]
        now = now - state.load[best]
    return Played(choice, left, ahead, value)


def play_exactly(foresight: Foresight, scenery: Scenery, world: int) -> tuple[Played, AssociationDecision]:
    """Play one day by the price network alone, slots decided exactly; as `Played` with B = 1."""
    instance, prospects = scenery.days.instances[world], scenery.prospects
    ahead = np.zeros((instance.slots, instance.stations))

    def price(slot: int, left: FloatArray) -> FloatArray:
        found: FloatArray = foresight.price.ahead(prospects, np.array([world]), np.array([slot]), left[None])[0]
        ahead[slot] = found
        return found

    groups, _ = Groups.reduced(instance)
    played = play(instance, groups, price)
    made = decision(groups, played.pattern)
    choice = scenery.graph.choices(world, made.links)
    return Played(choice[None], played.left[None], ahead[None], np.array([played.value])), made


def decision_of(scenery: Scenery, world: int, choice: IntArray) -> AssociationDecision:
    """The links of a day's choices, shape (T, V)."""
    days = scenery.days
    channels = days.shape[2]
    slot, place = np.nonzero(choice)
    turn = scenery.graph.turn[world * days.shape[3] + slot, place]
    station, channel = np.divmod(choice[slot, place], channels)
    return AssociationDecision(np.stack([slot, days.satellite[turn], station - 1, channel], 1))
