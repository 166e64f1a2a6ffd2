"""Virtual network embedding: what an instance is, and where its numbers come from."""

from .instance import (
    DOMAINS,
    Embedding,
    EmbeddingDecision,
    Links,
    Request,
    RequestNodes,
    Substrate,
    SubstrateNodes,
    VirtualNetworks,
)

__all__ = [
    "DOMAINS",
    "Embedding",
    "EmbeddingDecision",
    "Links",
    "Request",
    "RequestNodes",
    "Substrate",
    "SubstrateNodes",
    "VirtualNetworks",
]
