"""What a user sees of a slot, and what the mixer sees of the whole; both follow from what the hosts cost."""

import numpy as np

from ...instances.fields import BoolArray, FloatArray
from ...solvers.placement.batch import Costs
from ..environment import Float32Array, View

DECADES = 3.0  # logarithms are cut at 1 ms and 1,000 s, speeds at 1 MHz and 1 THz


def sizes(users: int, hosts: int) -> tuple[int, int]:
    """Number of features of a user's observation and of the state."""
    devices = hosts - 2
    return 2 * hosts + 2 * devices + (hosts - 1) + 1, users * hosts + devices + (hosts - 1)


def possible(costs: Costs) -> BoolArray:
    """Hosts that a user could ever take, shape (B, users, H): it reaches them, and they take anybody."""
    mask: BoolArray = np.isfinite(costs.fixed_s) & (costs.places > 0)[:, None]
    return mask


def view(costs: Costs) -> View:
    """What is seen of B slots.

    The observation of a user, H hosts and J = H - 2 devices:

    ======================  =====  ==========================================================================
    feature                 size   value
    ======================  =====  ==========================================================================
    delay alone             H      d / (1 s + d) of the delay as the only user of the host; 1 where impossible
    logarithm of it         H      log10(d / 1 s) / 3, within -1 and 1
    transmission            J      t / (1 s + t) of the transmission to each device
    speed                   J      log10(F / 1 GHz) / 3 of each device, within -1 and 1
    places                  H - 1  places of each device and the cloud per user, at most 1
    turn                    1      the user's place in the order of seating, (i + 1) / users
    ======================  =====  ==========================================================================

    The delays are its own, speeds and places are what devices broadcast; nothing tells of the other users. Data and
    work act on the objective by these delays alone. The state holds every user's saturated delays alone, speeds and
    places.
    """
    batch, users, _ = costs.shape
    alone_s = delay_alone_s(costs)
    saturated = _saturated(alone_s)
    speed = np.clip(np.log10(costs.speed_cps / 1e9) / DECADES, -1, 1)
    places = np.minimum(costs.places[:, 1:] / users, 1)
    with np.errstate(divide="ignore"):
        logarithm = np.clip(np.log10(alone_s) / DECADES, -1, 1)
    own = [saturated, logarithm, _saturated(costs.fixed_s[:, :, 1:-1])]
    broadcast = [np.repeat(part[:, None], users, 1) for part in (speed, places)]
    turn = np.broadcast_to(np.arange(1, users + 1)[:, None] / users, (batch, users, 1))
    return View(
        observation=_joined([*own, *broadcast, turn]),
        state=_joined([saturated.reshape(batch, -1), speed, places]),
        mask=possible(costs),
    )


def delay_alone_s(costs: Costs) -> FloatArray:
    """Delay of each user on each host without company (s), shape (B, users, H); inf where impossible."""
    batch, users, hosts = costs.shape
    alone = costs.fixed_s.copy()
    load = np.broadcast_to(costs.load[:, :, None], (batch, users, hosts - 2))
    alone[:, :, 1:-1] += costs.compute_s(np.ones_like(load), load)
    return alone


def _saturated(delay_s: FloatArray) -> FloatArray:
    """d / (1 s + d), 1 for inf."""
    return 1 - 1 / (1 + delay_s)


def _joined(parts: list[FloatArray]) -> Float32Array:
    return np.concatenate(parts, -1, dtype=np.float32, casting="same_kind")
