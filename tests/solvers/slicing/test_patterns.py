"""Patterns, also where a node may have several links: bounds hold for any links and powers."""

import numpy as np
import pytest
from skybound.instances.slicing.presets import generate
from skybound.solvers.slicing.cells import Cells, Rows
from skybound.solvers.slicing.laws import COVERED, HIGH, LOW, delay_less
from skybound.solvers.slicing.placements import placements

DRAWS = 3_000


def net(cells, cell, point, users, nodes, share):
    """What links at some powers are worth, users that are better not served left out, less what they pay."""
    layer, laws = cells.layers[cell[0]], cells.rows.laws
    prices = cells.rows.prices(point, cell[0], layer.spare.shape[1])
    heard = layer.snr[cell[1]][users[:, None], nodes] * share
    ratio = heard.diagonal() / (1 + heard.sum(1) - heard.diagonal())
    total = 0.0
    for k, v, power, sinr in zip(users, nodes, share, ratio, strict=True):
        rate, worth = np.log1p(sinr), 0.0
        if laws.kind[k] == HIGH:
            worth = laws.worth[k] * rate
        elif laws.kind[k] == COVERED:
            worth = laws.worth[k] * (sinr >= laws.threshold * (1 - 1e-9))
        elif laws.kind[k] == LOW and rate > laws.arriving[k]:
            worth = laws.worth[k] * max(
                0.0, delay_less(rate, layer.spare[k, v], laws.sent[k], laws.waiting[k], laws.arriving[k])
            )
        total += worth - prices.user[k] - prices.place[v] - prices.budget[v] * power
    return total


@pytest.mark.parametrize("reuse", ["yes", "no"])
def test_no_pattern_is_above_the_bound(reuse):
    """Random links with random powers, of all layers, at prices low and high."""
    instance = generate(f"fixed-24:users=9,reuse={reuse}", 0)
    cells, rng = Cells(instance, Rows.of(instance), placements(instance)[0]), np.random.default_rng(0)
    near = 0
    for cell in ((0, 0), (1, 3), (2, 0)):
        nodes = cells.layers[cell[0]].spare.shape[1]
        for price in (0.02, 0.2, 0.3):
            point = price * rng.uniform(0.5, 1.5, len(cells.rows.most))
            found, bound = cells.best(cell, point, 0.0, 1e-7)
            best = 0.0
            for _ in range(DRAWS):
                links = int(rng.integers(1, 5)) if reuse == "yes" else int(rng.integers(1, nodes + 1))
                users = rng.permutation(9)[:links]
                where = rng.integers(nodes, size=links) if reuse == "yes" else rng.permutation(nodes)[:links]
                share = 10.0 ** rng.uniform(-5, 0, links)
                best = max(best, net(cells, cell, point, users, where, share))
            assert best <= bound + 1e-6
            if found is not None:
                again = net(cells, cell, point, found.users, found.nodes, found.share)
                assert again <= bound + 1e-6
                if price > 0.02 or reuse == "no":  # at low prices there are too many patterns with reuse to look at
                    assert again == pytest.approx(bound, abs=1e-5)
                near += best >= 0.5 * bound
    assert near >= 3


def test_a_list_that_is_cut_short_is_none():
    """At low prices there are too many patterns with reuse to look at; without, all are listed."""
    for reuse in ("yes", "no"):
        instance = generate(f"fixed-24:reuse={reuse}", 0)
        cells = Cells(instance, Rows.of(instance), placements(instance)[0])
        listed = cells.all((1, 0), np.full(len(cells.rows.most), 0.05), 0.1, 1e-7)
        assert (listed is None) == (reuse == "yes")
