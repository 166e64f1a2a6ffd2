"""Association to proven optimality: price, narrow the storage, list what is left, and search its sequences.

1. Groups touch each other through the stations' storage alone, so one price a station bounds the optimum
   (`station_prices`); pricing a group is a search over tables of subsets of its satellites (`slot_choices`).
2. The bound and the incumbent narrow what each station can have stored before each slot, which sharpens the bound.
3. Where that stops at a gap, a price a slot and station with the stations' exact trajectories bounds more sharply
   (`following`).
4. When the gap is small, all choices within it are listed, and the same goes on with the lists alone; the sequences of
   what is left are searched with the past paid exactly (`listed`).
"""

import time

import numpy as np

from ...instances.association import Association
from ...instances.fields import FloatArray
from ..reductions import in_reduced_units
from ..result import Answer, Limits
from .following import follow
from .groups import Groups, decision
from .listed import finish, list_within
from .slot_choices import joined
from .state import LITTLE, State, Storage
from .station_prices import Bound, least_bound, tightened
from .terms import Terms

LISTED_GAP = 1e-3  # relative gap from which listing is tried
FAR = 0.01  # relative gap from which station prices are not worth another round
NEAREST = 2e-6  # relative distance to the least bound
FACTORS = (0.5, 0.75, 0.9, 0.97, 1.03, 1.1, 1.3, 2.0)  # prices tried beside the best ones, over these


@in_reduced_units
def solve_decomposition(instance: Association, limits: Limits) -> Answer:
    """Solve by station prices, trajectories, and lists of choices and their sequences."""
    began = time.perf_counter()
    groups, relaxed = Groups.reduced(instance)
    if not len(groups.slot):
        return Answer(decision(groups, np.zeros((0, instance.channels), np.int64)), objective=0.0, bound=0.0)
    state = State(instance, groups, limits, began, relaxed)
    _solve(state)
    return state.answer()


def _solve(state: State) -> None:
    """Go through the steps until the gap is closed or time is up."""
    storage, stuck = state.anywhere(), False
    while not state.closed and not state.late:
        bound = _priced(state, storage)
        if state.closed or state.late:
            break
        lists = None
        if not state.relaxed and (stuck or state.slack(bound.value) <= LISTED_GAP * abs(state.incumbent.value)):
            lists = list_within(state, _terms(state, bound.price, storage), bound.groups.value, bound.value)
        if lists is None and stuck:
            lists = follow(state)
        if lists is not None:
            finish(state, lists)
        if lists is not None or stuck:
            break
        width = state.width
        _narrow(state, bound, storage)
        far = state.gap > FAR
        stuck = state.counters["rounds"] > (1 if far else 2) and (far or state.width > (1 - LITTLE) * width)
        storage = state.storage()


def _terms(state: State, price: FloatArray, storage: Storage) -> Terms:
    value = np.tile(state.instance.utility_weight - price, (state.instance.slots, 1))
    return Terms(value, np.full(value.shape, state.instance.price_weight), *storage)


def _priced(state: State, storage: Storage) -> Bound:
    """The least bound, and an incumbent from the choices met on the way."""
    state.counters["rounds"] += 1
    bound, met = least_bound(
        state.price,
        lambda price: state.best(_terms(state, price, storage)),
        state.stations(storage.shift),
        NEAREST,
        lambda: state.late,
    )
    state.price = bound.price
    state.offer(bound.groups.choices, joined(met))
    state.bounded(bound.value)
    return bound


def _narrow(state: State, bound: Bound, storage: Storage) -> None:
    narrower = tightened(
        state.stored,
        bound,
        state.target,
        state.groups.slot,
        lambda price: state.best(_terms(state, price, storage)).value,
        state.stations(storage.shift),
        FACTORS,
        lambda: state.late,
    )
    state.stored = narrower.consistent(np.zeros(state.most.shape), state.most)
