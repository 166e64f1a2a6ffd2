"""The decoder's network: what the marginal costs of the moment change in the encoder's opinion."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from .scene import HIDDEN, Scene, above_least

FEATURES = 16


@dataclass(frozen=True)
class Pairs:
    """The (user, host) pairs of users still to be placed.

    Attributes
    ----------
    packed : tensor, shape (B, L, H, 5 + width)
        Fixed, alone, weight and slope of the scene, logit and embedding of the encoder: in one tensor, since users
        leave it round by round.
    places : tensor, shape (B, H)
        Users that a host takes.
    users
        All users, placed ones included.
    """

    even: bool
    packed: Tensor
    places: Tensor
    users: int

    @classmethod
    def of(cls, scene: Scene, logits: Tensor, embedding: Tensor) -> Self:
        """All pairs of a scene."""
        single = torch.stack([scene.fixed, scene.alone, scene.weight, scene.slope, logits], -1)
        return cls(scene.even, torch.cat([single, embedding], -1), scene.places, logits.shape[1])

    def keep(self, rows: Tensor) -> Self:
        """Only some users of each instance; `rows` has shape (B, L)."""
        batch, kept = rows.shape
        _, _, hosts, width = self.packed.shape
        packed = self.packed.flatten(2).gather(1, rows[:, :, None].expand(-1, -1, hosts * width))
        return type(self)(self.even, packed.view(batch, kept, hosts, width), self.places, self.users)

    def repeat(self, times: int) -> Self:
        """Every instance `times` times, one after the other."""
        packed, places = (tensor.repeat_interleave(times, 0) for tensor in (self.packed, self.places))
        return type(self)(self.even, packed, places, self.users)


@dataclass(frozen=True)
class Seated:
    """What the users placed so far have brought to the hosts, each of shape (B, H).

    Attributes
    ----------
    count
        Users.
    load
        Sum of their weights.
    work
        Sum of their computing delays alone.
    """

    count: Tensor
    load: Tensor
    work: Tensor

    @classmethod
    def at(cls, scene: Scene, one: Tensor) -> Self:
        """After pairs have been seated, marked by 1 in `one` of shape (B, users, H)."""
        return cls(one.sum(1), (one * scene.weight).sum(1), (one * scene.alone).sum(1))


class DecisionHead(nn.Module):
    """Logits of the users left, given who sits where; before training they are the encoder's.

    Parameters
    ----------
    inputs
        Width of the encoder's embedding.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.embed = nn.Linear(inputs, width)
        self.moment = nn.Linear(FEATURES, width)
        self.pair, self.user, self.host = (nn.Linear(width, width) for _ in range(3))
        self.correction = nn.Linear(width, 1)
        nn.init.zeros_(self.correction.weight)
        nn.init.zeros_(self.correction.bias)

    def forward(self, pairs: Pairs, seated: Seated, offered: Tensor) -> Tensor:
        """Logits of shape (B, L, H), hidden where not offered."""
        logits, embedding = pairs.packed[..., 4], pairs.packed[..., 5:]
        seen = torch.relu(embedding + self.moment(_features(pairs, seated, offered)))
        mask = offered.float()
        by_user = (mask / mask.sum(2, keepdim=True).clamp(min=1)).unsqueeze(2) @ seen
        share = (mask / mask.sum(1, keepdim=True).clamp(min=1)).transpose(1, 2).unsqueeze(2)
        by_host = (share @ seen.transpose(1, 2)).transpose(1, 2)
        seen = torch.relu(self.pair(seen) + self.user(by_user) + self.host(by_host))
        correction: Tensor = self.correction(seen)[..., 0]
        return (logits + correction).masked_fill(~offered, HIDDEN)


def _features(pairs: Pairs, seated: Seated, offered: Tensor) -> Tensor:
    """What the moment says of each pair, shape (B, L, H, FEATURES)."""
    fixed, _, weight, slope, logits = pairs.packed[..., :5].unbind(-1)
    likely = torch.softmax(logits.masked_fill(~offered, HIDDEN), 2) * offered
    load = seated.load[:, None]
    coming = likely.sum(1)  # users that a host can expect of those left
    coming_load = coming[:, None] if pairs.even else (likely * weight).sum(1, keepdim=True)
    own = fixed + slope * (load + weight)
    others = seated.work[:, None] if pairs.even else slope * load  # what it costs those who are there
    later = fixed + slope * (load + torch.maximum(coming_load, weight))
    left = offered.any(2).sum(1) / pairs.users
    return torch.cat(
        [
            above_least(torch.stack([own + others, own, later], -1), offered),
            _of_hosts(seated, pairs.places, coming)[:, None].expand(-1, fixed.shape[1], -1, -1),
            torch.stack([likely, offered.float(), left[:, None, None].expand(fixed.shape)], -1),
        ],
        -1,
    )


def _of_hosts(seated: Seated, places: Tensor, coming: Tensor) -> Tensor:
    """What the moment says of each host, shape (B, H, 7)."""
    free, total = places - seated.count, seated.count + coming
    amounts = torch.stack([seated.count, seated.work, coming], -1)
    shares = (
        free / places.clamp(min=1),
        (coming / free.clamp(min=1)).clamp(max=3),
        1 / (1 + free),
        total - total.round(),
    )
    return torch.cat([amounts / (1 + amounts), torch.stack(shares, -1)], -1)
