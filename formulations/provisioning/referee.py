"""Rewards and violations of a provisioning, straight from the definition; knows no model."""

from collections.abc import Iterator

import numpy as np

from ...instances.fields import IntArray
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.provisioning.instance import GEO, LEO, RESOURCES
from ..verdict import Verdict, Violation
from .rewards import Rewards, earned, rewards

PARTS = Rewards._fields


def judge(instance: Provisioning, decision: ProvisioningDecision) -> Verdict:
    """Judge what users take.

    The objective is the sum of expected rewards by what is known when a slot is decided; its parts are those of
    transmission, caching and computing. Measures are the ``realised`` reward, with the instance's own states, and the
    ``benefit``, the mean of the objective a user and slot (the paper's expected benefit of unit resources).
    """
    violations = [*_half_pairs(decision.choice), *_crowded(instance, decision.choice)]
    if violations:
        return Verdict(None, dict.fromkeys(PARTS), tuple(violations))
    by_part = earned(rewards(instance), decision.choice).sum(1)
    total = float(by_part.sum())
    realised = total
    if instance.information == "previous":
        realised = float(earned(rewards(instance, "current"), decision.choice).sum())
    measures = {"realised": realised, "benefit": total / (instance.slots * instance.users)}
    return Verdict(total, dict(zip(PARTS, by_part.tolist(), strict=True)), measures=measures)


def _half_pairs(choice: IntArray) -> Iterator[Violation]:
    for t, u in np.argwhere((choice[..., LEO] >= 0) != (choice[..., GEO] >= 0)):
        yield Violation("LEO and GEO together", f"slot {t}, user {u}", 1.0)


def _crowded(instance: Provisioning, choice: IntArray) -> Iterator[Violation]:
    """Resources that more users take in a slot than they can have."""
    slot = np.broadcast_to(np.arange(instance.slots)[:, None], choice.shape[:2])
    for resource, (name, capacity) in enumerate(zip(RESOURCES, instance.capacities, strict=True)):
        chosen = choice[..., resource]
        users = np.zeros((instance.slots, len(capacity)), np.int64)
        np.add.at(users, (slot[chosen >= 0], chosen[chosen >= 0]), 1)
        for t, k in np.argwhere(users > capacity):
            yield Violation("capacity", f"slot {t}, {name} {k}", float(users[t, k] - capacity[k]))
