"""Every placement and every service there is, for instances small enough, with powers by cutting boxes.

Powers of covered users are the least that cover them, affine in the others, so with them the others alone are sought.
On a box of those, the slope of the value in each power has a largest value, and the value at the lowest corner plus the
most that these slopes can add within the budgets is a bound, off by second order in the width of the box.
"""

import itertools
import math
from typing import NamedTuple

import numpy as np

from ...formulations.slicing.links import nobody
from ...formulations.slicing.values import TOLERANCE, bits_of, delay_s, distances_m, gains, rate_bps
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...instances.slicing import Service, Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS
from ..interrupts import check_interrupts
from ..reductions import in_reduced_units
from ..result import Answer, Limits
from .rules import NOWHERE

MOST_WAYS = 300_000  # placements times ways to serve all users
MOST_BOXES = 200_000  # of the powers of one layer
NEAR = 1e-9  # value that boxes may be off by at last
HALVINGS = 100
NEARLY = 1e-12  # below 1, from where users are in each other's way whatever their powers


class Links(NamedTuple):
    """Links of a layer.

    Attributes
    ----------
    user, node, subcarrier : array, shape (links,)
    """

    user: IntArray
    node: IntArray
    subcarrier: IntArray


class Best(NamedTuple):
    """The best powers of a layer's links (W), what they are worth, and a bound on that."""

    power_w: FloatArray
    value: float
    bound: float


@in_reduced_units
def solve_enumeration(instance: Slicing, limits: Limits) -> Answer:
    """Try all placements and all ways to serve the users; the links of a layer are looked at once."""
    placements = _placements(instance)
    if not len(placements):
        return Answer(infeasible=True, reason=NOWHERE)
    options = [
        None,
        *((layer, v, n) for layer in range(3) for v in range(instance.nodes[layer]) for n in _all(instance)),
    ]
    users = len(instance.slices)
    if len(placements) * float(len(options)) ** users > MOST_WAYS:
        return Answer(reason=f"more than {MOST_WAYS:,} ways to place UAVs and serve users")
    ways = np.array(list(itertools.product(range(len(options)), repeat=users)), np.int64)
    ways = ways[_allowed(instance, ways, options)]
    base = nobody(instance)
    decision, value, bound = SlicingDecision(placements[0], (None,) * users), 0.0, 0.0
    for placement in placements:
        search = _Layers(instance, placement)
        alone = search.alone(options)
        most = alone[np.arange(users), ways].sum(1) if users else np.zeros(1)
        for w in np.argsort(-most, kind="stable"):
            if most[w] <= value:
                break
            check_interrupts()
            found = search.best([options[o] for o in ways[w]])
            bound = max(bound, sum(one.bound for _, one in found))
            if (own := sum(one.value for _, one in found)) > value:
                value, decision = own, _decision(instance, placement, found)
    return Answer(decision, objective=base + value, bound=base + bound, counters={"ways": len(ways)})


Option = tuple[int, int, int] | None  # layer, node, subcarrier


def _all(instance: Slicing) -> range:
    return range(instance.subcarriers)


def _placements(instance: Slicing) -> list[IntArray]:
    """Placements of the UAVs that keep their distance."""
    place, least = instance.uavs.candidates.reshape(-1, 2), instance.uav_min_distance_m
    found = []
    for own in itertools.product(range(len(place)), repeat=instance.nodes[1]):
        pairs = itertools.combinations(own, 2)
        if all(math.dist(place[a], place[b]) >= least - TOLERANCE * max(1.0, least) for a, b in pairs):
            found.append(np.array(own, np.int64))
    return found


def _allowed(instance: Slicing, ways: IntArray, options: list[Option]) -> BoolArray:
    """Whether ways keep to one user a subcarrier and to the stations' places, shape (ways,)."""
    allowed: BoolArray = np.ones(len(ways), bool)
    if not instance.intra_cell_reuse:
        for o in range(1, len(options)):
            allowed &= (ways == o).sum(1) <= 1
    for station in range(instance.nodes[0]):
        own = [o for o, option in enumerate(options) if option is not None and option[:2] == (0, station)]
        allowed &= np.isin(ways, own).sum(1) <= instance.station_capacity
    return allowed


def _decision(instance: Slicing, placement: IntArray, found: list[tuple[Links, Best]]) -> SlicingDecision:
    serve: list[Service | None] = [None] * len(instance.slices)
    for layer, (links, best) in zip(LAYERS, found, strict=True):
        for k, v, n, power in zip(*links, best.power_w, strict=True):
            serve[k] = Service(layer, int(v), int(n), float(power))
    return SlicingDecision(placement, tuple(serve))


class _Layers:
    """The best powers of links with UAVs at their places, layer by layer."""

    def __init__(self, instance: Slicing, placement: IntArray) -> None:
        self.instance = instance
        self.gains, self.distances = gains(instance, placement), distances_m(instance, placement)
        self.known = dict[tuple[int, bytes], Best]()

    def alone(self, options: list[Option]) -> FloatArray:
        """The most that users are worth on each option, shape (users, options)."""
        found = np.zeros((len(self.instance.slices), len(options)))
        for (k, _), (o, option) in itertools.product(enumerate(self.instance.slices), enumerate(options)):
            if option is not None:
                layer, v, n = option
                links = Links(np.array([k]), np.array([v]), np.array([n]))
                found[k, o] = max(_Boxes(self, layer, links).most, 0.0)
        return found

    def best(self, way: list[Option]) -> list[tuple[Links, Best]]:
        """The best powers of all layers."""
        found = []
        for layer in range(3):
            rows = [(k, *option[1:]) for k, option in enumerate(way) if option is not None and option[0] == layer]
            links = Links(*np.array(rows, np.int64).reshape(-1, 3).T)
            key = layer, np.array(rows, np.int64).tobytes()
            if key not in self.known:
                self.known[key] = _Boxes(self, layer, links).best()
            found.append((links, self.known[key]))
        return found


class _Boxes:
    """Powers of a layer's links, as shares of their nodes' budgets; `rest` are the links of H and L users."""

    def __init__(self, layers: _Layers, layer: int, links: Links) -> None:
        instance = self.instance = layers.instance
        self.links, self.budget = links, instance.budgets_w[layer]
        user, node, subcarrier = links
        kind = np.array(instance.slices)[user]
        self.distance = layers.distances[layer][user, node]
        power = self.budget[node]
        heard = layers.gains[layer][user[:, None], node, subcarrier[:, None]] * power / instance.noise_w
        heard[subcarrier[:, None] != subcarrier] = 0.0
        own = heard.diagonal().copy()
        np.fill_diagonal(heard, 0.0)
        self.rest, cover = np.flatnonzero(kind != "C"), np.flatnonzero(kind == "C")
        self.high = kind[self.rest] == "H"
        count = {letter: max(1, instance.slices.count(letter)) for letter in "LC"}
        weights = instance.weights
        self.per_bps = weights.throughput / instance.throughput_ref_bps
        self.per_s = weights.delay / (instance.delay_cap_s * count["L"])
        self.covering = len(cover) * weights.coverage / count["C"]
        # shares of covered links: constant + factors times shares of the rest
        self.cover, self.can = cover, True
        self.factors = np.zeros((len(cover), 1 + len(self.rest)))
        if len(cover) and instance.sinr_threshold > 0:
            wanted = instance.sinr_threshold
            system = np.diag(own[cover]) - wanted * heard[np.ix_(cover, cover)]
            right = wanted * np.column_stack([np.ones(len(cover)), heard[np.ix_(cover, self.rest)]])
            # a nonnegative solution of these is the least one if the spectral radius is below 1, and there is none else
            audible: FloatArray = np.where(own[cover] > 0, own[cover], 1.0)
            spread = wanted * heard[np.ix_(cover, cover)] / audible[:, None]
            self.can = bool((own[cover] > 0).all() and np.abs(np.linalg.eigvals(spread)).max() < 1 - NEARLY)
            if self.can:
                self.factors[:] = np.linalg.solve(system, right)
        # interference: constant + factors times shares of the rest
        self.own: FloatArray = own[self.rest]
        through = heard[np.ix_(self.rest, cover)] @ self.factors
        self.noise: FloatArray = 1 + through[:, 0]
        self.heard = heard[np.ix_(self.rest, self.rest)] + through[:, 1:]
        # what nodes send: constant + factors times shares of the rest
        nodes = np.arange(len(self.budget))[:, None]
        sent = (node[cover] == nodes) @ self.factors
        self.sent = sent[:, 0]
        self.sends: FloatArray = (node[self.rest] == nodes) + sent[:, 1:]
        self.node = node[self.rest]
        loudest: FloatArray = np.maximum(self.own, self.heard.max(0, initial=0.0))
        self.faint: FloatArray = 1 / np.maximum(loudest, 1.0)
        self.turns = self._turns()

    @property
    def most(self) -> float:
        """What the links are worth at all of the budget, without what they do to each other."""
        if not self.can or (self.sent > 1 + TOLERANCE).any():
            return -np.inf
        return self.covering + float(self._worth(np.log1p(self.own / self.noise)[None]).sum())

    def _bps(self, rate: FloatArray) -> FloatArray:
        return rate_bps(self.instance, np.expm1(rate))

    def _worth(self, rate: FloatArray) -> FloatArray:
        """What rates (nats a second and hertz) are worth, shape (points, rest)."""
        bits = bits_of(self.instance)[self.links.user[self.rest]]
        delay = delay_s(self.instance, self._bps(rate), self.distance[self.rest], bits)
        saved = self.per_s * (self.instance.delay_cap_s - delay)
        return np.where(self.high, self.per_bps * self._bps(rate), saved)

    def _slope(self, rate: FloatArray) -> FloatArray:
        """How fast that rises, for L users as if their delays were below the cap, shape (points, rest)."""
        bits = bits_of(self.instance)[self.links.user[self.rest]]
        bps, packet = np.where(self.high, 1.0, self._bps(rate)), self.instance.packet_bits
        mu, packets = bps / packet, self.instance.arrival_bps / packet
        wait = np.where(self.high, 1.0, 2 * (mu**2 - packets * mu))
        faster = bits / bps**2 + packets * 2 * (2 * mu - packets) / wait**2 / packet
        per_nat = self.instance.subcarrier_hz / np.log(2)
        return np.asarray(per_nat * np.where(self.high, self.per_bps, self.per_s * faster))

    def _turns(self) -> FloatArray:
        """Rates from which links are worth something, from below, shape (rest,)."""
        nat = np.log(2) / self.instance.subcarrier_hz
        low = np.where(self.high, 0.0, self.instance.arrival_bps * nat * (1 + NEAR) + NEAR)
        high = np.where(self.high, 0.0, np.maximum(2 * low, np.log1p(self.own / self.noise)))
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            idle = self._worth(middle[None])[0] <= 0
            low, high = np.where(idle, middle, low), np.where(idle, high, middle)
        return np.where(self.high, 0.0, low)

    def best(self) -> Best:
        """The best powers, by cutting boxes until none can hold better ones."""
        free = len(self.rest)
        if not self.can or (self.sent > 1).any():
            return Best(np.zeros(len(self.links.user)), -np.inf, -np.inf)
        low, high = np.zeros((1, free)), np.ones((1, free))
        share, value, bound, seen = np.zeros(free), self._value(np.zeros((1, free)))[0], -np.inf, 0
        while len(low):
            check_interrupts()
            kept = self._fits(low)
            low, high = low[kept], high[kept]
            most, points = self._bounds(low, high)
            for tried in (low, points):
                fits = np.flatnonzero(self._fits(tried))
                values = self._value(tried[fits])
                if len(fits) and values.max() > value:
                    share, value = tried[fits[values.argmax()]], values.max()
            open_ = most > value + NEAR
            seen += len(low)
            if seen > MOST_BOXES:
                bound = float(most.max())
                break
            low, high = self._cut(low[open_], high[open_])
        power = np.zeros(len(self.links.user))
        power[self.rest] = share
        power[self.cover] = self.factors[:, 0] + self.factors[:, 1:] @ share
        watts = power * self.budget[self.links.node]
        return Best(watts, float(value), max(float(value) + NEAR, bound))

    def _fits(self, share: FloatArray) -> BoolArray:
        """Whether points keep to the budgets, shape (points,)."""
        return np.asarray((share @ self.sends.T <= 1 - self.sent).all(1))

    def _value(self, share: FloatArray) -> FloatArray:
        """Of points, shape (points,)."""
        noise = self.noise + share @ self.heard.T
        return np.asarray(self.covering + self._worth(np.log1p(self.own * share / noise)).sum(1))

    def _bounds(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Bounds of boxes, and points where they are reached, shapes (boxes,) and (boxes, rest)."""
        least_noise, most_noise = self.noise + low @ self.heard.T, self.noise + high @ self.heard.T
        at_low, at_high = self.own * low, self.own * high
        lowest, highest = np.log1p(at_low / most_noise), np.log1p(at_high / least_noise)
        steepest = np.where(highest < self.turns, 0.0, self._slope(np.maximum(lowest, self.turns)))
        flattest = np.where(self.high | (lowest > self.turns), self._slope(np.maximum(highest, self.turns)), 0.0)
        slope = steepest * self.own / (least_noise + at_low)
        slope -= (flattest * at_low / (most_noise * (most_noise + at_low))) @ self.heard
        room = 1 - self.sent - low @ self.sends.T
        most = self._worth(np.log1p(at_low / least_noise)).sum(1)
        point, rows = low.copy(), np.arange(len(low))
        for j in np.argsort(-slope, 1).T:  # most slope first
            node = self.node[j]
            step = np.minimum((high - low)[rows, j], np.maximum(room[rows, node], 0.0)) * (slope[rows, j] > 0)
            point[rows, j] += step
            room[rows, node] -= step
            most += slope[rows, j] * step
        return self.covering + np.minimum(most, self._worth(highest).sum(1)), point

    def _cut(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Halves of boxes, by the power whose ends are farthest apart in proportion, counted from below the noise."""
        rows = np.arange(len(low))
        ends = np.log((high + self.faint) / (low + self.faint))
        j = ends.argmax(1) if ends.shape[1] else np.zeros(0, np.int64)
        middle = np.sqrt((low[rows, j] + self.faint[j]) * (high[rows, j] + self.faint[j])) - self.faint[j]
        below, above = high.copy(), low.copy()
        below[rows, j] = above[rows, j] = middle
        return np.concatenate([low, above]), np.concatenate([below, high])
