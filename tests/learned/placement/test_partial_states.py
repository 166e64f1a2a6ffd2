"""What is offered in the middle of a placement."""

import numpy as np
from skybound.instances.placement.presets import generate
from skybound.learned.placement.features import possible
from skybound.learned.placement.partial_states import _by_placing, counting_tells, offered_to, some_left
from skybound.solvers.placement.batch import Costs, Partial


def test_counting_offers_what_augmenting_paths_offer():
    """On congested worlds, for any number of users placed at random."""
    rng, short = np.random.default_rng(0), 0
    for preset in ("congested", "congested-40", "congested-optimal"):
        costs = Costs.of([generate(preset, seed) for seed in range(30)])
        homeless = int(costs.places[0, 1:].sum()) - 1  # so many that all places but one are theirs
        costs.fixed_s[:15, :homeless, 0], costs.fixed_s[:15, homeless:, 0] = np.inf, 1.0
        able = possible(costs)
        assert counting_tells(able).all()
        host = placed_at_random(costs, rng)
        left = some_left(rng.random(host.shape), 1.0, rng)
        offered = offered_to(costs, host, left)
        assert (offered == _by_placing(costs, able, host, left)).all()
        assert not offered[~left].any()
        short += (offered != (able & left[:, :, None])).any((1, 2)).sum()
    assert short > 20


def test_where_counting_does_not_tell_it_is_not_used(feasible):
    """Against the mask of a placement built user by user."""
    rng, uncounted = np.random.default_rng(0), 0
    for instance in feasible(150):
        costs = Costs.of([instance])
        host = placed_at_random(costs, rng)
        left = rng.random(host.shape) < 0.5
        partial = Partial(costs)
        for user in np.flatnonzero(~left[0]):
            partial.place(np.array([user]), host[:, user])
        assert (offered_to(costs, host, left) == partial.offered()).all()
        uncounted += not counting_tells(possible(costs))[0]
    assert uncounted > 30


def placed_at_random(costs: Costs, rng: np.random.Generator) -> np.ndarray:
    partial = Partial(costs)
    rows = np.arange(costs.shape[0])
    for user in rng.permutation(costs.shape[1]):
        lots = np.where(partial.offered()[:, user], rng.random((len(rows), costs.shape[2])), -1.0)
        partial.place(np.full(len(rows), user), lots.argmax(1))
    return partial.host


def test_any_number_of_users_is_left_and_the_sure_ones_are_placed():
    rng = np.random.default_rng(0)
    confidence = np.tile(np.linspace(0, 1, 10), (2000, 1))
    left = some_left(confidence, 0.5, rng)
    assert np.unique(left.sum(1)).tolist() == list(range(1, 11))
    share = left.mean(0)
    assert share[0] > 0.9
    assert share[-1] < 0.3
