"""The adapters pass their libraries' own checks, and their rewards add up to the referee's objective."""

import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test
from skybound.formulations.association.referee import judge
from skybound.instances.errors import InputError
from skybound.learned.algorithms import train
from skybound.learned.association.adapters import AssociationAEC, AssociationGym

PRESET = "headline:slots=3"


@pytest.mark.parametrize("observation", ["gains", "paper"])
def test_gymnasiums_checks_pass(observation):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_env(AssociationGym(PRESET, observation), skip_render_check=True)


def test_pettingzoos_checks_pass():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api_test(AssociationAEC(PRESET), num_cycles=50)


def test_a_day_in_gymnasium_returns_the_referees_objective():
    """Impossible actions included, which are no links."""
    day, rng = AssociationGym(PRESET), np.random.default_rng(0)
    _, info = day.reset(seed=5)
    total, over, impossible = 0.0, False, 0
    while not over:
        action = rng.integers(day.action_space.n)
        impossible += info["action_mask"][action] == 0
        _, reward, over, _, info = day.step(action)
        total += reward
    environment = day.environment
    assert judge(environment.days.instances[0], environment.links(0)).objective == pytest.approx(total, rel=1e-12)
    assert impossible > 0


def test_satellites_act_in_the_order_of_their_numbers():
    day = AssociationAEC(PRESET)
    day.reset(seed=1)
    turns = day.environment.days
    for turn in range(turns.nobody):
        assert day.agent_selection == f"satellite_{turns.satellite[turn]}"
        mask = day.infos[day.agent_selection]["action_mask"]
        assert mask[0] == 1
        day.step(int(mask.nonzero()[0][-1]))
    assert all(day.terminations.values())


def test_equal_seeds_begin_equal_days():
    one, other = AssociationGym(PRESET), AssociationGym(PRESET)
    assert np.array_equal(one.reset(seed=3)[0], other.reset(seed=3)[0])
    assert one.reset()[0].shape == one.observation_space.shape


@pytest.mark.parametrize("kind", [AssociationGym, AssociationAEC])
def test_a_sky_without_turns_is_refused(kind):
    with pytest.raises(InputError, match="no satellite reaches a station"):
        kind("paper:elevation=89.9,slots=2")


def test_nothing_can_be_learned_of_an_empty_sky(tmp_path):
    few = {"label_days": 1, "validation_days": 1, "slot_days": 1}
    with pytest.raises(InputError, match="no satellite that ever reaches a station"):
        train("association", "paper:elevation=89.9,slots=2", "imitation", [0], tmp_path, changes=few)
