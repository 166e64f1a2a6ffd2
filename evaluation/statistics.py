"""Regret of policies, and what can be said of its mean from few seeds and instances."""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy import stats

from ..instances.fields import FloatArray

RESAMPLES = 2_000
CONFIDENCE = 0.95


def regret(value: float, reference: float, sense: Literal["minimise", "maximise"]) -> float | None:
    """How much worse a value is than a reference, relative to the reference; None when that is 0."""
    if reference == 0:
        return None
    return (value - reference if sense == "minimise" else reference - value) / abs(reference)


def iqm(values: FloatArray) -> float:
    """Interquartile mean: the mean of the middle half."""
    return float(stats.trim_mean(values, 0.25))


def interval(
    scores: FloatArray,
    strata: np.ndarray,
    statistic: Callable[[FloatArray], float],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """Stratified bootstrap interval (percentiles) of a statistic of instances crossed with seeds.

    A resample draws instances within each stratum, and seeds for all of them together: a trained network is one and the
    same on every instance. Few seeds make percentiles too narrow, so they lie as far out as Student's t at the degrees
    of freedom of both factors (Satterthwaite) asks for (Hesterberg 2015, "expanded" percentiles).

    Parameters
    ----------
    scores : array, shape (instances, seeds)
        One score a run.
    strata : array, shape (instances,)
        Group of each instance, such as its preset.
    statistic
        Of all scores of a resample, flat.
    rng
        Draws the resamples.
    resamples
        How many.

    Returns
    -------
    float, float
        NaN where no stratum has two instances: one instance says nothing of others.
    """
    groups = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    if all(len(group) < 2 for group in groups):
        return math.nan, math.nan
    drawn = np.empty(resamples)
    for k in range(resamples):
        rows = np.concatenate([rng.choice(group, len(group)) for group in groups])
        seeds = rng.integers(scores.shape[1], size=scores.shape[1])
        drawn[k] = statistic(scores[rows[:, None], seeds].ravel())
    tail = _tail(scores)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def mean_difference(one: FloatArray, other: FloatArray, strata: np.ndarray) -> tuple[float, float, float]:
    """How much more one comes to than another on the same instances, seed by seed, with a 95 % interval.

    Parameters
    ----------
    one, other : array, shape (instances, seeds)
        One score a run.
    strata : array, shape (instances,)
        Group of each instance.
    """
    more = one - other
    return float(more.mean()), *interval(more, strata, np.mean, np.random.default_rng(0))


def _tail(scores: FloatArray) -> float:
    """Share of resamples beyond each end of the interval."""
    sizes = np.array(scores.shape)
    means = scores.mean(1), scores.mean(0)
    squares = np.array([own.var(ddof=1) / len(own) if len(own) > 1 else 0.0 for own in means])
    if not squares.any():
        return (1 - CONFIDENCE) / 2
    freedom = squares.sum() ** 2 / (squares**2 / np.maximum(sizes - 1, 1)).sum()
    farther = math.sqrt((freedom + 1) / freedom) * stats.t.ppf((1 + CONFIDENCE) / 2, freedom)
    return float(stats.norm.sf(farther))
