"""Labels and networks that the tests of imitation share."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from skybound.instances.placement import Placement
from skybound.learned.placement.edge_network import EdgeNetwork, Size
from skybound.learned.placement.imitation_settings import IMITATION, Settings
from skybound.learned.placement.labels import Labels, draw
from skybound.solvers.placement.batch import Costs, Partial


@pytest.fixture(scope="session")
def labels() -> Labels:
    """Twenty labels of 20 users and 3 devices."""
    return draw("congested", range(1_000_000, 1_000_020), 1e-6)


@pytest.fixture
def network() -> EdgeNetwork:
    """A network as it begins, but with a head that has its own opinion."""
    made = EdgeNetwork(Size(width=16, layers=2, heads=2, loads=2, head_width=16), seed=1)
    made.head.correction.reset_parameters()
    return made


@pytest.fixture
def feasible(random_placement) -> Callable[[int], list[Placement]]:
    """Makes the feasible ones of so many random placements."""

    def make(count: int) -> list[Placement]:
        instances = [random_placement(seed) for seed in range(count)]
        return [instance for instance in instances if Partial(Costs.of([instance])).feasible[0]]

    return make


@pytest.fixture(scope="session")
def short() -> Settings:
    """Hyperparameters of a network that learns little in a second."""
    return replace(
        IMITATION, label_pairs=2000, validation_pairs=500, chunk_pairs=800, batch_pairs=400, steps=12, unit=2,
        validate=4, warm_up=4, width=8, layers=2, heads=2, loads=2, head_width=8, rollout_pairs=800, samples=4,
    )  # fmt: skip


@pytest.fixture(scope="session")
def permuted() -> Callable[[Costs, np.ndarray], Costs]:
    """Reorders the users of a batch."""

    def make(costs: Costs, order: np.ndarray) -> Costs:
        return replace(costs, fixed_s=costs.fixed_s[:, order], load=costs.load[:, order])

    return make
