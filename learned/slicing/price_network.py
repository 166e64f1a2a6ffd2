"""The network that expects prices of users, budgets and places, whatever the numbers of users and nodes.

Users and nodes tell each other by the links between them; UAVs are seen from all places where they may stand.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ...formulations.slicing.values import bits_of, gains
from ...instances.fields import FloatArray
from ...instances.slicing import Slicing
from ...instances.slicing.instance import LAYERS, SLICES
from ...solvers.slicing.cells import Cells, Rows

USER, NODE, LINK = 2 * len(SLICES) + 4, 2 * len(LAYERS), 3
NEAR_M = 500.0  # how far users feel each other
LARGEST = 20.0  # logarithm of a SNR that counts as 1
BITS = 50_000.0  # what counts as 1 of what a user is sent


class Sight(NamedTuple):
    """What is seen of B slots of one shape.

    Attributes
    ----------
    user : tensor, shape (B, users, USER)
    node : tensor, shape (B, nodes, NODE)
    link : tensor, shape (B, users, nodes, LINK)
    scale : tensor, shape (B,)
        What users are worth in the mean, which prices are shares of.
    """

    user: Tensor
    node: Tensor
    link: Tensor
    scale: Tensor

    @classmethod
    def of(cls, instance: Slicing) -> "Sight":
        """One slot."""
        users, nodes = len(instance.slices), sum(instance.nodes)
        kind = np.eye(len(SLICES))[[SLICES.index(letter) for letter in instance.slices]].reshape(users, len(SLICES))
        layer = np.eye(len(LAYERS))[np.repeat(np.arange(len(LAYERS)), instance.nodes)]
        apart = np.linalg.norm(instance.users.position[:, None] - instance.users.position, axis=2)
        crowd = np.exp(-apart / NEAR_M) @ kind
        room = max(1, nodes * instance.subcarriers)
        common = [users / room, instance.station_capacity / max(1, users), float(instance.intra_cell_reuse)]
        user = np.column_stack([kind, crowd, bits_of(instance) / BITS, np.tile(common, (users, 1))])
        node = np.column_stack([layer, np.tile(common, (nodes, 1))])
        scale = Cells(instance, Rows.of(instance), np.zeros(instance.nodes[1], np.int64)).scale()
        arrays = user, node, _links(instance), np.array(scale)
        return cls(*(torch.from_numpy(array).float()[None] for array in arrays))

    @classmethod
    def joined(cls, sights: "list[Sight]") -> "Sight":
        """Several of one shape."""
        return cls(*(torch.cat(parts) for parts in zip(*sights, strict=True)))

    def take(self, rows: Tensor) -> "Sight":
        """Some of them."""
        return Sight(*(part[rows] for part in self))


def _links(instance: Slicing) -> FloatArray:
    """Logarithms of SNRs, shape (users, nodes, LINK): mean over subcarriers from the best place and the mean of all
    places, and the largest."""
    users, nodes, subcarriers = len(instance.slices), sum(instance.nodes), instance.subcarriers
    places = range(max(1, len(instance.uavs.candidates)))
    seen = np.zeros((len(places), users, nodes, subcarriers))
    for q in places:
        own = gains(instance, np.full(instance.nodes[1], q))
        for first, gain, budget in zip(_first(instance), own, instance.budgets_w, strict=True):
            seen[q, :, first : first + len(budget)] = np.log1p(gain * budget[:, None] / instance.noise_w) / LARGEST
    mean = seen.mean(3) if subcarriers else np.zeros(seen.shape[:3])
    return np.stack([mean.max(0), mean.mean(0), seen.max((0, 3), initial=0.0)], 2)


def _first(instance: Slicing) -> list[int]:
    """Number of the first node of each layer."""
    stations, uavs, _ = instance.nodes
    return [0, stations, stations + uavs]


def _perceptron(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, outputs))


def _heard(sent: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Mean and largest of what is sent along an axis; 0 where nobody sends."""
    if not sent.shape[axis]:
        nothing = sent.sum(axis)
        return nothing, nothing
    return sent.mean(axis), sent.amax(axis)


class Exchange(nn.Module):
    """Users and nodes hear of each other, by what is sent over every link."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.message = _perceptron(2 * width + LINK, width, width)
        self.user, self.node = _perceptron(3 * width, width, width), _perceptron(3 * width, width, width)

    def forward(self, user: Tensor, node: Tensor, link: Tensor) -> tuple[Tensor, Tensor]:
        """What both know afterwards; O(B users nodes)."""
        users, nodes = user.shape[1], node.shape[1]
        ends = user[:, :, None].expand(-1, -1, nodes, -1), node[:, None].expand(-1, users, -1, -1)
        sent = self.message(torch.cat([*ends, link], 3))
        user = user + self.user(torch.cat([user, *_heard(sent, 2)], 2))
        node = node + self.node(torch.cat([node, *_heard(sent, 1)], 2))
        return user, node


class PriceNetwork(nn.Module):
    """One seed; initial values depend on the seed alone."""

    def __init__(self, width: int, layers: int, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.user, self.node = nn.Linear(USER, width), nn.Linear(NODE, width)
            self.layers = nn.ModuleList(Exchange(width) for _ in range(layers))
            self.of_user, self.of_node = _perceptron(width, width, 1), _perceptron(width, width, 2)

    def forward(self, sight: Sight, stations: int) -> Tensor:
        """Prices over the scale, (B, users + nodes + stations), see `Rows`."""
        user, node = self.user(sight.user), self.node(sight.node)
        for layer in self.layers:
            user, node = layer(user, node, sight.link)
        of_node = self.of_node(node)
        said = torch.cat([self.of_user(user)[..., 0], of_node[..., 0], of_node[:, :stations, 1]], 1)
        found: Tensor = nn.functional.softplus(said)
        return found

    @torch.no_grad()
    def prices(self, instance: Slicing) -> FloatArray:
        """Of an instance, shape (users + nodes + stations,)."""
        sight = Sight.of(instance)
        found: FloatArray = (self(sight, instance.nodes[0])[0] * sight.scale).double().numpy()
        return found
