"""Even sharing at given counts: with n_j users on device j all costs are constant, the rest is a transport problem."""

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray
from ..transport import transport

Seating = tuple[IntArray, FloatArray, FloatArray, float, float]


@compiled
def seat_at_counts(fixed_s: FloatArray, alone_s: FloatArray, count: IntArray, cloud_places: int) -> Seating:
    """The best placement when device j is as slow as with `count[j]` users, and takes at most these.

    Its value bounds every placement with exactly these counts from below, and its own placement costs no more.

    Parameters
    ----------
    fixed_s : array, shape (users, H)
        Delay that does not depend on counts (s).
    alone_s : array, shape (users, devices)
        Computing delay with all of the device (s).
    count : array, shape (devices,)

    Returns
    -------
    As `transport`.
    """
    users, devices = alone_s.shape
    cost = fixed_s.copy()
    cost[:, 1:-1] += count * alone_s
    places = np.empty(devices + 2, np.int64)
    places[0], places[1:-1], places[-1] = users, count, cloud_places
    return transport(cost, places)


@compiled
def counts_of(host: IntArray, devices: int) -> IntArray:
    """Users of each device."""
    count = np.zeros(devices, np.int64)
    for at in host:
        if 0 < at <= devices:
            count[at - 1] += 1
    return count


@compiled
def total_s(fixed_s: FloatArray, alone_s: FloatArray, host: IntArray) -> float:
    """Total delay of a placement (s)."""
    users, devices = alone_s.shape
    count = counts_of(host, devices)
    total = 0.0
    for i in range(users):
        total += fixed_s[i, host[i]]
        if 0 < host[i] <= devices:
            total += count[host[i] - 1] * alone_s[i, host[i] - 1]
    return total


@compiled
def descend_counts(
    fixed_s: FloatArray, alone_s: FloatArray, most: IntArray, cloud_places: int, swaps: bool
) -> tuple[IntArray, Seating]:
    """Change one device's count by one (and, with `swaps`, one up and another down) while that helps.

    Begins at the largest counts, `most`. Returns the counts and their seating.
    """
    devices = len(most)
    count = most.copy()
    best = seat_at_counts(fixed_s, alone_s, count, cloud_places)
    if best[3] == np.inf:
        return count, best
    count = counts_of(best[0], devices)
    best = seat_at_counts(fixed_s, alone_s, count, cloud_places)
    improved = True
    while improved:
        improved = False
        for j in range(devices):
            for step in (-1, 1):
                while 0 <= count[j] + step <= most[j]:
                    count[j] += step
                    found = seat_at_counts(fixed_s, alone_s, count, cloud_places)
                    if found[3] < best[3] * (1 - 1e-12):
                        best, improved = found, True
                    else:
                        count[j] -= step
                        break
        if improved or not swaps:
            continue
        for j in range(devices):
            for k in range(devices):
                if j == k or count[j] == 0 or count[k] == most[k]:
                    continue
                count[j] -= 1
                count[k] += 1
                found = seat_at_counts(fixed_s, alone_s, count, cloud_places)
                if found[3] < best[3] * (1 - 1e-12):
                    best, improved = found, True
                else:
                    count[j] += 1
                    count[k] -= 1
    return count, best
