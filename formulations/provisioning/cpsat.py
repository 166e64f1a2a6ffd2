"""The constraint model: one literal for each choice that pays; users take at most one of each, resources so many."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...instances.fields import FloatArray, IntArray
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.instance import NONE
from ...instances.record import Decision
from ..constraint_model import BoolVar, ConstraintModel, Values
from .rewards import KINDS, rewards, useful

Taken = tuple[int, int, tuple[int, ...], list[int]]  # slot, user, kinds of resources, and which of each


def describe(instance: Provisioning) -> str:
    """Say what the optimum of an instance's model is."""
    return "the optimum is the problem's, with the objective rounded up"


def build(instance: Provisioning) -> ConstraintModel:
    """State the constraint model of an instance."""
    return _Builder(instance).finish()


class _Builder:
    """Collects literals, what each stands for, and its reward."""

    def __init__(self, instance: Provisioning) -> None:
        self.instance = instance
        self.model = ConstraintModel()
        self.taken: dict[BoolVar, Taken] = {}
        self.reward: dict[BoolVar, float] = {}
        self.of_user: dict[tuple[int, int, int], list[BoolVar]] = {}
        self.at_resource: dict[tuple[int, int, int], list[BoolVar]] = {}
        table = rewards(instance)
        for name, kinds, reward, choices in zip("xcs", KINDS, table, useful(instance, table), strict=True):
            self._literals(name, kinds, reward, choices)

    def _literals(self, name: str, kinds: tuple[int, ...], reward: FloatArray, choices: IntArray) -> None:
        for t, u, *which in choices.tolist():
            literal = self.model.literal(f"{name}[{t},{u},{','.join(map(str, which))}]")
            self.taken[literal], self.reward[literal] = (t, u, kinds, which), float(reward[t, u, *which])
            self.of_user.setdefault((t, u, kinds[0]), []).append(literal)
            for kind, k in zip(kinds, which, strict=True):
                self.at_resource.setdefault((t, kind, k), []).append(literal)

    def finish(self) -> ConstraintModel:
        for own in self.of_user.values():
            self.model.add_at_most_one(own)
        capacities = self.instance.capacities
        for (_, kind, k), literals in self.at_resource.items():
            self.model.add_count(literals, int(capacities[kind][k]))
        trivial = sum(max(self.reward[literal] for literal in own) for own in self.of_user.values())
        self.model.maximise(self.reward.items(), largest=trivial)
        return self.model.reads(self._decision, self._values, trivial)

    def _decision(self, value: Values) -> ProvisioningDecision:
        choice = np.full((self.instance.slots, self.instance.users, 4), NONE)
        for literal, (t, u, kinds, which) in self.taken.items():
            if value(literal):
                choice[t, u, kinds] = which
        return ProvisioningDecision(choice)

    def _values(self, decision: Decision) -> Mapping[BoolVar, int]:
        assert isinstance(decision, ProvisioningDecision)
        choice: Any = decision.choice
        return {
            literal: int(choice[t, u, kinds].tolist() == which) for literal, (t, u, kinds, which) in self.taken.items()
        }
