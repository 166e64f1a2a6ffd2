"""Joint provisioning of transmission (LEO and GEO relay), caching and computing, slot by slot under Markov states."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..errors import InputError
from ..fields import FloatArray, IntArray, choice, integer, integers, real, reals
from ..record import Decision, Instance, Record, nested
from .chains import Chains, walk, walk_caches

LEO, GEO, CACHE, SERVER = range(4)
RESOURCES = ("LEO satellite", "GEO relay", "cache", "server")  # in the order of a choice
NONE = -1


@dataclass(frozen=True, eq=False)
class ProvisioningDecision(Decision):
    """What every user takes in every slot.

    Attributes
    ----------
    choice : array, shape (slots, users, 4)
        LEO satellite, GEO relay, cache and server of a user, each -1 for none.
    """

    choice: IntArray = integers("slots", "users", 4, least=NONE)


@dataclass(frozen=True, eq=False)
class Fees(Record):
    """What users are charged: tau (units/Mbit), kappa (units/(Mbit/s)), phi (units/(Mbit/s))."""

    transmission: float = real()
    caching: float = real()
    computing: float = real()


@dataclass(frozen=True, eq=False)
class Prices(Record):
    """What resources cost: spectrum (units/MHz), storage (units/Mbit), energy (units/J)."""

    leo: float = real()
    geo: float = real()
    caching: float = real()
    computing: float = real()


@dataclass(frozen=True, eq=False)
class Provisioning(Instance):
    """An instance of provisioning.

    Attributes
    ----------
    slots, users
        T, U.
    slot_s
        Length of a slot (s).
    information
        Whether a slot's states are known when it is decided, or those of the slot before.
    leo_bandwidth_mhz, geo_bandwidth_mhz
        Bands that a user has on a LEO satellite and on a GEO relay (MHz).
    task_mbits : array, shape (users,)
        o, content of each user's task (Mbit).
    task_mcycles : array, shape (users,)
        n, work of each user's task (Mcycles).
    energy_j_per_mcycle
        e (J/Mcycle).
    leo_capacity, geo_capacity, cache_capacity, server_capacity : array, shape (leo,), (geo,), (caches,), (servers,)
        Users that each can have in a slot.
    covered : array of 0 and 1, shape (slots, users, leo)
    leo_efficiency : array, shape (slots, users, leo)
        Of links between users and LEO satellites (bit/s/Hz).
    geo_free : array of 0 and 1, shape (slots, geo)
    geo_efficiency : array, shape (slots, leo, geo)
        Of links between LEO satellites and GEO relays (bit/s/Hz).
    cache_hit : array of 0 and 1, shape (slots, users, caches)
    server_mcycles_per_s : array, shape (slots, users, servers)
        Lambda, speed that a server has for a user (Mcycles/s).
    chains
        Where the states come from; None where that is not known.
    """

    problem: ClassVar[str] = "provisioning"
    decision: ClassVar[type[Decision]] = ProvisioningDecision

    slots: int = integer(least=1)
    users: int = integer(least=1)
    slot_s: float = real(positive=True)
    information: str = choice("current", "previous")
    leo_bandwidth_mhz: float = real()
    geo_bandwidth_mhz: float = real()
    task_mbits: FloatArray = reals("users")
    task_mcycles: FloatArray = reals("users", positive=True)
    energy_j_per_mcycle: float = real()
    fee: Fees = nested(Fees)
    price: Prices = nested(Prices)
    leo_capacity: IntArray = integers("leo")
    geo_capacity: IntArray = integers("geo")
    cache_capacity: IntArray = integers("caches")
    server_capacity: IntArray = integers("servers")
    covered: IntArray = integers("slots", "users", "leo", most=1)
    leo_efficiency: FloatArray = reals("slots", "users", "leo")
    geo_free: IntArray = integers("slots", "geo", most=1)
    geo_efficiency: FloatArray = reals("slots", "leo", "geo")
    cache_hit: IntArray = integers("slots", "users", "caches", most=1)
    server_mcycles_per_s: FloatArray = reals("slots", "users", "servers")
    chains: Chains | None = nested(Chains, optional=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for count, array, of in (("users", "task_mbits", 0), ("slots", "covered", 0)):
            if (size := getattr(self, array).shape[of]) != getattr(self, count):
                raise InputError(f"has {size} entries for {getattr(self, count)} {count}", array)
        if self.chains is None:
            if self.information == "previous":
                raise InputError("is missing, but information is previous", "chains")
        else:
            self._check_chains(self.chains)
        largest = self._largest()
        if not np.isfinite(largest):
            raise InputError("makes rewards too large to reckon with", "fee")

    def _check_chains(self, chains: Chains) -> None:
        """Object to states that are no level of their chain."""
        caches = len(self.cache_capacity)
        if len(chains.cache_hit.initial) != caches:
            raise InputError(
                f"has {len(chains.cache_hit.initial)} entries for {caches} caches", "chains.cache_hit.initial"
            )
        for name in Chains.kinds():
            states, levels = getattr(self, name), getattr(chains, name).levels
            if (other := np.argwhere(~np.isin(states, levels))).size:
                at = tuple(other[0])
                place = name + "".join(f"[{k}]" for k in at)
                raise InputError(f"is {states[at]:g}, no level of chains.{name}", place)

    def _largest(self) -> float:
        """More than all rewards together, in absolute value."""
        speed = max(self.leo_efficiency.max(initial=0.0), self.geo_efficiency.max(initial=0.0))
        server = self.server_mcycles_per_s.max(initial=0.0)
        if self.chains is not None:
            speed = max(speed, self.chains.leo_efficiency.levels.max(), self.chains.geo_efficiency.levels.max())
            server = max(server, self.chains.server_mcycles_per_s.levels.max())
        band, mbits = max(self.leo_bandwidth_mhz, self.geo_bandwidth_mhz), float(self.task_mbits.max())
        least, most = float(self.task_mcycles.min()), float(self.task_mcycles.max())
        with np.errstate(over="ignore", invalid="ignore"):
            rewards = np.array(
                [
                    self.fee.transmission * band * speed,
                    (self.price.leo + self.price.geo) * band,
                    self.fee.caching * mbits / self.slot_s,
                    self.price.caching * mbits,
                    self.fee.computing * server * mbits / least,
                    self.price.computing * most * self.energy_j_per_mcycle,
                ]
            )
            return float(rewards.sum() * self.slots * self.users)

    @property
    def capacities(self) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """Capacities of the resources, in the order of a choice."""
        return self.leo_capacity, self.geo_capacity, self.cache_capacity, self.server_capacity

    def check_fit(self, decision: Any, place: str) -> None:
        """Object to other numbers of slots and users, and to resources that there are not."""
        shape = decision.choice.shape[:2]
        for axis, (name, size) in enumerate((("slots", self.slots), ("users", self.users))):
            if shape[axis] != size:
                raise InputError(f"has {shape[axis]} entries for {size} {name}", f"{place}.choice{'[0]' * axis}")
        most = np.array([len(capacity) for capacity in self.capacities])
        if (beyond := np.argwhere(decision.choice >= most)).size:
            t, u, r = beyond[0]
            where = f"{place}.choice[{t}][{u}][{r}]"
            raise InputError(f"must be below {most[r]}, is {decision.choice[t, u, r]}", where)


def draw_states(
    chains: Chains, slots: int, users: int, counts: tuple[int, int, int, int], rng: np.random.Generator
) -> dict[str, FloatArray | IntArray]:
    """States of all slots as fields of an instance; fewer slots are the beginning of more.

    Parameters
    ----------
    counts
        LEO satellites, GEO relays, caches, servers.
    """
    leo, geo, _, servers = counts
    links, relays, feeders, hits, speeds = rng.spawn(5)
    return {
        "leo_efficiency": walk(chains.leo_efficiency, slots, (users, leo), links),
        "geo_free": walk(chains.geo_free, slots, (geo,), relays).astype(np.int64),
        "geo_efficiency": walk(chains.geo_efficiency, slots, (leo, geo), feeders),
        "cache_hit": walk_caches(chains.cache_hit, slots, users, hits).astype(np.int64),
        "server_mcycles_per_s": walk(chains.server_mcycles_per_s, slots, (users, servers), speeds),
    }


def redrawn(instance: Provisioning, rng: np.random.Generator) -> Provisioning:
    """The instance with states drawn anew by its chains; what is known otherwise, the coverage too, stays."""
    if instance.chains is None:
        raise InputError("is missing: nothing says what can be", "chains")
    leo, geo, caches, servers = (len(capacity) for capacity in instance.capacities)
    drawn: Any = draw_states(instance.chains, instance.slots, instance.users, (leo, geo, caches, servers), rng)
    return replace(instance, **drawn)
