"""The network of imitation: what each user takes, whatever the numbers of users, satellites, relays, caches, servers.

Its embeddings belong to (user, option) pairs of one part of the reward; a layer looks at a pair's user, its row and its
column, and at how full these would be if everybody took what the layer would.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ...formulations.provisioning.rewards import KINDS
from .slot_part import Part

FEATURES = 5
HIDDEN = -1e9  # logit of what cannot be: far below any other, and finite
LEAST_CROWD, LARGEST_CROWD = -1.0, 3.0


class Size(NamedTuple):
    """Sizes of a network.

    Attributes
    ----------
    width
        Of the embedding of a pair.
    layers
        Layers.
    trials
        Choices that a layer tries, for how full they make rows and columns.
    """

    width: int
    layers: int
    trials: int


class Scene(NamedTuple):
    """A part as the network sees it.

    Attributes
    ----------
    features : tensor, shape (B, U, A, C, FEATURES)
    able, hide : tensor, shape (B, U, A, C, 1)
        1 where a pair is possible; 0 there, `HIDDEN` elsewhere.
    rows, columns : tensor, shape (B, A, 1) and (B, C, 1)
        Places that are left.
    """

    features: Tensor
    able: Tensor
    hide: Tensor
    rows: Tensor
    columns: Tensor

    @classmethod
    def of(cls, part: Part) -> "Scene":
        """Features: the reward, how far below the user's best it is, whether it can be had, how scarce places are."""
        able = part.possible
        value = np.where(able, part.value, 0.0)
        best = value.max((2, 3), keepdims=True, initial=0.0)
        waiting = np.maximum(part.able.sum(1), 1)[:, None]
        row, column = (np.minimum(left / waiting, 1) for left in (part.rows, part.columns))
        row, column = (
            np.broadcast_to(row[:, None, :, None], able.shape),
            np.broadcast_to(column[:, None, None], able.shape),
        )
        features = np.stack([value, np.where(able, value - best, 0.0), able, row, column], -1)
        mask = torch.from_numpy(able).float()[..., None]
        places = (torch.from_numpy(left).float()[..., None] for left in (part.rows, part.columns))
        return cls(torch.from_numpy(features).float(), mask, (1 - mask) * HIDDEN, *places)


class Layer(nn.Module):
    """Pairs look at their user's, their row's and their column's other pairs."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.width
        self.norm = nn.LayerNorm(width)
        self.trial, self.nothing = nn.Linear(width, size.trials), nn.Linear(width, size.trials)
        self.pair = nn.Linear(width + 2 * size.trials, 2 * width)
        self.user = nn.Linear(2 * width, 2 * width, bias=False)
        self.row, self.column = (nn.Linear(2 * width + 2 * size.trials, 2 * width, bias=False) for _ in range(2))
        self.down = nn.Linear(2 * width, width)

    def forward(self, pairs: Tensor, scene: Scene) -> Tensor:
        """The pairs' next embedding, (B, U, A, C, width)."""
        seen = self.norm(pairs) * scene.able
        own, most = _mean(seen, scene.able, (2, 3)), seen.amax((2, 3))
        logits = (self.trial(seen) + scene.hide).flatten(2, 3)
        tried = torch.cat([logits, self.nothing(own)[:, :, None]], 2).softmax(2)
        share = tried[:, :, :-1].reshape(*seen.shape[:4], -1)
        value = scene.features[..., :1]
        above = (value - (share * value).sum((2, 3), keepdim=True)) * scene.able
        new = self.pair(torch.cat([seen, share, above], -1)) + self.user(torch.cat([own, most], -1))[:, :, None, None]
        new = new + self.row(self._crowd(seen, share, scene.able, scene.rows, (1, 3)))[:, None, :, None]
        new = new + self.column(self._crowd(seen, share, scene.able, scene.columns, (1, 2)))[:, None, None]
        ahead: Tensor = pairs + self.down(torch.relu(new))
        return ahead

    def _crowd(self, seen: Tensor, share: Tensor, able: Tensor, places: Tensor, over: tuple[int, int]) -> Tensor:
        """What rows or columns look like: mean pairs, those that would be taken, and how many for how many places."""
        count = share.sum(over)
        taken = (seen * share[..., :1]).sum(over) / count[..., :1].clamp(min=1)
        full = (count / places.clamp(min=1) - 1).clamp(LEAST_CROWD, LARGEST_CROWD)
        return torch.cat([_mean(seen, able, over), taken, full, count.log1p()], -1)


def _mean(seen: Tensor, able: Tensor, over: tuple[int, int]) -> Tensor:
    """Mean of the possible pairs over two axes."""
    mean: Tensor = seen.sum(over) / able.sum(over).clamp(min=1)
    return mean


class PartNetwork(nn.Module):
    """The network of one part."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.features = nn.Linear(FEATURES, size.width)
        self.layers = nn.ModuleList(Layer(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.take, self.nothing = nn.Linear(size.width, 1), nn.Linear(size.width, 1)

    def forward(self, part: Part) -> Tensor:
        """Log-likelihoods of what users take, nothing first, shape (B, U, 1 + A C)."""
        scene = Scene.of(part)
        pairs: Tensor = self.features(scene.features)
        for layer in self.layers:
            pairs = layer(pairs, scene)
        seen = self.norm(pairs) * scene.able
        take = (self.take(seen) + scene.hide).flatten(2)
        nothing = self.nothing(_mean(seen, scene.able, (2, 3)))
        return torch.log_softmax(torch.cat([nothing, take], 2), 2)


class SlotNetwork(nn.ModuleList):
    """The networks of all parts, of one seed; initial values depend on the seed alone."""

    def __init__(self, size: Size, seed: int = 0) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            super().__init__(PartNetwork(size) for _ in KINDS)

    def parts(self, parts: Sequence[Part]) -> Sequence[tuple[Any, Part]]:
        """Each network with its part."""
        return list(zip(self, parts, strict=True))
