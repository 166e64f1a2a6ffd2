"""A bound on what the paper maximises: O, average revenue and the ratio of revenue to cost and the share accepted."""

import numpy as np

from ...instances.embedding import VirtualNetworks
from .aggregate import aggregate
from .trace import Trace


def joint_bound(instance: VirtualNetworks) -> float | None:
    """A number that O (equation 12) of no decision exceeds; None without a horizon or requests.

    Average revenue and the share accepted are sums over accepted requests, bounded together by the aggregated program.
    Revenue over cost is at most that of the best request over no hops, or one a link where hosts must differ.
    """
    if instance.horizon is None or not instance.requests:
        return None
    revenue = np.array([request.revenue for request in instance.requests])
    least = np.array([request.on_nodes for request in instance.requests]) if instance.colocate else revenue
    ratio = float(np.divide(revenue, least, out=np.where(revenue > 0, np.inf, 0.0), where=least > 0).max())
    value = revenue / instance.horizon + 1 / len(revenue)
    return aggregate(instance, Trace.of(instance), value=value).bound + ratio
