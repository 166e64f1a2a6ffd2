"""Fine-tuning of the graph policy: hosts by what requests gain at its prices, prices by what later requests bring."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ...instances.embedding import VirtualNetworks
from ...instances.fields import BoolArray, IntArray
from .environment import EmbeddingEnvironment
from .graph_decider import GraphDecider
from .graph_network import GraphNetwork
from .graph_settings import Settings
from .online import adopt_best, meet
from .play import WAIT
from .sights import look


class Draws(NamedTuple):
    """Hosts that were drawn, one row each.

    Attributes
    ----------
    hosts : array, shape (rows, N, HOST_FEATURES)
    row, request, host : array, shape (rows,)
        Environment, request, and what was taken.
    """

    hosts: np.ndarray
    row: IntArray
    request: IntArray
    host: IntArray


class Offers(NamedTuple):
    """Requests that were taken or refused, one row each.

    Attributes
    ----------
    group, request : array, shape (rows,)
    offer : array, shape (rows, OFFER_FEATURES)
    take : array of bool, shape (rows,)
    """

    group: IntArray
    request: IntArray
    offer: np.ndarray
    take: BoolArray


class Rehearsal:
    """Some requests in the midst of some traces, which several replicas meet, each with several draws of every request.

    The replicas of a trace begin alike. Every request's draws start from one state, go on from the one that gains most,
    and their gains at the network's own prices say which hosts were better. Which requests are taken is drawn, too, and
    what the replicas of a trace come to later says whether that was well.

    Attributes
    ----------
    gain : array, shape (groups, requests, samples)
        What each draw gains, 0 where it fails or would not be worth taking.
    reward : array, shape (groups, requests)
        What each request has brought.
    """

    def __init__(
        self, network: GraphNetwork, instances: Sequence[VirtualNetworks], settings: Settings, rng: np.random.Generator
    ) -> None:
        self._network, self._settings, self._rng = network, settings, rng
        chosen = rng.choice(len(instances), settings.tuning_worlds, replace=False)
        parts = [_part(instances[which], settings.past + settings.future, rng) for which in chosen]
        self._environment = EmbeddingEnvironment(parts, stepwise=True)
        self._decider = GraphDecider(network, self._environment)
        self._groups = len(parts) * settings.replicas
        meet(self._decider, self._environment, np.arange(len(parts)), 1, rng, until=settings.past)
        many = settings.replicas * settings.samples
        self._environment.play = self._environment.play.repeated(many)
        requests = self._environment.requests
        self.gain = np.zeros((self._groups, requests, settings.samples))
        self.reward = np.zeros((self._groups, requests))
        self._offers: list[Offers] = []

    @property
    def over(self) -> bool:
        """Whether all requests have been met."""
        return bool(self._environment.over.all())

    def window(self) -> Draws:
        """Meet some more requests; the hosts that were drawn."""
        environment, samples, kept = self._environment, self._settings.samples, list[Draws]()
        last = environment.play.request + self._settings.window
        while (here := (environment.play.request < last) & ~environment.over).any():
            action, deciding, play = np.full(len(here), WAIT), environment.deciding, environment.play
            if (rows := np.flatnonzero(here & ~deciding)).size:
                seen = look(environment.tables, environment.rules, play, rows).hosts
                score = self._decider.log_likely(seen, play.world[rows])
                action[rows] = (score + self._rng.gumbel(size=score.shape)).argmax(1)
                kept.append(Draws(seen, rows, play.request[rows], action[rows]))
            if (settling := np.flatnonzero((here & deciding).reshape(-1, samples).all(1))).size:
                own = settling[:, None] * samples + np.arange(samples)
                action[own] = self._settled(settling)[:, None]
            request = play.request[::samples].copy()
            brought = environment.step(action)[::samples]
            at = np.flatnonzero(brought)
            self.reward[at, request[at]] = brought[at]
        return Draws(*(np.concatenate(column) for column in zip(*kept, strict=True)))

    def _settled(self, groups: IntArray) -> IntArray:
        """Go on from the best draws, and draw whether they are taken; the actions, shape (groups,)."""
        environment, samples = self._environment, self._settings.samples
        request = environment.play.request[groups * samples]
        gain = adopt_best(self._decider, environment, groups, samples)
        self.gain[groups, request] = np.maximum(gain, 0.0)
        able = np.flatnonzero(gain.max(1) > -np.inf)
        take = np.zeros(len(groups), bool)
        offer = look(environment.tables, environment.rules, environment.play, groups[able] * samples).offer
        with torch.no_grad():
            odds = self._network.price(torch.from_numpy(offer)).numpy()
        take[able] = self._rng.logistic(size=len(able)) < odds
        self._offers.append(Offers(groups[able], request[able], offer, take[able]))
        return np.asarray(np.where(take, environment.nodes + 1, environment.nodes))

    def host_loss(self, draws: Draws) -> Tensor:
        """The loss of hosts that were drawn: likelier where the request gains more than with its other draws."""
        group, sample = np.divmod(draws.row, self._settings.samples)
        gain = self.gain[group, draws.request]
        more = gain[np.arange(len(gain)), sample] - gain.mean(1)
        advantage = torch.from_numpy(more / max(float(more.std()), 1e-9)).float()
        neighbours = self._decider.neighbours[self._environment.play.world[draws.row]]
        likely = self._network.host(torch.from_numpy(draws.hosts), neighbours)
        taken = likely.gather(1, torch.from_numpy(draws.host)[:, None])[:, 0]
        loss: Tensor = -(advantage * taken).mean()
        return loss

    def price_loss(self) -> Tensor:
        """The loss of what was taken and refused, by what the first half of all requests have brought since.

        What a request brings counts less the later it comes, and its baseline is the mean of the trace's replicas.
        """
        settings = self._settings
        offers = Offers(*(np.concatenate(column) for column in zip(*self._offers, strict=True)))
        later = np.zeros(self.reward.shape)
        brings = np.zeros(self._groups)
        for request in range(self.reward.shape[1] - 1, -1, -1):
            brings = self.reward[:, request] + settings.discount * brings
            later[:, request] = brings
        mean = later.reshape(-1, settings.replicas, later.shape[1]).mean(1)
        more = later - np.repeat(mean, settings.replicas, 0)
        early = offers.request < settings.past + settings.future / 2
        advantage = more[offers.group, offers.request][early]
        odds = self._network.price(torch.from_numpy(offers.offer[early]))
        likely = logsigmoid(torch.where(torch.from_numpy(offers.take[early]), odds, -odds))
        weight = torch.from_numpy(advantage / max(float(advantage.std()), 1e-9)).float()
        loss: Tensor = -(weight * likely).mean()
        return loss


def _part(instance: VirtualNetworks, count: int, rng: np.random.Generator) -> VirtualNetworks:
    """So many requests in the midst of a trace."""
    first = int(rng.integers(0, max(1, len(instance.requests) - count + 1)))
    requests = tuple(instance.requests[k] for k in instance.order[first : first + count])
    return replace(instance, requests=requests)
