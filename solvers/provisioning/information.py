"""What policies are worth before the states are drawn, by what they know: exactly where few states are possible.

Slots do not couple and no decision changes a state, so the best policy solves every slot by itself. Its value is a mean
over all that can be known of the slot: over all joint states here, over draws in `simulated`, and as the linear program
of a Markov decision process in `decision_process`.
"""

import itertools
import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ...formulations.provisioning.rewards import earned, rewards
from ...instances.errors import InputError
from ...instances.fields import FloatArray, IntArray
from ...instances.provisioning import Chains, Provisioning, ProvisioningDecision
from ...instances.provisioning.instance import redrawn
from ..interrupts import check_interrupts
from ..result import Limits
from .decomposition import solve_decomposition

MOST_STATES = 100_000
STATES = ("leo_efficiency", "geo_free", "geo_efficiency", "cache_hit", "server_mcycles_per_s")


class JointStates(NamedTuple):
    """All that can be in a slot.

    Attributes
    ----------
    values
        Of each of `STATES`, shape (states, *that of a slot).
    initial : array, shape (states,)
        Probability in the first slot.
    factors : list of arrays, shape (levels, levels)
        Transitions of the elements; all together go on by their Kronecker product.
    """

    values: dict[str, FloatArray]
    initial: FloatArray
    factors: list[FloatArray]

    def after(self, chance: FloatArray) -> FloatArray:
        """Probabilities a slot later; O(states * sum of levels)."""
        joint = chance.reshape([len(factor) for factor in self.factors])
        for axis, factor in enumerate(self.factors):
            joint = np.moveaxis(np.tensordot(joint, factor, (axis, 0)), -1, axis)
        return joint.ravel()


def joint_states(instance: Provisioning) -> JointStates:
    """All joint states of a slot.

    Raises
    ------
    InputError
        When the instance has no chains, or more than `MOST_STATES` states are possible.
    """
    if instance.chains is None:
        raise InputError("is missing: nothing says what can be", "chains")
    elements = _elements(instance, instance.chains)
    count = math.prod(len(initial) for _, _, initial, _ in elements)
    if count > MOST_STATES:
        raise InputError(f"make {count:,} joint states possible, more than {MOST_STATES:,}", "chains")
    joint = np.array(list(itertools.product(*(range(len(initial)) for _, _, initial, _ in elements))), np.int64)
    joint = joint.reshape(count, len(elements))
    values = {name: np.zeros((count, *getattr(instance, name).shape[1:])) for name in STATES}
    chance = np.ones(count)
    for column, (name, at, initial, _) in zip(joint.T, elements, strict=True):
        place: tuple[Any, ...] = (slice(None), *at)
        values[name][place] = getattr(instance.chains, name).levels[column]
        chance *= initial[column]
    return JointStates(values, chance, [transition for *_, transition in elements])


def _elements(instance: Provisioning, chains: Chains) -> list[tuple[str, tuple[int, ...], FloatArray, FloatArray]]:
    """Array, place in it, first distribution and transition of everything that has a state."""
    found = []
    for name in STATES:
        chain = getattr(chains, name)
        for at in np.ndindex(getattr(instance, name).shape[1:]):
            own: Any = at[-1:] if name == "cache_hit" else ()  # each cache has its own
            found.append((name, at, chain.initial[own], chain.transition[own]))
    return found


def expected(instance: Provisioning, information: str) -> float:
    """Expected objective of the best policy, over all states that the chains make possible; O(slots * states) slots.

    Parameters
    ----------
    information
        ``current`` or ``previous``.

    Raises
    ------
    InputError
        As for `joint_states`.
    """
    states = joint_states(instance)
    chance, total = states.initial, 0.0
    for t in range(instance.slots):
        check_interrupts()
        value = slot_values(_of_states(instance, states, t, information))
        if information == "previous" and t == 0:
            total += float(value[0])
            continue
        total += float(chance @ value[-len(chance) :])
        chance = states.after(chance)
    return total


def _of_states(instance: Provisioning, states: JointStates, t: int, information: str) -> Provisioning:
    """The joint states as slots, all with the coverage of slot t.

    Where the states before are known, slot k + 1 is decided knowing state k, and slot 0 knowing nothing.
    """
    values = states.values
    if information == "previous":
        values = {name: np.concatenate([value, value[:1]]) for name, value in values.items()}
    return with_states(instance, values, instance.covered[t], information)


def with_states(
    instance: Provisioning, values: dict[str, FloatArray], covered: IntArray, information: str
) -> Provisioning:
    """The instance with these states, shape (slots, ...), and one coverage, shape (users, leo), in all slots."""
    states: Any = {name: value.astype(getattr(instance, name).dtype) for name, value in values.items()}
    slots = len(states["geo_free"])
    everywhere = np.repeat(covered[None], slots, 0)
    return replace(instance, slots=slots, information=information, covered=everywhere, **states)


def slot_values(instance: Provisioning) -> FloatArray:
    """Optimum of each slot by what is known, shape (slots,)."""
    decision = solve_decomposition(instance, Limits(gap=1e-9)).decision
    assert isinstance(decision, ProvisioningDecision)
    return np.asarray(earned(rewards(instance), decision.choice).sum(0))


def simulated(instance: Provisioning, information: str, draws: int, rng: np.random.Generator) -> FloatArray:
    """Realised rewards of the best policy on trajectories drawn by the chains, shape (draws,)."""
    found = np.zeros(draws)
    for k in range(draws):
        drawn = replace(redrawn(instance, rng), information=information)
        decision = solve_decomposition(drawn, Limits(gap=1e-9)).decision
        assert isinstance(decision, ProvisioningDecision)
        found[k] = earned(rewards(drawn, "current"), decision.choice).sum()
    return found
