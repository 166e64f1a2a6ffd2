"""Bounds on groups that see too many satellites to try all patterns.

Without interference a group's links are an assignment of satellites to channels of stations, so at the chords' slopes
(see `slot_choices`) its value bounds what any choice is worth.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from ...instances.fields import FloatArray
from .groups import Groups, Relaxed
from .storage_price import least_rests
from .terms import Terms


def bounds(relaxed: list[Relaxed], groups: Groups, terms: Terms, channels: int) -> tuple[FloatArray, FloatArray]:
    """What each relaxed group's best choice is worth at most, (relaxed groups,), and the loads there, (…, stations)."""
    own = np.array([one.group for one in relaxed])
    t = groups.slot[own]
    largest = np.minimum(groups.most[own], terms.high[t])
    rest = least_rests(largest, terms.low[t], terms.high[t], terms.shift)
    worth = terms.value[t] * largest - terms.weight[t] * rest
    slope = np.divide(worth, largest, out=np.zeros(worth.shape), where=largest > 0)
    load = np.array([_assigned(one, s, channels) for one, s in zip(relaxed, slope, strict=True)])
    return np.asarray((slope * load).sum(1)), load


def _assigned(relaxed: Relaxed, slope: FloatArray, channels: int) -> FloatArray:
    """The loads, shape (stations,), of the assignment of satellites to channels of largest slope times data."""
    load = np.zeros(len(slope))
    paying = relaxed.station[slope[relaxed.station] > 0]
    data = relaxed.data[:, slope[relaxed.station] > 0]
    if len(paying) == 1 and data.shape[2] == 1:
        load[paying] = np.sort(data[:, 0, 0])[-channels:].sum()
    elif len(paying):
        columns = np.repeat(data, channels if data.shape[2] == 1 else 1, 2).reshape(len(data), -1)
        station = np.repeat(paying, channels)
        satellite, column = linear_sum_assignment(columns * slope[station], maximize=True)
        np.add.at(load, station[column], columns[satellite, column])
    return load
