"""Deep Q-learning and its family by flags: double, dueling, prioritised; the association paper's PSDDQN is two of them.

Equation numbers are those of the association paper, section 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from ..instances.errors import InputError
from .layers import Linear, generators
from .settings import at_least, cosine, linear, schedules, shares

COUNTS = (
    "environments",
    "steps",
    "unit",
    "learn_every",
    "batch",
    "capacity",
    "target_every",
    "worlds",
    "validation_worlds",
)


@dataclass(frozen=True)
class Settings:
    """Hyperparameters.

    Attributes
    ----------
    double
        The learned network picks the next action and the target network values it, (26); else the target network does
        both.
    dueling
        The last layer gives a value of the state and advantages of the actions.
    prioritised
        Transitions are drawn in proportion to their error, (28) to (33); else uniformly.
    observation
        What the environment shows; a name that it knows.
    idle
        Whether agents that have one possible action only take turns as well.
    hidden
        Widths of the two hidden layers.
    gamma
        Discount of a turn.
    environments
        Environments that each seed acts in at once.
    steps, unit
        Steps of these, and steps between validations and checkpoints.
    learn_every, batch, capacity, warm_up
        Steps between gradient steps, transitions drawn for one, transitions kept, and those before the first one.
    learning_rate
        Step size at first and at last; it falls along half a cosine.
    target_every
        F, gradient steps after which the target network becomes the learned one.
    exploration
        Share of random actions at first, at last, and the share of the steps over which it falls linearly.
    priority, correction
        Exponent of the error in the probability of being drawn, and of that probability in the weight of the loss, at
        first; the latter rises to 1.
    largest_error
        Error beyond which the loss grows linearly (Huber); None squares all errors as the paper does.
    largest_gradient
        Norm at which a seed's gradient is cut.
    worlds, validation_worlds
        Size of the pools of worlds.
    """

    double: bool
    dueling: bool
    prioritised: bool
    observation: str
    idle: bool
    hidden: tuple[int, int]
    gamma: float
    environments: int
    steps: int
    unit: int
    learn_every: int
    batch: int
    capacity: int
    warm_up: int
    learning_rate: tuple[float, float]
    target_every: int
    exploration: tuple[float, float, float]
    priority: float
    correction: float
    largest_error: float | None
    largest_gradient: float
    worlds: int
    validation_worlds: int

    def __post_init__(self) -> None:
        at_least(self, 1, COUNTS)
        if self.capacity % self.environments:
            raise InputError(f"must be a multiple of environments, {self.environments}, is {self.capacity}", "capacity")
        shares(self, ["gamma"])
        schedules(self, ["exploration"])

    def epsilon(self, step: int) -> float:
        """Share of random actions."""
        return linear(self.exploration, step / self.steps)

    def rate(self, step: int) -> float:
        """Step size."""
        return cosine(self.learning_rate, step / self.steps)

    def exponent(self, step: int) -> float:
        """Exponent of the correction for drawing by priority."""
        return self.correction + (1 - self.correction) * step / self.steps


class QNetwork(nn.Module):
    """Values of all actions, of S seeds side by side: (S, N, features) to (S, N, actions); the output is linear."""

    def __init__(
        self, features: int, hidden: tuple[int, int], actions: int, *, dueling: bool, seeds: Sequence[int]
    ) -> None:
        super().__init__()
        rngs = generators(seeds)
        self.features, self.actions, self.dueling = features, actions, dueling
        sizes = features, *hidden
        self.hidden = nn.ModuleList(Linear(inputs, outputs, rngs) for inputs, outputs in pairwise(sizes))
        self.out = Linear(hidden[-1], actions + dueling, rngs)

    def forward(self, x: Tensor) -> Tensor:
        """The values."""
        for layer in self.hidden:
            x = torch.relu(layer(x))
        out: Tensor = self.out(x)
        if not self.dueling:
            return out
        advantage = out[..., 1:]
        values: Tensor = out[..., :1] + advantage - advantage.mean(-1, keepdim=True)
        return values


def errors(learned: QNetwork, target: QNetwork, lived: Mapping[str, Tensor], gamma: float, *, double: bool) -> Tensor:
    """Temporal-difference errors y - Q(s, a), shape (S, N); the gradient goes through Q only.

    Parameters
    ----------
    lived
        Transitions: ``observation`` and ``next_observation`` (S, N, features), ``action`` and ``reward`` (S, N),
        ``ended`` (S, N), whether the episode was over then, and ``next_mask`` (S, N, actions).
    """
    value = learned(lived["observation"]).gather(-1, lived["action"][..., None])[..., 0]
    with torch.no_grad():
        later = target(lived["next_observation"])
        picked = learned(lived["next_observation"]) if double else later
        best = picked.masked_fill(~lived["next_mask"], -torch.inf).argmax(-1, keepdim=True)  # (25)
        next_value = later.gather(-1, best)[..., 0]
        wanted = lived["reward"] + gamma * torch.where(lived["ended"], 0.0, next_value)  # (26)
    error: Tensor = wanted - value
    return error


def loss(error: Tensor, weight: Tensor, largest_error: float | None) -> Tensor:
    """The weighted mean of squared errors of each seed, (29), shape (S,); Huber's beyond `largest_error`."""
    square = error.square()
    if largest_error is not None:
        # What the square of the whole error has more than Huber's loss is that of the part beyond.
        square = square - (error.abs() - largest_error).clamp(min=0).square()
    return (weight * square).mean(1)
