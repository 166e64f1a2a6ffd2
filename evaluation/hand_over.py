"""Three ways to bring the even model of placement into HiGHS, for the benchmark of the fast path."""

import highspy
import numpy as np

from ..instances.fields import FloatArray, IntArray
from ..instances.placement import Placement


def by_fast_path(instance: Placement) -> int:
    """Build the Pyomo model with templates and compile it; returns its columns."""
    from ..formulations.placement import milp
    from ..formulations.templates import templates
    from ..solvers.highs import CompiledModel

    with templates():
        model = milp.build(instance)
    program = CompiledModel(model).program
    assert program is not None
    return program.columns


def by_appsi(instance: Placement) -> int:
    """Build the Pyomo model and hand it over by Pyomo's own persistent interface; returns its columns."""
    from pyomo.contrib.appsi.solvers import Highs

    from ..formulations.placement import milp

    engine = Highs()
    engine.set_instance(milp.build(instance))
    return int(engine._solver_model.getNumCol())


def by_arrays(instance: Placement) -> int:
    """Fill HiGHS row by row from the instance's arrays, as one does by hand; all users reach all hosts. Its columns."""
    users, devices = instance.users, instance.devices
    alone = instance.work_cycles[:, None] / instance.device_cps
    levels = [(j, n) for j in range(devices) for n in range(int(instance.device_capacity[j]) + 1)]
    count = np.array([n for _, n in levels], float)
    has_home = np.isfinite(instance.local_s)
    home, cloud = np.arange(users), users + np.arange(users)
    link = 2 * users + np.arange(users * devices).reshape(users, devices)
    y = 2 * users + users * devices + np.arange(len(levels))
    v = y + len(levels)

    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    for cost, upper in (
        (np.where(has_home, instance.local_s, 0.0), has_home.astype(float)),
        (instance.cloud_s, np.ones(users)),
        (instance.transmit_s.ravel(), np.ones(users * devices)),
        (np.zeros(len(levels)), np.ones(len(levels))),
        (count, np.full(len(levels), np.inf)),
    ):
        none = np.zeros(0, np.int32)
        highs.addCols(len(cost), cost, np.zeros(len(cost)), upper, 0, none, none, np.zeros(0))
    whole = np.arange(y[-1] + 1, dtype=np.int32)
    highs.changeColsIntegrality(len(whole), whole, np.ones(len(whole), np.uint8))

    def row(lower: float, upper: float, *terms: tuple[IntArray, FloatArray]) -> None:
        index = np.concatenate([columns for columns, _ in terms]).astype(np.int32)
        highs.addRow(lower, upper, len(index), index, np.concatenate([values for _, values in terms]))

    ones = np.ones(max(users, devices))
    for i in range(users):
        row(1, 1, (home[[i]], ones[:1]), (link[i], ones[:devices]), (cloud[[i]], ones[:1]))
    row(-np.inf, instance.cloud_places, (cloud, ones[:users]))
    for j in range(devices):
        own = np.array([k for k, (device, _) in enumerate(levels) if device == j])
        ordered = np.sort(alone[:, j])
        row(-np.inf, instance.device_capacity[j], (link[:, j], ones[:users]))
        row(1, 1, (y[own], np.ones(len(own))))
        row(0, 0, (link[:, j], ones[:users]), (y[own], -count[own]))
        row(0, 0, (v[own], np.ones(len(own))), (link[:, j], -alone[:, j]))
        for k in own:
            n = levels[k][1]
            row(-np.inf, 0, (v[[k]], ones[:1]), (y[[k]], -ordered[users - n :].sum(keepdims=True)))
            row(0, np.inf, (v[[k]], ones[:1]), (y[[k]], -ordered[:n].sum(keepdims=True)))
    return int(highs.getNumCol())
