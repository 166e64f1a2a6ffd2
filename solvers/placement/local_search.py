"""Descent by moves and swaps, for all users together or each for itself."""

import time
from collections.abc import Callable

import numpy as np

from ...instances.fields import FloatArray, IntArray
from ...instances.placement import Placement, PlacementDecision
from ..result import Answer, Limits, Solver
from .batch import Costs
from .construction import solve_greedy, solve_regret

ROUNDS = 100  # of all users answering in turn; selfish answers may cycle


class State:
    """One complete placement, with what moving or swapping users would change.

    Attributes
    ----------
    host : array, shape (users,)
    count, load : array, shape (H,)
        Users and total load of each host; load only counts on devices.
    """

    def __init__(self, costs: Costs, host: IntArray) -> None:
        _, users, hosts = costs.shape
        self.even = costs.even
        self.fixed_s, self.user_load, self.places = costs.fixed_s[0], costs.load[0], costs.places[0]
        # Home and cloud compute in their fixed delay: as devices they would be infinitely fast.
        self.per_cps = np.concatenate([[0.0], 1 / costs.speed_cps[0], [0.0]])
        self.host = host.copy()
        self.count = np.bincount(host, minlength=hosts).astype(float)
        self.load = np.bincount(host, self.user_load, minlength=hosts).astype(float)
        self._users = np.arange(users)

    def compute_s(self, count: FloatArray, load: FloatArray, per_cps: FloatArray) -> FloatArray:
        """Computing delay of hosts (s)."""
        delay: FloatArray = (count * load if self.even else load**2) * per_cps
        return delay

    def moves_s(self) -> FloatArray:
        """Change of the total delay when a user moves (s), shape (users, H); inf where full or impossible, O(I H)."""
        at, load = self.host, self.user_load
        now = self.compute_s(self.count, self.load, self.per_cps)
        left = self.compute_s(self.count[at] - 1.0, self.load[at] - load, self.per_cps[at]) - now[at]
        joined = self.compute_s(self.count + 1, self.load + load[:, None], self.per_cps) - now
        change: FloatArray = self.fixed_s + joined + (left - self.fixed_s[self._users, at])[:, None]
        change[:, self.count >= self.places] = np.inf
        change[self._users, at] = 0.0
        return change

    def swaps_s(self) -> FloatArray:
        """Change of the total delay when two users swap hosts (s), shape (users, users); inf if impossible, O(I^2)."""
        at, load = self.host, self.user_load
        change: FloatArray
        difference = load[None, :] - load[:, None]  # what user i's host gains when k comes for i
        if self.even:
            change = self.count[at][:, None] * difference * self.per_cps[at][:, None]
        else:
            change = difference * (2 * self.load[at][:, None] + difference) * self.per_cps[at][:, None]
        fixed = self.fixed_s[:, at]  # of user i at k's host
        with np.errstate(invalid="ignore"):
            own = np.diag(fixed)
            change = change + change.T + fixed + fixed.T - own[:, None] - own
        change[at[:, None] == at] = 0.0
        return change

    def move(self, user: int, host: int) -> None:
        """Move a user."""
        for sign, at in ((-1, self.host[user]), (1, host)):
            self.count[at] += sign
            self.load[at] += sign * self.user_load[user]
        self.host[user] = host


def descend(costs: Costs, host: IntArray, until: float = np.inf) -> IntArray:
    """The best move or swap, again and again until none helps or the clock (monotonic) shows `until`."""
    state = State(costs, host)
    smallest = 1e-12 * float(costs.total_s(host[None])[0])
    while time.monotonic() < until:
        moves = state.moves_s()
        user, to = np.unravel_index(moves.argmin(), moves.shape)
        if moves[user, to] < -smallest:
            state.move(int(user), int(to))
            continue
        swaps = state.swaps_s()
        first, second = np.unravel_index(swaps.argmin(), swaps.shape)
        if swaps[first, second] >= -smallest:
            break
        to, back = state.host[second], state.host[first]
        state.move(int(first), int(to))
        state.move(int(second), int(back))
    return state.host


def solve_local_search(instance: Placement, limits: Limits) -> Answer:
    """Best move or swap from the greedy placement by dynamic regret (or a given start) until none helps."""
    return _improved(instance, limits, solve_regret, descend)


def solve_best_response(instance: Placement, limits: Limits) -> Answer:
    """Selfish users from the greedy placement: each in turn takes the host with its own least delay, until none moves.

    A user sees its own delay only, not what it costs the others. With player-specific delays such answers may cycle;
    they end after `ROUNDS` rounds.
    """
    return _improved(instance, limits, solve_greedy, _answer_selfishly)


def _improved(
    instance: Placement,
    limits: Limits,
    construct: Solver[Placement],
    improve: Callable[[Costs, IntArray, float], IntArray],
) -> Answer:
    until = np.inf if limits.time_limit_s is None else time.monotonic() + limits.time_limit_s
    first = Answer(limits.start) if limits.start is not None else construct(instance, limits)
    if not isinstance(first.decision, PlacementDecision):
        return first
    return Answer(PlacementDecision(improve(Costs.of([instance]), first.decision.host, until)))


def _answer_selfishly(costs: Costs, host: IntArray, until: float) -> IntArray:
    state = State(costs, host)
    for _ in range(ROUNDS):
        moved = False
        for user in range(len(host)):
            own, load = state.host[user], state.user_load[user]
            others = (np.arange(len(state.places)) != own).astype(float)
            count, total = state.count + others, state.load + others * load
            # Its own computing delay: mu D n / F, or sqrt(mu D) times the sum of roots over F.
            delay = state.fixed_s[user] + load * (count if state.even else total) * state.per_cps
            delay[(state.count >= state.places) & (others > 0)] = np.inf
            best = int(delay.argmin())
            if delay[best] < delay[own] * (1 - 1e-12):
                state.move(user, best)
                moved = True
        if not moved or time.monotonic() > until:
            break
    return state.host
