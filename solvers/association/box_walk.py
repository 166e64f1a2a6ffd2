"""A walk through the choices of a group whose loads are in a box, as far as the chords over the box leave them."""

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import FloatArray, IntArray
from .subset_tables import single_channels, suffixes
from .terms import Terms, chords, worth_of


@compiled
def walk(
    load: FloatArray,
    bucket: IntArray,
    box: tuple[FloatArray, FloatArray],
    terms: Terms,
    least: float,
    only_best: bool,
    most_steps: int,
    found_load: FloatArray,
    found_pattern: IntArray,
) -> tuple[int, float]:
    """Find the choices in a box worth at least `least`, or only the best of those worth more.

    Returns how many there are, or -1 when it takes too long, and the last one's worth. As many are kept as there is
    room for. Where channels are alike, their masks fall from one to the next, so that each choice is met once.
    """
    slope = np.empty(load.shape[2])
    at_nothing = chords(box[0], box[1], terms, slope)
    kinds, _, stations = load.shape
    channels = found_pattern.shape[1]
    worth = np.zeros(load.shape[:2])
    exact = np.full((kinds, len(bucket) - 1), -np.inf)  # of patterns of exactly a mask's satellites
    for k in range(kinds):
        for m in range(len(bucket) - 1):
            for p in range(bucket[m], bucket[m + 1]):
                for j in range(stations):
                    worth[k, p] += slope[j] * load[k, p, j]
                exact[k, m] = max(exact[k, m], worth[k, p])
    ahead = suffixes(single_channels(load, bucket, slope)[0], channels)
    left = np.zeros(channels + 1, np.int64)  # satellites left, by depth
    mask = np.zeros(channels, np.int64)  # those of the channel's pattern; -1 when all have been tried
    at = np.full(channels, -1)  # the pattern within its bucket; -1 before the mask is entered
    so_far = np.zeros(channels + 1)
    stored = np.zeros((channels + 1, stations))
    chosen = np.zeros(channels, np.int64)
    left[0] = mask[0] = len(bucket) - 2
    count, depth, steps = 0, 0, 0
    while depth >= 0:
        steps += 1
        if steps > most_steps:
            return -1, least
        k = depth if kinds > 1 else 0
        if at[depth] < 0:
            while mask[depth] >= 0:
                m = mask[depth]
                if so_far[depth] + exact[k, m] + ahead[depth + 1, left[depth] ^ m] >= least - at_nothing:
                    break
                mask[depth] = (m - 1) & left[depth] if m > 0 else -1
            if mask[depth] < 0:
                depth -= 1
                continue
            at[depth] = bucket[mask[depth]]
        m, p = mask[depth], at[depth]
        if p >= bucket[m + 1]:
            at[depth] = -1
            mask[depth] = (m - 1) & left[depth] if m > 0 else -1
            continue
        at[depth] += 1
        rest = left[depth] ^ m
        total = so_far[depth] + worth[k, p]
        if total + ahead[depth + 1, rest] < least - at_nothing:
            continue
        chosen[depth] = p
        for j in range(stations):
            stored[depth + 1, j] = stored[depth, j] + load[k, p, j]
        if depth < channels - 1:
            depth += 1
            so_far[depth], left[depth], at[depth] = total, rest, -1
            following = rest
            while kinds == 1 and following > m:
                following = (following - 1) & rest
            mask[depth] = following
            continue
        if not _inside(stored[channels], box):
            continue
        together = worth_of(stored[channels], terms)
        if together < least or (only_best and together == least):
            continue
        at_row = 0 if only_best else count
        if at_row < len(found_load):
            found_load[at_row], found_pattern[at_row] = stored[channels], chosen
        count += 1
        if only_best:
            least = together
    return count, least


@compiled
def _inside(load: FloatArray, box: tuple[FloatArray, FloatArray]) -> bool:
    """Whether a load is in a box; boxes that touch share their faces."""
    low, high = box
    return bool((low <= load).all() and (load <= high).all())
