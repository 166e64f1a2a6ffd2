"""Hyperparameters of imitation, with and without fine-tuning."""

from dataclasses import dataclass, replace

from ..settings import above_zero, at_least, shares, validated_between_units

COUNTS = (
    "label_worlds",
    "validation_worlds",
    "chunk_worlds",
    "imitation_steps",
    "batch",
    "warm_up",
    "width",
    "layers",
    "tried",
    "unit",
    "validate",
    "tuning_batch",
)


@dataclass(frozen=True)
class Settings:
    """Hyperparameters.

    Attributes
    ----------
    wanted_gap, time_limit_s, largest_gap
        Relative gap at which a label's search ends, its time (s), and the largest proven gap that is admitted; while it
        is larger, the search is made again with more time.
    label_worlds, validation_worlds, chunk_worlds
        Slots of each preset to learn from, to validate on, and of those labelled in a unit of work.
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
    width, layers
        Sizes of the network.
    tried
        Placements whose own prices are sought when a slot is decided.
    tuning_steps, tuning_rate, tuning_averaging
        Steps of fine-tuning after those, step size at first, and what the running mean keeps.
    tuning_batch
        Slots in a batch.
    disturbance
        0: fine-tuning follows the bound that prices prove. More: it follows what decisions by disturbed prices come to;
        the standard deviation of the disturbances of logarithms.
    unit, validate
        Steps between checkpoints and between validations; there is a validation after the last step, too.
    """

    wanted_gap: float
    time_limit_s: float
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
    tried: int
    tuning_steps: int
    tuning_rate: float
    tuning_averaging: float
    tuning_batch: int
    disturbance: float
    unit: int
    validate: int

    def __post_init__(self) -> None:
        at_least(self, 1, COUNTS)
        validated_between_units(self.unit, self.validate)
        at_least(self, 0, ("wanted_gap", "largest_gap", "weight_decay", "tuning_steps", "disturbance"))
        above_zero(self, ("time_limit_s", "learning_rate", "largest_gradient", "tuning_rate"))
        shares(self, ("averaging", "tuning_averaging"))

    @property
    def steps(self) -> int:
        """All gradient steps."""
        return self.imitation_steps + self.tuning_steps


IMITATION = Settings(
    wanted_gap=1e-2,
    time_limit_s=10.0,
    largest_gap=0.1,
    label_worlds=20,
    validation_worlds=3,
    chunk_worlds=2,
    imitation_steps=1500,
    batch=16,
    learning_rate=3e-3,
    warm_up=50,
    weight_decay=1e-2,
    averaging=0.995,
    largest_gradient=1.0,
    width=32,
    layers=3,
    tried=3,
    tuning_steps=0,
    tuning_rate=1e-3,
    tuning_averaging=0.98,
    tuning_batch=4,
    disturbance=0.0,
    unit=50,
    validate=250,
)
# The last validation of imitation falls on its last step, so that fine-tuning can only be kept where it helps.
TUNED = replace(IMITATION, tuning_steps=250)
REINFORCED = replace(TUNED, tuning_steps=100, tuning_rate=3e-4, tuning_batch=2, disturbance=0.1)
