"""Network slicing: users of three slices on stations, UAVs and satellites, with subcarriers, powers and positions."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import InputError
from ..fields import FloatArray, IntArray, choice, choices, flag, integer, integers, real, real_or_reals, reals
from ..record import Decision, Instance, Record, nested, records

SLICES = ("H", "L", "C")  # high throughput, low delay, wide coverage
LAYERS = ("station", "uav", "satellite")  # bands of their own
STATION, UAV, SATELLITE = range(len(LAYERS))
LARGEST = 1e30  # ratio of a signal to the noise, bandwidth (Hz), and weights


@dataclass(frozen=True, eq=False)
class Service(Record):
    """How a user is served.

    Attributes
    ----------
    layer, node
        A name in `LAYERS`, and a number within it.
    subcarrier
        Of the layer's band.
    power_w
        Of the transmission (W); 0 counts as served.
    """

    layer: str = choice(*LAYERS)
    node: int = integer()
    subcarrier: int = integer()
    power_w: float = real()


@dataclass(frozen=True, eq=False)
class SlicingDecision(Decision):
    """Where UAVs stand and how users are served.

    Attributes
    ----------
    uav_candidate : array, shape (uavs,)
        Candidate on which each UAV stands.
    serve
        Of each user, None for those that are not served.
    """

    uav_candidate: IntArray = integers("uavs")
    serve: tuple[Service | None, ...] = records(Service, optional=True)


@dataclass(frozen=True, eq=False)
class Weights(Record):
    """Of the three objectives."""

    throughput: float = real()
    delay: float = real()
    coverage: float = real()


@dataclass(frozen=True, eq=False)
class Users(Record):
    """Where users are: position, array, shape (users, 2) (m)."""

    position: FloatArray = reals("users", 2, signed=True)


@dataclass(frozen=True, eq=False)
class Stations(Record):
    """Base stations.

    Attributes
    ----------
    position : array, shape (stations, 2)
        (m).
    power_w : array, shape (stations,)
        Budgets (W).
    gain : array, shape (users, stations, subcarriers)
    """

    position: FloatArray = reals("stations", 2, signed=True)
    power_w: FloatArray = reals("stations")
    gain: FloatArray = reals("users", "stations", "subcarriers")


@dataclass(frozen=True, eq=False)
class Uavs(Record):
    """UAVs, which are not interchangeable: fading belongs to the UAV and not to the place.

    Attributes
    ----------
    altitude_m
        Of all of them (m).
    power_w : array, shape (uavs,)
        Budgets (W).
    candidates : array, shape (candidates, 2)
        Where they may stand (m).
    reference_gain, path_loss_exponent
        Gain at 1 m, and how it falls with the distance.
    fading : array, shape (users, uavs, subcarriers)
    """

    altitude_m: float = real(positive=True)
    power_w: FloatArray = reals("uavs")
    candidates: FloatArray = reals("candidates", 2, signed=True)
    reference_gain: float = real()
    path_loss_exponent: float = real()
    fading: FloatArray = reals("users", "uavs", "subcarriers")


@dataclass(frozen=True, eq=False)
class Satellites(Record):
    """LEO satellites.

    Attributes
    ----------
    altitude_m
        (m).
    power_w : array, shape (satellites,)
        Budgets (W).
    gain : array, shape (users, satellites, subcarriers)
    """

    altitude_m: float = real()
    power_w: FloatArray = reals("satellites")
    gain: FloatArray = reals("users", "satellites", "subcarriers")


@dataclass(frozen=True, eq=False)
class Slicing(Instance):
    """An instance of slicing.

    Attributes
    ----------
    slices
        Slice of each user, a letter of `SLICES`.
    subcarriers
        N, of each layer.
    subcarrier_hz, noise_w
        Bandwidth (Hz) and noise (W) of a subcarrier.
    arrival_bps
        Of packets of L users (bit/s).
    slot_bits
        What an L user is sent in a slot (bits): a number, or an array of shape (users,).
    packet_bits
        Length of a packet (bits).
    delay_cap_s
        Delay of who is not served, or too slowly (s).
    sinr_threshold
        From which a C user is covered.
    station_capacity
        Users that a station serves at most.
    uav_min_distance_m
        Between UAVs (m).
    intra_cell_reuse
        Whether a node may have several users on a subcarrier.
    throughput_ref_bps
        Sum of rates that counts as 1 (bit/s).
    """

    problem: ClassVar[str] = "slicing"
    decision: ClassVar[type[Decision]] = SlicingDecision

    slices: tuple[str, ...] = choices("users", *SLICES)
    subcarriers: int = integer()
    subcarrier_hz: float = real(positive=True)
    noise_w: float = real(positive=True)
    arrival_bps: float = real()
    slot_bits: float | FloatArray = real_or_reals("users")
    packet_bits: float = real(positive=True)
    delay_cap_s: float = real(positive=True)
    sinr_threshold: float = real()
    station_capacity: int = integer()
    uav_min_distance_m: float = real()
    intra_cell_reuse: bool = flag()
    weights: Weights = nested(Weights)
    throughput_ref_bps: float = real(positive=True)
    users: Users = nested(Users)
    stations: Stations = nested(Stations)
    uavs: Uavs = nested(Uavs)
    satellites: Satellites = nested(Satellites)

    def __post_init__(self) -> None:
        super().__post_init__()
        users = len(self.slices)
        if len(self.users.position) != users:
            raise InputError(f"has {len(self.users.position)} entries for {users} users", "users.position")
        for place, array, nodes in self._per_user():
            shape = users, nodes, self.subcarriers
            if array.size or 0 not in shape:
                for axis, (name, size) in enumerate(zip(("users", "nodes", "subcarriers"), shape, strict=True)):
                    if array.shape[axis] != size:
                        raise InputError(f"has {array.shape[axis]} entries for {size} {name}", place + "[0]" * axis)
            elif len(array) != users and nodes and self.subcarriers:
                raise InputError(f"has {len(array)} entries for {users} users", place)
        self._check_sizes()

    def _check_sizes(self) -> None:
        """Object to numbers whose products are beyond what can be calculated with."""
        if self.subcarrier_hz > LARGEST:
            raise InputError(f"must be at most {LARGEST:g}, is {self.subcarrier_hz:g}", "subcarrier_hz")
        for name in ("throughput", "delay", "coverage"):
            if (weight := getattr(self.weights, name)) > LARGEST:
                raise InputError(f"must be at most {LARGEST:g}, is {weight:g}", f"weights.{name}")
        if (parts := self.subcarrier_hz / self.throughput_ref_bps) > LARGEST:
            raise InputError(
                f"is {parts:g} times smaller than subcarrier_hz, more than {LARGEST:g}", "throughput_ref_bps"
            )
        scale = 1.0, self.uavs.reference_gain, 1.0
        for (place, array, _), budget, factor in zip(self._per_user(), self.budgets_w, scale, strict=True):
            with np.errstate(over="ignore"):
                snr = np.max(array, initial=0.0) * factor * np.max(budget, initial=0.0) / self.noise_w
            if snr > LARGEST:
                raise InputError(f"comes to a ratio of {snr:g} to the noise, more than {LARGEST:g}", place)

    def _per_user(self) -> tuple[tuple[str, FloatArray, int], ...]:
        """Place, array and nodes of what every user has with every node."""
        return (
            ("stations.gain", self.stations.gain, len(self.stations.power_w)),
            ("uavs.fading", self.uavs.fading, len(self.uavs.power_w)),
            ("satellites.gain", self.satellites.gain, len(self.satellites.power_w)),
        )

    @property
    def nodes(self) -> tuple[int, int, int]:
        """Number of stations, UAVs and satellites."""
        return len(self.stations.power_w), len(self.uavs.power_w), len(self.satellites.power_w)

    @property
    def budgets_w(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Power budgets of the layers (W)."""
        return self.stations.power_w, self.uavs.power_w, self.satellites.power_w

    def check_fit(self, decision: Any, place: str) -> None:
        """Object to other numbers of UAVs and users, and to candidates, nodes and subcarriers that there are not."""
        candidates = len(self.uavs.candidates)
        for name, found, wanted in (
            ("uav_candidate", decision.uav_candidate, self.nodes[1]),
            ("serve", decision.serve, len(self.slices)),
        ):
            if len(found) != wanted:
                raise InputError(f"has {len(found)} entries for {wanted}", f"{place}.{name}")
        if (beyond := np.flatnonzero(decision.uav_candidate >= candidates)).size:
            where = f"{place}.uav_candidate[{beyond[0]}]"
            raise InputError(f"must be below {candidates}, is {decision.uav_candidate[beyond[0]]}", where)
        for k, service in enumerate(decision.serve):
            if service is None:
                continue
            nodes = self.nodes[LAYERS.index(service.layer)]
            for name, size in (("node", nodes), ("subcarrier", self.subcarriers)):
                if (number := getattr(service, name)) >= size:
                    raise InputError(f"must be below {size}, is {number}", f"{place}.serve[{k}].{name}")
