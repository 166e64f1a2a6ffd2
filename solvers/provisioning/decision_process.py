"""Provisioning as a Markov decision process over joint states, by linear programming (Puterman 1994, section 6.9).

x[t, i, a] is the probability that slot t meets i, all that is known of it, and takes action a. Rewards come from the
referee and from the joint transition matrix, so the value is found by another way than that of `information`. For tiny
instances: states and actions of all users are enumerated.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp

from ...formulations.provisioning.referee import judge
from ...instances.fields import FloatArray, IntArray
from ...instances.provisioning import Provisioning, ProvisioningDecision
from ...instances.solution import Status
from ..linear_program import Arrays, LinearProgram
from .enumeration import TooManyError, feasible_choices
from .information import JointStates, joint_states, with_states

MOST_PAIRS = 200_000  # of a state and an action


def optimal_value(instance: Provisioning, information: str) -> float:
    """Expected objective of the best policy.

    Parameters
    ----------
    information
        ``current`` or ``previous``.

    Raises
    ------
    InputError
        When the instance has no chains, or too many joint states.
    TooManyError
        When there are too many actions.
    """
    states, actions = joint_states(instance), feasible_choices(instance)
    if len(states.initial) * len(actions) > MOST_PAIRS:
        raise TooManyError(f"more than {MOST_PAIRS:,} pairs of a state and an action")
    transition: FloatArray = np.ones((1, 1))
    for factor in states.factors:
        transition = np.asarray(np.kron(transition, factor), float)
    met = [_rewards(instance, states, actions, t) for t in range(instance.slots)]
    following = [transition] * instance.slots
    if information == "current":
        return _solve(met, following, states.initial)
    first = states.initial[None]
    return _solve([first @ met[0], *(transition @ reward for reward in met[1:])], [first, *following[1:]], np.ones(1))


def _rewards(instance: Provisioning, states: JointStates, actions: IntArray, t: int) -> FloatArray:
    """Reward of every joint state and action, shape (states, actions), by the referee."""
    found = np.zeros((len(states.initial), len(actions)))
    for k in range(len(found)):
        own = {name: value[k : k + 1] for name, value in states.values.items()}
        slot = with_states(instance, own, instance.covered[t], "current")
        for a, action in enumerate(actions):
            objective = judge(slot, ProvisioningDecision(action[None])).objective
            assert objective is not None
            found[k, a] = objective
    return found


def _solve(reward: list[FloatArray], following: list[FloatArray], begin: FloatArray) -> float:
    """The linear program: what flows into all that can be known flows out by actions.

    Parameters
    ----------
    reward
        Of each slot, shape (known, actions).
    following
        Of each slot, the chances of what will be known of the next, shape (known, known next).
    begin
        Probability of what is known of the first slot, shape (known,).
    """
    sizes, actions = [len(own) for own in reward], reward[0].shape[1]
    blocks: list[list[Any]] = [[None] * len(sizes) for _ in sizes]
    for t, size in enumerate(sizes):
        blocks[t][t] = sp.kron(sp.eye_array(size), np.ones((1, actions)))
        if t:
            blocks[t][t - 1] = -sp.kron(following[t - 1].T, np.ones((1, actions)))
    inflow = np.concatenate([begin, *(np.zeros(size) for size in sizes[1:])])
    columns = sum(sizes) * actions
    program = Arrays(
        cost=np.concatenate([own.ravel() for own in reward]),
        lower=np.zeros(columns),
        upper=np.full(columns, np.inf),
        integer=np.zeros(columns, bool),
        matrix=sp.block_array(blocks, format="csc"),
        row_lower=inflow,
        row_upper=inflow,
        maximise=True,
    )
    outcome = LinearProgram(program).solve()
    if outcome.status is not Status.OPTIMAL or outcome.objective is None:
        raise RuntimeError(f"the program of the decision process was not solved: {outcome.reason}")
    return outcome.objective
