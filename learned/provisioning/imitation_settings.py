"""Hyperparameters of imitation, with and without fine-tuning by reinforcement."""

from dataclasses import dataclass, replace

from ..settings import at_least, validated_between_units

COUNTS = (
    "label_worlds",
    "validation_worlds",
    "chunk_worlds",
    "batch",
    "warm_up",
    "width",
    "trials",
    "unit",
    "validate",
    "tuning_batch",
)


@dataclass(frozen=True)
class Settings:
    """Hyperparameters.

    Attributes
    ----------
    largest_gap
        Largest proven relative gap, |p - d| / max(|p|, |d|), of a label that is admitted.
    label_worlds, validation_worlds, chunk_worlds
        Instances of each preset to learn from, to validate on, and of those labelled in a unit of work.
    imitation_steps
        Gradient steps of imitation.
    batch
        Slots in a batch.
    learning_rate, warm_up
        Largest step size, reached after so many steps and falling along half a cosine.
    averaging
        What the running mean of the parameters keeps in each step; less in the first ones.
    largest_gradient
        Norm at which the gradient is cut.
    width, layers, trials
        Sizes of the network.
    tuning_steps, tuning_rate, tuning_averaging
        Steps of fine-tuning by reinforcement after those, step size at first, and what the running mean keeps.
    tuning_batch, samples
        Slots in a batch, and draws of each.
    entropy
        Weight of the mean entropy of a decision (nats) beside advantages of unit variance.
    unit, validate
        Steps between checkpoints and between validations; there is a validation after the last step, too.
    """

    largest_gap: float
    label_worlds: int
    validation_worlds: int
    chunk_worlds: int
    imitation_steps: int
    batch: int
    learning_rate: float
    warm_up: int
    weight_decay: float
    averaging: float
    largest_gradient: float
    width: int
    layers: int
    trials: int
    tuning_steps: int
    tuning_rate: float
    tuning_averaging: float
    tuning_batch: int
    samples: int
    entropy: float
    unit: int
    validate: int

    def __post_init__(self) -> None:
        at_least(self, 1, (*COUNTS, "imitation_steps"))
        validated_between_units(self.unit, self.validate)
        at_least(self, 0, ("largest_gap", "tuning_steps", "layers"))
        at_least(self, 2, ["samples"])

    @property
    def steps(self) -> int:
        """All gradient steps."""
        return self.imitation_steps + self.tuning_steps


IMITATION = Settings(
    largest_gap=1e-6,
    label_worlds=60,
    validation_worlds=5,
    chunk_worlds=10,
    imitation_steps=2000,
    batch=32,
    learning_rate=3e-3,
    warm_up=50,
    weight_decay=1e-2,
    averaging=0.997,
    largest_gradient=1.0,
    width=32,
    layers=3,
    trials=4,
    tuning_steps=0,
    tuning_rate=3e-4,
    tuning_averaging=0.98,
    tuning_batch=16,
    samples=8,
    entropy=0.03,
    unit=20,
    validate=500,
)
# The last validation of imitation falls on its last step, so that fine-tuning can only be kept where it helps.
REINFORCED = replace(IMITATION, imitation_steps=1500, tuning_steps=150)
