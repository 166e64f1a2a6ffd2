"""Thousands of random instances through every exact route and the referee: no claim contradicts another.

Run with ``pytest -m nightly``. `COUNT` instances a problem have capacities that bind and are so small that every route
ends within about a second; `EXTREME_COUNT` more have fields in any unit, ties, zeros and dimensions of one.
"""

import collections
import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from skybound.evaluation.conflicts import find_conflict
from skybound.instances.association import Association
from skybound.instances.embedding import Links, Request, RequestNodes, Substrate, SubstrateNodes, VirtualNetworks
from skybound.instances.errors import InputError
from skybound.instances.placement import Placement
from skybound.instances.provisioning import Chains, Provisioning
from skybound.instances.record import Instance
from skybound.instances.solution import Status
from skybound.solvers.registry import SOLVERS
from skybound.solvers.result import Result
from skybound.solvers.solve import solve

COUNT, EXTREME_COUNT, CHUNK = 5_000, 1_000, 100
LIMIT_S = 20.0  # of a route on one instance; so long only where it does not converge
MAX_DECLINED = 0.05  # share of the extreme instances of which a route may say that it cannot
GAPS = {"slicing": 1e-4}  # to which exact routes prove where powers are continuous; 1e-6 elsewhere
TOO_SLOW = {"embedding": frozenset({"enumeration"})}  # on instances as large as the crowded ones: minutes
LARGEST_EXPONENT = 12  # of the powers of ten that fields are multiplied by

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(7_200)]
PROBLEMS = list(SOLVERS)


def provers(problem: str) -> list[str]:
    """Solvers of a problem that claim bounds."""
    return [name for name, entry in SOLVERS[problem].items() if entry.kind != "heuristic"]


def crowded_placement(seed: int, base: Placement) -> Placement:
    """More users than places want."""
    rng = np.random.default_rng(seed)
    users, devices = int(rng.integers(5, 9)), int(rng.integers(2, 4))
    return Placement(
        share=str(rng.choice(["even", "optimal"])),
        data_bits=rng.uniform(1, 10, users),
        cycles_per_bit=rng.uniform(1, 10, users),
        local_cps=np.where(rng.random(users) < 0.5, 0.0, rng.uniform(1, 20, users)),
        device_cps=rng.uniform(10, 100, devices),
        device_capacity=rng.integers(1, 4, devices),
        uplink_bps=np.where(rng.random((users, devices)) < 0.1, 0.0, rng.uniform(1, 20, (users, devices))),
        cloud_capacity=int(rng.integers(0, 3)),
        cloud_cps=rng.uniform(5, 50, users),
        user_satellite_bps=rng.uniform(1, 10, users),
        satellite_cloud_bps=float(rng.uniform(1, 50)),
        propagation_s=rng.uniform(0, 1, users),
        name=f"crowded-{seed}",
    )


def crowded_association(seed: int, base: Association) -> Association:
    """A quarter of the storage, at prices to match."""
    return dataclasses.replace(base, capacity=base.capacity / 4, storage_price=base.storage_price / 4)


def crowded_embedding(seed: int, base: VirtualNetworks) -> VirtualNetworks:
    """Five requests that stay, over five nodes that hold some of them."""
    rng = np.random.default_rng(seed)
    pairs = [(i, j) for i in range(5) for j in range(i)]
    linked = [pair for pair in pairs if rng.random() < 0.8]

    def drawn(least: int, most: int, count: int) -> np.ndarray:
        return rng.integers(least, most, count).astype(float)

    requests = []
    for k in range(5):
        size = int(rng.integers(2, 4))
        links = [(i, i - 1) for i in range(1, size)] + ([(2, 0)] if size == 3 and rng.random() < 0.5 else [])
        nodes = RequestNodes(np.ones((size, 3), bool), drawn(1, 51, size), drawn(1, 51, size))
        ends = np.array(links).T
        requests.append(Request(float(k), None, nodes, Links(ends[0], ends[1], drawn(1, 51, len(links)))))
    ends = np.array(linked).reshape(-1, 2).T
    substrate = Substrate(
        SubstrateNodes(rng.integers(3, size=5), drawn(20, 61, 5), drawn(20, 61, 5)),
        Links(ends[0], ends[1], drawn(20, 61, len(linked))),
    )
    return VirtualNetworks(
        cost_weight=float(rng.choice([0.0, 0.1])),
        colocate=bool(rng.random() < 0.2),
        horizon=None,
        substrate=substrate,
        requests=tuple(requests),
        name=f"crowded-{seed}",
    )


def crowded_provisioning(seed: int, base: Provisioning) -> Provisioning:
    """Room for one or two users at each resource."""
    rng = np.random.default_rng(seed)
    names = ("leo_capacity", "geo_capacity", "cache_capacity", "server_capacity")
    return dataclasses.replace(base, **{name: rng.integers(1, 3, len(getattr(base, name))) for name in names})


CROWDED: dict[str, Callable[[int, Instance], Instance]] = {
    "placement": crowded_placement,
    "association": crowded_association,
    "embedding": crowded_embedding,
    "provisioning": crowded_provisioning,
    "slicing": lambda seed, base: base,
}


def extreme(seed: int, base: Instance) -> Instance | None:
    """The instance with numbers in other units, ties and zeros; None where that is refused as input."""
    rng = np.random.default_rng(seed)
    kept = {"position", "candidates"}  # may be negative, and say nothing alone
    if isinstance(base, Provisioning):  # states are levels of their chains
        kept |= {field.name for field in dataclasses.fields(base.chains or Chains)} | {"chains"}
        if base.information == "current":
            base, kept = dataclasses.replace(base, chains=None), set()

    def changed(record: object) -> object:
        changes = {}
        for field in dataclasses.fields(record):
            value = getattr(record, field.name)
            if field.name in kept:
                continue
            if dataclasses.is_dataclass(value):
                changes[field.name] = changed(value)
            elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
                changes[field.name] = tuple(changed(entry) for entry in value)
            elif rng.random() < 0.25:
                changes[field.name] = _stretched(value, rng)
        return dataclasses.replace(record, **changes)

    try:
        return changed(base)
    except InputError:
        return None


def _stretched(value: object, rng: np.random.Generator) -> object:
    """Real numbers times a power of ten, all equal, or some of them 0."""
    if not isinstance(value, float) and not (isinstance(value, np.ndarray) and value.dtype == float and value.size):
        return value
    factor = 10.0 ** rng.integers(-LARGEST_EXPONENT, LARGEST_EXPONENT + 1)
    if isinstance(value, float):
        return value * factor
    way = rng.integers(3)
    if way == 0:
        return value * factor
    if way == 1:
        return np.full(value.shape, value.flat[0])
    return np.where(rng.random(value.shape) < 0.3, 0.0, value)


def results_of(instance: Instance, without: frozenset[str] = frozenset()) -> list[Result]:
    """Every route's result; none may raise."""
    gap, names = GAPS.get(instance.problem, 1e-6), provers(instance.problem)
    return [solve(instance, name, gap=gap, time_limit_s=LIMIT_S) for name in names if name not in without]


def check_claims(instance: Instance, results: list[Result]) -> None:
    """No decision beats a proof, and proven optima agree."""
    rows = [result.to_json() for result in results]
    for k, row in enumerate(rows):
        conflict = find_conflict(instance.problem, row, rows[:k])
        assert conflict is None, (instance.name, conflict and [(r["solver"], r["status"]) for r in conflict])
    optima = [result.objective for result in results if result.status is Status.OPTIMAL]
    for value in optima:
        agreed = pytest.approx(optima[0], rel=2 * GAPS.get(instance.problem, 1e-6), abs=0.0)
        assert value == agreed, (instance.name, optima)


def undecided(result: Result) -> bool:
    """Whether a route neither proves an optimum nor that there is none."""
    return result.status not in (Status.OPTIMAL, Status.INFEASIBLE)


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
@pytest.mark.parametrize("problem", PROBLEMS)
def test_no_route_claims_what_another_contradicts(problem, first, random_instance):
    """Exact routes prove what they say they prove, of every instance."""
    exact = {name for name, entry in SOLVERS[problem].items() if entry.exact and name != "enumeration"}
    for seed in range(10_000 + first, 10_000 + first + CHUNK):
        instance = CROWDED[problem](seed, random_instance[problem](seed))
        results = results_of(instance, TOO_SLOW.get(problem, frozenset()))
        check_claims(instance, results)
        for result in results:
            assert result.status is not Status.ERROR, (instance.name, result.solver, result.reason)
            if result.solver in exact:
                assert not undecided(result), (instance.name, result.solver, result.reason)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_numbers_of_any_size_are_proven_or_declined(problem, random_instance):
    """All routes agree, or say that they cannot; a route may say so of few."""
    exact = [name for name, entry in SOLVERS[problem].items() if entry.exact and name != "enumeration"]
    declined: collections.Counter[str] = collections.Counter()
    count, seed = 0, 50_000
    while count < EXTREME_COUNT:
        instance = extreme(seed, random_instance[problem](seed))
        seed += 1
        if instance is None:
            continue
        count += 1
        results = results_of(instance)
        check_claims(instance, results)
        declined.update(result.solver for result in results if undecided(result))
    for name in exact:
        assert declined[name] <= MAX_DECLINED * EXTREME_COUNT, declined
