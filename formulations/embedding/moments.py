"""Moments at which capacities have to be looked at: between them nothing more is active."""

import numpy as np

from ...instances.embedding import VirtualNetworks
from ...instances.fields import IntArray


def maximal_sets(instance: VirtualNetworks) -> list[IntArray]:
    """Requests that are active together, no set within another; each by number."""
    arrival = np.array([request.arrival for request in instance.requests])
    departure = np.array([request.departure for request in instance.requests])
    found: list[IntArray] = []
    for moment in np.unique(arrival):
        active = np.flatnonzero((arrival <= moment) & (moment < departure))
        if found and np.isin(found[-1], active).all():
            found.pop()  # nothing has departed since
        found.append(active)
    return found
