"""The graph policy's networks: hosts for a request node over the substrate's graph, and prices of resources."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from .sights import HOST_FEATURES, KINDS

HIDDEN = -1e9  # score of what is impossible
LIFETIME = 1.0  # initial time (in `sights.TIME`) after which prices reckon with what a request takes as with for ever
PRICE = 0.5  # initial price of a unit of resource for ever, against a unit of revenue


class Size(NamedTuple):
    """Sizes of the networks: of hosts, how often they hear of their neighbours, and of prices."""

    width: int
    layers: int
    price_width: int


class HostNetwork(nn.Module):
    """Scores of hosts for the request node in turn; substrate nodes can be renumbered at will."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.enter = nn.Linear(HOST_FEATURES, width)
        self.layers = nn.ModuleList(nn.Linear(3 * width, width) for _ in range(layers))
        self.leave = nn.Linear(width, 1)

    def forward(self, hosts: Tensor, neighbours: Tensor) -> Tensor:
        """Log-likelihood of each host, shape (B, N).

        Parameters
        ----------
        hosts : tensor, shape (B, N, HOST_FEATURES)
            See `sights`.
        neighbours : tensor, shape (B, N, N)
            Shares of each node's neighbours; rows sum to 1.
        """
        known = torch.relu(self.enter(hosts))
        for layer in self.layers:
            everywhere = known.mean(1, keepdim=True).expand_as(known)
            known = known + torch.relu(layer(torch.cat([known, neighbours @ known, everywhere], 2)))
        score = self.leave(known)[..., 0].masked_fill(hosts[:, :, 0] == 0, HIDDEN)
        likely: Tensor = torch.log_softmax(score, 1)
        return likely


class PriceNetwork(nn.Module):
    """Whether a request brings more than what it takes would bring otherwise.

    Every kind of resource has a price, which depends on what is left of all; a request pays it for the time that it
    stays, later times counting less. Prices are positive, so that taking more never helps.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = nn.Linear(KINDS + 2, width)
        self.leave = nn.Linear(width, KINDS)
        nn.init.zeros_(self.leave.weight)
        nn.init.constant_(self.leave.bias, float(torch.tensor(PRICE).expm1().log()))
        self.lifetime = nn.Parameter(torch.tensor(LIFETIME).log())
        self.certainty = nn.Parameter(torch.tensor(0.0))

    def forward(self, offer: Tensor) -> Tensor:
        """Log-odds of taking, shape (B,), of what `sights` says, shape (B, OFFER_FEATURES)."""
        odds: Tensor = self.gain(offer) * self.certainty.exp()
        return odds

    def gain(self, offer: Tensor) -> Tensor:
        """What is gained by taking beyond what is paid, over `sights.NODE`, shape (B,)."""
        takes, left, (worth, stays, ends, ever) = offer[:, :KINDS], offer[:, KINDS : 2 * KINDS], offer[:, 2 * KINDS :].T
        known = torch.tanh(self.enter(torch.cat([left, torch.log1p(ends)[:, None], ever[:, None]], 1)))
        price = softplus(self.leave(known))
        lifetime = self.lifetime.exp()
        share = -torch.expm1(-stays / lifetime)
        gain: Tensor = worth - share * (price * takes).sum(1)
        return gain


class GraphNetwork(nn.Module):
    """Both."""

    def __init__(self, size: Size, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.host = HostNetwork(size.width, size.layers)
            self.price = PriceNetwork(size.price_width)
