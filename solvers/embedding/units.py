"""Demands and capacities in a unit in which the largest request earns between 1 and 8,192."""

import dataclasses

import numpy as np

from ...instances.embedding import Links, Request, RequestNodes, Substrate, SubstrateNodes, VirtualNetworks
from ...instances.embedding.instance import TOLERANCE, admitted
from ...instances.fields import FloatArray
from ..reductions import power_near
from ..result import Limits

REQUEST = 8.0  # a request earns as much as so many nodes and links


def in_own_units(instance: VirtualNetworks, limits: Limits) -> tuple[VirtualNetworks, float]:
    """Return the same instance in another unit, and the factor by which objectives are larger.

    The tolerance of capacities below 1 is absolute, so in the new unit capacities are such that with the tolerance
    there they admit what the instance's do, or more by at most 1e-9.
    """
    factor = power_near(max((request.revenue for request in instance.requests), default=0.0) / REQUEST)
    if factor == 1.0:
        return instance, factor

    def capacity(values: FloatArray) -> FloatArray:
        limit = admitted(values) * factor
        return np.where(limit >= 1 + TOLERANCE, limit / (1 + TOLERANCE), np.maximum(limit - TOLERANCE, 0.0))

    nodes, links = instance.substrate.nodes, instance.substrate.links
    substrate = Substrate(
        SubstrateNodes(nodes.domain, capacity(nodes.cpu), capacity(nodes.storage)),
        Links(links.source, links.target, capacity(links.bandwidth)),
    )
    requests = tuple(_scaled(request, factor) for request in instance.requests)
    return dataclasses.replace(instance, substrate=substrate, requests=requests), factor


def _scaled(request: Request, factor: float) -> Request:
    nodes, links = request.nodes, request.links
    return dataclasses.replace(
        request,
        nodes=RequestNodes(nodes.domain, nodes.cpu * factor, nodes.storage * factor),
        links=Links(links.source, links.target, links.bandwidth * factor),
    )
