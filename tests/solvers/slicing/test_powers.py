"""Best powers of a pattern: certified, and never below what a grid of powers finds."""

import itertools

import numpy as np
import pytest
from skybound.instances.fields import FloatArray
from skybound.instances.slicing.presets import generate
from skybound.solvers.slicing.cells import Cells, Rows
from skybound.solvers.slicing.laws import COVERED, HIGH, LOW, Laws, least_rate
from skybound.solvers.slicing.link_bounds import Prices, links_of
from skybound.solvers.slicing.links import Links
from skybound.solvers.slicing.powers import best_powers

GRID = np.concatenate([[0.0], np.geomspace(1e-6, 1, 60)])


def _value(links: Links, share: FloatArray) -> float:
    """Straight from the definition: rates, delays, coverage, less what the powers cost."""
    signal = links.own * share
    ratio = signal / (1 + links.heard @ share - np.diag(links.heard) * share)
    total = -float(links.price @ share)
    for i, rate in enumerate(np.log1p(ratio)):
        if links.kind[i] == HIGH:
            total += links.worth[i] * rate
        elif links.kind[i] == COVERED:
            total += links.worth[i] * (ratio[i] >= links.threshold * (1 - 1e-9))
        elif rate > links.arriving[i]:
            delay = links.sent[i] / rate + links.waiting[i] / (rate * (rate - links.arriving[i]))
            total += links.worth[i] * max(0.0, links.spare[i] - delay)
    return total


def _some(links: Links, own: list[int]) -> Links:
    """Some of the links, without the others."""
    parts = {name: getattr(links, name)[own] for name in Links._fields if name not in ("heard", "threshold")}
    return Links(**parts, heard=np.ascontiguousarray(links.heard[np.ix_(own, own)]), threshold=links.threshold)


def _pairs() -> list[Links]:
    instance = generate("fixed-24", 3)
    laws, rng = Laws.of(instance), np.random.default_rng(0)
    cells = Cells(instance, Rows.of(instance), np.array([0, 1]))
    found = []
    for layer, kinds in itertools.product((0, 1), itertools.product(range(3), repeat=2)):
        one, other = (int(rng.choice(np.flatnonzero(laws.kind == kind))) for kind in kinds)
        users = np.array([one, other if other != one else (one + 1) % 8 + 8 * kinds[0]])
        price = rng.choice([0.0, 0.02, 0.3], 2)
        prices = Prices(laws, np.zeros(0), np.zeros(0), price)
        found.append(links_of(cells.layers[layer], int(rng.integers(10)), prices, users, np.array([0, 1])))
    return found


@pytest.mark.parametrize("links", _pairs())
def test_pairs_against_a_grid(links: Links) -> None:
    """Whom a grid leaves idle or uncovered is not part of the pattern, so smaller patterns count, too."""
    bounds = [0.0]
    for own in ([0, 1], [0], [1]):
        some, share = _some(links, own), np.zeros(len(own))
        value, bound, _ = best_powers(some, np.zeros(len(own)), np.ones(len(own)), -np.inf, 1e-7, share)
        bounds.append(bound)
        if value > -np.inf:
            assert bound - 1e-7 <= value <= bound
            assert _value(some, share * (1 + 1e-13)) == pytest.approx(value, abs=1e-9)
    grid = max(_value(links, np.array(one)) for one in itertools.product(GRID, repeat=2))
    assert -np.inf < grid <= max(bounds) + 1e-9
    if COVERED not in links.kind:  # covering two takes powers in the right proportion, which a grid may not have
        assert grid >= max(bounds) - 0.01


@pytest.mark.parametrize("links", _pairs())
def test_no_grid_within_ends_is_beyond_the_bound(links: Links) -> None:
    """Where all sides of cuts are bounded, so is the whole; powers found are between their ends.

    Links of which the other one is idle are not part of the pattern, so they count, too.
    """
    cut, inside = GRID[[30, 50]], (links.kind != COVERED)
    best = []
    for sides in itertools.product((0, 1), repeat=2):
        least, most = np.where(sides, cut, 0.0), np.where(sides, 1.0, cut)
        share = np.zeros(2)
        value, bound, _ = best_powers(links, least, most, -np.inf, 1e-7, share)
        axes = [GRID[(low <= GRID) & (high >= GRID)] for low, high in zip(least, most, strict=True)]
        grid = max(_value(links, np.array(one)) for one in itertools.product(*axes))
        ends = [(_some(links, [k]), least[[k]], most[[k]]) for k in (0, 1)]
        bound = max(0.0, bound, *(best_powers(*alone, -np.inf, 1e-7, np.zeros(1))[1] for alone in ends))
        if inside.all():
            assert grid <= bound + 1e-9
        if value > -np.inf:
            assert (share >= least - 1e-12)[inside].all()
            assert (share <= most + 1e-12)[inside].all()
        best.append(bound)
    whole = best_powers(links, np.zeros(2), np.ones(2), -np.inf, 1e-7, np.zeros(2))[1]
    assert max(best) >= whole - 1e-6
    if LOW not in links.kind:  # one who stays below the least rate is not part of the whole
        assert max(best) <= whole + 1e-6


def test_one_high_link_by_hand() -> None:
    # w ln(1 + a x) - c x is best where w a / (1 + a x) = c, so x = w / c - 1 / a
    one = np.ones(1)
    links = Links(
        np.array([HIGH]), 2 * one, one, one, one, 0 * one, 0 * one, 4 * one, 4 * np.ones((1, 1)), 4 * one, 1.0
    )
    share = np.zeros(1)
    value, bound, _ = best_powers(links, 0 * share, 1 + 0 * share, -np.inf, 1e-9, share)
    assert share[0] == pytest.approx(2 / 4 - 1 / 4, abs=1e-4)
    assert value == pytest.approx(2 * np.log(2) - 1, abs=1e-9)
    assert value <= bound <= value + 1e-9


def test_covered_links_take_the_least_powers() -> None:
    # 8 x = 1 + y and 4 y = 1 + 2 x
    one = np.ones(2)
    heard = np.array([[8.0, 1.0], [2.0, 4.0]])
    links = Links(np.full(2, COVERED), one, one, one, one, one, one, np.array([8.0, 4.0]), heard, 0.1 * one, 1.0)
    share = np.zeros(2)
    value, bound, _ = best_powers(links, 0 * share, 1 + 0 * share, -np.inf, 1e-9, share)
    np.testing.assert_allclose(share, [1 / 6, 1 / 3])
    assert value == bound == pytest.approx(2 - 0.05)


def test_the_least_rate_is_where_the_delay_reaches_its_cap() -> None:
    spare, sent, waiting, arriving = 0.1, 0.01, 0.0005, 0.1
    rate = least_rate(spare, sent, waiting, arriving)
    assert sent / rate + waiting / (rate * (rate - arriving)) == pytest.approx(spare)
    assert least_rate(-1e-3, sent, waiting, arriving) == np.inf
