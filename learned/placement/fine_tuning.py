"""Fine-tuning by REINFORCE: placements that are better than the same instance's others become likelier."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...solvers.placement.batch import Costs, Partial
from .decoder import Round, rounds
from .edge_network import EdgeNetwork
from .scene import HIDDEN, Scene


class Tuning(NamedTuple):
    """The loss; a decision's mean entropy (nats) and the mean relative excess over an instance's best sample."""

    loss: Tensor
    entropy: Tensor
    excess: Tensor


def reinforce_loss(
    network: EdgeNetwork, costs: Costs, samples: int, entropy_weight: float, rng: torch.Generator
) -> Tuning:
    """The loss of placements drawn from the network.

    An episode places one instance; its return is minus the total delay, and its baseline the mean return of the
    instance's other samples. The entropy of decisions is rewarded, since a policy that gives up its second choices
    gains nothing by sampling.

    Parameters
    ----------
    costs
        Feasible instances.
    samples
        Placements drawn of each instance, at least 2.
    entropy_weight
        Weight of the mean entropy of a decision (nats) beside advantages of unit variance.
    """
    partial = Partial(costs.repeat(samples))
    batch, users, _ = partial.costs.shape
    chosen, entropy = torch.zeros(batch), torch.zeros(batch)
    pairs = network(Scene.of(costs)).pairs.repeat(samples)
    for step in rounds(network, pairs, partial, np.ones(batch), rng):
        log_likely, doubt = _weighed(step)
        chosen, entropy = chosen + log_likely, entropy + doubt
    total_s = torch.from_numpy(partial.costs.total_s(partial.host)).view(-1, samples)
    relative = total_s / total_s.mean(1, keepdim=True)
    advantage = (relative.mean(1, keepdim=True) - relative) * samples / (samples - 1)
    advantage = (advantage / advantage.square().mean().sqrt().clamp(min=1e-9)).float().flatten()
    loss = -(advantage * chosen).mean() / users - entropy_weight * entropy.mean() / users
    excess = (total_s / total_s.amin(1, keepdim=True) - 1).mean()
    return Tuning(loss, entropy.detach().mean() / users, excess)


def _weighed(step: Round) -> tuple[Tensor, Tensor]:
    """Log-likelihood of a round's decisions and their entropy, each (B,)."""
    hosts = step.logits.shape[2]
    logits = step.logits.gather(1, step.at[:, :, None].expand(-1, -1, hosts))
    log_likely = torch.log_softmax(logits.masked_fill(~step.offered, HIDDEN), 2)
    taken = log_likely.gather(2, step.host[:, :, None])[..., 0]
    return taken.sum(1), -(log_likely.exp() * log_likely).sum((1, 2))
