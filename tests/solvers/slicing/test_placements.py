"""Bounds of placements: exact ones with time, those of links alone without."""

import numpy as np
import pytest
from skybound.instances.slicing.presets import generate
from skybound.solvers.slicing.cells import Cells, Rows
from skybound.solvers.slicing.placements import Sky, placements

TOLERANCE = 1e-7


@pytest.mark.parametrize("preset", ["paper-24:side=3,users=9", "reuse-24:side=2,users=3"])
def test_bounds_with_and_without_time(preset: str) -> None:
    instance = generate(preset, 1)
    rows = Rows.of(instance)
    point = np.full(len(rows.most), 0.05)
    everywhere = np.arange(len(placements(instance)))
    timely, late = (Sky(instance, rows, lambda late=late: late) for late in (False, True))
    exact = timely.worth(everywhere, point, 0.0, TOLERANCE)
    own = []
    for p in everywhere:
        cells = Cells(instance, rows, timely.placements[p])
        own.append(sum(max(cells.best((1, n), point, 0.0, TOLERANCE)[1], 0.0) for n in range(instance.subcarriers)))
    np.testing.assert_allclose(exact, own, atol=1e-5)
    rough = late.worth(everywhere, point, 0.0, TOLERANCE)
    assert (rough >= exact - 1e-9).all()
    assert rough.sum() > exact.sum() + 1e-3
    assert timely.best(point, everywhere, TOLERANCE)[1] == pytest.approx(exact.max(), abs=1e-5)


def test_better_placements_come_with_a_bound_on_all() -> None:
    instance = generate("paper-24:side=3,users=9", 1)
    rows = Rows.of(instance)
    point = np.full(len(rows.most), 0.05)
    sky = Sky(instance, rows, lambda: False)
    exact = sky.worth(np.arange(len(sky.placements)), point, 0.0, TOLERANCE)
    floor = float(np.sort(exact)[-6:-4].mean())
    better, most = sky.better(point, floor, len(exact), TOLERANCE)
    assert most == pytest.approx(exact.max(), abs=1e-5)
    np.testing.assert_array_equal(np.sort(better), np.flatnonzero(exact > floor))
    none, most = Sky(instance, rows, lambda: True).better(point, floor, 1, TOLERANCE)
    assert not none.size
    assert most >= exact.max()
