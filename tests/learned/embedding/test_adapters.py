"""The adapters of embedding pass their libraries' own checks, and their rewards add up to the referee's objective."""

import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test
from skybound.formulations.embedding.referee import judge
from skybound.learned.embedding.adapters import EmbeddingAEC, EmbeddingGym

PRESET = "small"


def test_gymnasiums_checks_pass():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_env(EmbeddingGym(PRESET), skip_render_check=True)


def test_pettingzoos_checks_pass():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        api_test(EmbeddingAEC(PRESET), num_cycles=200)


def test_a_trace_in_gymnasium_returns_the_referees_objective():
    trace, rng = EmbeddingGym(PRESET), np.random.default_rng(0)
    _, info = trace.reset(seed=5)
    total, over = 0.0, False
    while not over:
        _, reward, over, _, info = trace.step(rng.choice(np.flatnonzero(info["action_mask"])))
        total += reward
    environment = trace.environment
    assert judge(environment.instances[0], environment.decision(0)).objective == pytest.approx(total, rel=1e-12)
    assert total > 0


def test_segments_place_their_own_nodes_and_the_operator_decides():
    trace = EmbeddingAEC(PRESET)
    trace.reset(seed=1)
    acted = set()
    while not all(trace.terminations.values()):
        agent = trace.agent_selection
        acted.add(agent)
        action = int(trace.infos[agent]["action_mask"].nonzero()[0][-1])
        nodes = trace.environment.nodes
        if action < nodes:
            assert ("space", "air", "ground")[trace.environment.tables.domain[0, action]] == agent
        else:
            assert agent == "operator"
        trace.step(action)
    assert acted == {"space", "air", "ground", "operator"}
