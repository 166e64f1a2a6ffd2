"""Imitation of labels by S seeds: label, learn, validate, keep each seed's best network; what the problems share."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol

import numpy as np
import torch
from torch import nn

from ..instances.errors import InputError
from .label_store import L, LabelStore
from .policy_file import SeenArray


class Settings(Protocol):
    """What the loop needs of hyperparameters: gradient steps, and those of a unit and between validations."""

    @property
    def steps(self) -> int:
        """Gradient steps of each seed."""

    @property
    def unit(self) -> int:
        """Steps between checkpoints."""

    @property
    def validate(self) -> int:
        """Steps between validations; there is one after the last step, too."""


class Student(Protocol):
    """One seed."""

    @property
    def learned(self) -> nn.Module:
        """What it has learned."""

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""


class ImitationLearner(ABC, Generic[L]):
    """S seeds of imitation on the same labels, one after the other in each unit of work.

    Attributes
    ----------
    chunks, iteration
        Chunks of labels made, and gradient steps done.
    """

    def __init__(self, settings: Settings, store: LabelStore[L], students: Sequence[Student]) -> None:
        self.store = store
        self.chunks = self.iteration = 0
        self._steps, self._unit, self._validate_every = settings.steps, settings.unit, settings.validate
        self._students = students
        self._best = [_copied(student.learned) for student in students]
        self._best_return = [-np.inf] * len(students)
        self._folder = Path()
        self._seen: SeenArray | None = None

    @abstractmethod
    def _prepare(self, folder: Path) -> SeenArray:
        """Load the labels, all of which are in the folder; the hashes of their instances, ascending."""

    @abstractmethod
    def _step(self, at: int, step: int) -> dict[str, float]:
        """Let a student take a step; what it reports."""

    @abstractmethod
    def _regret(self) -> dict[str, list[float]]:
        """Mean greedy regret of each student on the validation labels of each preset."""

    @abstractmethod
    def _network(self) -> dict[str, Any]:
        """Sizes of the network."""

    def _place(self) -> str:
        """Where the labels are, for messages."""
        return str(self._folder)

    def _can_decide(self) -> bool:
        """Whether students have learned enough to be validated."""
        return True

    def open(self, folder: Path) -> None:
        """Keep labels in a run's folder."""
        self._folder = folder / "labels"

    @property
    def progress(self) -> float:
        """Share of the units done."""
        chunks, units = len(self.store.chunks), -(-self._steps // self._unit)
        return (self.chunks + self.iteration / self._steps * units) / (chunks + units)

    def step(self) -> dict[str, Any]:
        """One unit: some labels, or some steps of every seed, and validation when it is due."""
        if self.chunks < len(self.store.chunks):
            chunk = self.store.chunks[self.chunks]
            self.store.make(chunk, self._folder)
            self.chunks += 1
            return {"preset": chunk.preset, "labels": len(chunk.seeds)}
        self._ready()
        first, last = self.iteration, min(self.iteration + self._unit, self._steps)
        reports = [self._learn(at, first, last) for at in range(len(self._students))]
        self.iteration = last
        metrics = {"iteration": last} | {name: [report[name] for report in reports] for name in reports[0]}
        if (last % self._validate_every == 0 or last == self._steps) and self._can_decide():
            metrics |= self._validate()
        return metrics

    def _learn(self, at: int, first: int, last: int) -> dict[str, float]:
        """Let a student take steps `first` to `last` - 1; means of what they report."""
        reports: dict[str, list[float]] = defaultdict(list)
        for step in range(first, last):
            for name, value in self._step(at, step).items():
                reports[name].append(value)
        return {name: float(np.mean(values)) for name, values in reports.items()}

    def _ready(self) -> SeenArray:
        """Load the labels once all are there."""
        if self._seen is None:
            self._seen = self._prepare(self._folder)
        return self._seen

    def _validate(self) -> dict[str, Any]:
        """Regret of each seed on each preset; a network that is better on average is kept."""
        regret = self._regret()
        found = -np.mean(list(regret.values()), 0)
        for at, student in enumerate(self._students):
            if found[at] > self._best_return[at]:
                self._best[at], self._best_return[at] = _copied(student.learned), float(found[at])
        named = {f"validation_regret/{preset}": values for preset, values in regret.items()}
        return {"validation_return": found.tolist(), **named}

    def conclude(self) -> None:
        """Validate what has been learned since the last validation."""
        if self.iteration % self._validate_every and self.iteration < self._steps and self._can_decide():
            self._ready()
            self._validate()

    def state(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit."""
        return {
            "chunks": self.chunks,
            "iteration": self.iteration,
            "students": [student.state() for student in self._students],
            "best": self._best,
            "best_return": self._best_return,
            "seen": torch.from_numpy(self._seen if self._seen is not None else np.empty(0, np.uint64)),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises
        ------
        InputError
            When the labels are not those that the state has learned from.
        """
        self.chunks, self.iteration = state["chunks"], state["iteration"]
        for student, known in zip(self._students, state["students"], strict=True):
            student.load_state(known)
        self._best, self._best_return = state["best"], state["best_return"]
        if self.iteration and not np.array_equal(self._ready(), state["seen"].numpy()):
            raise InputError("has other labels than the run began with", file=self._place())

    def policy(self) -> dict[str, Any]:
        """The best network of each seed, with what is needed to use it and the instances that it has seen."""
        seen = self._seen if self._seen is not None else np.empty(0, np.uint64)
        return {
            "network": self._network(),
            "parameters": {name: torch.stack([best[name] for best in self._best]) for name in self._best[0]},
            "validation_return": self._best_return,
            "seen": torch.from_numpy(seen),
        }


def _copied(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
