"""Between decisions and the variables of explicit models: shares of budgets, saved delays, and back."""

from collections.abc import Mapping

import numpy as np

from ...instances.slicing import Slicing, SlicingDecision
from ...instances.slicing.instance import UAV
from .fitted_powers import PoweredLink, fitted_decision
from .link_terms import Place, propagation_s
from .links import Sites, won
from .tangents import Saved
from .values import Served


def shares_in(
    instance: Slicing, sites: list[Sites], least: Mapping[Place, float], decision: SlicingDecision
) -> dict[Place, float]:
    """Return the shares of the budgets of a decision's links; services that are worth nothing are left out.

    Parameters
    ----------
    least
        Links that the model has.
    """
    share = dict[Place, float]()
    gained = won(instance, decision)
    for k, layer, node, n, power in zip(*Served.of(decision), strict=True):
        own = sites[layer]
        here = (own.node == node) & ((own.candidate == decision.uav_candidate[node]) if layer == UAV else True)
        link = int(layer), int(np.flatnonzero(here)[0]), int(k), int(n)
        if link in least and gained[k] > 0:
            share[link] = float(power / instance.budgets_w[layer][node]) if power else 0.0
    return share


def saved_caps(instance: Slicing, sites: list[Sites], link: Place, rate: float) -> float:
    """Return by how many caps an L user's delay is below its cap at a rate (nats)."""
    curve = Saved.of(instance, link[2])
    return max(curve.value(rate) - propagation_s(sites, link), 0.0) / curve.cap


def decision_of(
    instance: Slicing, sites: list[Sites], candidate: np.ndarray, share: Mapping[Place, float]
) -> SlicingDecision:
    """Return the decision of links with shares of the budgets, made to keep to thresholds and budgets.

    Parameters
    ----------
    candidate : array, shape (uavs,)
        Where UAVs stand.
    """
    links = [PoweredLink(k, layer, int(sites[layer].node[i]), n, own) for (layer, i, k, n), own in share.items()]
    return fitted_decision(instance, candidate, links)
