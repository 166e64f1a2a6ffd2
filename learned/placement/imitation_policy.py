"""A network that has learned by imitation as a solver."""

from dataclasses import dataclass

from ...instances.placement import Placement, PlacementDecision
from ...solvers.placement.batch import Costs, Partial
from ...solvers.result import Answer, Limits
from ..policy_file import PolicyFile
from .decoder import decode
from .edge_network import EdgeNetwork, Size


@dataclass(frozen=True)
class ImitationPolicy:
    """A network of one seed; it takes instances of any size.

    Attributes
    ----------
    samples
        1: the greedy placement. More: the best of so many, see `decoder.decode`.
    """

    network: EdgeNetwork
    samples: int

    @classmethod
    def of(cls, file: PolicyFile, seed: int, samples: int) -> "ImitationPolicy":
        """The network of one trained seed."""
        names = "width", "layers", "heads", "loads", "head_width"
        network = EdgeNetwork(Size(*(file.network_size(name) for name in names)))
        file.fill(network, seed, stacked=False)
        return cls(network, samples)

    def __call__(self, instance: Placement, limits: Limits) -> Answer:
        """Place the users of an instance."""
        partial = Partial(Costs.of([instance]))
        if not partial.feasible[0]:
            return Answer(infeasible=True, reason="the possible hosts have too few places")
        host = decode(self.network, partial, self.samples, limits.seed)
        return Answer(PlacementDecision(host[0]))
