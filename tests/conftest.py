"""Instances that many tests share."""

from collections.abc import Callable

import numpy as np
import pytest
from skybound.instances.placement import Placement

WORKED = {
    "share": "even",
    "data_bits": [8e6, 8e6, 4e6, 16e6, 8e6],
    "cycles_per_bit": [100.0, 100.0, 100.0, 50.0, 100.0],
    "local_cps": [1e9, 1e9, 0.0, 8e9, 0.5e9],
    "device_cps": [8e9, 4e9],
    "device_capacity": [2, 1],
    "uplink_bps": [[4e7, 8e7], [4e7, 4e7], [8e7, 4e7], [0.0, 4e7], [8e7, 0.0]],
    "cloud_capacity": 1,
    "cloud_cps": [2e10] * 5,
    "user_satellite_bps": [2e7] * 5,
    "satellite_cloud_bps": 1e9,
    "propagation_s": [0.004] * 5,
}


@pytest.fixture
def worked_data() -> dict:
    """Data of a placement worked by hand: five users, two devices with 2 and 1 places, one place in the cloud."""
    return {key: value.copy() if isinstance(value, list) else value for key, value in WORKED.items()}


@pytest.fixture
def worked(worked_data) -> Placement:
    """The placement worked by hand."""
    return Placement(**worked_data, name="worked")


@pytest.fixture
def random_placement() -> Callable[[int], Placement]:
    """Makes small placements with holes everywhere: about a third infeasible, most of the rest short of places."""

    def make(seed: int) -> Placement:
        rng = np.random.default_rng(seed)
        users, devices = int(rng.integers(1, 7)), int(rng.integers(0, 4))

        def holes(values: np.ndarray, share: float) -> np.ndarray:
            return np.where(rng.random(values.shape) < share, 0.0, values)

        return Placement(
            share="even" if rng.random() < 0.5 else "optimal",
            data_bits=holes(rng.uniform(1, 10, users), 0.05),
            cycles_per_bit=holes(rng.uniform(1, 10, users), 0.05),
            local_cps=holes(rng.uniform(1, 20, users), 0.6),
            device_cps=holes(rng.uniform(10, 100, devices), 0.05),
            device_capacity=rng.integers(0, 4, devices),
            uplink_bps=holes(rng.uniform(1, 20, (users, devices)), 0.2),
            cloud_capacity=None if rng.random() < 0.1 else int(rng.integers(0, 3)),
            cloud_cps=holes(rng.uniform(5, 50, users), 0.1),
            user_satellite_bps=holes(rng.uniform(1, 10, users), 0.1),
            satellite_cloud_bps=float(rng.uniform(1, 50)),
            propagation_s=rng.uniform(0, 1, users),
            name=f"random-{seed}",
        )

    return make
