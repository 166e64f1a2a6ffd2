"""Agents of edge domains: linear scores of strategy tables, of S seeds side by side, and how they look at traces."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ...instances.fields import FloatArray, IntArray
from ..environment import Float32Array
from ..layers import generators
from .edge_domains import COLUMNS, average_distance, bytes_of_request, edge_domains, strategy_tables
from .environment import EmbeddingEnvironment

HIDDEN = -1e9  # score of what is impossible


class AgentNetwork(nn.Module):
    """The convolution of each row of a table (equation 19), of S seeds with A agents; which agent sees it is given."""

    def __init__(self, agents: int, seeds: Sequence[int]) -> None:
        super().__init__()
        self.agents = agents
        drawn = [torch.empty(agents, COLUMNS + 1).uniform_(-0.5, 0.5, generator=rng) for rng in generators(seeds)]
        self.kernel = nn.Parameter(torch.stack(drawn))

    def forward(self, table: Tensor, agent: Tensor, seed: Tensor) -> Tensor:
        """Scores v' of tables (rows, N, COLUMNS) with the agents (rows, N) of seeds (rows,), shape (rows, N)."""
        kernel = self.kernel[seed[:, None], agent]
        return (table * kernel[..., :COLUMNS]).sum(-1) + kernel[..., COLUMNS]


class Agents:
    """Networks that look at an environment: one environment after the other of each seed.

    A node's host is drawn by softmax over all that are possible, equation (20): that is an edge domain by the sum of
    its exponentials, which the segment's server knows from what is sent, and a node of it by its agent's own softmax.
    """

    def __init__(self, network: AgentNetwork, environment: EmbeddingEnvironment, domains: int) -> None:
        self.network, self.environment = network, environment
        substrates = [instance.substrate for instance in environment.instances]
        self.domain = np.stack([edge_domains(substrate, domains) for substrate in substrates])
        self.bytes = [
            bytes_of_request(own, substrate.nodes.domain)
            for own, substrate in zip(self.domain, substrates, strict=True)
        ]
        both = zip(substrates, self.domain, strict=True)
        self.distance = np.stack([average_distance(substrate, own) for substrate, own in both])

    def tables(self) -> Float32Array:
        """The strategy tables of all environments, shape (B, N, COLUMNS)."""
        environment = self.environment
        return strategy_tables(environment.tables, environment.play, self.domain, self.distance)

    def log_likely(self, table: Tensor, possible: Tensor, world: IntArray, seed: Tensor) -> Tensor:
        """Log-likelihood of hosts, shape (rows, N)."""
        score = self.network(table, torch.from_numpy(self.domain[world]), seed)
        return torch.log_softmax(score.masked_fill(~possible, HIDDEN), 1)

    @torch.no_grad()
    def hosts(self, environment: EmbeddingEnvironment, rows: IntArray) -> FloatArray:
        """Log-likelihood of hosts in some environments."""
        possible = environment.mask[rows, : environment.nodes]
        seed = torch.from_numpy(rows * len(self.network.kernel) // len(environment.over))
        table, world = self.tables()[rows], environment.play.world[rows]
        likely = self.log_likely(torch.from_numpy(table), torch.from_numpy(possible), world, seed)
        return np.asarray(likely.double().numpy())

    def gain(self, environment: EmbeddingEnvironment, rows: IntArray) -> FloatArray:
        """Less hops are better, and all that pays is taken."""
        return environment.yields(rows)
