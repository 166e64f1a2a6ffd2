"""What a network of fixed size sees when a satellite is in turn; J stations, K channels, N satellites."""

from collections.abc import Callable

import numpy as np

from ...instances.fields import FloatArray
from ...solvers.association.turns import Turns
from ..environment import Float32Array


def paper(environment: Turns) -> Float32Array:
    """The paper's 156 features of 120 satellites, 5 real stations and the virtual one, with 4 channels **[choice]**.

    ==================  ===========  ==============================================================
    feature             size         value
    ==================  ===========  ==============================================================
    satellite           N            1 for the satellite in turn
    valid time          J + 1        part of the slot in which it reaches a station; virtual: 1
    storage             J + 1        what the station has left of its capacity; virtual: 1
    channels            (J + 1) K    1 for a channel that is taken in this slot; virtual: 0
    ==================  ===========  ==============================================================
    """
    days, batch = environment.days, len(environment.turn)
    satellite = np.zeros((batch, days.shape[0]))
    satellite[np.arange(batch), days.satellite[environment.turn]] = ~environment.over
    taken = np.zeros((batch, environment.stations + 1, environment.channels))
    taken[:, 1:] = environment.held
    parts = satellite, _with_virtual(days.valid[environment.turn]), _with_virtual(environment.share_left)
    return _joined([*parts, taken.reshape(batch, -1)])


def gains(environment: Turns) -> Float32Array:
    """What the satellite's links would come to now, and how the stations stand.

    ==================  =========  =================================================================
    feature             size       value
    ==================  =========  =================================================================
    gain                J K        what the link adds to the objective; -1 where impossible
    data                J K        what it stores; 0 where impossible
    storage             J          what the station has left of its capacity
    price               J          xi kappa / H, at most 2
    turn                J          1 where the satellite has a window
    slots               1          share of the slots still to come
    ==================  =========  =================================================================
    """
    moment, days = environment.moment, environment.days
    batch = len(environment.turn)
    ahead = 1 - days.slot[environment.turn][:, None] / environment.slots
    return _joined(
        [
            np.where(moment.possible, moment.gain, -1.0).reshape(batch, -1),
            np.where(moment.possible, moment.own, 0.0).reshape(batch, -1),
            environment.share_left,
            np.minimum(environment.price, 2.0),
            (days.rate[environment.turn] > 0).astype(float),
            ahead,
        ]
    )


OBSERVATIONS: dict[str, Callable[[Turns], Float32Array]] = {"paper": paper, "gains": gains}


def _with_virtual(values: FloatArray) -> FloatArray:
    """Stations' values with a 1 for the virtual one in front."""
    return np.concatenate([np.ones((len(values), 1)), values], 1)


def _joined(parts: list[FloatArray]) -> Float32Array:
    return np.concatenate(parts, -1, dtype=np.float32, casting="same_kind")
