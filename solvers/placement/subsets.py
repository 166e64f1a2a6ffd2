"""The cheapest set of users for a device that shares optimally: min sum a_i + (sum s_i)^2 / F over at most N users.

Supermodular, so no greedy rule is exact; it is solved by branch and bound. For any t, T^2 >= 2 t T - t^2, so a set with
T = sum s_i costs at least -t^2 / F + sum (a_i + 2 t s_i / F), which is minimised by taking the most negative terms.
Several t around the best one bound every partial set through a table over suffixes and free places.
"""

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray

GRID = np.array([1.0, 0.97, 1.03, 0.9, 1.1, 0.75, 1.25])  # multiples of the best t
BISECTIONS = 25


@compiled
def cheapest_sets(
    a: FloatArray, s: FloatArray, speed: float, most: int, found: IntArray, value: FloatArray, size: IntArray
) -> tuple[int, float]:
    """Depth-first search for ever cheaper sets.

    Parameters
    ----------
    a : array, shape (K,)
        What a user costs by itself; may be negative.
    s : array, shape (K,)
        Root of the user's work, s_i.
    speed
        F, in the unit of s squared per unit of a.
    most
        N, at least 1.
    found : array, shape (R, N); value, size : array, shape (R,)
        Get the sets, each cheaper than all before it, their values and sizes.

    Returns
    -------
    number
        Sets found; R at most, then only `best` goes on improving.
    best
        Value of the cheapest set; 0 for the empty one, which is not stored.
    """
    users = len(a)
    target = _best_target(a, s, speed, most)
    order = np.argsort(a + 2 * target * s / speed)
    a, s = a[order], s[order]
    targets = target * GRID
    table = _suffix_bounds(a, s, speed, most, targets)
    best, number = 0.0, 0
    chosen = np.full(most + 1, -1)
    sum_a, sum_s = np.zeros(most + 1), np.zeros(most + 1)
    depth, k, left_out = 0, 0, False
    while True:
        enter = k < users and depth < most
        if enter and left_out and a[k] == a[k - 1] and s[k] == s[k - 1]:
            k += 1  # a twin of the user just left out adds nothing new
            continue
        if enter:
            for g in range(len(targets)):
                partial = sum_a[depth] + (2 * sum_s[depth] - targets[g]) * targets[g] / speed
                if partial + table[g, k, most - depth] >= best:
                    enter = False
                    break
        if enter:
            sum_a[depth + 1], sum_s[depth + 1] = sum_a[depth] + a[k], sum_s[depth] + s[k]
            chosen[depth] = k
            depth += 1
            cost = sum_a[depth] + sum_s[depth] ** 2 / speed
            if cost < best:
                best = cost
                if number < len(value):
                    found[number, :depth] = order[chosen[:depth]]
                    value[number], size[number] = cost, depth
                    number += 1
            k, left_out = k + 1, False
        elif depth == 0:
            return number, best
        else:
            depth -= 1
            k, left_out = chosen[depth] + 1, True


@compiled
def _best_target(a: FloatArray, s: FloatArray, speed: float, most: int) -> float:
    """The t of the best relaxed bound: where the relaxed set's sum of s crosses t."""
    low, high = 0.0, float(s.sum())
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        relaxed = a + 2 * middle * s / speed
        total = 0.0
        for k in np.argsort(relaxed)[:most]:
            if relaxed[k] < 0:
                total += s[k]
        if total > middle:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@compiled
def _suffix_bounds(a: FloatArray, s: FloatArray, speed: float, most: int, targets: FloatArray) -> FloatArray:
    """Sum of the r most negative relaxed terms among users k.., shape (targets, K + 1, most + 1)."""
    users = len(a)
    table = np.zeros((len(targets), users + 1, most + 1))
    least = np.empty(most)
    for g in range(len(targets)):
        count = 0
        for k in range(users - 1, -1, -1):
            term = a[k] + 2 * targets[g] * s[k] / speed
            if term < 0 and (count < most or term < least[count - 1]):
                at = min(count, most - 1)
                while at > 0 and least[at - 1] > term:
                    least[at] = least[at - 1]
                    at -= 1
                least[at] = term
                count = min(count + 1, most)
            total = 0.0
            for r in range(1, most + 1):
                if r <= count:
                    total += least[r - 1]
                table[g, k, r] = total
    return table
