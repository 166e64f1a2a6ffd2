"""Placements as a network sees them: scaled costs of (user, host) pairs, and features that say nothing of sizes."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ...instances.fields import FloatArray
from ...solvers.placement.batch import Costs
from .features import possible

FEATURES = 17
HIDDEN = -1e9  # logit of a pair that cannot be: far below any other, and finite
LARGEST = 1e6  # where scaled delays are cut, so that sums of them stay finite in single precision


@dataclass(frozen=True)
class Scene:
    """B placements of one shape, with delays as multiples of the users' mean delay on their best host alone.

    A user's computing delay on a device is `slope` times the device's load, and it adds `weight` to that load. With
    even shares everybody weighs 1; with optimal shares a user weighs the root of its computing delay alone.

    Attributes
    ----------
    possible : tensor, shape (B, users, H)
        Whether the pair can be.
    fixed : tensor, shape (B, users, H)
        Delay that does not depend on others; 0 where impossible.
    alone : tensor, shape (B, users, H)
        Computing delay without company; 0 at home and in the cloud, where it is fixed.
    weight, slope : tensor, shape (B, users, H)
        See above; their product is `alone`.
    places : tensor, shape (B, H)
        Users that a host takes, at most all.
    """

    even: bool
    possible: Tensor
    fixed: Tensor
    alone: Tensor
    weight: Tensor
    slope: Tensor
    places: Tensor

    @classmethod
    def of(cls, costs: Costs) -> Self:
        """The scene of a batch in which every user has a possible host."""
        able = possible(costs)
        load = np.broadcast_to(costs.load[:, :, None], (*costs.shape[:2], costs.shape[2] - 2))
        computing_s = np.zeros(costs.shape)
        with np.errstate(over="ignore"):  # what overflows is cut at `LARGEST`
            computing_s[:, :, 1:-1] = costs.compute_s(np.ones_like(load), load)
            scale_s = np.where(able, costs.fixed_s + computing_s, np.inf).min(2).mean(1)[:, None, None]
            scale_s = np.where(scale_s > 0, np.minimum(scale_s, np.finfo(float).max), 1.0)
            fixed = _scaled(np.where(able, costs.fixed_s, 0.0), scale_s)
            alone = _scaled(computing_s, scale_s)
        weight = torch.ones_like(alone) if costs.even else alone.sqrt()
        slope = alone if costs.even else weight
        places = np.minimum(costs.places, costs.shape[1]).astype(np.float32)
        return cls(costs.even, torch.from_numpy(able), fixed, alone, weight, slope, torch.from_numpy(places))

    def repeat(self, times: int) -> Self:
        """Every instance `times` times, one after the other."""
        names = "possible", "fixed", "alone", "weight", "slope", "places"
        return type(self)(self.even, *(getattr(self, name).repeat_interleave(times, 0) for name in names))

    def features(self) -> Tensor:
        """What the encoder sees of each pair, shape (B, users, H, FEATURES)."""
        batch, users, hosts = self.fixed.shape
        able = self.possible.float()
        alone = self.fixed + self.alone
        crowded = self.fixed + self.alone * (0.7 * self.places[:, None])
        places = self.places[:, None].expand(batch, users, hosts)
        away, homeless = self.places[:, 1:].sum(1), (~self.possible[:, :, 0]).float().sum(1)
        whole = torch.stack([homeless / users, away / users, (homeless / away.clamp(min=1)).clamp(max=2)], -1)
        kind = torch.ones(hosts, dtype=torch.long)
        kind[0], kind[-1] = 0, 2
        single = (
            torch.log1p(self.fixed),
            torch.log1p(alone),
            self.alone / (0.1 + self.alone),
            able,
            1 / places.clamp(min=1),
            (places / users).clamp(max=1),
            able[:, :, :1].expand(batch, users, hosts),
        )
        return torch.cat(
            [
                above_least(torch.stack([alone, crowded], -1), self.possible),
                torch.stack(single, -1),
                one_hot(kind, 3).float().expand(batch, users, hosts, 3),
                whole[:, None, None].expand(batch, users, hosts, 3),
            ],
            -1,
        )


def above_least(costs: Tensor, mask: Tensor) -> Tensor:
    """How far K costs of a user on its hosts are above the least one of the mask: saturated, and as logarithms.

    Parameters
    ----------
    costs : tensor, shape (..., H, K)
    mask : tensor, shape (..., H)

    Returns
    -------
    Shape (..., H, 2 K); 0 outside the mask.
    """
    out = ~mask[..., None]
    least = costs.masked_fill(out, torch.inf).amin(-2, keepdim=True)
    above = (costs - least).masked_fill(out, 0.0)
    return torch.cat([above / (0.2 + above), torch.log1p(above)], -1)


def _scaled(delay_s: FloatArray, scale_s: FloatArray) -> Tensor:
    return torch.from_numpy(np.minimum(delay_s / scale_s, LARGEST).astype(np.float32))
