"""Regret of policies, and what can be said of its mean from few seeds and instances."""

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
    """Stratified bootstrap interval (percentiles) of a statistic.

    Within each stratum instances are drawn with replacement, and of each drawn instance its seeds.

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
    """
    groups = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    drawn = np.empty(resamples)
    for k in range(resamples):
        rows = np.concatenate([rng.choice(group, len(group)) for group in groups])
        seeds = rng.integers(scores.shape[1], size=(len(rows), scores.shape[1]))
        drawn[k] = statistic(scores[rows[:, None], seeds].ravel())
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)
