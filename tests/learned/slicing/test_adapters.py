"""The adapters pass their libraries' own checks, and pay the referee's objective."""

import itertools
import warnings

import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test
from skybound.formulations.slicing.referee import judge
from skybound.instances.errors import InputError
from skybound.instances.slicing.presets import walk
from skybound.learned.slicing.adapters import AGENT_NAMES, SlicingGym, SlicingParallel

PRESET = "paper-24:users=6,side=3"


def drawn(adapter, slots):
    """The slots that an adapter plays."""
    (first, *_) = adapter._environment.slots.instances
    return list(itertools.islice(walk(PRESET, first.provenance["seed"]), slots))


def test_gymnasiums_checks_pass():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_env(SlicingGym(PRESET, 3), skip_render_check=True)


def test_pettingzoos_checks_pass():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parallel_api_test(SlicingParallel(PRESET, 3), num_cycles=20)


def test_gymnasium_pays_the_objective():
    adapter = SlicingGym(PRESET, 3)
    adapter.reset(seed=1)
    adapter.action_space.seed(0)
    for instance in drawn(adapter, 3):
        _, reward, over, _, info = adapter.step(adapter.action_space.sample())
        assert judge(instance, info["decision"]).objective == pytest.approx(reward)
    assert over


def test_agents_are_paid_what_their_users_win():
    """All together the objective, less that of nobody served."""
    adapter = SlicingParallel(PRESET, 2)
    adapter.reset(seed=3)
    assert adapter.state().shape == adapter.state_space.shape
    rng = np.random.default_rng(0)
    for instance in drawn(adapter, 2):
        actions = {agent: rng.random(adapter.action_space(agent).shape) for agent in AGENT_NAMES}
        _, paid, ended, _, _ = adapter.step(actions)
        decision = adapter._environment.slots.decision(adapter._environment.served, 0)
        assert judge(instance, decision).objective == pytest.approx(sum(paid.values()) - 1)
    assert all(ended.values())
    assert not adapter.agents


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="has no users"):
        SlicingGym("paper-24:users=0", 3)
    for slots in (0, -1, 1.5):
        with pytest.raises(InputError, match="slots"):
            SlicingGym("paper-24", slots)
    one, many = SlicingGym("paper-24", 1), SlicingParallel("paper-24", 1)
    action = np.full(one.action_space.shape, 0.5)
    actions = dict(zip(AGENT_NAMES, action, strict=True))
    for adapter, given in ((one, action), (many, actions)):
        with pytest.raises(ResetNeeded):
            adapter.step(given)
        adapter.reset(seed=0)
    for wrong in (np.full_like(action, np.nan), action + 1, action[:1]):
        with pytest.raises(InvalidAction, match="must be numbers from 0 to 1"):
            one.step(wrong)
    with pytest.raises(InvalidAction, match="an action of station_L"):
        many.step({agent: own for agent, own in actions.items() if agent != "station_L"})
    for adapter, given in ((one, action), (many, actions)):
        adapter.step(given)
        with pytest.raises(ResetNeeded):
            adapter.step(given)
