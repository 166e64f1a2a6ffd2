"""Instances that many tests share."""

import copy
import signal
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from skybound.instances.association import Association, Windows
from skybound.instances.embedding import (
    Links,
    Request,
    RequestNodes,
    Substrate,
    SubstrateNodes,
    VirtualNetworks,
)
from skybound.instances.placement import Placement
from skybound.instances.provisioning import CacheChains, Chain, Chains, Fees, Prices, Provisioning
from skybound.instances.provisioning.instance import draw_states
from skybound.instances.record import Instance
from skybound.instances.slicing import Satellites, Slicing, Stations, Uavs, Users, Weights

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
def hearing_interrupts() -> Iterator[None]:
    """Ctrl-C is heard, though what started the tests may ignore it, as shells do for jobs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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


@pytest.fixture
def random_association() -> Callable[[int], Association]:
    """Makes small associations, with full stations, useless windows and channels alike or not."""

    def make(seed: int) -> Association:
        rng = np.random.default_rng(seed)
        satellites, stations, channels, slots = (int(rng.integers(1, most + 1)) for most in (3, 2, 2, 3))
        places = np.argwhere(rng.random((slots, satellites, stations)) < 0.6)
        shape = len(places), channels
        gain = (
            rng.exponential(2e-11, shape)
            if rng.random() < 0.5
            else np.repeat(rng.exponential(2e-11, shape[:1]), channels)
        )
        slot_s = 100.0
        return Association(
            satellites=satellites,
            stations=stations,
            channels=channels,
            slots=slots,
            slot_s=slot_s,
            bandwidth_hz=1e6,
            power_w=1.0,
            noise_w=1e-12,
            isolation=float(rng.choice([0.0, 0.05, 1.0])),
            data_unit_bits=1e8,
            capacity=np.where(rng.random(stations) < 0.1, 0.0, rng.uniform(4, 20, stations)),
            storage_price=float(rng.choice([0.0, 10.0, 20.0])),
            utility_weight=0.7,
            cost_weight=0.3,
            windows=Windows(
                places[:, 0],
                places[:, 1],
                places[:, 2],
                slot_s * np.where(rng.random(len(places)) < 0.1, 0.0, rng.uniform(0, 1, len(places))),
                gain.reshape(shape),
            ),
            name=f"random-{seed}",
        )

    return make


@pytest.fixture
def random_embedding() -> Callable[[int], VirtualNetworks]:
    """Makes tiny embeddings: few nodes, requests that come and go, capacities that hold some of them."""

    def make(seed: int) -> VirtualNetworks:
        rng = np.random.default_rng(seed)
        nodes, count = int(rng.integers(3, 6)), int(rng.integers(1, 5))
        pairs = [(i, j) for i in range(nodes) for j in range(i)]
        linked = [pair for pair in pairs if rng.random() < 0.6]
        whole = bool(rng.random() < 0.7)

        def demands(least: int, most: int, number: int) -> np.ndarray:
            drawn = rng.uniform(least, most, number)
            return np.ceil(drawn) if whole else drawn

        requests = []
        for _ in range(count):
            size = int(rng.integers(1, 4))
            links = [(i, j) for i in range(size) for j in range(i) if rng.random() < 0.7]
            domain = rng.random((size, 3)) < 0.6
            domain[np.arange(size), rng.integers(3, size=size)] = True
            requests.append(
                Request(
                    arrival=float(rng.integers(0, 4)),
                    duration=None if rng.random() < 0.2 else float(rng.integers(1, 4)),
                    nodes=RequestNodes(domain, demands(0, 10, size), demands(0, 10, size)),
                    links=Links(*_ends(links), demands(0, 10, len(links))),
                )
            )
        return VirtualNetworks(
            cost_weight=float(rng.choice([0.0, 0.1, 0.6])),
            colocate=bool(rng.random() < 0.4),
            horizon=None if rng.random() < 0.3 else 8.0,
            substrate=Substrate(
                SubstrateNodes(rng.integers(3, size=nodes), demands(4, 16, nodes), demands(4, 16, nodes)),
                Links(*_ends(linked), demands(4, 16, len(linked))),
            ),
            requests=tuple(requests),
            name=f"random-{seed}",
        )

    return make


def _ends(links: list[tuple[int, int]]) -> np.ndarray:
    return np.array(links, np.int64).reshape(-1, 2).T


@pytest.fixture
def random_provisioning() -> Callable[[int], Provisioning]:
    """Makes small provisionings with what is known and with expectations, whose capacities bind."""

    def make(seed: int) -> Provisioning:
        rng = np.random.default_rng(seed)
        slots, users = int(rng.integers(1, 4)), int(rng.integers(1, 5))
        leo, geo, caches, servers = (int(rng.integers(0 if rng.random() < 0.2 else 1, 3)) for _ in range(4))

        def chain(levels: list[float]) -> Chain:
            states = len(levels)
            return Chain(np.array(levels), rng.dirichlet(np.ones(states)), rng.dirichlet(np.ones(states), states))

        hits = CacheChains(
            np.array([1.0, 0.0]), rng.dirichlet([1, 1], caches), rng.dirichlet([1, 1], (caches, 2)).reshape(-1, 2, 2)
        )
        chains = Chains(chain([0.2, 3.0, 1.0]), chain([0.0, 1.0]), chain([3.0, 1.0]), chain([2.0, 10.0, 5.0]), hits)
        information = "current" if rng.random() < 0.5 else "previous"
        return Provisioning(
            slots=slots,
            users=users,
            slot_s=1.0,
            information=information,
            leo_bandwidth_mhz=6.0,
            geo_bandwidth_mhz=6.0,
            task_mbits=rng.uniform(1, 5, users),
            task_mcycles=rng.uniform(2, 10, users),
            energy_j_per_mcycle=1.0,
            fee=Fees(15.0, 10.0, 5.0),
            price=Prices(2.0, 2.0, 4.0, 1.0),
            leo_capacity=rng.integers(0, 3, leo),
            geo_capacity=rng.integers(0, 4, geo),
            cache_capacity=rng.integers(0, 3, caches),
            server_capacity=rng.integers(0, 3, servers),
            covered=(rng.random((slots, users, leo)) < 0.7).astype(np.int64),
            **draw_states(chains, slots, users, (leo, geo, caches, servers), rng),
            chains=chains if information == "previous" or rng.random() < 0.5 else None,
            name=f"random-{seed}",
        )

    return make


@pytest.fixture
def random_slicing() -> Callable[[int], Slicing]:
    """Makes small slicings: all layers or some, interference, budgets and places that bind, gains of 0."""

    def make(seed: int) -> Slicing:
        rng = np.random.default_rng(seed)
        stations, uavs, satellites, subcarriers = (
            int(rng.integers(*ends)) for ends in ((0, 3), (0, 3), (0, 2), (1, 3))
        )
        reuse = bool(rng.random() < 0.3)
        candidates = int(rng.integers(1, 3 if reuse else 4))
        options = subcarriers * (stations + uavs + satellites)
        users = 0 if rng.random() < 0.03 else int(rng.integers(1, 4 if options > 4 or reuse else 5))

        def gain(nodes: int) -> np.ndarray:
            drawn = rng.exponential(size=(users, nodes, subcarriers)) * rng.choice([1.0, 10.0, 100.0])
            return np.where(rng.random(drawn.shape) < 0.1, 0.0, drawn)

        def weight() -> float:
            return float(rng.choice([0.0, 1.0, 1.0, 2.0]))

        return Slicing(
            slices=tuple(rng.choice(["H", "L", "C"], users).tolist()),
            subcarriers=subcarriers,
            subcarrier_hz=1e6,
            noise_w=1.0,
            arrival_bps=float(rng.choice([0.0, 1e5, 5e5])),
            slot_bits=rng.uniform(1e4, 1e5, users) if rng.random() < 0.3 else 5e4,
            packet_bits=1e3,
            delay_cap_s=0.1,
            sinr_threshold=float(rng.choice([0.0, 0.5, 2.0])),
            station_capacity=int(rng.choice([0, 1, 2, 2, 3])),
            uav_min_distance_m=float(rng.choice([0.0, 120.0])),
            intra_cell_reuse=reuse,
            weights=Weights(weight(), weight(), weight()),
            throughput_ref_bps=float(rng.choice([1e6, 1e7])),
            users=Users(rng.uniform(-200, 200, (users, 2))),
            stations=Stations(rng.uniform(-200, 200, (stations, 2)), rng.uniform(0, 2, stations), gain(stations)),
            uavs=Uavs(
                100.0, rng.uniform(0, 2, uavs), rng.uniform(-200, 200, (candidates, 2)), 1e4, 1.5, gain(uavs) / 10
            ),
            satellites=Satellites(1e6, rng.uniform(0, 2, satellites), gain(satellites)),
            name=f"random-{seed}",
        )

    return make


@pytest.fixture
def random_instance(
    random_placement, random_association, random_embedding, random_provisioning, random_slicing
) -> dict[str, Callable[[int], Instance]]:
    """Makes small random instances of every problem, by its name and a seed."""
    return {
        "placement": random_placement,
        "association": random_association,
        "embedding": random_embedding,
        "provisioning": random_provisioning,
        "slicing": random_slicing,
    }


ASSOCIATION = {
    "satellites": 3,
    "stations": 2,
    "channels": 2,
    "slots": 2,
    "slot_s": 100.0,
    "bandwidth_hz": 1e6,
    "power_w": 1.0,
    "noise_w": 1e-12,
    "isolation": 0.5,
    "data_unit_bits": 1e8,
    "capacity": [12.0, 16.0],
    "storage_price": 8.0,
    "utility_weight": 0.7,
    "cost_weight": 0.3,
    "windows": {
        "slot": [0, 0, 0, 0, 1, 1, 1],
        "satellite": [0, 0, 1, 2, 0, 2, 1],
        "station": [0, 1, 1, 1, 0, 1, 0],
        "valid_s": [100.0, 100.0, 50.0, 100.0, 75.0, 100.0, 50.0],
        "gain": [
            [1.5e-11, 1.5e-11],
            [8e-12, 1.4e-11],
            [1.5e-11, 6.3e-11],
            [7e-12, 3.1e-11],
            [6.3e-11, 1.5e-11],
            [1.5e-11, 1.5e-11],
            [7e-12, 1.5e-11],
        ],
    },
}


@pytest.fixture
def worked_association_data() -> dict:
    """Data of an association worked by hand: SINRs are one less than powers of two, so data are whole."""
    return copy.deepcopy(ASSOCIATION)


@pytest.fixture
def worked_association(worked_association_data) -> Association:
    """The association worked by hand; its optimum is 9.74."""
    return Association.from_json(worked_association_data, "data", name="worked")


EMBEDDING: dict = {
    "cost_weight": 0.5,
    "colocate": False,
    "horizon": 16.0,
    "substrate": {
        "nodes": {"domain": [0, 1, 2, 2], "cpu": [5.0, 8.0, 10.0, 9.0], "storage": [3.0, 4.0, 5.0, 6.0]},
        "links": {"source": [0, 1, 2, 1], "target": [1, 2, 3, 3], "bandwidth": [10.0, 10.0, 6.0, 4.0]},
    },
    "requests": [
        {
            "arrival": 0.0,
            "duration": 10.0,
            "nodes": {"domain": [[1, 2], [0]], "cpu": [5.0, 4.0], "storage": [2.0, 1.0]},
            "links": {"source": [0], "target": [1], "bandwidth": [6.0]},
        },
        {
            "arrival": 5.0,
            "duration": None,
            "nodes": {"domain": [[2], [2]], "cpu": [6.0, 7.0], "storage": [1.0, 1.0]},
            "links": {"source": [0], "target": [1], "bandwidth": [5.0]},
        },
        {
            "arrival": 10.0,
            "duration": 4.0,
            "nodes": {"domain": [[2]], "cpu": [3.0], "storage": [3.0]},
            "links": {"source": [], "target": [], "bandwidth": []},
        },
    ],
}


@pytest.fixture
def worked_embedding_data() -> dict:
    """Data of an embedding worked by hand: a request over space and air, one that stays, one that comes later."""
    return copy.deepcopy(EMBEDDING)


@pytest.fixture
def worked_embedding(worked_embedding_data) -> VirtualNetworks:
    """The embedding worked by hand; all requests over one hop each are worth 22."""
    return VirtualNetworks.from_json(worked_embedding_data, "data", name="worked")


PROVISIONING: dict = {
    "slots": 2,
    "users": 2,
    "slot_s": 1.0,
    "information": "current",
    "leo_bandwidth_mhz": 6.0,
    "geo_bandwidth_mhz": 6.0,
    "task_mbits": [3.0, 2.0],
    "task_mcycles": [6.0, 4.0],
    "energy_j_per_mcycle": 1.0,
    "fee": {"transmission": 15.0, "caching": 10.0, "computing": 5.0},
    "price": {"leo": 2.0, "geo": 2.0, "caching": 4.0, "computing": 1.0},
    "leo_capacity": [1],
    "geo_capacity": [1],
    "cache_capacity": [1],
    "server_capacity": [1],
    "covered": [[[1], [1]], [[1], [1]]],
    "leo_efficiency": [[[3.0], [1.0]], [[1.0], [3.0]]],
    "geo_free": [[1], [0]],
    "geo_efficiency": [[[2.0]], [[2.0]]],
    "cache_hit": [[[0], [1]], [[1], [1]]],
    "server_mcycles_per_s": [[[10.0], [4.0]], [[4.0], [10.0]]],
    "chains": {
        "leo_efficiency": {"levels": [3.0, 1.0], "initial": [0.5, 0.5], "transition": [[0.8, 0.2], [0.4, 0.6]]},
        "geo_free": {"levels": [0.0, 1.0], "initial": [0.25, 0.75], "transition": [[0.5, 0.5], [0.1, 0.9]]},
        "geo_efficiency": {"levels": [2.0], "initial": [1.0], "transition": [[1.0]]},
        "server_mcycles_per_s": {"levels": [4.0, 10.0], "initial": [0.5, 0.5], "transition": [[0.9, 0.1], [0.3, 0.7]]},
        "cache_hit": {"levels": [0.0, 1.0], "initial": [[0.4, 0.6]], "transition": [[[0.8, 0.2], [0.5, 0.5]]]},
    },
}


@pytest.fixture
def worked_provisioning_data() -> dict:
    """Data of a provisioning worked by hand: two users want one of everything; in slot 1 the relay is busy."""
    return copy.deepcopy(PROVISIONING)


@pytest.fixture
def worked_provisioning(worked_provisioning_data) -> Provisioning:
    """The provisioning worked by hand; its optimum is 226, and 235.05 is expected of the states before."""
    return Provisioning.from_json(worked_provisioning_data, "data", name="worked")


@pytest.fixture
def worked_slicing() -> Slicing:
    """One subcarrier: an H user at station 0, an L user at station 1, C users below the satellite and the UAV."""
    nothing = [[0.0], [0.0]]
    return Slicing(
        slices=["H", "L", "C", "C"],
        subcarriers=1,
        subcarrier_hz=1e6,
        noise_w=1e-6,
        arrival_bps=1e5,
        slot_bits=1e4,
        packet_bits=1e3,
        delay_cap_s=0.1,
        sinr_threshold=1.0,
        station_capacity=10,
        uav_min_distance_m=100.0,
        intra_cell_reuse=False,
        weights={"throughput": 1.0, "delay": 1.0, "coverage": 1.0},
        throughput_ref_bps=1e7,
        users={"position": [[0, 290], [100, 700], [500, 500], [300, 0]]},
        stations={
            "position": [[0, 300], [0, 600]],
            "power_w": [1.0, 1.0],
            "gain": [[[1.02e-4], [1e-6]], [[1e-6], [3e-5]], nothing, nothing],
        },
        uavs={
            "altitude_m": 100.0,
            "power_w": [100.0],
            "candidates": [[0, 0], [300, 0]],
            "reference_gain": 1e-3,
            "path_loss_exponent": 2.0,
            "fading": [[[0.01]], [[0.01]], [[0.01]], [[0.5]]],
        },
        satellites={"altitude_m": 2e5, "power_w": [100.0], "gain": [[[1e-9]], [[1e-9]], [[1.25e-8]], [[1e-9]]]},
        name="worked",
    )
