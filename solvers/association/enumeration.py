"""Every association there is, for instances small enough: all sets of links of every slot, in all sequences."""

from collections.abc import Iterator

import numpy as np

from ...formulations.association.referee import EMPTY, data
from ...instances.association import Association, AssociationDecision
from ...instances.association.instance import STATION
from ...instances.fields import FloatArray, IntArray
from ..interrupts import check_interrupts
from ..result import Answer, Limits

MOST_CHOICES = 20_000  # sets of links of a slot
MOST_SEQUENCES = 5_000_000


def solve_enumeration(instance: Association, limits: Limits) -> Answer:
    """Try all sequences of slots' choices; choices of equal loads are one."""
    slots: list[tuple[FloatArray, list[IntArray]]] = []
    sequences = 1
    for slot in range(instance.slots):
        choices = _choices(instance, slot)
        sequences *= MOST_SEQUENCES + 1 if choices is None else len(choices[0])
        if choices is None or sequences > MOST_SEQUENCES:
            return Answer(reason=f"more than {MOST_SEQUENCES:,} sequences of links")
        slots.append(choices)
    value, chosen = _best_sequence(instance, [load for load, _ in slots])
    links = np.concatenate([links[k] for (_, links), k in zip(slots, chosen, strict=True)])
    return Answer(AssociationDecision(links), objective=value, bound=value, counters={"sequences": sequences})


def _choices(instance: Association, slot: int) -> tuple[FloatArray, list[IntArray]] | None:
    """Loads of all sets of links of a slot, shape (choices, stations), and the links; None when there are too many."""
    windows = instance.windows
    own = np.flatnonzero((windows.slot == slot) & (instance.capacity[windows.station] > 0))
    found: list[tuple[FloatArray, IntArray]] = []
    for count, links in enumerate(_sets(instance, slot, own, sorted(set(windows.satellite[own].tolist())), [])):
        if count == MOST_CHOICES:
            return None
        array = np.array(links, np.int64).reshape(-1, 4)
        load = np.zeros(instance.stations)
        np.add.at(load, array[:, STATION], data(instance, array))
        found.append((load, array))
    loads = np.array([load for load, _ in found])
    unit = max(float(loads.max(initial=0.0)), np.finfo(float).tiny)
    _, first = np.unique((loads / unit).round(12), axis=0, return_index=True)
    first.sort()
    return loads[first], [found[k][1] for k in first.tolist()]


def _sets(
    instance: Association, slot: int, own: IntArray, satellites: list[int], taken: list[tuple[int, int, int, int]]
) -> Iterator[list[tuple[int, int, int, int]]]:
    """All ways to link the satellites, or not, beside the links taken."""
    if not satellites:
        yield taken
        return
    first, *rest = satellites
    yield from _sets(instance, slot, own, rest, taken)
    for window in own[instance.windows.satellite[own] == first].tolist():
        station = int(instance.windows.station[window])
        for channel in range(instance.channels):
            if all(link[2:] != (station, channel) for link in taken):
                yield from _sets(instance, slot, own, rest, [*taken, (slot, first, station, channel)])


def _best_sequence(instance: Association, loads: list[FloatArray]) -> tuple[float, list[int]]:
    """Value and choices of the best sequence, slot by slot for all sequences at once."""
    value, left = np.zeros(1), instance.capacity[None]
    history: list[IntArray] = []
    for load in loads:
        check_interrupts()
        rest = left[:, None] - load
        with np.errstate(divide="ignore", invalid="ignore"):
            paid = np.where(load > 0, load / left[:, None], 0.0)
        fits = ((load == 0) | (rest > EMPTY * instance.capacity)).all(2)
        profit = instance.utility_weight * load.sum(1) - instance.price_weight * paid.sum(2)
        before, choice = np.nonzero(fits)
        value, left = value[before] + profit[before, choice], rest[before, choice]
        history.append(np.stack([before, choice]))
    at = int(value.argmax())
    chosen = []
    best = float(value[at])
    for before, choice in history[::-1]:
        chosen.append(int(choice[at]))
        at = before[at]
    return best, chosen[::-1]
