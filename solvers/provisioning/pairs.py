"""The best pairs of LEO satellite and GEO relay for the users of a slot, with the bound that proves them.

What a pair earns hangs on the user only by the kind of its link to the satellite (see `rewards`). So users need not be
told apart behind a satellite: y[u, l] says that a user goes to a satellite, n[l, k, g] how many users with links of
kind k go on from it to a relay. With n fixed the rest is a flow, so only n can be fractional, and seldom is.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from ...formulations.provisioning.rewards import links, pair_values
from ...instances.fields import FloatArray, IntArray
from ...instances.provisioning import Provisioning
from ...instances.provisioning.instance import NONE
from ..linear_program import Arrays, LinearProgram

WHOLE = 1e-6  # by which a solution may miss integers


class Slot(NamedTuple):
    """What there is to connect in a slot.

    Attributes
    ----------
    kind : array, shape (users, leo)
        Of the users' links; -1 where there is none.
    value : array, shape (leo, kinds, geo)
        Reward of a user with a link of each kind.
    """

    kind: IntArray
    value: FloatArray


class Pairs(NamedTuple):
    """The best pairs.

    Attributes
    ----------
    pair : array, shape (users, 2)
        LEO satellite and GEO relay of each user, -1 for none.
    bound
        No pairs earn more.
    fractional
        Whether integers had to be branched on.
    """

    pair: IntArray
    bound: float
    fractional: bool


def slots_of(instance: Provisioning) -> Iterator[Slot]:
    """The slots of an instance."""
    known = links(instance, instance.information)
    kind = np.where(instance.covered, known.leo.kind, NONE)
    return map(Slot, kind, pair_values(instance, known))


def best_pairs(slot: Slot, leo_capacity: IntArray, geo_capacity: IntArray, gap: float) -> Pairs:
    """Solve the linear program of a slot, and the integer one where that is fractional."""
    satellites, kinds, relays = slot.value.shape
    user, leo = np.nonzero(slot.kind >= 0)
    group = leo * kinds + slot.kind[user, leo]  # users whose links to a satellite are of one kind
    value = slot.value.reshape(satellites * kinds, relays)
    source, geo = np.nonzero((value > 0) & np.isin(np.arange(len(value)), group)[:, None])
    useful = np.isin(group, source)
    user, group = user[useful], group[useful]
    if not len(user):
        return Pairs(np.full((len(slot.kind), 2), NONE), 0.0, False)
    program = _program((user, group), (source, geo), value[source, geo], slot, leo_capacity, geo_capacity)
    outcome = LinearProgram(program).solve()
    if outcome.x is None or outcome.row_dual is None:
        raise RuntimeError(f"the program of pairs was not solved: {outcome.reason}")
    x, bound = outcome.x, _dual_bound(program, np.maximum(outcome.row_dual, 0.0))
    fractional = bool(np.abs(x - x.round()).max() > WHOLE)
    if fractional:
        outcome = LinearProgram(replace(program, integer=np.ones(len(x), bool))).solve(gap=gap)
        if outcome.x is None or outcome.bound is None:
            raise RuntimeError(f"the program of pairs was not solved in integers: {outcome.reason}")
        x, bound = outcome.x, min(bound, outcome.bound)
    taken = x.round().astype(int)
    coming, going = taken[: len(user)] > 0, taken[len(user) :]
    pair = _matched(user[coming], group[coming], np.repeat(source, going), np.repeat(geo, going), slot)
    return Pairs(pair, bound, fractional)


def _program(
    ways: tuple[IntArray, IntArray],
    onward: tuple[IntArray, IntArray],
    earned: FloatArray,
    slot: Slot,
    leo_capacity: IntArray,
    geo_capacity: IntArray,
) -> Arrays:
    """Rows: one way a user; no more go on from a group than come; capacities of satellites, of relays."""
    users, kinds = len(slot.kind), slot.value.shape[1]
    (user, group), (source, geo) = ways, onward
    limits = np.ones(users), np.zeros(len(leo_capacity) * kinds), leo_capacity, geo_capacity
    groups, leo, relays = np.cumsum([len(limit) for limit in limits])[:-1]
    coming, going = np.arange(len(user)), len(user) + np.arange(len(source))
    entries = (
        (user, coming, 1.0),
        (groups + group, coming, -1.0),
        (groups + source, going, 1.0),
        (leo + source // kinds, going, 1.0),
        (relays + geo, going, 1.0),
    )
    row, column = (np.concatenate([entry[k] for entry in entries]) for k in (0, 1))
    value = np.concatenate([np.full(len(entry[0]), entry[2]) for entry in entries])
    upper = np.concatenate(limits).astype(float)
    columns = len(user) + len(source)
    return Arrays(
        cost=np.concatenate([np.zeros(len(user)), earned]),
        lower=np.zeros(columns),
        upper=np.concatenate([np.ones(len(user)), np.full(len(source), float(users))]),
        integer=np.zeros(columns, bool),
        matrix=sp.csc_array((value, (row, column)), shape=(len(upper), columns)),
        row_lower=np.full(len(upper), -np.inf),
        row_upper=upper,
        maximise=True,
    )


def _dual_bound(program: Arrays, price: FloatArray) -> float:
    """What weak duality proves at these prices of the rows, however they were found."""
    reduced = program.cost - program.matrix.T @ price
    return float(price @ program.row_upper + np.maximum(reduced, 0.0) @ program.upper)


def _matched(user: IntArray, group: IntArray, source: IntArray, geo: IntArray, slot: Slot) -> IntArray:
    """Users of each group to the places that go on from it; which user takes which makes no difference."""
    pair = np.full((len(slot.kind), 2), NONE)
    for k in np.unique(source):
        relays = geo[source == k]
        pair[user[group == k][: len(relays)]] = np.stack([np.full(len(relays), k // slot.value.shape[1]), relays], 1)
    return pair
