"""The dynamics of placement, the seating rule, what users see, and the adapters."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test
from scipy.optimize import linear_sum_assignment
from skybound.formulations.placement.referee import judge
from skybound.instances.placement import Placement, PlacementDecision
from skybound.instances.placement.presets import PRESETS
from skybound.learned.placement.adapters import PlacementGym, PlacementParallel
from skybound.learned.placement.environment import PlacementEnvironment, Trajectories
from skybound.learned.placement.features import sizes, view
from skybound.learned.placement.seating import seat
from skybound.solvers.placement.batch import Costs, Partial
from skybound.solvers.solve import solve

WORLDS, SLOTS = 6, 4


@pytest.fixture(params=["congested", "paper", "congested-optimal"])
def environment(request) -> PlacementEnvironment:
    return PlacementEnvironment(Trajectories.draw(PRESETS[request.param], WORLDS, SLOTS, 1_000_000))


def any_action(environment: PlacementEnvironment, batch: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(environment.actions, size=(batch, environment.agents))


def test_return_is_minus_the_referees_objectives(environment):
    """Slot by slot, for joint actions that need repair as well as for those that do not."""
    rng, world = np.random.default_rng(0), np.array([4, 0, 5, 4])
    environment.reset(world)
    for slot in range(SLOTS):
        _, reward = environment.step(any_action(environment, len(world), rng))
        for b, w in enumerate(world):
            verdict = judge(environment.trajectories.instance(w, slot), PlacementDecision(environment.host[b]))
            assert verdict.objective == pytest.approx(-reward[b], rel=1e-12)


@pytest.mark.parametrize("preset", ["congested", "paper"])
def test_return_never_exceeds_minus_the_proven_bound(preset):
    """Not for random choices, and equal for the optimal ones."""
    environment, world = PlacementEnvironment(Trajectories.draw(PRESETS[preset], 3, 1, 1_000_000)), np.arange(3)
    instances = [environment.trajectories.instance(w, 0) for w in world]
    results = [solve(instance, "milp") for instance in instances]
    bound = np.array([result.bound for result in results])
    rng = np.random.default_rng(0)
    for _ in range(20):
        environment.reset(world)
        assert (environment.step(any_action(environment, 3, rng))[1] <= -bound * (1 - 1e-9)).all()
    environment.reset(world)
    optimal = np.stack([result.decision.host for result in results])
    assert environment.step(optimal)[1] == pytest.approx(-bound, rel=1e-5)
    assert (environment.host == optimal).all()


def test_worlds_stay_and_slots_change():
    pool = Trajectories.draw(PRESETS["congested"], 2, 3, 7)
    one, next_one, other = pool.instance(0, 0), pool.instance(0, 1), pool.instance(1, 0)
    assert np.array_equal(one.local_cps, next_one.local_cps)
    assert np.array_equal(one.device_cps, next_one.device_cps)
    assert not np.array_equal(one.data_bits, next_one.data_bits)
    assert not np.array_equal(one.uplink_bps, next_one.uplink_bps)
    assert not np.array_equal(one.device_cps, other.device_cps)


def test_the_pool_is_finite_and_its_hashes_name_it():
    pool, again = (Trajectories.draw(PRESETS["congested"], 3, 2, 7) for _ in range(2))
    assert pool.hashes == again.hashes
    assert len(set(pool.hashes)) == 6
    assert pool.hashes[2 * 2 + 1] == pool.instance(2, 1).hash


def test_environments_are_independent(environment):
    """An environment comes to the same whatever runs beside it."""
    rng = np.random.default_rng(0)
    actions = [any_action(environment, 4, rng) for _ in range(SLOTS)]
    views = [environment.reset(np.arange(4))]
    rewards = []
    for action in actions:
        seen, reward = environment.step(action)
        views.append(seen)
        rewards.append(reward)
    alone = [environment.reset(np.array([2]))]
    for action, reward in zip(actions, rewards, strict=True):
        seen, own = environment.step(action[2:3])
        alone.append(seen)
        assert own == pytest.approx(reward[2:3], rel=1e-12)
    for many, one in zip(views, alone, strict=True):
        assert np.array_equal(many.observation[2], one.observation[0])
        assert np.array_equal(many.state[2], one.state[0])
        assert np.array_equal(many.mask[2], one.mask[0])


def feasible_instances(make, count: int) -> list[Placement]:
    found = [instance for seed in range(count) if Partial(Costs.of([instance := make(seed)])).feasible[0]]
    assert len(found) >= count / 2
    return found


def test_seating_follows_the_rule(random_placement):
    """Against the rule word by word, with completions decided by an assignment solver."""
    repaired = 0
    for instance in feasible_instances(random_placement, 150):
        costs = Costs.of([instance])
        choice = np.random.default_rng(1).integers(instance.devices + 2, size=instance.users)
        expected = seat_slowly(instance, costs, choice)
        assert seat(costs, choice[None])[0].tolist() == expected
        assert judge(instance, PlacementDecision(np.array(expected))).objective is not None
        repaired += expected != choice.tolist()
    assert repaired > 20


def seat_slowly(instance: Placement, costs: Costs, choice: np.ndarray) -> list[int]:
    fixed, places = costs.fixed_s[0], costs.places[0]
    seated: list[int] = []

    def offered(host: int) -> bool:
        user, left = len(seated), places - np.bincount([*seated, host], minlength=len(places))
        if np.isinf(fixed[user, host]) or left.min() < 0:
            return False
        rest = np.repeat(np.isfinite(fixed[user + 1 :]), left, axis=1)
        if rest.shape[1] < len(rest):
            return False
        return bool(rest[linear_sum_assignment(rest, maximize=True)].all())

    def delay(hosts: list[int]) -> float:
        count, load = (
            np.bincount(hosts, costs.load[0, : len(hosts)] if weight else None, minlength=len(places))[1:-1]
            for weight in (False, True)
        )
        return fixed[np.arange(len(hosts)), hosts].sum() + costs.compute_s(count[None] * 1.0, load[None]).sum()

    for wish in choice:
        free = [host for host in range(len(places)) if offered(host)]
        seated.append(int(wish) if wish in free else min(free, key=lambda host: delay([*seated, host])))
    return seated


def test_an_instance_without_placement_cannot_be_seated(worked):
    crowded = replace(worked, device_capacity=np.array([0, 0]), cloud_capacity=0)
    with pytest.raises(ValueError, match="without any placement"):
        seat(Costs.of([crowded]), np.zeros((1, 5), np.int64))


def test_what_a_user_sees(worked):
    """Shapes, range, the mask, and some features by hand: user 2 has no processor, user 4 no way to device 2."""
    seen = view(Costs.of([worked]))
    features, state_features = sizes(5, 4)
    assert seen.observation.shape == (1, 5, features)
    assert seen.state.shape == (1, state_features)
    assert np.abs(seen.observation).max() <= 1
    assert seen.mask[0, 2].tolist() == [False, True, True, True]
    assert seen.mask[0, 4].tolist() == [True, True, False, True]
    # User 0: at home 0.8 s; on device 1 0.2 s for sending and 0.1 s for computing; 2 places for 5 users; first in turn.
    own = seen.observation[0, 0]
    assert own[0] == pytest.approx(0.8 / 1.8)
    assert own[1] == pytest.approx(0.3 / 1.3)
    assert own[4] == pytest.approx(np.log10(0.8) / 3)
    assert own[8] == pytest.approx(0.2 / 1.2)
    assert own[10:15] == pytest.approx([np.log10(8) / 3, np.log10(4) / 3, 2 / 5, 1 / 5, 1 / 5])
    assert own[15] == pytest.approx(1 / 5)


def test_a_closed_host_is_masked(worked):
    closed = replace(worked, device_capacity=np.array([0, 5]))
    assert not view(Costs.of([closed])).mask[..., 1].any()


def test_views_are_as_large_as_they_say(environment):
    seen = environment.reset(np.arange(3))
    assert seen.observation.shape == (3, environment.agents, environment.features)
    assert seen.state.shape == (3, environment.state_features)
    assert seen.mask.shape == (3, environment.agents, environment.actions)
    assert np.abs(seen.observation).max() <= 1


def test_gymnasium_accepts_the_adapter():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(PlacementGym(PRESETS["congested"], 3), skip_render_check=True)


def test_the_gymnasium_adapter_is_the_environment():
    """Same seed, same world; an episode of slots; rewards are the referee's; info has mask and placement."""
    adapter = PlacementGym(PRESETS["congested"], 2)
    first, info = adapter.reset(seed=3)
    again, _ = adapter.reset(seed=3)
    other, _ = adapter.reset()
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert info["action_mask"].shape == (20, 5)
    ended = []
    for _ in range(2):
        _, reward, terminated, truncated, info = adapter.step(adapter.action_space.sample())
        assert reward < 0
        assert info["host"].shape == (20,)
        ended.append((terminated, truncated))
    assert ended == [(False, False), (True, False)]


def test_pettingzoo_accepts_the_adapter():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(PlacementParallel(PRESETS["congested"], 3), num_cycles=20)


def test_all_users_share_the_reward():
    adapter = PlacementParallel(PRESETS["congested"], 1)
    observations, infos = adapter.reset(seed=0)
    assert list(observations) == list(infos) == [f"user_{i}" for i in range(20)]
    assert adapter.state().shape == adapter.state_space.shape
    actions = {agent: int(info["action_mask"].argmax()) for agent, info in infos.items()}
    _, rewards, ended, _, _ = adapter.step(actions)
    assert len(set(rewards.values())) == 1
    assert all(ended.values())
    assert adapter.agents == []
