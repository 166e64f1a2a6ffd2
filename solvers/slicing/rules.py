"""Rules that serve users by the strongest signal, with and without the paper's load balancing.

UAVs stand where users hear somebody best. A user goes to the node that it hears best; a node gives its users the best
subcarriers that are left, one after the other, and equal powers.
"""

from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np

from ...formulations.slicing.links import Sites
from ...instances.fields import FloatArray, IntArray
from ...instances.slicing import Service, Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS, SLICES, STATION, UAV
from ..result import Answer, Limits
from .placements import placements

NOWHERE = "no placement of the UAVs keeps their distance"

Order = Callable[[IntArray, FloatArray], IntArray]  # of users with signals, whom a node serves first


def solve_random(instance: Slicing, limits: Limits) -> Answer:
    """UAVs anywhere, and users in any order with any node and subcarrier that are free, or none."""
    rng, places = np.random.default_rng(limits.seed), placements(instance)
    if not len(places):
        return Answer(infeasible=True, reason=NOWHERE)
    nodes = [(layer, v) for layer, count in enumerate(instance.nodes) for v in range(count)]
    free = {
        (*node, n): len(instance.slices) if instance.intra_cell_reuse else 1 for node in nodes for n in _all(instance)
    }
    room = {node: instance.station_capacity if node[0] == STATION else len(instance.slices) for node in nodes}
    taken = dict[int, tuple[int, int, int]]()
    for k in rng.permutation(len(instance.slices)).tolist():
        options = [option for option, left in free.items() if left and room[option[:2]]]
        choice = int(rng.integers(len(options) + 1))
        if choice < len(options):
            taken[k] = options[choice]
            free[taken[k]] -= 1
            room[taken[k][:2]] -= 1
    return Answer(equal_powers(instance, places[rng.integers(len(places))], taken))


def solve_strongest_signal(instance: Slicing, limits: Limits) -> Answer:
    """No load balancing: whom its node has no room for is not served; who comes first is served first."""
    return _by_signal(instance, lambda users, _: users, handing_over=False)


def solve_load_balancing(instance: Slicing, limits: Limits) -> Answer:
    """The paper's scheme: a node without room hands over its C, then its L, then its H users."""
    kind = np.array([SLICES.index(letter) for letter in instance.slices], np.int64)
    return _by_signal(instance, lambda users, signal: users[np.lexsort((-signal, kind[users]))], handing_over=True)


def solve_load_balancing_any(instance: Slicing, limits: Limits) -> Answer:
    """The same without priority: a node without room hands over whom it reaches worst."""
    return _by_signal(instance, lambda users, signal: users[np.argsort(-signal, kind="stable")], handing_over=True)


def _all(instance: Slicing) -> range:
    return range(instance.subcarriers)


def _by_signal(instance: Slicing, order: Order, *, handing_over: bool) -> Answer:
    """Serve users by the strongest signal.

    Parameters
    ----------
    handing_over
        Whether users that a node has no room for go to the next node, and so on, or are not served.
    """
    places = placements(instance)
    if not len(places):
        return Answer(infeasible=True, reason=NOWHERE)
    candidate, snr = heard_best(instance, places)
    nodes = [(layer, v) for layer, count in enumerate(instance.nodes) for v in range(count)]
    users, many = len(instance.slices), len(instance.slices) if instance.intra_cell_reuse else instance.subcarriers
    room = [min(many, instance.station_capacity) if layer == STATION else many for layer, _ in nodes]
    heard = snr.mean(2) if instance.subcarriers else np.zeros((users, len(nodes)))
    ranks = np.argsort(-heard, 1, kind="stable")[:, : None if handing_over else 1]
    kept = [np.zeros(0, np.int64) for _ in nodes]
    asked, waiting = np.zeros(users, np.int64), np.arange(users)
    while len(waiting := waiting[asked[waiting] < ranks.shape[1]]):
        choice, refused = ranks[waiting, asked[waiting]], np.zeros(0, np.int64)
        for j in np.unique(choice):
            own = np.sort(np.append(kept[j], waiting[choice == j]))
            first = order(own, heard[own, j])
            kept[j], refused = first[: room[j]], np.append(refused, first[room[j] :])
        asked[refused] += 1
        waiting = refused
    taken = dict[int, tuple[int, int, int]]()
    for j, node in enumerate(nodes):
        load = np.zeros(instance.subcarriers, np.int64)
        for k in kept[j].tolist():
            n = int(np.lexsort((-snr[k, j], load))[0])
            load[n] += 1
            taken[k] = (*node, n)
    return Answer(equal_powers(instance, candidate, taken))


def heard_best(instance: Slicing, places: IntArray) -> tuple[IntArray, FloatArray]:
    """The placement in which users hear somebody best, and SNRs there, shape (users, all nodes, subcarriers)."""
    users, uavs = len(instance.slices), instance.nodes[UAV]
    stations, sky, satellites = (np.moveaxis(own.snr, 0, 2) for own in Sites.of(instance))
    sky = sky.reshape(users, uavs, len(instance.uavs.candidates), instance.subcarriers)
    best = np.concatenate([stations, satellites], 1).mean(2).max(1, initial=0.0) if instance.subcarriers else 0.0
    most = np.broadcast_to(best, (len(places), users)).copy()
    for v in range(uavs if instance.subcarriers else 0):
        most = np.maximum(most, sky[:, v].mean(2)[:, places[:, v]].T)
    candidate = places[np.log1p(most).sum(1).argmax()]
    return candidate, np.concatenate([stations, sky[:, np.arange(uavs), candidate], satellites], 1)


def equal_powers(instance: Slicing, candidate: IntArray, taken: Mapping[int, tuple[int, int, int]]) -> SlicingDecision:
    """A decision whose nodes share their budgets equally among the users that they serve.

    Parameters
    ----------
    taken
        Layer, node and subcarrier of the users that are served.
    """
    served = Counter(option[:2] for option in taken.values())
    serve: list[Service | None] = [None] * len(instance.slices)
    for k, (layer, v, n) in taken.items():
        power = float(instance.budgets_w[layer][v]) / served[layer, v]
        serve[k] = Service(LAYERS[layer], v, n, power)
    return SlicingDecision(candidate, tuple(serve))
