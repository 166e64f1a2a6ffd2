"""The network of imitation: who links to whom on which channel, whatever the numbers of satellites and stations.

Its embeddings belong to (edge, channel) pairs of a slot; they look at their satellite's and their station's other ones,
channel by channel and over all channels, so that satellites, stations and channels can be renumbered freely.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from .slot_state import FEATURES, SlotState

HIDDEN = -1e9  # logit of what cannot be: far below any other, and finite


class Ends(NamedTuple):
    """Which satellites and stations the edges have.

    Attributes
    ----------
    of_satellite : tensor, shape (B, V, E)
        1 for a satellite's edges.
    to_satellite, to_station : tensor, shape (B, V, E) and (B, J, E)
        Weights of the mean over a satellite's and a station's edges.
    real : tensor, shape (B, E, 1, 1)
    """

    of_satellite: Tensor
    to_satellite: Tensor
    to_station: Tensor
    real: Tensor

    @classmethod
    def of(cls, state: SlotState) -> "Ends":
        """The ends of the edges of slots."""
        satellites, _, stations, _ = state.graph.shape
        _, place, station = (torch.from_numpy(end) for end in state.edge)
        real = torch.from_numpy(state.real).float()
        ends = [
            (one_hot(end, count) * real[..., None]).transpose(1, 2)
            for end, count in ((place, satellites), (station, stations))
        ]
        satellite, by_station = (end / end.sum(2, keepdim=True).clamp(min=1) for end in ends)
        return cls(ends[0], satellite, by_station, real[..., None, None])


class Layer(nn.Module):
    """Pairs look at their satellite's and their station's other pairs."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.pair = nn.Linear(width, 2 * width)
        # On the same channel, and over all channels.
        self.satellite = nn.Linear(2 * width, 2 * width, bias=False)
        self.station = nn.Linear(2 * width, 2 * width, bias=False)
        self.channel = nn.Linear(width, 2 * width, bias=False)
        self.down = nn.Linear(2 * width, width)

    def forward(self, pairs: Tensor, ends: Ends) -> Tensor:
        """The pairs' next embedding, (B, E, K, width)."""
        seen = self.norm(pairs) * ends.real
        batch, edges, channels, _ = seen.shape
        back = self.channel(seen.mean(1, keepdim=True))
        for to, look in ((ends.to_satellite, self.satellite), (ends.to_station, self.station)):
            mean = (to @ seen.flatten(2)).view(batch, -1, channels, seen.shape[3])
            told = look(torch.cat([mean, mean.mean(2, keepdim=True).expand_as(mean)], -1))
            member = (to > 0).float().transpose(1, 2)
            back = back + (member @ told.flatten(2)).view(batch, edges, channels, -1)
        new: Tensor = pairs + self.down(torch.relu(self.pair(seen) + back))
        return new


class LinkNetwork(nn.Module):
    """One seed; initial values depend on the seed alone."""

    def __init__(self, width: int, layers: int, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.features = nn.Linear(FEATURES, width)
            self.layers = nn.ModuleList(Layer(width) for _ in range(layers))
            self.norm = nn.LayerNorm(width)
            self.link = nn.Linear(width, 1)
            self.none = nn.Linear(width, 1)

    def forward(self, state: SlotState, ends: Ends) -> Tensor:
        """Log-likelihoods of satellites' choices, shape (B, V, 1 + E K): no link, then edge by edge the channels."""
        pairs: Tensor = self.features(torch.from_numpy(state.features()))
        for layer in self.layers:
            pairs = layer(pairs, ends)
        seen = self.norm(pairs) * ends.real
        link = self.link(seen)[..., 0].masked_fill(~torch.from_numpy(state.possible), HIDDEN)
        none = self.none(ends.to_satellite @ seen.mean(2))
        own = ends.of_satellite[..., None] > 0
        logits = torch.where(own, link[:, None], HIDDEN).flatten(2)
        log_likely: Tensor = torch.log_softmax(torch.cat([none, logits], 2), 2)
        return log_likely
