"""What the paper's methods are rewarded with, named transforms of what has been embedded; never used to evaluate."""

from collections.abc import Callable

import numpy as np

from ...instances.fields import BoolArray, FloatArray


def ratio(accepted: BoolArray, revenue: FloatArray, cost: FloatArray, arrival: FloatArray) -> FloatArray:
    """Revenue over cost of each request, 0 of one that is not embedded; arrays (B, R)."""
    return np.where(accepted, revenue / np.where(accepted, cost, 1.0), 0.0)


def joint(accepted: BoolArray, revenue: FloatArray, cost: FloatArray, arrival: FloatArray) -> FloatArray:
    """O of all requests until each (equation 14): revenue by time, over cost, and the share that is accepted."""
    gained, paid = (np.cumsum(np.where(accepted, value, 0.0), 1) for value in (revenue, cost))
    taken, met = np.cumsum(accepted, 1), np.arange(1, accepted.shape[1] + 1)
    by_time = np.divide(gained, arrival, out=np.zeros(gained.shape), where=arrival > 0)
    return np.asarray(by_time + np.divide(gained, paid, out=np.zeros(gained.shape), where=paid > 0) + taken / met)


REWARDS: dict[str, Callable[[BoolArray, FloatArray, FloatArray, FloatArray], FloatArray]] = {
    "ratio": ratio,
    "joint": joint,
}
