"""How far a network is from choosing as the optimum does: at once, on the way, and from states on the way.

The sum of cross-entropies of each user's host and errors in the number of users of each host, for the encoder, for the
first trial of each of its layers but the first (deep supervision), and for the head in partial states: some users sit
where the optimum has them, and the others' hosts are asked for.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from .decision_head import Seated
from .edge_network import EdgeNetwork
from .labels import Labels
from .partial_states import offered_to, some_left
from .scene import Scene

COUNT = 0.3  # weight of the error in numbers beside the cross-entropy
TRIALS = 0.15  # weight of the loss of trials
HEAD = 2.0  # weight of the loss of the head
SPREAD = 0.5  # noise in the order in which users are placed in partial states
WORST = 20.0  # cross-entropy at which a user in a partial state counts no more


class Losses(NamedTuple):
    """The loss, and the cross-entropies in it that are reported."""

    loss: Tensor
    encoder: Tensor
    head: Tensor


@dataclass(frozen=True)
class Wanted:
    """The optimum: host of each user, (B, users), as 0 and 1, (B, users, H), and users of each host, (B, H)."""

    host: Tensor
    one: Tensor
    count: Tensor

    def repeat(self, times: int) -> "Wanted":
        """Every instance `times` times, one after the other."""
        return Wanted(*(tensor.repeat_interleave(times, 0) for tensor in (self.host, self.one, self.count)))

    def missed(self, logits: Tensor) -> Tensor:
        """Cross-entropy of each user, (B, users)."""
        return -torch.log_softmax(logits, 2).gather(2, self.host[:, :, None])[..., 0]

    def miscounted(self, count: Tensor) -> Tensor:
        """Mean error of expected numbers, (B, H)."""
        return ((count - self.count).square() / (1 + self.count)).mean()


def imitation_loss(network: EdgeNetwork, labels: Labels, states: int, rng: np.random.Generator) -> Losses:
    """The loss on a batch of labels.

    Parameters
    ----------
    states
        Partial states of each instance.
    rng
        Draws the partial states.
    """
    scene = Scene.of(labels.costs)
    encoding = network(scene)
    host = torch.from_numpy(labels.host)
    one = one_hot(host, labels.costs.shape[2]).float()
    wanted = Wanted(host, one, one.sum(1))
    encoder = wanted.missed(encoding.logits).mean()
    share = torch.softmax(encoding.logits, 2)
    loss = encoder + COUNT * wanted.miscounted(share.sum(1))
    for logits in encoding.trials:
        count = torch.softmax(logits, 2).sum(1)
        loss = loss + TRIALS * (wanted.missed(logits).mean() + COUNT * wanted.miscounted(count))

    rows = np.repeat(np.arange(len(labels)), states)
    confidence = share.detach().amax(2).numpy()[rows]
    left = some_left(confidence, SPREAD, rng)
    many, wanted = labels.take(rows), wanted.repeat(states)
    offered = torch.from_numpy(offered_to(many.costs, many.host, left))
    undecided = torch.from_numpy(left).float()
    placed = wanted.one * (1 - undecided)[..., None]
    seated = Seated.at(scene.repeat(states), placed)
    logits = network.head(encoding.pairs.repeat(states), seated, offered)
    # A late state has few users left and an early one many; the root weighs states between equally and by users.
    missed = (wanted.missed(logits).clamp(max=WORST) * undecided).sum(1)
    head = (missed / (undecided.sum(1) * undecided.shape[1]).sqrt()).mean()
    count = seated.count + (torch.softmax(logits, 2) * undecided[..., None]).sum(1)
    return Losses(loss + HEAD * (head + COUNT * wanted.miscounted(count)), encoder.detach(), head.detach())
