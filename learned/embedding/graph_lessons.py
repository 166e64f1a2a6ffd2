"""What labelled traces teach the graph policy: hosts where they are possible, and which requests are taken."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from ...instances.fields import BoolArray, IntArray
from .environment import EmbeddingEnvironment
from .graph_labels import REJECTED, GraphLabels
from .play import WAIT
from .sights import Sight, look
from .worlds import Worlds

AHEAD, SPACE = 0.5, 0.05  # of the rule that embeds what labels reject: hops of links to come, and bandwidth at the host


class Lessons(NamedTuple):
    """Lessons of all traces.

    Attributes
    ----------
    hosts : tensor of float16, shape (decisions, N, HOST_FEATURES)
    neighbours : tensor, shape (worlds, N, N)
        See `neighbours_of`.
    world, host : tensor, shape (decisions,)
        Which world, and the label.
    offer : tensor, shape (requests, OFFER_FEATURES)
    taken : tensor, shape (requests,)
        1 of what the clairvoyant search takes, 0 of the rest.
    """

    hosts: Tensor
    neighbours: Tensor
    world: Tensor
    host: Tensor
    offer: Tensor
    taken: Tensor

    @classmethod
    def of(cls, labels: Sequence[GraphLabels]) -> Self:
        """Lessons of labels whose substrates are of one size."""
        parts: list[Self] = []
        for known in labels:
            environment = EmbeddingEnvironment(known.instances, stepwise=True)
            neighbours = neighbours_of(environment.tables)
            for host, takes in ((known.clairvoyant, True), (known.online, False)):
                decisions, offers = _replayed(environment, host)
                columns = [torch.from_numpy(np.concatenate(column)) for column in zip(*decisions, strict=True)]
                offer, taken = (np.concatenate(column) for column in zip(*offers, strict=True))
                rows = slice(None) if takes else slice(0)
                parts.append(
                    cls(
                        columns[0],
                        neighbours,
                        columns[1],
                        columns[2],
                        torch.from_numpy(offer[rows]),
                        torch.from_numpy(taken[rows]).float(),
                    )
                )
        return cls._joined(parts)

    @classmethod
    def _joined(cls, parts: Sequence[Self]) -> Self:
        """Several as one, each with worlds of its own."""
        first = np.cumsum([0, *(len(part.neighbours) for part in parts)]).tolist()
        shifted = [part._replace(world=part.world + at) for part, at in zip(parts, first, strict=False)]
        return cls(*(torch.cat(column) for column in zip(*shifted, strict=True)))


def neighbours_of(worlds: Worlds) -> Tensor:
    """Shares of each node's neighbours, shape (W, N, N); rows sum to 1, or to 0 without neighbours."""
    count, nodes = worlds.domain.shape
    share = np.zeros((count, nodes, nodes), np.float32)
    for w in range(count):
        node = np.repeat(np.arange(nodes), np.diff(worlds.first[w]))
        share[w, node, worlds.neighbour[w, : len(node)]] = 1.0
    share /= np.maximum(share.sum(2, keepdims=True), 1.0)
    return torch.from_numpy(share)


Decisions = list[tuple[np.ndarray, IntArray, IntArray]]  # what is seen of hosts, worlds and labels
Offers = list[tuple[np.ndarray, BoolArray]]  # what is seen of requests, and whether they are taken


def _replayed(environment: EmbeddingEnvironment, host: IntArray) -> tuple[Decisions, Offers]:
    """Play all worlds as labels say, `REJECTED` requests by a rule, and refuse these.

    A label can be impossible, since paths need not be those of the label; the rule decides there, too.
    """
    tables, nodes = environment.tables, environment.nodes
    at = np.cumsum([0, *tables.node_first[:-1, -1]])
    environment.reset(np.arange(environment.worlds))
    play = environment.play
    decisions: Decisions = []
    offers: Offers = []
    while not environment.over.all():
        mask, deciding, rows = environment.mask, environment.deciding, np.flatnonzero(~environment.over)
        sight, action = look(tables, environment.rules, play, rows), np.full(len(mask), WAIT)
        first = tables.node_first[rows, play.request[rows]]
        turn = np.where(deciding[rows], 0, play.turn[rows])
        label = host[at[rows] + first + tables.sequence[rows, first + turn]]
        wanted = label != REJECTED
        places = ~deciding[rows]
        fits = places & wanted & mask[rows, np.maximum(label, 0)]
        action[rows] = np.where(fits, label, _by_rule(sight, mask[rows, :nodes]))
        action[rows[~places]] = np.where(wanted & ~play.failed[rows], nodes + 1, nodes)[~places]
        decisions.append((sight.hosts[fits].astype(np.float16), rows[fits], label[fits]))
        offered = ~places & ~play.failed[rows]
        offers.append((sight.offer[offered], wanted[offered]))
        environment.step(action)
    return decisions, offers


def _by_rule(sight: Sight, possible: BoolArray) -> IntArray:
    """The host at which links cost least, those to come reckoned with."""
    here, ahead, space = (sight.hosts[:, :, column] for column in (3, 4, 7))
    return np.asarray(np.where(possible, SPACE * space - here - AHEAD * ahead, -np.inf).argmax(1))
