"""Hyperparameters of imitation, with and without fine-tuning by reinforcement."""

from dataclasses import dataclass, replace

from ...instances.errors import InputError
from ..settings import at_least, validated_between_units

COUNTS = (
    "steps",
    "unit",
    "validate",
    "warm_up",
    "width",
    "layers",
    "heads",
    "loads",
    "head_width",
    "partial_states",
    "batch_pairs",
    "label_pairs",
    "validation_pairs",
    "chunk_pairs",
    "rollout_pairs",
)


@dataclass(frozen=True)
class Settings:
    """Hyperparameters.

    Sizes of batches and of sets of labels are in (user, host) pairs, so that instances of all sizes take part alike;
    one of 20 users and 3 devices has 100.

    Attributes
    ----------
    targets
        File of targets to learn from (see `targets`); None draws labels from the presets. Validation always draws.
    largest_gap
        Largest proven relative gap, |p - d| / max(|p|, |d|), of a label that is admitted; 1e-6 is the gap at which
        solvers call a decision optimal.
    label_pairs, validation_pairs, chunk_pairs
        Size of the labels of each preset, for training and for validation, and of what is labelled in one unit of work.
    batch_pairs
        Size of a batch; each batch is of one shape.
    steps
        Gradient steps of each seed.
    unit, validate
        Steps between checkpoints and between validations; there is a validation after the last step, too.
    learning_rate, warm_up
        Largest step size, reached after so many steps and falling along half a cosine.
    averaging
        What the running mean of the parameters keeps in each step; less in the first ones.
    largest_gradient
        Norm at which the gradient is cut.
    width, layers, heads, loads, head_width
        Sizes of the network.
    partial_states
        Partial placements of each instance that the head learns from in a step.
    tuning_steps
        How many of the steps, the last ones, are fine-tuning by reinforcement.
    tuning_rate, tuning_averaging
        Step size at first, falling along half a cosine, and what the running mean keeps.
    rollout_pairs, samples
        Size of a fine-tuning batch, samples included, and samples of each instance.
    entropy
        Weight of the mean entropy of a decision (nats) beside advantages of unit variance.
    """

    targets: str | None
    largest_gap: float
    label_pairs: int
    validation_pairs: int
    chunk_pairs: int
    batch_pairs: int
    steps: int
    unit: int
    validate: int
    learning_rate: float
    warm_up: int
    weight_decay: float
    averaging: float
    largest_gradient: float
    width: int
    layers: int
    heads: int
    loads: int
    head_width: int
    partial_states: int
    tuning_steps: int
    tuning_rate: float
    tuning_averaging: float
    rollout_pairs: int
    samples: int
    entropy: float

    def __post_init__(self) -> None:
        at_least(self, 1, COUNTS)
        validated_between_units(self.unit, self.validate)
        at_least(self, 0, ["largest_gap"])
        if not 0 <= self.tuning_steps < self.steps:
            raise InputError(f"must be from 0 to less than steps, {self.steps}, is {self.tuning_steps}", "tuning_steps")
        at_least(self, 2, ["samples"])

    @property
    def imitation_steps(self) -> int:
        """Steps before fine-tuning."""
        return self.steps - self.tuning_steps


IMITATION = Settings(
    targets=None,
    largest_gap=1e-6,
    label_pairs=2_400_000,
    validation_pairs=30_000,
    chunk_pairs=48_000,
    batch_pairs=6_000,
    steps=1800,
    unit=10,
    validate=450,
    learning_rate=4e-3,
    warm_up=100,
    weight_decay=1e-2,
    averaging=0.998,
    largest_gradient=1.0,
    width=32,
    layers=4,
    heads=4,
    loads=4,
    head_width=32,
    partial_states=2,
    tuning_steps=0,
    tuning_rate=1e-4,
    tuning_averaging=0.98,
    rollout_pairs=12_000,
    samples=8,
    entropy=0.3,
)
# The last validation of imitation falls on its last step, so that fine-tuning can only be kept where it helps.
REINFORCED = replace(IMITATION, steps=1400, tuning_steps=120, validate=320)
