"""Users to hosts at given costs: a transport problem with few hosts, by successive shortest paths among the hosts.

A user that finds its best host full pushes another one on, along the cheapest chain of moves to a host with a free
place (Bellman-Ford on H hosts instead of I users). O(I (H^3 + places H)) at worst, and far less in practice.
"""

import numpy as np

from ..instances.compiled import compiled
from ..instances.fields import FloatArray, IntArray

ROUNDING = 1e-13  # relative; a chain must be better by more, so that rounding makes no cycles


@compiled
def transport(cost: FloatArray, places: IntArray) -> tuple[IntArray, FloatArray, FloatArray, float, float]:
    """Seat every user at least total cost.

    Parameters
    ----------
    cost : array, shape (users, H)
        Cost of each host; inf where impossible.
    places : array, shape (H,)
        Users that a host takes.

    Returns
    -------
    host : array, shape (users,)
    low, high : array, shape (H,)
        Least and greatest prices of a place that are optimal duals.
    value
        Total cost; inf where not all users can be seated.
    bound
        Value of the dual at the prices `low`: no seating costs less, whatever the algorithm did.
    """
    users, hosts = cost.shape
    host = np.full(users, -1)
    load = np.zeros(hosts, np.int64)
    member = np.full((hosts, users), -1)
    move = np.full((hosts, hosts), np.inf)  # the cheapest change when a user of one host goes to another
    mover = np.full((hosts, hosts), -1)
    low, high = np.zeros(hosts), np.full(hosts, np.inf)
    value = 0.0
    for user in range(users):
        last, change, back = _cheapest_chain(cost[user], places, load, move, ROUNDING * (1.0 + value))
        if last < 0:
            return host, low, high, np.inf, np.inf
        value += change
        to = last
        for _ in range(hosts + 1):
            origin = back[to]
            mine = user if origin < 0 else mover[origin, to]
            if origin >= 0:
                _leave(member, load, origin, mine)
            member[to, load[to]] = mine
            load[to] += 1
            host[mine] = to
            if origin < 0:
                break
            to = origin
        to = last
        for _ in range(hosts + 1):
            _renew(cost, member, load, move, mover, to)
            if back[to] < 0:
                break
            to = back[to]
    value = 0.0
    for user in range(users):
        value += cost[user, host[user]]
    _prices(move, places, load, low, high, ROUNDING * (1.0 + value))
    bound = -np.sum(low * places)
    for user in range(users):
        bound += np.min(cost[user] + low)
    return host, low, high, value, bound


@compiled
def _cheapest_chain(
    own: FloatArray, places: IntArray, load: IntArray, move: FloatArray, tiny: float
) -> tuple[int, float, IntArray]:
    """The host with a free place where the cheapest chain ends (-1: none), its cost, and the way back."""
    hosts = len(own)
    reach = np.where(places > 0, own, np.inf)
    back = np.full(hosts, -1)
    best = int(reach.argmin())
    if reach[best] < np.inf and load[best] < places[best]:
        return best, reach[best], back
    for _ in range(hosts):
        changed = False
        for k in range(hosts):
            if reach[k] < np.inf and load[k] >= places[k]:
                for to in range(hosts):
                    if places[to] > 0 and reach[k] + move[k, to] < reach[to] - tiny:
                        reach[to] = reach[k] + move[k, to]
                        back[to] = k
                        changed = True
        if not changed:
            break
    last, least = -1, np.inf
    for k in range(hosts):
        if load[k] < places[k] and reach[k] < least:
            last, least = k, reach[k]
    return last, least, back


@compiled
def _leave(member: IntArray, load: IntArray, host: int, user: int) -> None:
    """Take a user off a host's list."""
    load[host] -= 1
    for k in range(load[host]):
        if member[host, k] == user:
            member[host, k] = member[host, load[host]]
            break


@compiled
def _renew(cost: FloatArray, member: IntArray, load: IntArray, move: FloatArray, mover: IntArray, host: int) -> None:
    """Find the cheapest moves away from a host again."""
    move[host] = np.inf
    for k in range(load[host]):
        user = member[host, k]
        for to in range(cost.shape[1]):
            change = cost[user, to] - cost[user, host]
            if change < move[host, to]:
                move[host, to] = change
                mover[host, to] = user


@compiled
def _prices(move: FloatArray, places: IntArray, load: IntArray, low: FloatArray, high: FloatArray, tiny: float) -> None:
    """Price of a place: at most what leaving it costs its host's users, at least what one more place would save."""
    hosts = len(places)
    for k in range(hosts):
        if load[k] < places[k]:
            high[k] = 0.0
    for _ in range(hosts + 1):
        changed = False
        for k in range(hosts):
            if load[k] == 0:
                continue
            for to in range(hosts):
                if move[k, to] + high[to] < high[k] - tiny:
                    high[k] = move[k, to] + high[to]
                    changed = True
                if load[to] >= places[to] and low[k] - move[k, to] > low[to] + tiny:
                    low[to] = low[k] - move[k, to]
                    changed = True
        if not changed:
            break
