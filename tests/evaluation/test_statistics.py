"""Regret and its intervals."""

import numpy as np
import pytest
from skybound.evaluation.statistics import interval, iqm, mean_difference, regret


def test_regret_is_worse_than_the_reference_whatever_the_sense():
    assert regret(12, 10, "minimise") == pytest.approx(0.2)
    assert regret(8, 10, "maximise") == pytest.approx(0.2)
    assert regret(-8, -10, "minimise") == pytest.approx(0.2)
    assert regret(-12, -10, "maximise") == pytest.approx(0.2)
    assert regret(1, 0, "minimise") is None


def test_iqm_is_the_mean_of_the_middle_half():
    assert iqm(np.array([100.0, 1, 2, 3, 4, -50, 2, 3])) == pytest.approx(2.5)


def test_the_interval_covers_the_mean_as_often_as_it_says():
    """Of 200 samples of 40 instances, some 95 % of the intervals hold the true mean 1."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        scores = rng.exponential(1.0, (40, 1))
        low, high = interval(scores, np.zeros(40), np.mean, rng, resamples=300)
        covered += low <= 1 <= high
    assert 0.85 * 200 <= covered <= 0.99 * 200


def test_a_seed_is_the_same_on_all_instances():
    """With five networks that differ and 40 instances that do not, some 95 % of the intervals hold the true mean."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        scores = rng.normal(1.0, 1.0, 5) + rng.normal(0.0, 0.1, (40, 5))
        low, high = interval(scores, np.zeros(40), np.mean, rng, resamples=1000)
        covered += low <= 1 <= high
    assert 0.9 * 200 <= covered <= 0.99 * 200


def test_strata_keep_their_sizes():
    """Groups that are constant leave nothing to chance, however different they are."""
    scores = np.array([[0.0], [0.0], [10.0]])
    assert interval(scores, np.array([0, 0, 1]), np.mean, np.random.default_rng(0)) == pytest.approx((10 / 3, 10 / 3))


def test_seeds_of_an_instance_are_drawn_too():
    """Two instances alike: what varies is the seed. Of one instance alone nothing is said."""
    scores = np.array([[0.0, 10.0], [0.0, 10.0]])
    assert interval(scores, np.array(["a", "a"]), np.mean, np.random.default_rng(0)) == (0.0, 10.0)
    for strata in (["a"], ["a", "b"]):
        ends = interval(scores[: len(strata)], np.array(strata), np.mean, np.random.default_rng(0))
        assert np.isnan(ends).all()


def test_what_is_the_same_on_both_sides_is_no_difference():
    """Instances differ by far more than the two; by how much these differ is certain all the same."""
    one = np.arange(12.0).reshape(4, 3) ** 2
    assert mean_difference(one + 0.5, one, np.zeros(4)) == pytest.approx((0.5, 0.5, 0.5))
