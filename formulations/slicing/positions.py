"""Where UAVs stand, in a model: z[v, q] says that UAV v stands on candidate q."""

import numpy as np
import pyomo.environ as pyo

from ...instances.fields import IntArray
from ...instances.slicing import Slicing
from .links import too_near


def place_uavs(m: pyo.ConcreteModel, instance: Slicing) -> None:
    """State that every UAV stands on one candidate, far enough from the others."""
    m.UAVS = pyo.RangeSet(0, instance.nodes[1] - 1)
    m.CANDIDATES = pyo.RangeSet(0, len(instance.uavs.candidates) - 1)
    m.z = pyo.Var(m.UAVS, m.CANDIDATES, domain=pyo.Binary)
    near = too_near(instance)
    pairs = [(v, w, q) for w in m.UAVS for v in range(w) for q in m.CANDIDATES if near[q].any()]

    @m.Constraint(m.UAVS, doc="UAV {0} stands on one candidate")
    def one_place(m, v):
        return sum((m.z[v, q] for q in m.CANDIDATES), 0) == 1 if len(m.CANDIDATES) else pyo.Constraint.Infeasible

    @m.Constraint(pairs, doc="UAV {1} is far enough from UAV {0} on candidate {2}")
    def distance(m, v, w, q):
        return m.z[v, q] + sum(m.z[w, r] for r in np.flatnonzero(near[q]).tolist()) <= 1


def placed(m: pyo.ConcreteModel) -> IntArray:
    """Where UAVs stand by the variables' values."""
    value = [[m.z[v, q].value or 0.0 for q in m.CANDIDATES] for v in m.UAVS]
    return np.array([np.argmax(own) for own in value], np.int64)


def place_at(m: pyo.ConcreteModel, candidate: IntArray) -> None:
    """Give the variables their values in a placement."""
    for v, q in m.z:
        m.z[v, q].value = float(candidate[v] == q)
