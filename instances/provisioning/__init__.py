"""Provisioning of transmission, caching and computing: what an instance is, and where its numbers come from."""

from .chains import CacheChains, Chain, Chains
from .instance import Fees, Prices, Provisioning, ProvisioningDecision

__all__ = ["CacheChains", "Chain", "Chains", "Fees", "Prices", "Provisioning", "ProvisioningDecision"]
