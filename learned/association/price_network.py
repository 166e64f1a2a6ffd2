"""What storage will be worth later: a network that looks at stations one by one."""

import numpy as np
import torch
from torch import Tensor, nn

from ...instances.fields import FloatArray, IntArray
from .prospects import FEATURES, Prospects

FULLEST = 0.98  # largest share of the storage left that the slots ahead are taken to fill
CAUTION = 1.0  # where learning begins: a share of 1 / (1 + e)


class PriceNetwork(nn.Module):
    """One seed; initial values depend on the seed alone.

    It guesses the share f of the storage left that the slots ahead will fill. If they fill it evenly, a data unit of
    storage is worth xi kappa (1 / (H - f H) - 1 / H) = xi kappa / H * f / (1 - f) to them.
    """

    def __init__(self, width: int, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.layers = nn.Sequential(
                nn.Linear(FEATURES, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)
            )

    def forward(self, features: Tensor) -> Tensor:
        """The price over xi kappa / H, of features (..., FEATURES)."""
        full = FULLEST * torch.sigmoid(self.layers(features)[..., 0] - CAUTION)
        price: Tensor = full / (1 - full)
        return price

    @torch.no_grad()
    def ahead(self, prospects: Prospects, world: IntArray, slot: IntArray, left: FloatArray) -> FloatArray:
        """Price of a data unit of storage to the slots after this one, shape (B, J).

        Parameters
        ----------
        world, slot : array, shape (B,)
        left : array, shape (B, J)
            Storage when the slot begins (data units).
        """
        features = torch.from_numpy(prospects.features(world, slot, left)).float()
        over = np.asarray(self(features).double().numpy())
        return over * prospects.weight[world, None] / prospects.storage(world, left)
