"""Patterns: the links that share a subcarrier of a layer, sought by what they are worth less their prices.

A pattern is worth what its links are worth at the best powers (see `powers`), less the prices of its users, of places
at its nodes, and of their budgets. What links are worth at most (see `link_bounds`) bounds a pattern and what can be
added to it, and the search goes depth first, links of most worth first.
"""

import numpy as np

from ...instances.compiled import compiled
from ...instances.fields import BoolArray, FloatArray, IntArray
from .link_bounds import GRID, Layer, Prices, first_ratio, links_of, price_of_sharing, share, together, up_to
from .powers import best_powers

MOST_EFFORT, TO_LIST = 1_000_000, 4  # links tried in a search, after which bounds must do; more times to list patterns
HURRIED = 1_000  # the same when time is up
OF_POWERS, OF_BOX = 50, 20  # as many links tried take about as long: powers, and each box of powers that is looked at


@compiled
def search(
    layer: Layer,
    n: int,
    prices: Prices,
    floor: float,
    only_best: bool,
    most_effort: int,
    tolerance: float,
    found_users: IntArray,
    found_nodes: IntArray,
    found_power: FloatArray,
    found_value: FloatArray,
    found_bound: FloatArray,
) -> tuple[int, float, bool]:
    """The pattern of most worth above `floor`, or all of them, as long as no more than so many links are tried.

    Filled in are users and nodes (-1 is none), powers, value and bound of each, as many as there is room for. Returned
    are their number, a bound on the worth of every pattern that is not among them, and whether all have been looked at.
    """
    users, nodes = layer.spare.shape
    table, first = np.empty((users, nodes, GRID)), first_ratio(prices.laws.threshold)
    for k in range(users):
        for v in range(nodes):
            up_to(layer, n, prices, k, v, first, table[k, v])
    free, shared = table[:, :, -1].copy(), np.zeros(nodes)  # what links are worth alone, and the prices of sharing
    for v in range(nodes if layer.reuse else 0):
        shared[v] = price_of_sharing(table[:, v], first)
        table[:, v] = share(table[:, v], first, shared[v])
    worth = table[:, :, -1].copy()
    order = np.empty((nodes, users), np.int64)
    usable = np.zeros(nodes, np.int64)
    after = np.zeros((nodes, users + 1))  # what the links from a place of the order on can add
    for v in range(nodes - 1, -1, -1):
        order[v] = np.argsort(-worth[:, v])
        for r in range(users):
            usable[v] += worth[order[v, r], v] > -np.inf
        rest = after[v + 1, 0] + shared[v + 1] if v + 1 < nodes else 0.0
        after[v, :] = rest
        total = 0.0
        for r in range(users - 1, -1, -1):
            here = max(worth[order[v, r], v], 0.0)
            total = total + here if layer.reuse else max(total, here)
            after[v, r] = rest + total
    most = found_users.shape[1]
    node, rank = np.zeros(most + 1, np.int64), np.zeros(most + 1, np.int64)
    so_far, freely = np.zeros(most + 1), np.zeros(most + 1)
    taken: BoolArray = np.zeros(users, np.bool_)
    chosen_user, chosen_node = np.empty(most, np.int64), np.empty(most, np.int64)
    power, nothing, everything = np.empty(most), np.zeros(most), np.ones(most)
    count, depth, left, best, effort = 0, 0, floor, floor, 0
    # at each depth: links from (node, rank) on are still to be tried as the next one
    while depth >= 0:
        if effort > most_effort:
            for d in range(depth + 1):  # what is still to be tried
                w = node[d]
                if w < nodes:
                    fee = 0.0 if d > 0 and chosen_node[d - 1] == w else shared[w]
                    left = max(left, so_far[d] + fee + after[w, rank[d]])
            return count, left, False
        v, r = node[depth], rank[depth]
        if depth == most or v == nodes:
            depth -= 1
            if depth >= 0:
                taken[chosen_user[depth]] = False
            continue
        if r == usable[v]:
            node[depth], rank[depth] = v + 1, 0
            continue
        begun = depth > 0 and chosen_node[depth - 1] == v
        fee = 0.0 if begun else shared[v]
        if so_far[depth] + fee + after[v, r] <= best:  # the links of this node that are left, and of the nodes behind
            node[depth], rank[depth] = nodes, 0
            continue
        k = order[v, r]
        rank[depth] = r + 1
        effort += 1
        behind = after[v, r + 1] if layer.reuse else (after[v + 1, 0] if v + 1 < nodes else 0.0)
        total = so_far[depth] + fee + worth[k, v]
        if taken[k] or total + behind <= best:
            continue
        chosen_user[depth], chosen_node[depth] = k, v
        apart = False  # whether two links are too much in each other's way
        for d in range(depth):
            i, w = chosen_user[d], chosen_node[d]
            heard = layer.snr[n, k, w] * layer.snr[n, i, v]
            if heard > 0:
                product = layer.snr[n, k, v] * layer.snr[n, i, w] / heard
                less = worth[k, v] + worth[i, w] - together(table[k, v], table[i, w], first, product)
                if total - less + behind <= best:
                    apart = True
                    break
        if apart:
            continue
        if min(total, freely[depth] + free[k, v]) > best:
            links = links_of(layer, n, prices, chosen_user[: depth + 1], chosen_node[: depth + 1])
            price = 0.0
            for d in range(depth + 1):
                price += prices.user[chosen_user[d]] + prices.place[chosen_node[d]]
            least, most_power, own = nothing[: depth + 1], everything[: depth + 1], power[: depth + 1]
            value, bound, boxes = best_powers(links, least, most_power, best + price, tolerance, own)
            value, bound = value - price, bound - price
            effort += OF_POWERS + OF_BOX * boxes
            if bound > best:
                row = 0 if only_best else count
                if value > best or not only_best:
                    if row < len(found_value):
                        found_users[row], found_nodes[row] = -1, -1
                        found_users[row, : depth + 1] = chosen_user[: depth + 1]
                        found_nodes[row, : depth + 1] = chosen_node[: depth + 1]
                        found_power[row, : depth + 1] = power[: depth + 1]
                        found_value[row], found_bound[row] = value, bound
                    count = row + 1
                if only_best:
                    left = max(left, bound)
                    best = max(best, value)
        taken[k] = True
        so_far[depth + 1], freely[depth + 1] = total, freely[depth] + free[k, v]
        node[depth + 1], rank[depth + 1] = (v, r + 1) if layer.reuse else (v + 1, 0)
        depth += 1
    return count, left, True
