"""Choosing links and their powers, with bounds that are brought down to what there is.

What an integer program chooses (see `choosing`) has prices among itself, and decisions near these. Where it claims more
than their bound, planes at these prices are added. Where it claims no more than that, but more than the decisions are
worth, links are worth much or little power but nothing between, and patterns are split by powers: first of the links
that are chosen alone, which is quick and leads to good decisions, then of all, which leads to bounds.
"""

from typing import NamedTuple

import numpy as np

from ...instances.fields import BoolArray, FloatArray
from .cells import Cells, Pattern
from .choosing import Choice
from .laws import COVERED
from .polishing import affordable, keeps_to_budgets, polished, prices_among
from .state import State

ROUNDS = 6  # of planes at other prices, or of patterns split by powers
ALONE, ALONE_BRIEFLY = 200, 40  # the same of links that are chosen, alone
SOME = 0.2  # of the most that is claimed beyond what a pattern is worth: those from there on are split
NARROW = 1e-12  # between powers: no longer split
MARGIN = 0.1  # of powers, that is left to either side where they are split
FACTORS = (0.5, 0.8, 1.0, 1.25, 2.0)  # prices of the first planes, over the best ones
MOST_S = 1.0  # of time for one choice among links that are chosen (s)


class Chosen(NamedTuple):
    """Patterns that are chosen together.

    Attributes
    ----------
    taken
        As the program has them, by their numbers.
    bound
        Of all that may be chosen.
    point, best
        Prices at which these patterns alone have the least bound, and they at the powers that are best then.
    least
        This bound.
    """

    taken: dict[int, Pattern]
    bound: float | None
    point: FloatArray
    best: list[Pattern]
    least: float


class Branching:
    """Choices of links where UAVs stand somewhere.

    Parameters
    ----------
    point
        Prices that planes and searches begin with.

    Attributes
    ----------
    bound
        On what is won above nobody served.
    """

    def __init__(self, state: State, cells: Cells, point: FloatArray, bound: float) -> None:
        self.bound = bound
        self._state, self._cells, self._point = state, cells, point
        self._seen = set[frozenset[tuple[object, ...]]]()  # links whose powers were sought

    def choice(self, patterns: list[Pattern]) -> Choice:
        """To choose among some patterns, with planes at prices about the best ones."""
        choice = Choice(self._cells, patterns)
        for factor in FACTORS:
            choice.add_planes(factor * self._point, self._state.tolerance)
        return choice

    def choose(self, choice: Choice, gap: float, most_s: float, *, complete: bool, briefly: bool = False) -> bool:
        """Choose among some patterns, and the powers of what is chosen; bound by all that may be of interest.

        Parameters
        ----------
        gap, most_s
            Of a choice.
        complete
            Whether these are all patterns that may be of interest.
        briefly
            Whether powers are sought for a short time, and no patterns split but those chosen.

        Returns
        -------
        bool
            Whether to go on is of use.
        """
        for _ in range(ROUNDS):
            chosen = self._chosen(choice, gap, most_s)
            if complete and chosen.bound is not None:
                self.bound = min(self.bound, max(chosen.bound, self._state.won))
            if self._enough(chosen, gap):
                return False
            links = frozenset((own.cell, *own.users.tolist(), *own.nodes.tolist()) for own in chosen.taken.values())
            if links not in self._seen:
                self._seen.add(links)
                self._share_power(list(chosen.taken.values()), gap, ALONE_BRIEFLY if briefly else ALONE)
                if self._enough(chosen, gap):
                    return False
            if not self._tighten(choice, chosen, gap, split=not briefly):
                return False
        return True

    def _share_power(self, patterns: list[Pattern], gap: float, rounds: int) -> None:
        """Find the best powers of links that are chosen, by splitting these alone."""
        choice = self.choice(patterns)
        for _ in range(rounds):
            chosen = self._chosen(choice, gap, MOST_S)
            if self._enough(chosen, gap) or not self._tighten(choice, chosen, gap, split=True):
                return

    def _chosen(self, choice: Choice, gap: float, most_s: float) -> Chosen:
        """Choose once, and offer decisions of it."""
        state, cells = self._state, self._cells
        left = min(most_s, np.inf if state.left_s is None else state.left_s)
        taken, bound = choice.best(state.limits.threads, left, gap)
        own = list(taken.values())
        if not own:
            return Chosen(taken, bound, self._point, [], -np.inf)
        point = prices_among(cells, own, self._point, gap)
        self._offer(own, point)
        best = [cells.again(pattern, point, state.tolerance) for pattern in own]
        return Chosen(taken, bound, point, best, float(cells.rows.most @ point) + sum(one.bound for one in best))

    def _enough(self, chosen: Chosen, gap: float) -> bool:
        """Whether a choice does, or there is none."""
        state, bound = self._state, chosen.bound
        if bound is None or not chosen.taken or state.late():
            return True
        return bound - state.floor <= gap * bound or min(self.bound, bound) <= state.aim

    def _tighten(self, choice: Choice, chosen: Chosen, gap: float, *, split: bool) -> bool:
        """Add planes that bring what was chosen down to its least bound, or else split patterns; whether it is done."""
        assert chosen.bound is not None
        if chosen.bound - chosen.least > gap * chosen.bound:
            choice.add_planes(chosen.point, self._state.tolerance)
            return True
        return split and self._split(choice, chosen)

    def _offer(self, chosen: list[Pattern], point: FloatArray) -> None:
        """Offer decisions of some links, from the powers that they have and from those at some prices."""
        state, cells = self._state, self._cells
        for start in (self._at(chosen, point), affordable(cells, chosen, point, state.tolerance)):
            if start and keeps_to_budgets(cells, start):
                for own in (start, polished(cells, start, state.goals)):
                    state.offer(cells.decision(own))

    def _at(self, chosen: list[Pattern], point: FloatArray) -> list[Pattern]:
        """Some links at the powers that they have; those of covered users follow."""
        fixed = [pattern._replace(least=pattern.share, most=pattern.share) for pattern in chosen]
        return [self._cells.again(pattern, point, self._state.tolerance) for pattern in fixed]

    def _split(self, choice: Choice, chosen: Chosen) -> bool:
        """Split the patterns of which most is claimed beyond what they are worth; whether there are any."""
        goals = chosen.point[self._cells.rows.goals :]
        beyond = dict[int, float]()
        at = self._at(list(chosen.taken.values()), chosen.point)
        for (number, pattern), true in zip(chosen.taken.items(), at, strict=True):
            if (~self._covered(pattern) & (pattern.most - pattern.least > NARROW)).any():
                claimed = pattern.worth - true.worth + float(goals @ (pattern.reached - true.reached))
                beyond[number] = claimed if np.isfinite(claimed) else self.bound
        few = max(SOME * max(beyond.values(), default=0.0), self._state.tolerance)
        for (number, pattern), own in zip(chosen.taken.items(), chosen.best, strict=True):
            if beyond.get(number, 0.0) >= few:
                choice.split(number, *self._cut(pattern, own.share), self._state.tolerance)
        return max(beyond.values(), default=0.0) >= few

    def _cut(self, pattern: Pattern, best: FloatArray) -> tuple[int, float]:
        """At which link and share a pattern is split: where it is farthest from being best, in logarithms."""
        heard = self._cells.layers[pattern.cell[0]].snr[pattern.cell[1]][pattern.users[:, None], pattern.nodes]
        loudest = np.maximum(heard.max(0), 1.0)
        ends = (pattern.share, best, pattern.least, pattern.most)
        here, there, low, high = (np.log1p(loudest * share) for share in ends)
        apart = np.abs(here - there) + MARGIN * (high - low)
        cannot = self._covered(pattern) | (pattern.most - pattern.least <= NARROW)
        link = int(np.where(cannot, -1.0, apart).argmax())
        margin = MARGIN * (high[link] - low[link])
        cut = np.clip(here[link], low[link] + margin, high[link] - margin)
        return link, float(np.expm1(cut) / loudest[link])

    def _covered(self, pattern: Pattern) -> BoolArray:
        """Which links are of users that are covered: their powers follow from the others'."""
        return np.asarray(self._cells.rows.laws.kind[pattern.users] == COVERED)
