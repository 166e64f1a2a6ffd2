"""Hyperparameters of imitation: of storage prices alone, with links, and with fine-tuning by reinforcement."""

from dataclasses import dataclass, replace

from ...instances.errors import InputError
from ..settings import at_least, validated_between_units

COUNTS = (
    "label_days",
    "validation_days",
    "chunk_days",
    "price_steps",
    "price_batch",
    "price_width",
    "slot_days",
    "collected_days",
    "batch",
    "warm_up",
    "width",
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
    label_days, validation_days, chunk_days
        Days of each preset with optima to learn prices from, to validate on, and of those labelled in a unit of work.
    price_steps, price_batch, price_rate, price_width
        Gradient steps of the price network, stations in a batch, step size at first (half a cosine), and width.
    link_steps
        Gradient steps of the link network, after those; 0 leaves slots to the exact solver.
    slot_days
        Days of each preset whose slots are decided exactly to learn links from.
    collections, collected_days
        How often on the way the policy plays days itself, with the exact solver's decisions where it comes to as new
        labels (DAgger), and how many of each preset.
    batch
        Slots in a batch.
    learning_rate, warm_up
        Largest step size, reached after so many steps and falling along half a cosine.
    averaging
        What the running mean of the parameters keeps in each step; less in the first ones.
    largest_gradient
        Norm at which the gradient is cut.
    width, layers
        Sizes of the link network.
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
    label_days: int
    validation_days: int
    chunk_days: int
    price_steps: int
    price_batch: int
    price_rate: float
    price_width: int
    link_steps: int
    slot_days: int
    collections: int
    collected_days: int
    batch: int
    learning_rate: float
    warm_up: int
    averaging: float
    weight_decay: float
    largest_gradient: float
    width: int
    layers: int
    tuning_steps: int
    tuning_rate: float
    tuning_averaging: float
    tuning_batch: int
    samples: int
    entropy: float
    unit: int
    validate: int

    def __post_init__(self) -> None:
        at_least(self, 1, COUNTS)
        validated_between_units(self.unit, self.validate)
        at_least(self, 0, ("largest_gap", "link_steps", "tuning_steps", "layers", "collections"))
        if (self.layers > 0) != (self.link_steps > 0):
            raise InputError(f"is {self.layers}, with {self.link_steps} link_steps; both or none are 0", "layers")
        if self.tuning_steps and not self.link_steps:
            raise InputError(f"is {self.tuning_steps}, without link_steps", "tuning_steps")
        at_least(self, 2, ["samples"])

    @property
    def steps(self) -> int:
        """All gradient steps."""
        return self.price_steps + self.link_steps + self.tuning_steps


PRICES = Settings(
    largest_gap=1e-4,
    label_days=60,
    validation_days=20,
    chunk_days=10,
    price_steps=2000,
    price_batch=1024,
    price_rate=3e-3,
    price_width=64,
    link_steps=0,
    slot_days=150,
    collections=2,
    collected_days=60,
    batch=96,
    learning_rate=3e-3,
    warm_up=50,
    averaging=0.997,
    weight_decay=1e-2,
    largest_gradient=1.0,
    width=32,
    layers=0,
    tuning_steps=0,
    tuning_rate=1e-4,
    tuning_averaging=0.98,
    tuning_batch=16,
    samples=8,
    entropy=0.1,
    unit=20,
    validate=500,
)
IMITATION = replace(PRICES, link_steps=2000, layers=3, validate=1000)
# The last validation of imitation falls on its last step, so that fine-tuning can only be kept where it helps.
REINFORCED = replace(IMITATION, link_steps=1500, tuning_steps=120, validate=3500)
