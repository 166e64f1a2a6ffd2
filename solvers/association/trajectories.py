"""An upper bound from trajectories of storage, and what a station's future is worth.

What groups store in a slot and what stations take are tied by two multipliers a slot and station, one of the load L and
one of its curvature, read off q at some reference storage:

    bound = sum over groups of max sum_j (load_j L_j - curve_j xi kappa q(L_j, reference_j))
          + sum over stations of max over trajectories
                sum_t (omega L - xi kappa L / H - load_t L + curve_t xi kappa q(L, reference_t)),

with the price of every trajectory exact. It holds for any multipliers and references. A station's best trajectory is a
dynamic programme over a grid of storage, whose rounding is bounded and added in every slot:

- Where a load may be anything, loads are rounded to steps of the grid. A path is rounded all up or all down at random
  in proportion, which moves no mean, so it costs no more than a second-order term.
- Where loads are listed, what lies ahead is read off chords between states. What a plan of loads is worth changes with
  the storage it begins with by a function whose second derivative is bounded from below, and chords miss no more. The
  plan must be possible from all states that chords lead to, a step more of them a slot, so storage must not run out.
"""

from typing import NamedTuple

import numpy as np

from ...instances.association import Association
from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray
from .storage_price import rest

REACH, SHARE = 1.5, 0.02  # least reference over what a slot can store, and over the capacity


class Multipliers(NamedTuple):
    """What ties groups and stations, each of shape (slots, stations).

    Attributes
    ----------
    load
        Of a data unit.
    curve
        Of xi kappa q; not negative.
    reference
        H at which q is taken (data units).
    """

    load: FloatArray
    curve: FloatArray
    reference: FloatArray


class Loads(NamedTuple):
    """Loads that stations may take; of station j in slot t those from first[j, t] to first[j, t + 1], ascending.

    Attributes
    ----------
    listed
        Whether there are no others; else these are steps of the grid, and everything between may be taken.
    """

    first: IntArray
    amount: FloatArray
    listed: bool

    @classmethod
    def up_to(cls, most: FloatArray, step: FloatArray) -> "Loads":
        """Anything up to `most`, shape (slots, stations); `step` of shape (stations,)."""
        with np.errstate(invalid="ignore"):
            steps = np.nan_to_num(np.ceil(most / step)).astype(np.int64)
        return cls._of([[np.arange(n + 1) * step[j] for n in steps[:, j]] for j in range(len(step))], listed=False)

    @classmethod
    def of(cls, slot: IntArray, load: FloatArray, slots: int) -> "Loads":
        """Loads of choices, shape (choices, stations), which are all the choices of these slots, shape (choices,)."""
        parts = [load[slot == t] for t in range(slots)]
        nothing = np.zeros(1)
        return cls._of(
            [[np.unique(np.append(p[:, j], nothing)) for p in parts] for j in range(load.shape[1])], listed=True
        )

    @classmethod
    def _of(cls, parts: list[list[FloatArray]], *, listed: bool) -> "Loads":
        sizes = np.array([[len(part) for part in own] for own in parts])
        last = sizes.cumsum().reshape(sizes.shape)
        first = np.hstack([np.append(0, last[:-1, -1])[:, None], last])
        return cls(first, np.concatenate([part for own in parts for part in own]), listed)


class Trajectories:
    """Best trajectories of all stations over a grid.

    Attributes
    ----------
    admitted : array of bool, shape (stations, slots + 1, states + 1)
        States before each slot and in the end that a solution better than the incumbent can have; state k is the
        storage C k / states.
    ahead : array, shape (stations, slots + 1, states + 1)
        What is left to gain from each state at the last multipliers, at most; chords between states hold too.
    """

    def __init__(
        self,
        instance: Association,
        most: FloatArray,
        states: int,
        low: FloatArray,
        high: FloatArray,
        loads: Loads | None = None,
    ) -> None:
        """Admit storage from `low` to `high`, each of shape (slots + 1, stations).

        Parameters
        ----------
        most : array, shape (slots, stations)
            Anything up to it may be stored where no loads are listed.
        loads
            Listed loads; only where `room_for_lists`.

        Raises
        ------
        ValueError
            When storage may run out, so that lists would not bound.
        """
        if loads is not None and not room_for_lists(instance, states, low):
            raise ValueError("storage may run out: listed loads do not bound")
        self._instance, self._most, self.states = instance, most, states
        shape = (instance.stations, instance.slots + 1, states + 1)
        storage = np.arange(states + 1) * self._step[:, None, None]
        steps = np.ones(instance.slots + 1) if loads is None else _steps_moved(instance)
        margin = self._step[:, None, None] * steps[None, :, None]
        self.admitted: BoolArray = (storage >= low.T[:, :, None] - margin) & (storage <= high.T[:, :, None] + margin)
        self._loads = Loads.up_to(most, self._step) if loads is None else loads
        self.ahead, self._behind = np.zeros(shape), np.zeros(shape)  # stations without storage keep nothing ahead
        self._choice = np.zeros(shape, np.int64)

    @property
    def _step(self) -> FloatArray:
        return np.asarray(self._instance.capacity / self.states)

    def price(self, multipliers: Multipliers) -> tuple[FloatArray, FloatArray]:
        """What the best trajectories are worth at most, shape (stations,), and their loads, shape (slots, stations)."""
        instance = self._instance
        worth, stored = np.zeros(instance.stations), np.zeros(self._most.shape)
        weight = instance.price_weight
        for j in np.flatnonzero(instance.capacity > 0):
            worth[j] = _best_trajectory(
                (multipliers.load[:, j].copy(), multipliers.curve[:, j].copy(), multipliers.reference[:, j].copy()),
                self._loads.first[j],
                self._loads.amount,
                self._loads.listed,
                (instance.utility_weight, weight, instance.capacity[j]),
                self.admitted[j],
                self.ahead[j],
                self._behind[j],
                self._choice[j],
                stored[:, j],
            )
        return worth, stored

    def narrow(self, worth: FloatArray, slack: float) -> None:
        """Drop states through which no trajectory within `slack` of the best goes at the last multipliers.

        For loads that are not listed.
        """
        for j in np.flatnonzero(self._instance.capacity > 0):
            kept = self.admitted[j] & (self._behind[j] + self.ahead[j] >= worth[j] - slack)
            near = kept.copy()
            near[:, 1:] |= kept[:, :-1]
            near[:, :-1] |= kept[:, 1:]
            self.admitted[j] &= near

    def stored(self) -> tuple[FloatArray, FloatArray]:
        """Least and most stored before each slot and in the end, each of shape (slots + 1, stations)."""
        least = self.admitted[:, :, ::-1].argmax(2)
        most = self.states - self.admitted.argmax(2)
        return np.asarray((least * self._step[:, None]).T), np.asarray((most * self._step[:, None]).T)


def _steps_moved(instance: Association) -> FloatArray:
    """Steps of the grid that chords move a path by before each slot and in the end, at most, shape (slots + 1,)."""
    return np.arange(1.0, instance.slots + 2)


def room_for_lists(instance: Association, states: int, low: FloatArray) -> bool:
    """Whether storage of at least `low`, shape (slots + 1, stations), is a step from empty however chords move it."""
    left = low - instance.capacity / states * _steps_moved(instance)[:, None]
    return bool((left >= instance.capacity / states).all())


def reference_near(left: FloatArray, most: FloatArray, capacity: FloatArray) -> FloatArray:
    """Storage, shape (slots, stations), as a reference: well beyond what a slot can store, and positive."""
    least = np.maximum(REACH * most, SHARE * capacity)
    reference: FloatArray = np.where(capacity > 0, np.maximum(left, least), 1.0)
    return reference


def multipliers_at(instance: Association, stored: FloatArray, most: FloatArray) -> Multipliers:
    """Multipliers at which loads, shape (slots, stations), are nearly the stations' best answer."""
    weight = instance.price_weight
    left = instance.capacity - np.vstack([np.zeros(instance.stations), stored.cumsum(0)[:-1]])
    reference = reference_near(left, most, instance.capacity)
    left = np.where(left > 0, left, 1.0)
    dearer = weight * stored / left**2  # what a unit stored before costs a slot
    later = np.vstack([dearer[::-1].cumsum(0)[::-1][1:], np.zeros((1, instance.stations))])
    bend = weight * (1 / reference - 1 / (reference - stored))
    load = instance.utility_weight - weight / left - later + bend
    return Multipliers(load, np.ones(load.shape), reference)


@compiled
def _best_trajectory(
    multipliers: tuple[FloatArray, FloatArray, FloatArray],
    first: IntArray,
    amount: FloatArray,
    listed: bool,
    station: tuple[float, float, float],
    admitted: BoolArray,
    ahead: FloatArray,
    behind: FloatArray,
    choice: IntArray,
    stored: FloatArray,
) -> float:
    """Fill in what is ahead of every state and, where loads are not listed, behind it; O(slots states loads)."""
    load, curve, reference = multipliers
    utility, weight, capacity = station
    slots, states = len(load), admitted.shape[1] - 1
    step = capacity / states
    lost = np.zeros(slots)  # to the grid, at most
    bend = 0.0
    for t in range(slots - 1, -1, -1):
        lowest, largest = step * max(1, admitted[t].argmax()), amount[first[t + 1] - 1]
        if listed:
            bend += 2 * weight * largest / lowest**3
        else:
            bend = curve[t] * weight / (reference[t] - largest) ** 2
            bend += 2 * weight / lowest**2 + 2 * weight * largest / lowest**3
        lost[t] = bend * step**2 / 8
    gain = np.zeros(len(amount))  # without the price
    whole, part = np.zeros(len(amount), np.int64), np.zeros(len(amount))  # steps
    for t in range(slots):
        for m in range(first[t], first[t + 1]):
            gain[m] = (utility - load[t]) * amount[m] + curve[t] * weight * rest(amount[m], reference[t], 0.0)
            if listed:
                whole[m] = int(amount[m] / step)
                part[m] = amount[m] / step - whole[m]
            else:
                whole[m] = m - first[t]
    ahead[:] = -np.inf
    ahead[slots] = np.where(admitted[slots], 0.0, -np.inf)
    for t in range(slots - 1, -1, -1):
        for k in range(states + 1):
            if admitted[t, k]:
                price, best = weight / (max(k, 1) * step), -np.inf
                for m in range(first[t], first[t + 1]):
                    after = k - whole[m]
                    if after < 0 or (part[m] > 0 and after == 0):
                        break
                    value = ahead[t + 1, after]
                    if part[m] > 0:
                        value += part[m] * (ahead[t + 1, after - 1] - value)
                    value += gain[m] - price * amount[m]
                    if value > best:
                        best, choice[t, k] = value, m
                ahead[t, k] = best + lost[t]
    if not listed:
        behind[:] = -np.inf
        behind[0, states] = 0.0
        for t in range(slots):
            for k in range(states + 1):
                if behind[t, k] > -np.inf and ahead[t, k] > -np.inf:
                    price = weight / (max(k, 1) * step)
                    for m in range(first[t], min(first[t + 1], first[t] + k + 1)):
                        after = k - whole[m]
                        if admitted[t + 1, after]:
                            value = behind[t, k] + gain[m] - price * amount[m] + lost[t]
                            behind[t + 1, after] = max(behind[t + 1, after], value)
    left = float(states)
    for t in range(slots):
        at = int(left + 0.5)  # any trajectory near the best serves the bundle
        m = choice[t, at] if ahead[t, at] > -np.inf else first[t]
        stored[t] = amount[m]
        left = max(left - amount[m] / step, 0.0)
    return float(ahead[0, states])
