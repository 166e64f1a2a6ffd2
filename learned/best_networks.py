"""The best network of each seed so far, by its return in validation."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class BestNetworks:
    """What S seeds in one module have come to.

    Attributes
    ----------
    parameters
        Tensors by name, the seed first.
    returns : tensor, shape (S,)
        What they came to in validation; -inf before the first.
    """

    def __init__(self, module: nn.Module, seeds: int) -> None:
        self.parameters = {name: value.detach().clone() for name, value in module.state_dict().items()}
        self.returns = torch.full((seeds,), -torch.inf, dtype=torch.float64)

    def offer(self, module: nn.Module, found: Tensor) -> None:
        """Keep the networks of those seeds whose return, shape (S,), is better than before."""
        better = found > self.returns
        self.returns[better] = found[better]
        for name, value in module.state_dict().items():
            self.parameters[name][better] = value[better]

    def state(self) -> dict[str, Any]:
        """Everything needed to go on."""
        return {"parameters": self.parameters, "returns": self.returns}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.parameters, self.returns = state["parameters"], state["returns"]

    def policy(self) -> dict[str, Any]:
        """The entries of a policy file."""
        return {"parameters": self.parameters, "validation_return": self.returns.tolist()}
