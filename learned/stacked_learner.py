"""Reinforcement by S seeds at once, their networks stacked in one module: what the algorithms share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .best_networks import BestNetworks
from .layers import clip_gradients


class StackedLearner(ABC):
    """Learn for a unit of work, validate, and keep each seed's best network.

    Parameters
    ----------
    network
        Learns by gradients.
    policy_network
        The part of it, or all, that decides: the best is kept.
    seeds
        Seeds of networks, worlds and exploration; equal seeds learn equally whatever the others are.
    steps, unit
        How many there are, whatever a step is to the algorithm, and those of a unit of work.

    Attributes
    ----------
    steps
        Steps done.
    """

    def __init__(
        self, network: nn.Module, policy_network: nn.Module, seeds: Sequence[int], steps: int, unit: int
    ) -> None:
        self.steps, self._all_steps, self._unit = 0, steps, unit
        self._network, self._policy_network = network, policy_network
        self._parameters = list(network.parameters())
        self._optimiser: torch.optim.Optimizer = torch.optim.Adam(self._parameters)
        self._rngs = [np.random.default_rng(seed) for seed in seeds]
        self._best = BestNetworks(policy_network, len(seeds))

    @abstractmethod
    def _learn_until(self, last: int) -> dict[str, Any]:
        """Take steps up to number `last`; what happened, one number a seed."""

    @abstractmethod
    def _returns(self) -> Tensor:
        """Mean return of each seed over all validation worlds, no longer exploring, shape (S,)."""

    @abstractmethod
    def sizes(self) -> dict[str, Any]:
        """Sizes of the network."""

    @property
    def progress(self) -> float:
        """Share of the steps done."""
        return self.steps / self._all_steps

    def step(self) -> dict[str, Any]:
        """One unit: some steps, then validation; what happened, one number a seed."""
        metrics = self._learn_until(min(self.steps + self._unit, self._all_steps))
        found = self._returns()
        self._best.offer(self._policy_network, found)
        return metrics | {"validation_return": found.tolist()}

    def _descend(self, losses: Tensor, rate: float, largest_gradient: float) -> Tensor:
        """One gradient step of losses of shape (S,); each seed's gradient norm before it was cut."""
        self._optimiser.param_groups[0]["lr"] = rate
        self._optimiser.zero_grad()
        torch.autograd.backward(losses.sum())
        norm = clip_gradients(self._parameters, largest_gradient)
        self._optimiser.step()
        return norm

    def conclude(self) -> None:  # noqa: B027 - others have something to do
        """Nothing is left to do: every unit ends with a validation."""

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit."""
        return {
            "steps": self.steps,
            "network": self._network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "generators": [rng.bit_generator.state for rng in self._rngs],
            "best": self._best.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.steps = state["steps"]
        self._network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        for rng, known in zip(self._rngs, state["generators"], strict=True):
            rng.bit_generator.state = known
        self._best.load_state(state["best"])

    def policy(self) -> dict[str, Any]:
        """The best network of each seed, with what is needed to use it."""
        return {"network": self.sizes(), **self._best.policy()}
