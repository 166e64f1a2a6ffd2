"""Replay of episodes."""

import numpy as np
import torch
from skybound.learned.replay import EpisodeReplay


def episodes(first: int, count: int) -> dict:
    """Episodes of two seeds that are told apart by their numbers: seed 0 counts up, seed 1 counts down."""
    number = np.arange(first, first + count)
    return {"number": np.stack([number, -number])[:, :, None]}


def filled(*batches: tuple[int, int]) -> EpisodeReplay:
    replay = EpisodeReplay(2, 5, {"number": ((1,), np.int64)})
    for first, count in batches:
        replay.add(episodes(first, count))
    return replay


def test_keeps_the_last_episodes_of_each_seed():
    drawn = filled((0, 3), (3, 4)).sample(400, [np.random.default_rng(0), np.random.default_rng(1)])["number"][..., 0]
    assert set(drawn[0]) == {2, 3, 4, 5, 6}
    assert set(drawn[1]) == {-2, -3, -4, -5, -6}


def test_draws_only_what_is_there_and_evenly():
    drawn = filled((1, 2)).sample(1000, [np.random.default_rng(0), np.random.default_rng(1)])["number"][..., 0]
    assert 440 < (drawn[0] == 1).sum() < 560
    assert set(drawn[1]) == {-1, -2}


def test_a_seed_draws_by_its_own_generator():
    replay = filled((0, 5))
    one = replay.sample(20, [np.random.default_rng(0), np.random.default_rng(1)])["number"]
    other = replay.sample(20, [np.random.default_rng(0), np.random.default_rng(2)])["number"]
    assert np.array_equal(one[0], other[0])
    assert not np.array_equal(one[1], other[1])


def test_goes_on_from_a_state():
    """Also after the state has been through a file of tensors, and with the oldest episode in the middle."""
    replay, again = filled((0, 3), (3, 4)), filled()
    state = replay.state()
    assert isinstance(state["data"]["number"], torch.Tensor)
    again.load_state(state)
    for each in (replay, again):
        each.add(episodes(7, 1))
    rngs = [[np.random.default_rng(0), np.random.default_rng(1)] for _ in range(2)]
    assert np.array_equal(replay.sample(50, rngs[0])["number"], again.sample(50, rngs[1])["number"])
