"""What policies are worth by what they know: over joint states, as a decision process, and by simulation."""

from dataclasses import replace

import numpy as np
import pytest
from skybound.instances.errors import InputError
from skybound.instances.provisioning.instance import redrawn
from skybound.solvers.provisioning import decision_process
from skybound.solvers.provisioning.decision_process import optimal_value
from skybound.solvers.provisioning.enumeration import TooManyError
from skybound.solvers.provisioning.information import expected, joint_states, simulated
from skybound.solvers.solve import solve


def tiny(random_provisioning, count):
    """Random provisionings with chains and few joint states."""
    found, seed = [], 0
    while len(found) < count:
        seed += 1
        instance = random_provisioning(seed)
        if instance.chains is not None:
            try:
                states = len(joint_states(instance).initial)
            except InputError:
                continue
            if 6 <= states <= 100 and instance.slots >= 2:
                found.append(instance)
    return found


@pytest.mark.parametrize("information", ["current", "previous"])
def test_the_decision_process_agrees(random_provisioning, information, monkeypatch):
    """Slots one by one over joint states, and the linear program with the referee's rewards: 1e-7."""
    agreed = 0
    monkeypatch.setattr(decision_process, "MOST_PAIRS", 4_000)
    for instance in tiny(random_provisioning, 8):
        try:
            known = optimal_value(instance, information)
        except TooManyError:
            continue
        assert expected(instance, information) == pytest.approx(known, rel=1e-7, abs=1e-7)
        agreed += known > 1
    assert agreed >= 4


def test_knowing_more_is_worth_more(random_provisioning):
    """In most cases by far; the difference is the value of information."""
    values = [[expected(one, known) for known in ("current", "previous")] for one in tiny(random_provisioning, 8)]
    current, previous = np.array(values).T
    assert (current >= previous - 1e-9).all()
    assert (current > 1.05 * previous).mean() >= 0.5


@pytest.mark.parametrize("information", ["current", "previous"])
def test_simulation_meets_what_is_expected(random_provisioning, information):
    """Within five standard errors of 400 trajectories."""
    for instance in tiny(random_provisioning, 3):
        found = simulated(instance, information, 400, np.random.default_rng(0))
        assert abs(found.mean() - expected(instance, information)) <= 5 * found.std() / np.sqrt(400) + 1e-9


def test_states_go_on_by_their_chains(worked_provisioning):
    """Joint probabilities after two slots, against the product of the elements' own."""
    states = joint_states(worked_provisioning)
    twice = states.after(states.after(states.initial))
    assert twice.sum() == pytest.approx(1)
    chains = worked_provisioning.chains
    leo = chains.leo_efficiency.initial @ chains.leo_efficiency.transition @ chains.leo_efficiency.transition
    fast = states.values["leo_efficiency"][:, 1, 0] == 3
    assert twice[fast].sum() == pytest.approx(leo[0])
    hit = chains.cache_hit.initial[0] @ chains.cache_hit.transition[0] @ chains.cache_hit.transition[0]
    both = (states.values["cache_hit"] == 1).all((1, 2))
    assert twice[fast & both].sum() == pytest.approx(leo[0] * hit[1] ** 2)


def test_the_worked_case_by_hand(worked_provisioning):
    """Without links and caches: a server for the first of two users who pays more, known and not known."""
    gone = {"leo_capacity": [0], "cache_capacity": [0]}
    only = replace(worked_provisioning, **{name: np.array(value) for name, value in gone.items()})
    levels = {10.0: (19, 21), 4.0: (4, 6)}
    best = sum(max(levels[one][0], levels[other][1]) for one in levels for other in levels) / 4
    after = only.chains.server_mcycles_per_s.initial @ only.chains.server_mcycles_per_s.transition
    second = sum(
        after[i] * after[j] * max(levels[one][0], levels[other][1])
        for i, one in enumerate((4.0, 10.0))
        for j, other in enumerate((4.0, 10.0))
    )
    assert expected(only, "current") == pytest.approx(best + second)


def test_without_chains_nothing_can_be_said(worked_provisioning):
    alone = replace(worked_provisioning, chains=None)
    for call in (joint_states, lambda one: redrawn(one, np.random.default_rng(0))):
        with pytest.raises(InputError, match="chains: is missing"):
            call(alone)


def test_states_drawn_anew_keep_the_rest(worked_provisioning):
    drawn = redrawn(worked_provisioning, np.random.default_rng(1))
    assert (drawn.covered == worked_provisioning.covered).all()
    assert drawn != worked_provisioning
    assert solve(drawn).status.has_decision
