"""Decisions from prices that somebody expects: where UAVs stand follows from them, the rest is found from there.

Prices that hold for all placements rank these, see `placements`. For the best ones a bundle goes on to the prices of
the placement alone, in a tenth of a second with 24 users; the best of these is decided. All other placements are left
alone, so what is found has no bound. A node has one user a subcarrier, also where it might have more.
"""

from dataclasses import replace

import numpy as np

from ...instances.fields import FloatArray
from ...instances.slicing import Slicing
from ..result import Answer, Limits
from .cells import Cells, Rows
from .decomposition import FIRST_TRIED, NEXT, compile_kernels, most_promising
from .placements import Sky
from .rules import NOWHERE
from .scaling import scaled
from .state import State

NEAR_ENOUGH = 5e-3  # distance of a placement's decision to its bound, over that


def solve_zero_prices(instance: Slicing, limits: Limits) -> Answer:
    """Decide from prices of 0 for everything: what somebody who expects nothing comes to."""
    return decide_by_prices(instance, np.zeros(len(Rows.of(instance).most)), limits, FIRST_TRIED)


def decide_by_prices(instance: Slicing, point: FloatArray, limits: Limits, tried: int) -> Answer:
    """Decide from prices of users, budgets and places.

    Parameters
    ----------
    point : array, shape (users + nodes + stations,)
        See `Rows`; all at least 0.
    tried
        Placements whose own prices are sought.
    """
    compile_kernels()
    instance, factor = scaled(replace(instance, intra_cell_reuse=False))
    state = State(instance, limits, None)
    sky = Sky(instance, state.rows, state.late)
    if not len(sky.placements):
        return Answer(infeasible=True, reason=NOWHERE)
    nobody = Cells(instance, state.rows, sky.placements[0])
    state.begin(nobody.candidate)
    if (scale := nobody.scale()) > 0:
        most_promising(state, sky, point * factor, NEXT * scale, tried).improve(NEAR_ENOUGH)
    reason = "time limit reached, maybe before the prices were of use" if state.late() else None
    return Answer(state.decision, reason=reason, counters=state.counters)
