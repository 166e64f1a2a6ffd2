"""Bounding by trajectories of storage, with all choices: each round about a better incumbent, on a finer grid."""

import numpy as np

from ...instances.fields import FloatArray
from .annealing import annealed
from .coupling import Box, Coupled, Coupling, terms_at, worth_at
from .incumbents import improved
from .listed import list_within, search_sequences
from .slot_choices import Choices, Priced, joined
from .state import State
from .station_prices import Stored
from .trajectories import Multipliers, multipliers_at

ROUNDS = ((1_000, 25), (2_000, 50), (4_000, 50), (4_000, 50))  # states of the grid and steps of the bundle
BOX = Box(0.01, 6.0)  # the first one
NODES = 2_000  # a layer of a search for a better incumbent
LITTLE_LEFT = 5e-4  # relative gap below which annealing is not worth its time
PAIRED = 60  # choices of a group that are exchanged in pairs


def follow(state: State) -> Choices | None:
    """Narrow bound, incumbent and storage; returns all choices left, None when they are too many or not needed."""
    instance, met = state.instance, list[Choices]()

    def best_at(multipliers: Multipliers) -> Priced:
        return state.best(terms_at(instance, multipliers))

    start = multipliers_at(instance, state.load, state.most)
    for states, steps in ROUNDS:
        trajectories, value = state.trajectories(states), state.incumbent.value
        coupling = Coupling(instance, state.groups, trajectories, best_at, start.reference, BOX, state.relaxed)
        coupled = coupling.least(start, state.chosen, steps, state.enough)
        met += coupling.met
        known = joined([*met, state.chosen])
        state.offer(coupled.groups.choices, known)
        search_sequences(state, known, coupled, trajectories, NODES)
        _exchange_pairs(state, known, coupled)
        _anneal(state, known, coupled)
        state.bounded(coupled.value)
        if state.closed or state.late:
            return None
        trajectories.narrow(coupled.worth, state.slack(coupled.value))
        least, most = trajectories.stored()
        state.stored = Stored(np.maximum(state.stored.low, least), np.minimum(state.stored.high, most))
        better = state.incumbent.value > value  # and what is around it is worth a start of its own
        start = multipliers_at(instance, state.load, state.most) if better else coupled.multipliers
    if state.relaxed:
        return None
    return list_within(state, terms_at(instance, coupled.multipliers), coupled.groups.value, coupled.value)


def _anneal(state: State, known: Choices, coupled: Coupled) -> None:
    """Improve the incumbent among the choices met, where much is left to gain."""
    if state.slack(coupled.value) > LITTLE_LEFT * coupled.value and not state.late:
        rng = np.random.default_rng(state.limits.seed)
        found = annealed(state.instance, state.incumbent, known, rng, lambda: state.late)
        if found.value > state.incumbent.value:
            state.incumbent = found


def _exchange_pairs(state: State, known: Choices, coupled: Coupled) -> None:
    """Improve the incumbent by two groups at a time, with the choices worth most."""
    _, once = np.unique(np.column_stack([known.group, known.load.round(9)]), axis=0, return_index=True)
    known = known.take(once)
    worth: FloatArray = worth_at(state.instance, state.groups, known, coupled.multipliers)
    known = known.take(np.lexsort((-worth, known.group)))
    place = np.arange(len(known.group)) - np.searchsorted(known.group, known.group)
    state.incumbent = improved(
        state.instance, state.incumbent, known.take(place < PAIRED), lambda: state.late, pairs=True
    )
