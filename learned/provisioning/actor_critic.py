"""What both actor-critics share: hyperparameters, networks, instances, and the policy that they come to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from ...instances.errors import InputError
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.presets import generate
from ...solvers.result import Answer, Limits
from ..label_store import TRAINING_SEED, VALIDATION_SEED
from ..policy_file import PolicyFile, SeenArray, hash_numbers
from ..settings import at_least, shares
from .actor_network import ActorCritic, FlatActorCritic, SharedActorCritic
from .environment import ProvisioningEnvironment
from .rollout import Lesson, draw
from .worlds import Layout, Worlds

COUNTS = ("updates", "unit", "steps", "environments", "width", "worlds", "validation_worlds")


@dataclass(frozen=True)
class Settings:
    """Hyperparameters.

    Attributes
    ----------
    updates, unit
        Gradient steps of each seed, and those between validations.
    steps
        t_max: steps of each environment in an update.
    environments
        Of each seed.
    learning_rate
        Of all updates: the first, the last, and the share of the way between them.
    lesson
        See `Lesson`: gamma, by_slot, by_part, value_weight, entropy.
    largest_gradient
        Norm at which gradients are cut.
    shared, width
        Whether options share a scorer (`SharedActorCritic`), and the network's width.
    worlds, validation_worlds
        Size of the pools of instances.
    """

    updates: int
    unit: int
    steps: int
    environments: int
    learning_rate: tuple[float, float, float]
    gamma: float
    by_slot: bool
    by_part: bool
    value_weight: float
    entropy: float
    largest_gradient: float
    shared: bool
    width: int
    worlds: int
    validation_worlds: int

    def __post_init__(self) -> None:
        at_least(self, 1, COUNTS)
        shares(self, ["gamma"])
        if min(self.learning_rate) <= 0:
            raise InputError(f"must be above 0, is {self.learning_rate}", "learning_rate")

    @property
    def lesson(self) -> Lesson:
        """How returns are reckoned."""
        return Lesson(self.gamma, self.by_slot, self.by_part, self.value_weight, self.entropy)


# The text gives no numbers; these are those of the algorithm's authors where they have any, returns as printed.
PAPER = Settings(
    updates=10_000,
    unit=500,
    steps=20,
    environments=16,
    learning_rate=(7e-4, 1e-5, 1.0),
    gamma=0.99,
    by_slot=False,
    by_part=False,
    value_weight=0.5,
    entropy=0.01,
    largest_gradient=0.5,
    shared=False,
    width=128,
    worlds=64,
    validation_worlds=4,
)
# What the problem's structure gives: slots and parts do not couple, and options differ in nothing but their features.
TUNED = replace(
    PAPER,
    steps=5,
    environments=64,
    learning_rate=(5e-3, 5e-5, 1.0),
    gamma=1.0,
    by_slot=True,
    by_part=True,
    shared=True,
    width=32,
)


class Pools(NamedTuple):
    """Instances to learn from and to validate on, and the hashes of all of them."""

    training: Worlds
    validation: Worlds
    seen: SeenArray

    @classmethod
    def of(cls, preset: str, settings: Settings) -> "Pools":
        """Draw them."""
        training = draw_instances(preset, TRAINING_SEED, settings.worlds)
        validation = draw_instances(preset, VALIDATION_SEED, settings.validation_worlds)
        seen = hash_numbers([instance.hash for instance in [*training, *validation]])
        return cls(Worlds(training), Worlds(validation), seen)


def network_for(layout: Layout, settings: Settings, seeds: Sequence[int]) -> ActorCritic:
    """A network at its beginning."""
    kind = SharedActorCritic if settings.shared else FlatActorCritic
    return kind(layout, settings.lesson.values, settings.width, seeds)


def sizes_of(layout: Layout, settings: Settings) -> dict[str, Any]:
    """What a policy file says of a network."""
    sizes = {"width": settings.width, "values": settings.lesson.values, "shared": settings.shared}
    return sizes | {"counts": list(layout.counts)}


def draw_instances(preset: str, first: int, count: int) -> list[Provisioning]:
    """So many instances of a preset."""
    return [generate(preset, first + k) for k in range(count)]


@dataclass(frozen=True)
class ActorPolicy:
    """A trained actor as a solver: users in turn take their likeliest action.

    With a shared scorer it takes instances of any size, otherwise any numbers of users and slots.

    Attributes
    ----------
    samples
        Trajectories played, the likeliest one among them; what earns most by what is known is taken slot by slot.
    """

    file: PolicyFile
    network: ActorCritic
    samples: int

    @classmethod
    def of(cls, file: PolicyFile, seed: int, samples: int) -> "ActorPolicy":
        """The actor of one trained seed."""
        counts, shared = file.network.get("counts"), file.network.get("shared")
        if not isinstance(counts, list) or len(counts) != 4 or not all(type(n) is int and n >= 0 for n in counts):
            raise InputError("is missing or no list of four numbers", "network.counts", str(file.path))
        leo, geo, caches, servers = counts
        kind = SharedActorCritic if shared else FlatActorCritic
        network = kind(
            Layout((leo, geo, caches, servers)), file.network_size("values"), file.network_size("width"), [0]
        )
        file.fill(network, seed)
        return cls(file, network, samples)

    def __call__(self, instance: Provisioning, limits: Limits) -> Answer:
        """Decide for the users of all slots."""
        environment = ProvisioningEnvironment(Worlds([instance]))
        if isinstance(self.network, SharedActorCritic):
            self.network.layout = environment.layout
        elif environment.layout.counts != self.network.layout.counts:
            raise InputError(f"has {environment.layout}, the policy was trained for {self.network.layout}", "instance")
        environment.reset(np.zeros(self.samples, np.int64))
        rng = np.random.default_rng(limits.seed)
        earned = np.zeros((self.samples, instance.slots))
        while not environment.over.all():
            observation, mask = (torch.from_numpy(part)[None] for part in (environment.observe(), environment.mask))
            action = draw(self.network, observation, mask, [rng])
            action[:1] = draw(self.network, observation[:, :1], mask[:, :1], None)
            slot = environment.slot[0]
            earned[:, slot] += environment.step(action)
        best, slots = earned.argmax(0), np.arange(instance.slots)
        return Answer(ProvisioningDecision(environment.choice()[best, slots]))
