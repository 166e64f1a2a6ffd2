"""The dynamics of embedding for learning: B traces at once, one request node at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...instances.embedding import EmbeddingDecision, VirtualNetworks
from ...instances.errors import InputError
from ...instances.fields import BoolArray, FloatArray, IntArray
from ...solvers.embedding.insertion import NEVER
from ..environment import Float32Array
from .play import Play, Rules, act, adopt, begin, ledger_of, worth_of
from .sights import HOST_FEATURES, OFFER_FEATURES, look
from .worlds import Worlds, trace_of


class EmbeddingEnvironment:
    """Requests are met as they arrive; see `play` for the rules.

    Actions are hosts 0 to N - 1 for the node in turn, N to refuse an embedding and N + 1 to take it. A return equals
    the referee's objective.

    Parameters
    ----------
    instances
        A pool of worlds with equally many requests and substrate nodes.
    stepwise
        See `play`; nodes come by demand when stepwise, otherwise by their numbers.
    """

    def __init__(self, instances: Sequence[VirtualNetworks], *, stepwise: bool) -> None:
        if len({instance.colocate for instance in instances}) != 1:
            raise InputError("some instances allow colocation and some do not", "colocate")
        self.instances = tuple(instances)
        self.tables = Worlds.of(instances, by_demand=stepwise)
        self.rules = Rules(instances[0].colocate, stepwise)
        self.worlds, self.requests = self.tables.arrival.shape
        self.nodes = self.tables.domain.shape[1]
        self.actions, self.features = self.nodes + 2, self.nodes * HOST_FEATURES + OFFER_FEATURES
        self.reset(np.zeros(1, np.int64))

    def reset(self, world: IntArray) -> None:
        """Begin the traces of these worlds, shape (B,)."""
        self.play = Play.empty(self.tables, len(world))
        self.begin(np.arange(len(world)), world)

    def begin(self, which: IntArray, world: IntArray) -> None:
        """Begin new traces in some of the B environments."""
        begin(which, world, self.tables, self.rules, self.play)

    @property
    def over(self) -> BoolArray:
        """Whether the trace is over, shape (B,)."""
        return np.asarray(self.play.request == self.requests)

    @property
    def deciding(self) -> BoolArray:
        """Whether the turn is to take or refuse an embedding, shape (B,)."""
        play, tables = self.play, self.tables
        k = np.minimum(play.request, self.requests - 1)
        count = tables.node_first[play.world, k + 1] - tables.node_first[play.world, k]
        return np.asarray((play.failed | (play.turn == count)) & ~self.over)

    @property
    def mask(self) -> BoolArray:
        """Which actions are possible, shape (B, N + 2); to refuse alone where a trace is over."""
        deciding = self.deciding
        last = deciding | self.over
        mask = np.zeros((len(deciding), self.actions), bool)
        mask[:, : self.nodes] = (self.play.cost < NEVER) & ~last[:, None]
        mask[:, self.nodes] = last
        mask[:, self.nodes + 1] = deciding & ~self.play.failed
        return mask

    def observe(self) -> Float32Array:
        """What `sights` shows, as one row of each environment, shape (B, features)."""
        sight = look(self.tables, self.rules, self.play, np.arange(len(self.play.world)))
        return np.concatenate([sight.hosts.reshape(len(sight.hosts), -1), sight.offer], 1)

    def step(self, action: IntArray) -> FloatArray:
        """Take an action in each environment, shape (B,); what they add to the objectives, shape (B,).

        Nothing happens where an action is impossible or `play.WAIT`.
        """
        reward = np.zeros(len(action))
        act(np.asarray(action, np.int64), self.tables, self.rules, self.play, reward)
        return reward

    def yields(self, rows: IntArray) -> FloatArray:
        """What taking the present requests of some environments would add to the objectives, over their costs."""
        play, k = self.play, self.play.request[rows]
        cost = self.tables.on_nodes[play.world[rows], k] + play.hops_cost[rows, k]
        return np.array([worth_of(b, self.tables, play) for b in rows]) / np.maximum(cost, 1e-9)

    def adopt(self, source: IntArray) -> None:
        """Let each environment go on from where another stands, shape (B,), at the same request of the same world."""
        adopt(source, self.tables, self.play)

    def decision(self, b: int) -> EmbeddingDecision:
        """What an environment has embedded so far."""
        instance = self.instances[self.play.world[b]]
        ledger, trace = ledger_of(self.play, b), trace_of(self.tables, self.play.world[b])
        found: list[Any] = [None] * len(instance.requests)
        for k, embedding in zip(instance.order, ledger.embeddings(instance, trace), strict=True):
            found[k] = embedding
        return EmbeddingDecision(tuple(found))
