"""When all choices within the gap are listed: storage and lists narrow each other, and sequences are searched."""

import numpy as np

from ...instances.fields import FloatArray
from .coupling import Box, Coupled, Coupling, worth_at
from .incumbents import Incumbent, per_slot
from .sequences import layers, search
from .slot_choices import Choices, Priced, list_choices
from .state import LITTLE, State
from .station_prices import Bound, least_bound, tightened
from .storage_price import least_rests
from .terms import Terms
from .trajectories import Loads, Multipliers, Trajectories, reference_near

ROOM = 20_000  # choices listed of a group
NEAREST = 1e-7  # relative distance to the least bound by station prices
# Prices tried beside the best ones, over these.
FACTORS = (*(1 - np.geomspace(0.003, 0.5, 10)), *(1 + np.geomspace(0.003, 0.8, 10)))
STATES, FEW_STATES, STEPS = 20_000, 4_000, 25  # of the grid, without lists of loads, and of the bundle
BOX = Box(0.001, 3.0)  # the first one
NODES, WIDER, MOST_NODES = 2_000, 4, 512_000  # a layer of a search, and by how much more where it does not help


def list_within(state: State, terms: Terms, best: FloatArray, bound: float) -> Choices | None:
    """All choices that a solution better than the incumbent can have; None when they are too many.

    Parameters
    ----------
    best : array, shape (groups,)
        Best values of the groups at these terms.
    bound
        The bound that they add up to.
    """
    return list_choices(state.groups, terms, state.instance.channels, best - state.slack(bound), ROOM)


def finish(state: State, choices: Choices) -> None:
    """Narrow storage and lists by each other and by trajectories, and search the sequences of what is left."""
    if len(np.unique(choices.group)) < len(state.groups.slot):  # some group has no choice that would do
        state.bounded(state.incumbent.value)
        return
    shift, width = state.storage().shift, np.inf
    while state.width < (1 - LITTLE) * width:
        bound, worth = _priced(state, choices, shift)
        if state.closed or state.late:
            return
        choices = choices.take(worth >= bound.groups.value[choices.group] - state.slack(bound.value))
        width = state.width
        _narrow(state, bound, choices, shift)
    _couple(state, choices, _at_prices(state, bound.price, shift))


def _priced(state: State, choices: Choices, shift: FloatArray) -> tuple[Bound, FloatArray]:
    """The least bound by station prices, and what each choice is worth at them."""
    worth = _worth(state, choices, shift)
    stations = state.stations(shift)
    bound, _ = least_bound(
        state.price,
        lambda price: _best_of(choices, worth - choices.load @ price),
        stations,
        NEAREST,
        lambda: state.late,
    )
    state.price = bound.price
    state.offer(bound.groups.choices, choices)
    state.bounded(bound.value)
    return bound, worth - choices.load @ bound.price


def _worth(state: State, choices: Choices, shift: FloatArray) -> FloatArray:
    """What choices are worth at most without prices, shape (choices,)."""
    storage, slot = state.storage(), state.groups.slot[choices.group]
    rest = least_rests(choices.load, storage.low[slot], storage.high[slot], shift)
    worth = state.instance.utility_weight * choices.load.sum(1) - state.instance.price_weight * rest.sum(1)
    return np.where((choices.load > storage.high[slot]).any(1), -np.inf, worth)


def _narrow(state: State, bound: Bound, choices: Choices, shift: FloatArray) -> None:
    worth = _worth(state, choices, shift)
    first = np.searchsorted(choices.group, np.arange(len(state.groups.slot)))
    narrower = tightened(
        state.stored,
        bound,
        state.target,
        state.groups.slot,
        lambda price: np.maximum.reduceat(worth - choices.load @ price, first),
        state.stations(shift),
        FACTORS,
        lambda: state.late,
    )
    least, most = (
        per_slot(state.instance, state.groups, extreme.reduceat(choices.load, first))
        for extreme in (np.minimum, np.maximum)
    )
    state.stored = narrower.consistent(least, most)


def _at_prices(state: State, price: FloatArray, shift: FloatArray) -> Multipliers:
    """Multipliers that say what one price a station says, at storage in the middle of what is known."""
    known = state.storage()
    reference = reference_near((known.low + known.high) / 2, state.most, state.instance.capacity)
    weight = state.instance.price_weight
    load = state.instance.utility_weight - price - weight * (1 / (reference + shift) - 1 / reference)
    return Multipliers(load, np.ones(load.shape), reference)


def _couple(state: State, choices: Choices, start: Multipliers) -> None:
    """Drop choices by trajectories and search the sequences of what is left, wider where that does not help."""
    room, nodes = state.room_for_lists(STATES), NODES
    while nodes <= MOST_NODES and not state.closed and not state.late:
        size, gap = len(choices.group), state.gap
        loads = Loads.of(state.groups.slot[choices.group], choices.load, state.instance.slots)
        trajectories = state.trajectories(STATES, loads) if room else state.trajectories(FEW_STATES)

        def best_at(multipliers: Multipliers, own: Choices = choices) -> Priced:
            return _best_of(own, worth_at(state.instance, state.groups, own, multipliers))

        coupling = Coupling(state.instance, state.groups, trajectories, best_at, start.reference, BOX)
        coupled = coupling.least(start, state.chosen, STEPS, state.enough)
        start = coupled.multipliers
        state.bounded(coupled.value)
        state.bounded(search_sequences(state, choices, coupled, trajectories, nodes))
        if state.closed:
            return
        worth = worth_at(state.instance, state.groups, choices, start)
        choices = choices.take(worth >= coupled.groups.value[choices.group] - state.slack(coupled.value))
        state.counters["choices"] = len(choices.group)
        if len(choices.group) > (1 - LITTLE) * size and state.gap > (1 - LITTLE) * gap:
            nodes *= WIDER


def search_sequences(state: State, choices: Choices, coupled: Coupled, trajectories: Trajectories, nodes: int) -> float:
    """Search for a better incumbent, so many nodes a layer; returns what bounds all solutions of these choices."""
    known = layers(state.instance, state.groups, choices, coupled.groups.value, trajectories.ahead)
    found = search(known, state.incumbent.value, nodes)
    state.counters["nodes"] += found.nodes
    if found.chosen is not None:
        own = choices.take(found.chosen)
        state.incumbent = Incumbent(found.value, own.load, own.pattern)
    return found.bound


def _best_of(choices: Choices, value: FloatArray) -> Priced:
    """The best value of each group's choices, ordered by group, and one that has it."""
    first = np.flatnonzero(np.diff(choices.group, prepend=-1))
    best = np.maximum.reduceat(value, first)
    having = np.flatnonzero(value == best[choices.group])
    chosen = having[np.unique(choices.group[having], return_index=True)[1]]
    found = choices.take(chosen)
    return Priced(best, found.load, found)
