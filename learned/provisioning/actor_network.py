"""Actors and critics of S seeds: chances of every part of an action, and what the rest of the slot is worth."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..layers import Linear, generators

NEVER = -1e9  # score of what is impossible


class ActorCritic(nn.Module):
    """A trunk with a head for scores and one for values; equal seeds begin equally.

    Parameters
    ----------
    sizes
        Choices of each part of an action, nothing included.
    values
        Numbers that the critic gives.
    """

    def __init__(self, features: int, sizes: Sequence[int], values: int, width: int, seeds: Sequence[int]) -> None:
        super().__init__()
        rngs = generators(seeds)
        self.seeds, self.sizes = len(seeds), tuple(sizes)
        self.first, self.second = Linear(features, width, rngs), Linear(width, width, rngs)
        self.scores, self.critic = Linear(width, sum(sizes), rngs), Linear(width, values, rngs)
        with torch.no_grad():  # all actions are nearly as likely at first
            self.scores.weight.mul_(0.01)

    def forward(self, observation: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor]:
        """Log-chances of each part (S, N, size) and values (S, N, values), of observations (S, N, features)."""
        seen = torch.relu(self.second(torch.relu(self.first(observation))))
        scores = self.scores(seen).masked_fill(~mask, NEVER)
        return [part.log_softmax(-1) for part in scores.split(self.sizes, -1)], self.critic(seen)
