"""Networks of a team: one recurrent network that all agents share, and QMIX's monotone mixer."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, relu

from .layers import GRUCell, Linear


class AgentNetwork(nn.Module):
    """Action values of an agent from what it has seen and done: linear, GRU, linear (the paper's agent Q network).

    All agents share the parameters; what tells them apart is a feature of their observations.

    Parameters
    ----------
    inputs
        Features of an observation plus actions, for the agent's previous action as one-hot.
    """

    def __init__(self, inputs: int, hidden: int, actions: int, rngs: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.encode = Linear(inputs, hidden, rngs)
        self.remember = GRUCell(hidden, hidden, rngs)
        self.value = Linear(hidden, actions, rngs)

    def forward(self, x: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Values (S, T, N, actions) of a sequence (S, T, N, inputs), and the hidden state after it (S, N, hidden).

        Without a hidden state the sequence is the beginning of an episode.
        """
        seeds, steps, rows, inputs = x.shape
        encoded = relu(self.encode(x.reshape(seeds, steps * rows, inputs)))
        gates = self.remember.gates(encoded).view(seeds, steps, rows, -1)
        now = x.new_zeros(seeds, rows, self.remember.hidden) if hidden is None else hidden
        passed = []
        for step in range(steps):
            now = self.remember(gates[:, step], now)
            passed.append(now)
        values = self.value(torch.stack(passed, 1).reshape(seeds, steps * rows, -1))
        return values.view(seeds, steps, rows, -1), now


class MonotoneMixer(nn.Module):
    """QMIX: the team's value as a two-layer network of the agents' values with weights >= 0 that the state decides.

    The weights' signs keep (22): the team's value never falls when an agent's value rises.
    """

    def __init__(self, agents: int, state_features: int, embedding: int, rngs: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.agents, self.embedding = agents, embedding
        self.first_weight = Linear(state_features, agents * embedding, rngs)
        self.first_bias = Linear(state_features, embedding, rngs)
        self.second_weight = Linear(state_features, embedding, rngs)
        self.second_bias = nn.Sequential(Linear(state_features, embedding, rngs), nn.ReLU(), Linear(embedding, 1, rngs))

    def forward(self, values: Tensor, state: Tensor) -> Tensor:
        """Team values (S, N) of agents' values (S, N, agents) in states (S, N, state_features)."""
        seeds, rows, _ = values.shape
        weight = self.first_weight(state).abs().view(seeds, rows, self.agents, self.embedding)
        mixed = elu((values[..., None] * weight).sum(2) + self.first_bias(state))
        team: Tensor = (mixed * self.second_weight(state).abs()).sum(2) + self.second_bias(state)[..., 0]
        return team
