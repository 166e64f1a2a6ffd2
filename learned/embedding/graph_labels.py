"""Labels of the graph policy: traces with the hosts of a clairvoyant search, and of the best each request could do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ...instances.embedding import EmbeddingDecision, VirtualNetworks
from ...instances.embedding.presets import generate
from ...instances.errors import InputError
from ...instances.fields import FloatArray, IntArray
from ...solvers.embedding.neighbourhood_search import search_trace
from ...solvers.embedding.per_request import solve_per_request
from ...solvers.result import Limits, relative_gap
from ..label_store import PresetLabels
from ..policy_file import hash_numbers

REJECTED = -1


@dataclass(frozen=True)
class GraphLabels(PresetLabels):
    """Traces of a preset.

    Attributes
    ----------
    bound : array, shape (traces,)
        No decisions are worth more.
    clairvoyant, online : array, shape (request nodes of all traces,)
        Hosts, `REJECTED` of requests that are not embedded: as a search does that knows the whole trace, and with
        every request at least cost as it arrives. Empty where there are none, to validate.
    """

    bound: FloatArray
    clairvoyant: IntArray
    online: IntArray

    @classmethod
    def draw(cls, preset: str, seeds: Sequence[int], rounds: int, largest_gap: float) -> Self:
        """Draw traces and embed them; without rounds, only bound them.

        Raises
        ------
        InputError
            When a search ends with a larger gap than is admitted.
        """
        bounds, clairvoyant, online, seen = [], [np.empty(0, np.int64)], [np.empty(0, np.int64)], []
        for seed in seeds:
            instance = generate(preset, seed)
            found = search_trace(instance, Limits(), rounds)
            assert found.bound is not None
            if rounds:
                _check_gap(instance, found.decision, found.bound, largest_gap)
                clairvoyant.append(_hosts(instance, found.decision))
                online.append(_hosts(instance, solve_per_request(instance, Limits()).decision))
            bounds.append(found.bound)
            seen.append(hash_numbers([instance.hash]))
        hosts = np.concatenate(clairvoyant), np.concatenate(online)
        return cls(preset, np.array(seeds), np.concatenate(seen), np.array(bounds), *hosts)

    @property
    def instances(self) -> list[VirtualNetworks]:
        """The traces."""
        return [generate(self.preset, int(seed)) for seed in self.seeds]


def _check_gap(instance: VirtualNetworks, decision: object, bound: float, largest_gap: float) -> None:
    assert isinstance(decision, EmbeddingDecision)
    gap = relative_gap(instance.total(decision), bound)
    if gap is None or gap > largest_gap:
        raise InputError(f"is {gap} on {instance.name}, more than {largest_gap}", "largest_gap")


def _hosts(instance: VirtualNetworks, decision: object) -> IntArray:
    """Hosts of all request nodes, in the order of arrivals."""
    assert isinstance(decision, EmbeddingDecision)
    hosts = []
    for k in instance.order:
        embedding = decision.embeddings[k]
        rejected = np.full(len(instance.requests[k].nodes), REJECTED)
        hosts.append(rejected if embedding is None else embedding.nodes)
    return np.concatenate(hosts)
