"""One seed that learns by itself: its network, the running mean of its parameters, and how both go a step further."""

import copy
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

N = TypeVar("N", bound=nn.Module)


class AveragedStudent(Generic[N]):
    """A network that learns; what it has learned is the running mean of its parameters.

    Parameters
    ----------
    largest_gradient
        Norm at which the gradient is cut.
    """

    def __init__(self, network: N, largest_gradient: float) -> None:
        self.network = network
        self.learned = copy.deepcopy(network).requires_grad_(False)
        self._largest_gradient = largest_gradient

    def _begin(self, module: nn.Module, weight_decay: float) -> None:
        """Learn the parameters of a module from now on, with an optimiser that knows nothing yet."""
        self._optimiser = torch.optim.AdamW(module.parameters(), betas=(0.9, 0.98), weight_decay=weight_decay)

    def _descend(self, loss: Tensor, rate: float) -> float:
        """One gradient step; the gradient's norm before it was cut."""
        self._optimiser.zero_grad()
        torch.autograd.backward(loss)
        (group,) = self._optimiser.param_groups
        norm = nn.utils.clip_grad_norm_(group["params"], self._largest_gradient)
        group["lr"] = rate
        self._optimiser.step()
        return float(norm)

    @torch.no_grad()
    def _average(self, keep: float, step: int | None = None) -> None:
        """Let the running mean follow; at first, that is in small `step`, faster."""
        keep = keep if step is None else min(keep, (step + 1) / (step + 10))
        for mean, now in zip(self.learned.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit."""
        return {
            "network": self.network.state_dict(),
            "learned": self.learned.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.network.load_state_dict(state["network"])
        self.learned.load_state_dict(state["learned"])
        self._optimiser.load_state_dict(state["optimiser"])
