"""The graph policy at work: what its networks say of the environments of some worlds."""

import numpy as np
import torch

from ...instances.fields import FloatArray, IntArray
from ..environment import Float32Array
from .environment import EmbeddingEnvironment
from .graph_lessons import neighbours_of
from .graph_network import GraphNetwork
from .sights import look


class GraphDecider:
    """A network before an environment."""

    def __init__(self, network: GraphNetwork, environment: EmbeddingEnvironment) -> None:
        self.network, self.neighbours = network, neighbours_of(environment.tables)

    def hosts(self, environment: EmbeddingEnvironment, rows: IntArray) -> FloatArray:
        """Log-likelihood of hosts, shape (rows, N)."""
        seen = look(environment.tables, environment.rules, environment.play, rows).hosts
        return self.log_likely(seen, environment.play.world[rows])

    @torch.no_grad()
    def log_likely(self, hosts: Float32Array, world: IntArray) -> FloatArray:
        """The same of what is seen of the hosts in some worlds."""
        likely = self.network.host(torch.from_numpy(hosts), self.neighbours[world])
        return np.asarray(likely.double().numpy())

    @torch.no_grad()
    def gain(self, environment: EmbeddingEnvironment, rows: IntArray) -> FloatArray:
        """What is gained by taking each embedding, shape (rows,)."""
        offer = look(environment.tables, environment.rules, environment.play, rows).offer
        return np.asarray(self.network.price.gain(torch.from_numpy(offer)).double().numpy())
