"""Layers that hold S seeds in one batched tensor, so that many seeds train in one process.

Inputs and outputs carry the seed first, shape (S, N, features). With S = 1 a layer equals the plain one of torch,
initial values included. Seeds never touch each other: with losses summed over seeds every seed gets its own gradient.
"""

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn


def generators(seeds: Iterable[int]) -> list[torch.Generator]:
    """One generator a seed, for the initial values of its parameters."""
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def _uniform(rngs: Sequence[torch.Generator], reach: float, *shape: int) -> Tensor:
    """One tensor a seed, uniform in [-reach, reach], shape (S, *shape)."""
    return torch.stack([torch.empty(shape).uniform_(-reach, reach, generator=rng) for rng in rngs])


class Linear(nn.Module):
    """S linear layers side by side: (S, N, inputs) to (S, N, outputs)."""

    def __init__(self, inputs: int, outputs: int, rngs: Sequence[torch.Generator]) -> None:
        super().__init__()
        reach = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(_uniform(rngs, reach, outputs, inputs).transpose(1, 2).contiguous())
        self.bias = nn.Parameter(_uniform(rngs, reach, outputs)[:, None])

    def forward(self, x: Tensor) -> Tensor:
        """Apply each seed's layer to its rows."""
        return torch.baddbmm(self.bias, x, self.weight)


class GRUCell(nn.Module):
    """S gated recurrent cells side by side (reset, update, new as in torch).

    The input's share of the gates does not depend on the past, so it is computed apart: for a sequence in one go.
    """

    def __init__(self, inputs: int, hidden: int, rngs: Sequence[torch.Generator]) -> None:
        super().__init__()
        reach = 1 / math.sqrt(hidden)
        self.hidden = hidden
        weight_in, weight_hidden = (_uniform(rngs, reach, 3 * hidden, size) for size in (inputs, hidden))
        self.weight_in = nn.Parameter(weight_in.transpose(1, 2).contiguous())
        self.weight_hidden = nn.Parameter(weight_hidden.transpose(1, 2).contiguous())
        self.bias_in = nn.Parameter(_uniform(rngs, reach, 3 * hidden)[:, None])
        self.bias_hidden = nn.Parameter(_uniform(rngs, reach, 3 * hidden)[:, None])

    def gates(self, x: Tensor) -> Tensor:
        """The input's share of the gates: (S, N, inputs) to (S, N, 3 hidden)."""
        return torch.baddbmm(self.bias_in, x, self.weight_in)

    def forward(self, gates: Tensor, hidden: Tensor) -> Tensor:
        """The next hidden state, (S, N, hidden)."""
        past = torch.baddbmm(self.bias_hidden, hidden, self.weight_hidden)
        size = self.hidden
        opening = torch.sigmoid(gates[..., : 2 * size] + past[..., : 2 * size])
        reset, update = opening[..., :size], opening[..., size:]
        new = torch.tanh(gates[..., 2 * size :] + reset * past[..., 2 * size :])
        return new + update * (hidden - new)


def clip_gradients(parameters: Iterable[nn.Parameter], largest: float) -> Tensor:
    """Scale each seed's gradient down to a norm of at most `largest`; the norms before, shape (S,)."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()
    scale = (largest / (norm + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(scale.view(-1, *(1,) * (gradient.ndim - 1)))
    return norm
