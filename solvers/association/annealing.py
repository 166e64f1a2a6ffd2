"""Simulated annealing of the incumbent over known choices: one or two groups take others, by chance worse ones."""

import math
from collections.abc import Callable

import numpy as np

from ...instances.association import Association
from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray
from .incumbents import Incumbent, Prices, gain
from .slot_choices import Choices

PAIRS = 0.7  # share of moves of two groups
BLOCKS = 200  # temperatures
WORK = 7_500_000  # of a temperature: at most so many moves times groups times stations,
TRIES = 100  # and so many moves a known choice
HOTTEST, COLDEST = 1e-3, 2e-6  # temperatures, as shares of the incumbent's value
TINY = 1e-12


def annealed(
    instance: Association,
    incumbent: Incumbent,
    choices: Choices,
    rng: np.random.Generator,
    late: Callable[[], bool],
) -> Incumbent:
    """The best solution met; a move takes O(groups stations).

    Parameters
    ----------
    choices
        Known ones, ordered by group, at least one of each; the incumbent's own need not be among them.
    late
        Whether time is up; asked at every temperature.
    """
    first = np.searchsorted(choices.group, np.arange(len(incumbent.load) + 1))
    prices = instance.utility_weight, instance.price_weight, instance.capacity
    load, row = incumbent.load.copy(), np.full(len(incumbent.load), -1)
    best_load, best_row, best = load.copy(), row.copy(), incumbent.value
    cooling = (COLDEST / HOTTEST) ** (1 / BLOCKS)
    moves = min(max(1, WORK // load.size), TRIES * len(choices.group))
    one = instance.utility_weight * float(choices.load.sum(1).max(initial=0.0))
    temperature = HOTTEST * max(abs(incumbent.value), one, TINY)
    for _ in range(BLOCKS):
        if late():
            break
        lots = rng.random((moves, 6))
        best = _block(load, row, first, choices.load, prices, lots, temperature, best_load, best_row, best)
        temperature *= cooling
    pattern = np.where((best_row >= 0)[:, None], choices.pattern[best_row], incumbent.pattern)
    return Incumbent(best, best_load, pattern)


@compiled
def _block(
    load: FloatArray,
    row: IntArray,
    first: IntArray,
    choices: FloatArray,
    prices: Prices,
    lots: FloatArray,
    temperature: float,
    best_load: FloatArray,
    best_row: IntArray,
    best: float,
) -> float:
    """Moves at one temperature; the best value met, with its loads and rows filled in."""
    groups = len(load)
    value = gain(load, 0, groups, prices[2].copy(), prices)
    picked, before, own = np.zeros(2, np.int64), np.zeros(2, np.int64), np.empty((2, load.shape[1]))
    for k in range(len(lots)):
        moved = 2 if lots[k, 0] < PAIRS else 1
        for m in range(moved):
            g = int(lots[k, 1 + m] * groups)
            picked[m], before[m], own[m] = g, row[g], load[g]
            row[g] = first[g] + int(lots[k, 3 + m] * (first[g + 1] - first[g]))
            load[g] = choices[row[g]]
        new = gain(load, 0, groups, prices[2].copy(), prices)
        if new >= value or lots[k, 5] < math.exp((new - value) / temperature):
            value = new
            if value > best:
                best = value
                best_load[:], best_row[:] = load, row
        else:
            for m in range(moved - 1, -1, -1):
                row[picked[m]], load[picked[m]] = before[m], own[m]
    return best
