"""Small environments and settings that the tests of learning share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from skybound.learned.environment import View
from skybound.learned.placement.value_decomposition import TUNED
from skybound.learned.training import Outcome
from skybound.learned.value_decomposition import Settings


@dataclass
class Game:
    """Two agents play a matrix game once; an agent sees which one it is, 0 or 1.

    Attributes
    ----------
    payoff : array, shape (actions, actions)
    """

    payoff: np.ndarray
    worlds = horizon = features = state_features = 1
    agents = 2

    @property
    def actions(self) -> int:
        return len(self.payoff)

    def reset(self, world: np.ndarray) -> View:
        batch = len(world)
        return View(
            np.tile(np.array([[0.0], [1.0]], np.float32), (batch, 1, 1)),
            np.ones((batch, 1), np.float32),
            np.ones((batch, 2, self.actions), bool),
        )

    def step(self, action: np.ndarray) -> tuple[View, np.ndarray]:
        return self.reset(action[:, 0]), self.payoff[action[:, 0], action[:, 1]]


@dataclass
class Corridor:
    """One agent, two steps, three actions of which the last is never possible.

    In the first step going on (1) pays 0 and stopping short (0) pays 1; in the second step every action pays 0 after
    stopping, and after going on action 0 pays 3 and action 1 pays 5. So Q(start, 0) = 1 and Q(start, 1) = gamma 5.
    """

    agents = worlds = state_features = 1
    horizon = 2
    actions = 3
    features = 2

    def reset(self, world: np.ndarray) -> View:
        self.on = np.zeros(len(world), bool)
        self.first = True
        return self.look()

    def look(self) -> View:
        observation = np.stack([np.full(len(self.on), not self.first), self.on], 1)[:, None].astype(np.float32)
        mask = np.tile([True, True, False], (len(self.on), 1, 1))
        return View(observation, np.zeros((len(self.on), 1), np.float32), mask)

    def step(self, action: np.ndarray) -> tuple[View, np.ndarray]:
        chosen = action[:, 0]
        assert (chosen < 2).all(), "a masked action was taken"
        if self.first:
            self.first, self.on = False, chosen == 1
            return self.look(), np.where(self.on, 0.0, 1.0)
        return self.look(), np.where(self.on, np.where(chosen == 0, 3.0, 5.0), 0.0)


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Networks this small are slower on many threads, and much slower on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def game() -> type[Game]:
    return Game


@pytest.fixture
def corridor() -> Corridor:
    return Corridor()


@pytest.fixture
def small() -> Callable[..., Settings]:
    """Makes settings that learn a small environment in seconds."""

    def make(**changes: object) -> Settings:
        own = {
            "iterations": 250, "unit": 250, "learning_rate": (5e-3, 1e-3), "largest_error": None, "episodes": 8,
            "batch": 32, "capacity": 200, "hidden": 16, "embedding": 8, "exploration": (1.0, 1.0, 1.0),
            "target_rate": 0.1,
        }  # fmt: skip
        return replace(TUNED, **(own | changes))

    return make


@pytest.fixture(scope="session")
def tiny_changes() -> dict:
    """Hyperparameters with which a run on placement takes a second."""
    return {
        "iterations": 12, "unit": 2, "episodes": 2, "batch": 4, "capacity": 6, "hidden": 8, "worlds": 3, "slots": 2,
        "validation_worlds": 3, "gamma": 0.5,
    }  # fmt: skip


@pytest.fixture
def interrupted(monkeypatch) -> Callable[..., None]:
    """Trains with an interruption at every so many steps of a learner's class, and goes on until all is done."""

    def make(learner: type, every: int, train: Callable[[], Outcome]) -> None:
        step, calls = learner.step, 0

        def now_and_then(self: object) -> object:
            nonlocal calls
            calls += 1
            if calls % every == 0:
                raise KeyboardInterrupt
            return step(self)

        monkeypatch.setattr(learner, "step", now_and_then)
        stopped = 0
        while train().stopped == "interrupted":
            stopped += 1
        assert stopped

    return make
