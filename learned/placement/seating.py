"""The one rule by which simultaneous choices become a placement."""

import dataclasses

import numpy as np

from ...instances.fields import BoolArray, FloatArray, IntArray
from ...solvers.placement.batch import Costs, Partial


def seat(costs: Costs, choice: IntArray) -> IntArray:
    """Seat users in the order of their index, each on the host of its choice as long as that is offered.

    A host is offered when it has a place and everybody left can still be hosted; a user whose choice is not takes the
    offered host by which the total delay grows least. Choices that fit together stay as they are.

    Parameters
    ----------
    choice
        Host chosen by each user, shape (B, users); any numbers from 0 to H - 1.

    Returns
    -------
    Host of each user, shape (B, users).

    Raises
    ------
    ValueError
        When an instance has no placement at all.
    """
    wrong = np.flatnonzero(~_fits(costs, choice))
    host = choice.copy()
    if len(wrong):
        host[wrong] = _seat_in_turn(take(costs, wrong), choice[wrong])
    return host


def take(costs: Costs, rows: IntArray) -> Costs:
    """Some of the instances of a batch; an instance may be taken more than once."""
    return dataclasses.replace(
        costs,
        fixed_s=costs.fixed_s[rows],
        load=costs.load[rows],
        speed_cps=costs.speed_cps[rows],
        places=costs.places[rows],
    )


def _fits(costs: Costs, choice: IntArray) -> BoolArray:
    """Which joint choices are placements, shape (B,)."""
    count = (choice[:, :, None] == np.arange(costs.shape[2])).sum(1)
    fixed = np.take_along_axis(costs.fixed_s, choice[:, :, None], 2)
    fits: BoolArray = (count <= costs.places).all(1) & np.isfinite(fixed).all((1, 2))
    return fits


def _seat_in_turn(costs: Costs, choice: IntArray) -> IntArray:
    partial = Partial(costs)
    if not partial.feasible.all():
        raise ValueError("an instance without any placement cannot be seated")
    rows = np.arange(len(choice))
    for user in range(costs.shape[1]):
        offered = partial.offered()[:, user]
        host = choice[:, user].copy()
        refused = np.flatnonzero(~offered[rows, host])
        if len(refused):
            host[refused] = np.where(offered[refused], _growth_s(partial, user, refused), np.inf).argmin(1)
        partial.place(np.full(len(rows), user), host)
    return partial.host


def _growth_s(partial: Partial, user: int, rows: IntArray) -> FloatArray:
    """What the total delay grows by when this user takes a host (s), shape (len(rows), H)."""
    costs, count, load = partial.costs, partial.count[rows], partial.load[rows]
    growth: FloatArray = costs.fixed_s[rows, user]
    some = take(costs, rows)
    growth[:, 1:-1] += some.compute_s(count + 1, load + some.load[:, user, None]) - some.compute_s(count, load)
    return growth
