"""Better powers of links that are chosen."""

from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.slicing.referee import judge
from skybound.instances.slicing.presets import generate
from skybound.solvers.result import Limits
from skybound.solvers.slicing.cells import Cells, Goals, Pattern
from skybound.solvers.slicing.placements import placements
from skybound.solvers.slicing.polishing import affordable, polished, prices_among
from skybound.solvers.slicing.state import State


def of(instance):
    """Cells of the first placement."""
    state = State(instance, Limits(), None)
    return Cells(instance, state.rows, placements(instance)[0])


def pattern(cell, users, nodes, share):
    """Links at some powers, of which any may be."""
    none = np.zeros(len(share))
    return Pattern(cell, users, nodes, share, 0.0, np.zeros(0), 0.0, none, none + 1)


def patterns(cells, layer, served):
    """Links of a layer, one a pattern, that share their budget equally: pairs of user and subcarrier at node 0."""
    share = np.full(1, 1.0 / len(served))
    cell = {n: (layer, first) for (own, first), alike in cells.alike.items() if own == layer for n in alike}
    return [
        Pattern(cell[n], np.array([k]), np.zeros(1, np.int64), share, 0.0, np.zeros(0), 0.0, 0 * share, share**0)
        for k, n in served
    ]


def test_water_filling():
    """H users of one node on subcarriers of their own: where there is power, 1 / SNR + share is the same."""
    instance = generate("fixed-24", 0)
    cells, users = of(instance), [k for k, letter in enumerate(instance.slices) if letter == "H"][:4]
    taken = patterns(cells, 0, list(zip(users, range(4), strict=True)))
    found = polished(cells, taken, None)
    share = np.array([own.share[0] for own in found])
    snr = np.array([cells.layers[0].snr[own.cell[1], own.users[0], 0] for own in found])
    level = 1 / snr + share
    assert share.sum() == pytest.approx(1, abs=1e-6)
    assert np.ptp(level[share > 1e-4]) < 1e-4 * level.max()
    assert (level[share <= 1e-4] >= level[share > 1e-4].max() - 1e-6).all()


@pytest.mark.parametrize("seed", range(5))
def test_never_worse_and_always_feasible(seed):
    """Equal powers of random users at both stations, C users covered before among them."""
    instance = replace(generate("fixed-24", seed), sinr_threshold=1e-3)
    cells, rng = of(instance), np.random.default_rng(seed)
    users = rng.permutation(24)[:12]
    both = []
    for n, pair in enumerate(users.reshape(6, 2)):
        share = np.full(2, 1 / 6)
        both.append(pattern((0, n), pair, np.arange(2), share))
    before = judge(instance, cells.decision(both))
    after = judge(instance, cells.decision(polished(cells, both, None)))
    assert before.feasible
    assert after.feasible
    assert after.objective >= before.objective - 1e-9


def test_goals_are_kept():
    """Delays must stay as low as with equal powers, which is not what is best without goals."""
    instance = generate("fixed-24", 0)
    of_kind = {letter: [k for k, own in enumerate(instance.slices) if own == letter] for letter in "LH"}
    served = list(zip(of_kind["L"][:2] + of_kind["H"][:2], range(4), strict=True))
    state = State(instance, Limits(), Goals(0, 0.0))
    cells = Cells(instance, state.rows, placements(instance)[0])

    def saved_s(taken):
        verdict = judge(instance, cells.decision(taken))
        return instance.slices.count("L") * (instance.delay_cap_s - verdict.parts["delay_s"])

    equal = patterns(cells, 0, served)
    free = polished(cells, equal, Goals(0, 0.0))
    kept = polished(cells, equal, Goals(0, saved_s(equal)))
    values = [judge(instance, cells.decision(own)).objective for own in (equal, kept, free)]
    assert saved_s(free) < saved_s(equal) - 1e-6
    assert saved_s(kept) >= saved_s(equal) * (1 - 1e-6)
    assert values[0] < values[1] < values[2]


def test_prices_among_links_that_share_a_node():
    """Two links of a node on a subcarrier draw on one budget; with the prices' powers it is kept to."""
    instance = replace(generate("fixed-24", 0), intra_cell_reuse=True, sinr_threshold=0.1)
    cells = of(instance)
    users = np.array([k for k, letter in enumerate(instance.slices) if letter == "H"][:2])
    pair = Pattern(
        (0, 0), users, np.zeros(2, np.int64), np.full(2, 0.5), 0.0, np.zeros(0), 0.0, np.zeros(2), np.ones(2)
    )
    start = np.zeros(len(cells.rows.most))
    start[cells.rows.users : cells.rows.places] = 0.1
    point = prices_among(cells, [pair], start, 1e-6)
    assert (point >= 0).all()
    assert not point[: cells.rows.users].any()
    (found,) = affordable(cells, [pair], point, 1e-9)
    assert found.share.sum() <= 1
    assert judge(instance, cells.decision([found])).feasible
