"""One seed of imitation on placement: a step of imitation, and one of fine-tuning by reinforcement."""

import numpy as np
import torch

from ...solvers.placement.batch import Partial
from ..averaged_student import AveragedStudent
from ..settings import half_cosine
from .decoder import decode
from .edge_network import EdgeNetwork, Size
from .fine_tuning import reinforce_loss
from .imitation_loss import imitation_loss
from .imitation_settings import Settings
from .labels import Labels


class Student(AveragedStudent[EdgeNetwork]):
    """A network that learns; everything drawn in a step depends on the seed and the step's number alone."""

    def __init__(self, seed: int, settings: Settings) -> None:
        self.seed, self.settings = seed, settings
        size = Size(settings.width, settings.layers, settings.heads, settings.loads, settings.head_width)
        super().__init__(EdgeNetwork(size, seed), settings.largest_gradient)
        self._begin(self.network, settings.weight_decay)

    def imitate(self, labels: Labels, step: int) -> dict[str, float]:
        """One step of imitation on a batch of labels."""
        settings, rng = self.settings, np.random.default_rng([self.seed, 2, step])
        losses = imitation_loss(self.network, labels, settings.partial_states, rng)
        share = step / settings.imitation_steps
        rate = settings.learning_rate * min(1.0, (step + 1) / settings.warm_up) * half_cosine(share)
        norm = self._descend(losses.loss, rate)
        self._average(settings.averaging, step)
        parts = {"loss": losses.loss.detach(), "encoder": losses.encoder, "head": losses.head}
        return {name: float(value) for name, value in parts.items()} | {"gradient_norm": norm}

    def begin_fine_tuning(self) -> None:
        """Go on from the running mean, with an optimiser that knows nothing yet."""
        self.network.load_state_dict(self.learned.state_dict())
        self._begin(self.network, self.settings.weight_decay)

    def fine_tune(self, labels: Labels, step: int) -> dict[str, float]:
        """One step of reinforcement on instances; their optima are not looked at."""
        settings = self.settings
        rng = torch.Generator().manual_seed(int(np.random.SeedSequence([self.seed, 3, step]).generate_state(1)[0]))
        losses = reinforce_loss(self.network, labels.costs, settings.samples, settings.entropy, rng)
        share = (step - settings.imitation_steps) / settings.tuning_steps
        norm = self._descend(losses.loss, settings.tuning_rate * half_cosine(share))
        self._average(settings.tuning_averaging)
        parts = {"entropy": losses.entropy, "excess": losses.excess}
        return {name: float(value) for name, value in parts.items()} | {"gradient_norm": norm}

    def regret(self, labels: Labels) -> float:
        """Mean regret of greedy placements of what has been learned."""
        return float(labels.regret(decode(self.learned, Partial(labels.costs))).mean())
