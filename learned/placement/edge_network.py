"""The network of imitation: an encoder of (user, host) pairs whose shapes know neither users nor hosts, and a head.

It holds one seed. Networks of several seeds in one batched tensor would not train faster: at these sizes arithmetic
dominates, and five batches in one take 0.9 times as long as five in a loop.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .decision_head import DecisionHead, Pairs
from .scene import FEATURES, HIDDEN, Scene


@dataclass(frozen=True)
class Size:
    """Sizes of a network.

    Attributes
    ----------
    width, head_width
        Of the encoder's and of the head's embedding of a pair.
    layers
        Layers of the encoder.
    heads
        Ways in which a layer pools pairs.
    loads
        Placements that a layer tries, for the loads that they lead to.
    """

    width: int
    layers: int
    heads: int
    loads: int
    head_width: int


class Masks(NamedTuple):
    """Where pooling looks, each of shape (B, users, H, 1): 0 or `HIDDEN`, weights of a user's and of a host's mean."""

    hide: Tensor
    user_mean: Tensor
    host_mean: Tensor

    @classmethod
    def of(cls, possible: Tensor) -> "Masks":
        """The masks of what is possible, shape (B, users, H)."""
        able = possible.float()
        user_mean, host_mean = (able / able.sum(axis, keepdim=True).clamp(min=1) for axis in (2, 1))
        return cls(((1 - able) * HIDDEN)[..., None], user_mean[..., None], host_mean[..., None])


class Pool(nn.Module):
    """The mean and attention's weighted means of pairs, over the last axis but one."""

    def __init__(self, width: int, heads: int, outputs: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, heads)
        self.out = nn.Linear((heads + 1) * width, outputs)

    def forward(self, pairs: Tensor, hide: Tensor, mean: Tensor) -> Tensor:
        """Pool (B, M, L, width) to (B, M, outputs)."""
        weights = torch.cat([torch.softmax(self.score(pairs) + hide, 2), mean], -1)
        pooled: Tensor = self.out((weights.transpose(2, 3) @ pairs).flatten(2))
        return pooled


class Layer(nn.Module):
    """Pairs look at their user's and their host's other pairs, and at the loads of placements that the layer tries."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.width
        self.norm = nn.LayerNorm(width)
        self.by_user, self.by_host = (Pool(width, size.heads, 2 * width) for _ in range(2))
        self.trial = nn.Linear(width, size.loads)
        self.crowd = nn.Linear(2 * size.loads, 2 * width)
        self.pair = nn.Linear(width + 2 * size.loads, 2 * width)
        self.down = nn.Linear(2 * width, width)

    def forward(self, pairs: Tensor, scene: Scene, masks: Masks) -> tuple[Tensor, Tensor]:
        """The pairs' next embedding, (B, users, H, width), and the logits of the first trial, (B, users, H)."""
        seen = self.norm(pairs)
        logits = self.trial(seen) + masks.hide
        share = torch.softmax(logits, 2)
        count = share.sum(1)
        load = count if scene.even else (share * scene.weight[..., None]).sum(1)
        cost = scene.fixed[..., None] + load[:, None] * scene.slope[..., None]
        above = cost - (share * cost).sum(2, keepdim=True)
        above = (above / (0.3 + above.abs())).masked_fill(~scene.possible[..., None], 0.0)
        press = (count / scene.places[..., None].clamp(min=1) - 1).clamp(-1, 3)
        user = self.by_user(seen, masks.hide, masks.user_mean)
        host = self.by_host(seen.transpose(1, 2), masks.hide.transpose(1, 2), masks.host_mean.transpose(1, 2))
        host = host + self.crowd(torch.cat([press, count.log1p()], -1))
        new = self.pair(torch.cat([seen, above, share], -1)) + user[:, :, None] + host[:, None]
        return pairs + self.down(torch.relu(new)), logits[..., 0]


class Encoding(NamedTuple):
    """What the encoder makes of a scene.

    Attributes
    ----------
    pairs
        For the head.
    logits : tensor, shape (B, users, H)
        The encoder's opinion before anybody is placed.
    trials : list of tensors, shape (B, users, H)
        Logits on the way, from the second layer on.
    """

    pairs: Pairs
    logits: Tensor
    trials: list[Tensor]


class EdgeNetwork(nn.Module):
    """Encoder and head of one seed; initial values depend on the seed alone."""

    def __init__(self, size: Size, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.size = size
            self.features = nn.Linear(FEATURES, size.width)
            self.layers = nn.ModuleList(Layer(size) for _ in range(size.layers))
            self.norm = nn.LayerNorm(size.width)
            self.opinion = nn.Linear(size.width, 1)
            self.head = DecisionHead(size.width, size.head_width)

    def forward(self, scene: Scene) -> Encoding:
        """Encode a scene."""
        masks = Masks.of(scene.possible)
        pairs: Tensor = self.features(scene.features())
        trials = []
        for layer in self.layers:
            pairs, logits = layer(pairs, scene, masks)
            trials.append(logits)
        seen = self.norm(pairs)
        logits = self.opinion(seen)[..., 0].masked_fill(~scene.possible, HIDDEN)
        return Encoding(Pairs.of(scene, logits, self.head.embed(seen)), logits, trials[1:])
