"""Links that share a subcarrier, and the powers of covered users, which follow from those of the others."""

from typing import NamedTuple

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray

NEARLY = 1e-12  # a pivot that is no more is rounding


class Links(NamedTuple):
    """Links on one subcarrier, with prices.

    Attributes
    ----------
    kind : array, shape (links,)
    worth, spare, sent, waiting, arriving : array, shape (links,)
        See `Laws`.
    least : array, shape (links,)
        Least rate of L users.
    own : array, shape (links,)
        SNR at all of the budget.
    heard : array, shape (links, links)
        What a link hears of another one at all of its budget, over the noise.
    price : array, shape (links,)
        Of all of the budget.
    threshold
        SINR from which C users are covered.
    """

    kind: IntArray
    worth: FloatArray
    spare: FloatArray
    sent: FloatArray
    waiting: FloatArray
    arriving: FloatArray
    least: FloatArray
    own: FloatArray
    heard: FloatArray
    price: FloatArray
    threshold: float


@compiled
def covering(links: Links, cover: IntArray, rest: IntArray) -> tuple[bool, FloatArray]:
    """Powers of covered links, shape (covered, 1 + rest): a constant and factors of the others; False: they cannot."""
    count = len(cover)
    system = np.zeros((count, count))
    powers = np.zeros((count, 1 + len(rest)))
    for a in range(count):
        i = cover[a]
        system[a, a] = 1.0
        if links.threshold <= 0:
            continue
        if links.own[i] <= 0:
            return False, powers
        ratio = links.threshold / links.own[i]
        powers[a, 0] = ratio
        for b in range(count):
            if b != a:
                system[a, b] = -ratio * links.heard[i, cover[b]]
        for b in range(len(rest)):
            powers[a, 1 + b] = ratio * links.heard[i, rest[b]]
    for a in range(count):  # positive pivots mean a nonnegative inverse
        if system[a, a] <= NEARLY:
            return False, powers
        for b in range(count):
            if b != a:
                factor = system[b, a] / system[a, a]
                system[b] -= factor * system[a]
                powers[b] -= factor * powers[a]
    for a in range(count):
        powers[a] /= system[a, a]
    return True, powers


@compiled
def within(cover_powers: FloatArray, at: FloatArray) -> bool:
    """Whether covered links keep to their budgets at some powers of the others."""
    for a in range(len(cover_powers)):
        power = cover_powers[a, 0]
        for b in range(len(at)):
            power += cover_powers[a, 1 + b] * at[b]
        if power > 1:
            return False
    return True
