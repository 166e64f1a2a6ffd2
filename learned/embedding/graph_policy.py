"""The graph policy: imitation of clairvoyant and per-request embeddings, fine-tuning, and the policy as a solver."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from ...instances.embedding import VirtualNetworks
from ...instances.embedding.presets import find, generate
from ...instances.errors import InputError
from ...solvers.result import Answer, Limits
from ..averaged_student import AveragedStudent
from ..imitation import ImitationLearner
from ..label_store import TRAINING_SEED, VALIDATION_SEED, LabelStore, plan_all, split
from ..policy_file import PolicyFile, SeenArray, hash_numbers
from ..settings import half_cosine
from .environment import EmbeddingEnvironment
from .graph_decider import GraphDecider
from .graph_labels import GraphLabels
from .graph_lessons import Lessons
from .graph_network import GraphNetwork, Size
from .graph_settings import IMITATION, REINFORCED, Settings
from .graph_tuning import Rehearsal
from .online import meet

__all__ = ["IMITATION", "REINFORCED", "GraphImitation", "GraphPolicy"]


class Student(AveragedStudent[GraphNetwork]):
    """One seed; everything drawn in a step depends on the seed and the step's number alone."""

    def __init__(self, seed: int, settings: Settings) -> None:
        self.seed, self.settings = seed, settings
        super().__init__(GraphNetwork(_size(settings), seed), settings.largest_gradient)
        self._begin(self.network, settings.weight_decay)

    def learn(self, lessons: Lessons, instances: Sequence[VirtualNetworks], step: int) -> dict[str, float]:
        """One step, of what it is time for."""
        settings, rng = self.settings, np.random.default_rng([self.seed, step])
        hosts_from = settings.price_steps
        tuning_from = hosts_from + settings.host_steps
        if step < hosts_from:
            return self._learn_prices(lessons, rng, step)
        if step < tuning_from:
            return self._learn_hosts(lessons, rng, step - hosts_from)
        return self._fine_tune(instances, rng, step - tuning_from)

    def _learn_prices(self, lessons: Lessons, rng: np.random.Generator, step: int) -> dict[str, float]:
        """Take what the clairvoyant search takes."""
        settings = self.settings
        rows = torch.from_numpy(rng.integers(len(lessons.taken), size=settings.price_batch))
        loss = binary_cross_entropy_with_logits(self.network.price(lessons.offer[rows]), lessons.taken[rows])
        norm = self._descend(loss, settings.price_rate * half_cosine(step / settings.price_steps))
        self._average(settings.averaging, step)
        return {"loss": float(loss.detach()), "gradient_norm": norm}

    def _learn_hosts(self, lessons: Lessons, rng: np.random.Generator, step: int) -> dict[str, float]:
        """Place nodes as labels do."""
        settings = self.settings
        rows = torch.from_numpy(rng.integers(len(lessons.host), size=settings.batch))
        likely = self.network.host(lessons.hosts[rows].float(), lessons.neighbours[lessons.world[rows]])
        loss = -likely.gather(1, lessons.host[rows, None]).mean()
        rate = settings.learning_rate * min(1.0, (step + 1) / settings.warm_up)
        norm = self._descend(loss, rate * half_cosine(step / settings.host_steps))
        self._average(settings.averaging, step)
        return {"loss": float(loss.detach()), "gradient_norm": norm}

    def _fine_tune(self, instances: Sequence[VirtualNetworks], rng: np.random.Generator, step: int) -> dict[str, float]:
        """Rehearse: a gradient step of hosts each window, and one of prices after all."""
        settings = self.settings
        if step == 0:
            self.network.load_state_dict(self.learned.state_dict())
            self._begin(self.network, settings.weight_decay)
        fall = half_cosine(step / settings.tuning_steps)
        rehearsal = Rehearsal(self.network, instances, settings, rng)
        norms = []
        while not rehearsal.over:
            loss = rehearsal.host_loss(rehearsal.window())
            norms.append(self._descend(loss, settings.tuning_rate * fall))
            self._average(settings.tuning_averaging)
        self._descend(rehearsal.price_loss(), settings.tuning_price_rate * fall)
        late = rehearsal.gain[:, settings.past :]
        return {
            "gain": float(late.mean()),
            "best_gain": float(late.max(2).mean()),
            "gradient_norm": float(np.mean(norms)),
        }


class GraphImitation(ImitationLearner[GraphLabels]):
    """S seeds of imitation on the same traces.

    Parameters
    ----------
    preset
        A preset, or several with commas between (semicolons between variants), with substrates of one size.
    seeds
        Seeds of networks and of the order of labels; equal seeds learn equally whatever the others are.
    """

    def __init__(self, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        self.settings, self.presets = settings, split(preset, find)
        self.students = [Student(seed, settings) for seed in seeds]
        chunks = plan_all(self.presets, settings.label_traces, settings.validation_traces, 1)
        store = LabelStore(chunks, partial(_draw, settings), GraphLabels.read, GraphLabels.joined)
        super().__init__(settings, store, self.students)

    def _prepare(self, folder: Path) -> SeenArray:
        every = len(self.store.chunks)
        labels = self.store.load(folder, every, validation=False)
        self._validation = self.store.load(folder, every, validation=True)
        self._validating = {
            preset: EmbeddingEnvironment(known.instances, stepwise=True) for preset, known in self._validation.items()
        }
        self._lessons = Lessons.of(list(labels.values()))
        traces = range(self.settings.tuning_traces if self.settings.tuning_steps else 0)
        self._training = [generate(preset, TRAINING_SEED + k) for preset in self.presets for k in traces]
        seen = [known.seen for known in [*labels.values(), *self._validation.values()]]
        return np.unique(np.concatenate([*seen, hash_numbers([instance.hash for instance in self._training])]))

    def _can_decide(self) -> bool:
        return self.iteration >= self.settings.price_steps + self.settings.host_steps

    def _step(self, at: int, step: int) -> dict[str, float]:
        return self.students[at].learn(self._lessons, self._training, step)

    def _regret(self) -> dict[str, list[float]]:
        """Against the bound of each trace."""
        return {preset: [self._shortfall(student, preset) for student in self.students] for preset in self._validation}

    def _shortfall(self, student: Student, preset: str) -> float:
        environment = self._validating[preset]
        decider, world = GraphDecider(student.learned, environment), np.arange(environment.worlds)
        found = meet(decider, environment, world, 1, np.random.default_rng(0))
        return float(np.mean(1 - found / self._validation[preset].bound))

    def _network(self) -> dict[str, Any]:
        return _size(self.settings)._asdict()


def _draw(settings: Settings, preset: str, seeds: Sequence[int]) -> GraphLabels:
    """Training seeds with embeddings, validation seeds with bounds alone."""
    rounds = 0 if seeds[0] >= VALIDATION_SEED else settings.rounds
    return GraphLabels.draw(preset, seeds, rounds, settings.largest_gap)


def _size(settings: Settings) -> Size:
    return Size(settings.width, settings.layers, settings.price_width)


@dataclass(frozen=True)
class GraphPolicy:
    """Networks of one seed as a solver; they take instances of any size.

    Attributes
    ----------
    samples
        1: every node on its likeliest host. More: of so many draws of each request the one that gains most.
    """

    network: GraphNetwork
    samples: int

    @classmethod
    def of(cls, file: PolicyFile, seed: int, samples: int) -> "GraphPolicy":
        """The networks of one trained seed."""
        layers = file.network.get("layers")
        if not isinstance(layers, int) or layers < 0:
            raise InputError("is missing or no number from 0 up", "network.layers", str(file.path))
        network = GraphNetwork(Size(file.network_size("width"), layers, file.network_size("price_width")))
        file.fill(network, seed, stacked=False)
        return cls(network, samples)

    def __call__(self, instance: VirtualNetworks, limits: Limits) -> Answer:
        """Meet the requests as they arrive."""
        environment = EmbeddingEnvironment([instance], stepwise=True)
        rng = np.random.default_rng(limits.seed)
        meet(GraphDecider(self.network, environment), environment, np.zeros(1, np.int64), self.samples, rng)
        return Answer(environment.decision(0))
