"""Patterns: the links that share a subcarrier of a layer, each with its power in an interval.

Who else is in a pattern is all the interference there is, so what its links are worth is a constant.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...instances.errors import InputError
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS
from .links import Intervals, Link, Sites, worths

LARGEST = 3_000_000  # patterns of a subcarrier, before useless ones are left out


class Patterns(NamedTuple):
    """All patterns of a subcarrier of a layer in which every link is worth something.

    Attributes
    ----------
    user, site, level : array, shape (links,)
        Of single links: a user, a row of the layer's `Sites`, an interval of power.
    links : array, shape (patterns, most)
        Links in a pattern; -1 is none.
    worth : array, shape (patterns,)
        By how much they raise the objective.
    """

    user: IntArray
    site: IntArray
    level: IntArray
    links: IntArray
    worth: FloatArray

    def total(self, link: FloatArray | BoolArray) -> FloatArray:
        """The sum of something over each pattern's links, shape (patterns,)."""
        return np.asarray(np.append(link, 0.0)[self.links].sum(1))


Tables = Mapping[tuple[int, int], Patterns]  # by layer and subcarrier


def tables_of(instance: Slicing, sites: list[Sites], intervals: Intervals) -> Tables:
    """Patterns of all subcarriers of all layers that have nodes; the same one for subcarriers that are alike."""
    tables = dict[tuple[int, int], Patterns]()
    for layer, own in enumerate(sites):
        known = dict[bytes, Patterns]()
        for n in range(instance.subcarriers if len(own.node) else 0):
            key = own.snr[n].tobytes()
            if key not in known:
                known[key] = patterns_of(instance, own, intervals, layer, n)
            tables[layer, n] = known[key]
    return tables


def patterns_of(instance: Slicing, sites: Sites, intervals: Intervals, layer: int, n: int) -> Patterns:
    """All patterns of a subcarrier.

    Raises
    ------
    InputError
        When there are more than `LARGEST`.
    """
    users, levels, reuse = len(instance.slices), len(intervals.low), instance.intra_cell_reuse
    user, site, level = (
        own.ravel()
        for own in np.meshgrid(np.arange(users), np.arange(len(sites.node)), np.arange(levels), indexing="ij")
    )
    snr = sites.snr[n]
    own = snr[user, site] * intervals.high[level]
    useful = worths(instance, user, sites.distance_m[user, site], own) > 0
    user, site, level, own = user[useful], site[useful], level[useful], own[useful]
    node, place = sites.node[site], sites.candidate[site]
    none, slot = len(user), user if reuse else node
    if (np.log1p(np.unique(slot, return_counts=True)[1])).sum() > np.log(LARGEST):
        where = f"{LAYERS[layer]} layer, subcarrier {n}"
        raise InputError(f"allow more than {LARGEST:,} patterns of links ({where})", "users")
    apart = user[:, None] != user
    together = apart & ((node[:, None] != node) | (place[:, None] == place) if reuse else node[:, None] != node)
    heard = np.zeros((len(user) + 1, len(user) + 1))
    heard[:-1, :-1] = snr[user[:, None], site] * intervals.low[level]
    np.fill_diagonal(heard, 0.0)
    together = np.pad(together, (0, 1), constant_values=True)
    own, distance = np.append(own, 0.0), np.append(sites.distance_m[user, site], 0.0)
    rows, worth = np.full((1, 0), none), np.zeros(1)
    for one in np.unique(slot):
        options = np.append(np.flatnonzero(slot == one), none)
        before, added = (grid.ravel() for grid in np.meshgrid(np.arange(len(rows)), options, indexing="ij"))
        fits = together[rows[before], added[:, None]].all(1)
        rows = np.column_stack([rows[before[fits]], added[fits]])
        noise = 1 + heard[rows[:, :, None], rows[:, None, :]].sum(2)
        each = worths(instance, np.append(user, 0)[rows], distance[rows], own[rows] / noise)
        each[rows == none] = 0.0
        kept = ((each > 0) | (rows == none)).all(1)
        rows, worth = rows[kept], each[kept].sum(1)
    order = np.sort(np.where(rows == none, np.iinfo(np.int64).max, rows), 1)
    links = np.where(order == np.iinfo(np.int64).max, -1, order)
    some = (links >= 0).any(1) if links.shape[1] else np.zeros(len(links), bool)
    links = links[some]
    return Patterns(user, site, level, links[:, : int((links >= 0).sum(1).max(initial=0))], worth[some])


Used = tuple[int, int, int]  # layer, subcarrier, pattern


def used_patterns(
    instance: Slicing,
    sites: list[Sites],
    tables: Tables,
    intervals: Intervals,
    decision: SlicingDecision,
) -> list[Used]:
    """The patterns that a decision's services are in."""
    rows: dict[tuple[int, int], list[int]] = {}
    for k, service in enumerate(decision.serve):
        if service is None:
            continue
        layer = LAYERS.index(service.layer)
        budget = float(instance.budgets_w[layer][service.node])
        level = intervals.holding(service.power_w / budget if budget > 0 else 0.0)
        table, here = tables[layer, service.subcarrier], sites[layer]
        site = here.node[table.site] == service.node
        if layer == LAYERS.index("uav"):
            site &= here.candidate[table.site] == decision.uav_candidate[service.node]
        own = np.flatnonzero((table.user == k) & site & (table.level == level))
        rows.setdefault((layer, service.subcarrier), []).extend(own.tolist())
    used = []
    for (layer, n), links in rows.items():  # without links that are worth nothing beside the others
        table = tables[layer, n]
        among = np.flatnonzero(np.isin(table.links, [*links, -1]).all(1))
        if len(among):
            used.append((layer, n, int(among[table.worth[among].argmax()])))
    return used


def links_of(table: Patterns, sites: Sites, intervals: Intervals, used: Used) -> list[Link]:
    """The links of a pattern."""
    layer, n, p = used
    return [
        Link(
            int(table.user[link]),
            layer,
            int(sites.node[table.site[link]]),
            n,
            float(intervals.low[table.level[link]]),
            float(intervals.high[table.level[link]]),
        )
        for link in table.links[p]
        if link >= 0
    ]
