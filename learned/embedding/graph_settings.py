"""Hyperparameters of the graph policy: of imitation alone, and with fine-tuning by reinforcement."""

from dataclasses import dataclass, replace

from ..settings import at_least, validated_between_units

COUNTS = (
    "label_traces",
    "validation_traces",
    "rounds",
    "host_steps",
    "price_steps",
    "batch",
    "price_batch",
    "warm_up",
    "width",
    "price_width",
    "unit",
    "validate",
    "tuning_traces",
    "tuning_worlds",
    "replicas",
    "past",
    "future",
    "window",
)


@dataclass(frozen=True)
class Settings:
    """Hyperparameters.

    Attributes
    ----------
    largest_gap
        Largest relative gap, |p - d| / max(|p|, |d|), of a trace's clairvoyant label that is admitted.
    label_traces, validation_traces
        Traces of each preset to learn from, and to validate on.
    rounds
        Of the clairvoyant search for labels, for each request.
    host_steps, learning_rate, warm_up, batch
        Gradient steps of the host network, largest step size, reached after so many steps and falling along half a
        cosine, and decisions in a batch.
    price_steps, price_rate, price_batch
        The same of the price network, before; the step size falls along half a cosine from the first step.
    averaging
        What the running mean of the parameters keeps in each step; less in the first ones.
    largest_gradient
        Norm at which the gradient is cut.
    width, layers, price_width
        Sizes of the networks.
    tuning_steps, tuning_rate, tuning_price_rate, tuning_averaging
        Steps of fine-tuning by reinforcement after those, sizes of their gradient steps at first, and what the running
        mean keeps.
    tuning_traces
        Traces of each preset to draw them from.
    tuning_worlds, replicas, samples
        Traces in a step, how often each is played, and draws of each request.
    past, future, window
        Requests that are met in a step before it learns, while it learns, and of one gradient step.
    discount
        Of what later requests bring, a request.
    unit, validate
        Steps between checkpoints and between validations; there is a validation after the last step, too.
    """

    largest_gap: float
    label_traces: int
    validation_traces: int
    rounds: int
    host_steps: int
    learning_rate: float
    warm_up: int
    batch: int
    price_steps: int
    price_rate: float
    price_batch: int
    averaging: float
    weight_decay: float
    largest_gradient: float
    width: int
    layers: int
    price_width: int
    tuning_steps: int
    tuning_rate: float
    tuning_price_rate: float
    tuning_averaging: float
    tuning_traces: int
    tuning_worlds: int
    replicas: int
    samples: int
    past: int
    future: int
    window: int
    discount: float
    unit: int
    validate: int

    def __post_init__(self) -> None:
        at_least(self, 1, COUNTS)
        validated_between_units(self.unit, self.validate)
        at_least(self, 0, ("largest_gap", "tuning_steps", "layers"))
        at_least(self, 2, ("replicas", "samples"))

    @property
    def steps(self) -> int:
        """All steps."""
        return self.price_steps + self.host_steps + self.tuning_steps


IMITATION = Settings(
    largest_gap=0.25,
    label_traces=8,
    validation_traces=8,
    rounds=60,
    host_steps=1_000,
    learning_rate=3e-3,
    warm_up=50,
    batch=128,
    price_steps=1_000,
    price_rate=1e-2,
    price_batch=1_024,
    averaging=0.997,
    weight_decay=1e-2,
    largest_gradient=1.0,
    width=32,
    layers=1,
    price_width=16,
    tuning_steps=0,
    tuning_rate=7e-4,
    tuning_price_rate=5e-4,
    tuning_averaging=0.98,
    tuning_traces=40,
    tuning_worlds=6,
    replicas=2,
    samples=4,
    past=80,
    future=80,
    window=10,
    discount=1.0,
    unit=100,
    validate=1_000,
)
# The first validation falls on the last step of imitation, so that fine-tuning can only be kept where it helps.
REINFORCED = replace(IMITATION, tuning_steps=40, unit=5, validate=10)
