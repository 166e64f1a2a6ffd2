"""Actors and critics of S seeds: chances of every part of an action, and what the rest of the slot is worth.

`FlatActorCritic` sees an observation as one vector and belongs to one layout. `SharedActorCritic` scores all options of
a part by one network, as it would any others, so that what is learned of one is learned of all, whatever the layout.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..layers import Linear, generators
from .worlds import PARTS, Layout

NEVER = -1e9  # score of what is impossible
BEGINNING = 0.01  # of scores' weights, so that all actions are nearly as likely at first
OPTION_FEATURES = 9


class FlatActorCritic(nn.Module):
    """A trunk with a head for scores and one for values; equal seeds begin equally.

    Parameters
    ----------
    values
        Numbers that the critic gives.
    """

    def __init__(self, layout: Layout, values: int, width: int, seeds: Sequence[int]) -> None:
        super().__init__()
        rngs = generators(seeds)
        self.seeds, self.layout = len(seeds), layout
        self.sizes = [size + 1 for size in layout.sizes]
        self.first, self.second = Linear(layout.features, width, rngs), Linear(width, width, rngs)
        self.scores, self.critic = Linear(width, sum(self.sizes), rngs), Linear(width, values, rngs)
        _begin([self.scores])

    def forward(self, observation: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor]:
        """Log-chances of each part (S, N, size) and values (S, N, values), of observations (S, N, features)."""
        seen = torch.relu(self.second(torch.relu(self.first(observation))))
        scores = self.scores(seen).masked_fill(~mask, NEVER)
        return [part.log_softmax(-1) for part in scores.split(self.sizes, -1)], self.critic(seen)


class Scorer(nn.Module):
    """Scores of the options of one part, and of nothing."""

    def __init__(self, width: int, rngs: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.first, self.second = Linear(OPTION_FEATURES, width, rngs), Linear(width, width, rngs)
        self.option, self.nothing = Linear(width, 1, rngs), Linear(2 * width, 1, rngs)
        _begin([self.option, self.nothing])

    def forward(self, options: Tensor) -> tuple[Tensor, Tensor]:
        """Scores, nothing first, (S, N, 1 + O), and a summary (S, N, 2 width) of options (S, N, O, OPTION_FEATURES)."""
        seeds, rows, count, features = options.shape
        seen = torch.relu(self.first(options.reshape(seeds, rows * count, features)))
        seen = torch.relu(self.second(seen))
        score = self.option(seen).view(seeds, rows, count)
        pairs = seen.view(seeds, rows, count, seen.shape[-1])
        if not count:
            pairs = torch.zeros(seeds, rows, 1, seen.shape[-1])
        summary = torch.cat([pairs.amax(2), pairs.mean(2)], -1)
        return torch.cat([self.nothing(summary), score], -1), summary


class SharedActorCritic(nn.Module):
    """A scorer for each part, and a critic that looks at their summaries; equal seeds begin equally.

    Parameters
    ----------
    values
        Numbers that the critic gives.
    """

    def __init__(self, layout: Layout, values: int, width: int, seeds: Sequence[int]) -> None:
        super().__init__()
        rngs = generators(seeds)
        self.seeds, self.layout = len(seeds), layout
        self.scorers = nn.ModuleList(Scorer(width, rngs) for _ in range(PARTS))
        self.worth, self.critic = Linear(2 * PARTS * width, width, rngs), Linear(width, values, rngs)

    def forward(self, observation: Tensor, mask: Tensor) -> tuple[list[Tensor], Tensor]:
        """As `FlatActorCritic`."""
        sizes = self.layout.sizes
        log_chances, summaries = [], []
        options = torch.split(self._options(observation), list(sizes), 2)
        for scorer, own, able in zip(
            self.scorers, options, torch.split(mask, [size + 1 for size in sizes], -1), strict=True
        ):
            scores, summary = scorer(own)
            log_chances.append(scores.masked_fill(~able, NEVER).log_softmax(-1))
            summaries.append(summary)
        return log_chances, self.critic(torch.relu(self.worth(torch.cat(summaries, -1))))

    def _options(self, observation: Tensor) -> Tensor:
        """What is seen of each option, and how far below the best it is; (S, N, options, OPTION_FEATURES)."""
        options, resources = self.layout.options, self.layout.resources
        own, free, worth, left, scarce, later = torch.split(
            observation, [options, options, options, resources, resources, 1], -1
        )
        parts = torch.split(own, list(self.layout.sizes), -1)
        below = torch.cat([part - part.amax(-1, keepdim=True) if part.shape[-1] else part for part in parts], -1)
        one, other = torch.from_numpy(self.layout.takes.T)
        taken = [of[..., which] for of in (left, scarce) for which in (one, other)]
        return torch.stack([own, below, free, worth, *taken, later.expand_as(own)], -1)


def _begin(heads: Sequence[Linear]) -> None:
    with torch.no_grad():
        for head in heads:
            head.weight.mul_(BEGINNING)


ActorCritic = FlatActorCritic | SharedActorCritic
