"""Decisions of a model's powers, which engines keep to thresholds and budgets only within their tolerances.

Powers of covered users are raised to what the threshold takes, again and again as they disturb each other; powers of
the other users of a node are lowered to what is left of its budget.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...instances.fields import IntArray
from ...instances.slicing import Service, Slicing, SlicingDecision
from ...instances.slicing.instance import LAYERS
from .values import TOLERANCE, gains

ROUNDS = 50
ENOUGH = 1e-7  # relative: raises beyond this are no matter of tolerances


class PoweredLink(NamedTuple):
    """A user's link and the share of its node's budget."""

    user: int
    layer: int
    node: int
    subcarrier: int
    share: float


def fitted_decision(instance: Slicing, candidate: IntArray, links: Sequence[PoweredLink]) -> SlicingDecision:
    """Return the decision of links and powers, made to keep to thresholds and budgets.

    Parameters
    ----------
    candidate : array, shape (uavs,)
    """
    serve: list[Service | None] = [None] * len(instance.slices)
    every = gains(instance, candidate)
    for layer, (gain, budget) in enumerate(zip(every, instance.budgets_w, strict=True)):
        own = [link for link in links if link.layer == layer]
        if not own:
            continue
        user, node, n = (np.array(part) for part in zip(*((a.user, a.node, a.subcarrier) for a in own), strict=True))
        heard = gain[user[:, None], node, n[:, None]] * budget[node] / instance.noise_w
        heard[n[:, None] != n] = 0.0
        signal = heard.diagonal().copy()
        np.fill_diagonal(heard, 0.0)
        share = np.array([link.share for link in own])
        cover = np.array([instance.slices[k] == "C" for k in user]) & (signal > 0)
        before = share.copy()
        for _ in range(ROUNDS):
            needed = instance.sinr_threshold * (1 - TOLERANCE / 2) * (1 + heard @ share) / np.where(cover, signal, 1.0)
            raised = np.where(cover & (needed <= 2 * before + ENOUGH), np.maximum(share, needed), share)
            spent = np.bincount(node, np.where(cover, raised, 0.0), minlength=len(budget))
            rest = np.bincount(node, np.where(cover, 0.0, raised), minlength=len(budget))
            fits = np.divide(np.maximum(1 - spent, 0.0), rest, out=np.ones(len(budget)), where=rest > 0)
            lowered = np.where(cover, raised, raised * np.minimum(fits, 1.0)[node])
            if np.array_equal(lowered, share):
                break
            share = lowered
        total = np.bincount(node, share, minlength=len(budget))
        share = share / np.maximum(total * (1 - TOLERANCE / 2), 1.0)[node]
        for link, part in zip(own, share.tolist(), strict=True):
            power_w = part * float(budget[link.node])
            serve[link.user] = Service(LAYERS[layer], link.node, link.subcarrier, power_w)
    return SlicingDecision(candidate, tuple(serve))
