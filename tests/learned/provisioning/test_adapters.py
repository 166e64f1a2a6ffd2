"""The adapters pass their libraries' own checks, and their rewards add up to the referee's objective."""

import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test
from skybound.formulations.provisioning.referee import judge
from skybound.instances.provisioning import ProvisioningDecision
from skybound.learned.provisioning.adapters import ProvisioningAEC, ProvisioningGym

PRESET = "tight:slots=3,users=4"


def test_gymnasiums_checks_pass():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_env(ProvisioningGym(PRESET), skip_render_check=True)


def test_pettingzoos_checks_pass():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api_test(ProvisioningAEC(PRESET), num_cycles=50)


def test_trajectories_in_gymnasium_return_the_referees_objective():
    """By actions of which some parts are impossible, and by those that masks allow."""
    gym = ProvisioningGym(PRESET)
    gym.action_space.seed(0)
    impossible = 0
    for masked in (False, True):
        _, info = gym.reset(seed=5)
        total, over = 0.0, False
        while not over:
            action = gym.action_space.sample(info["action_mask"] if masked else None)
            allowed = [mask[part] for mask, part in zip(info["action_mask"], action, strict=True)]
            impossible += not all(allowed)
            assert all(allowed) or not masked
            _, reward, over, _, info = gym.step(action)
            total += reward
        environment = gym.environment
        decision = ProvisioningDecision(environment.choice()[0])
        assert judge(environment.pool.instances[0], decision).objective == pytest.approx(total, rel=1e-12)
    assert impossible > 0


def test_users_act_in_turn():
    agents = ProvisioningAEC(PRESET)
    agents.reset(seed=1)
    for turn in range(12):
        assert agents.agent_selection == f"user_{turn % 4}"
        agents.step(np.zeros(3, np.int64))
    assert all(agents.terminations.values())


def test_equal_seeds_begin_equally():
    one, other = ProvisioningGym(PRESET), ProvisioningGym(PRESET)
    assert np.array_equal(one.reset(seed=3)[0], other.reset(seed=3)[0])
    assert one.reset()[0].shape == one.observation_space.shape
