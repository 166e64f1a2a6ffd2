"""Multi-agent actor-critics: known answers, resuming, and policies as solvers."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from skybound.evaluation.trained import metrics
from skybound.instances.errors import InputError
from skybound.instances.slicing.presets import generate
from skybound.learned.algorithms import find, train
from skybound.learned.policy import load
from skybound.learned.run import read_torch
from skybound.learned.slicing import maddpg, mappo
from skybound.learned.slicing.environment import AGENTS, Earned, SlicingEnvironment
from skybound.solvers.result import Limits
from skybound.solvers.solve import solve

SMALL = {"updates": 4, "unit": 2, "worlds": 3, "slots": 3, "validation_worlds": 4, "width": 8}
PRESET = "paper-24:users=6,side=3"


def lived(seeds, rows, features, actions, rng):
    """Random transitions without reward."""
    shapes = {"observation": (features,), "later": (features,), "action": (actions,)}
    arrays = {name: rng.random((seeds, rows, AGENTS, *own)) for name, own in shapes.items()}
    tensors = {name: torch.from_numpy(array).float() for name, array in arrays.items()}
    return tensors | {"reward": torch.zeros(seeds, rows, AGENTS), "ends": torch.zeros(seeds, rows, dtype=torch.bool)}


def descend(team, target, transitions, gamma, steps, rate):
    optimiser = torch.optim.Adam(team.parameters(), rate)
    for _ in range(steps):
        optimiser.zero_grad()
        maddpg.losses(team, target, transitions, gamma).sum().backward()
        optimiser.step()
        with torch.no_grad():
            for slow, fast in zip(target.parameters(), team.parameters(), strict=True):
                slow.lerp_(fast, 0.1)


@pytest.mark.parametrize("layered", [True, False])
def test_actors_find_what_pays_in_a_game_with_a_known_answer(layered):
    """The reward falls with the square of the distance of a team's actions from numbers that agents see."""
    settings = replace(maddpg.TUNED, layered=layered, width=64)
    team = maddpg.Team(settings, 2, 1, [0, 1])
    transitions = lived(2, 512, 2, 1, np.random.default_rng(0))
    miss = (transitions["action"] - transitions["observation"][..., :1]).square().sum(-1)
    for own in settings.teams:
        transitions["reward"][:, :, own] = -miss[:, :, own].sum(2, keepdim=True)
    before = (team.actors(transitions["observation"]) - transitions["observation"][..., :1]).abs().mean()
    for steps, rate in ((400, 1e-2), (300, 2e-3), (200, 4e-4)):
        descend(team, team, transitions, 0.0, steps, rate)
    after = (team.actors(transitions["observation"]) - transitions["observation"][..., :1]).abs().mean()
    assert before > 0.2
    assert after < 0.06


def test_critics_of_a_steady_reward():
    """1 in every slot is worth 1 / (1 - 1/2) at a discount of a half, and 1 in the last slot."""
    torch.manual_seed(0)
    team = maddpg.Team(replace(maddpg.TUNED, width=16), 1, 1, [0])
    target = maddpg.Team(replace(maddpg.TUNED, width=16), 1, 1, [0])
    transitions = lived(1, 256, 1, 1, np.random.default_rng(0))
    transitions["reward"] += 1
    for last, worth in ((False, 2.0), (True, 1.0)):
        transitions["ends"][:] = last
        for rate in (1e-2, 1e-3, 1e-4):
            descend(team, target, transitions, 0.5, 400, rate)
        values = team.values(transitions["observation"], transitions["action"])
        torch.testing.assert_close(values, torch.full_like(values, worth), atol=0.05, rtol=0)


def test_actors_do_not_move_critics_nor_critics_actors():
    """The critics' gradient is that of their error alone."""
    team = maddpg.Team(replace(maddpg.TUNED, width=8), 2, 3, [0])
    transitions = lived(1, 16, 2, 3, np.random.default_rng(1))
    maddpg.losses(team, team, transitions, 0.0).sum().backward()
    found = [parameter.grad.clone() for parameter in team.critics.parameters()]
    team.zero_grad()
    team.values(transitions["observation"], transitions["action"]).square().mean().backward()
    for ours, theirs in zip(found, team.critics.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs.grad)
    assert all(parameter.requires_grad for parameter in team.parameters())


class Guess:
    """One slot in which all numbers of all agents should be 0.8."""

    worlds, features, actions = 1, 1, 2
    used = np.ones((AGENTS, 2), bool)

    def reset(self, world):
        self.world, self.over = world, False

    def observe(self):
        return np.zeros((len(self.world), AGENTS, 1), np.float32)

    def step(self, action):
        self.over = True
        return Earned(-np.square(action - 0.8).mean((1, 2)), np.zeros((len(action), AGENTS)))


def test_proximal_agents_find_a_known_answer():
    settings = replace(mappo.TUNED, environments=64, updates=200, unit=200, width=8, learning_rate=(2e-2, 1e-3, 1.0))
    learner = mappo.ProximalLearner(
        "fixed-24:users=3", [0, 1], replace(settings, worlds=1, slots=1, validation_worlds=1)
    )
    learner._training = [Guess()]
    learner.network = mappo.Proximal(Guess(), settings, [0, 1])
    learner._parameters = list(learner.network.parameters())
    learner._optimiser = torch.optim.Adam(learner._parameters)
    learner._learn_until(200)
    done = learner.network.actors(torch.zeros(2, 1, AGENTS, 1))
    torch.testing.assert_close(done, torch.full_like(done, 0.8), atol=0.08, rtol=0)


@pytest.mark.parametrize(
    ("algorithm", "learner"),
    [
        ("two-layer-maddpg", maddpg.TeamLearner),
        ("maddpg-paper", maddpg.TeamLearner),
        ("mappo", mappo.ProximalLearner),
    ],
)
def test_runs_resume_bit_for_bit_and_solve(algorithm, learner, tmp_path, interrupted):
    """Two units in one start or in several; the policy decides feasibly, not above the bound, and samples help."""
    changes = SMALL if algorithm == "mappo" else SMALL | {"batch": 4, "capacity": 64}
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    train("slicing", PRESET, algorithm, [3, 4], whole, changes=changes)
    again = partial(train, "slicing", PRESET, algorithm, [3, 4], halves, changes=changes, resume=True)
    interrupted(learner, 2, again)
    policy, same = load(str(whole), "slicing"), load(str(halves), "slicing")
    for name, value in policy.file.parameters.items():
        assert torch.equal(value, same.file.parameters[name])
    instance = generate(PRESET, 5)
    bound = solve(instance, gap=1e-3).bound
    one, many = (solve(instance, f"policy:{whole}{end}") for end in ("", "?samples=16"))
    assert one.objective <= many.objective <= bound


def test_equal_seeds_learn_equally_whatever_the_others_are():
    entry = find("slicing", "two-layer-maddpg")
    settings = replace(entry.settings(), **(SMALL | {"batch": 4, "capacity": 64}))
    alone, among = (entry.learner(PRESET, seeds, settings) for seeds in ([7], [2, 7]))
    for learner in (alone, among):
        learner.step()
    for name, value in alone.policy()["parameters"].items():
        torch.testing.assert_close(value[0], among.policy()["parameters"][name][1], atol=1e-6, rtol=1e-4)


def test_layers_see_whom_the_stations_serve():
    environment = SlicingEnvironment([[generate("fixed-24:users=3", 0)]])
    action = np.zeros((1, 3, environment.actions))
    action[:, 0, 0] = 1  # the H user at the first station
    before = environment.observe()
    environment.serve_on_ground(action)
    changed = np.argwhere(before != environment.observe())
    assert {tuple(row[:2]) for row in changed.tolist()} == {(0, 0), (0, 3)}


def test_other_sizes_are_refused(tmp_path):
    train("slicing", PRESET, "mappo", [0], tmp_path / "run", changes=SMALL)
    policy = load(str(tmp_path / "run"), "slicing")
    for preset, reason in (("paper-24:users=9", "room for 2"), ("paper-24:users=6", None)):
        if reason is None:
            assert policy(generate(preset, 0), Limits()).decision is not None
        else:
            with pytest.raises(ValueError, match=reason):
                policy(generate(preset, 0), Limits())


def test_one_training_serves_several_sizes(tmp_path):
    """Presets take turns; agents act for any number of users that there is room for."""
    train("slicing", "paper-24:users=3;paper-24:users=9", "mappo", [0, 1], tmp_path / "run", changes=SMALL)
    policy = load(str(tmp_path / "run"), "slicing")
    for users in (3, 6, 9):
        decision = policy(generate(f"paper-24:users={users}", 0), Limits()).decision
        assert len(decision.serve) == users
    unit = metrics(tmp_path / "run")[-1]
    assert len(unit["validation_own/sky_C"]) == 2


def test_moderation_keeps_scores_small():
    """Where nothing pays, moderated scores go to 0, and critics are left alone by it."""
    team = maddpg.Team(replace(maddpg.TUNED, width=16), 2, 3, [0, 1])
    transitions = lived(2, 64, 2, 3, np.random.default_rng(2))
    plain, moderate = (maddpg.losses(team, team, transitions, 0.0, weight) for weight in (0.0, 0.5))
    scores = team.actors.scores(transitions["observation"], slice(0, AGENTS))
    torch.testing.assert_close(moderate - plain, 0.5 * scores.square().mean((1, 2, 3)))
    team.zero_grad()
    (moderate - plain).sum().backward()
    assert all(parameter.grad is None or not parameter.grad.any() for parameter in team.critics.parameters())


def test_policies_know_the_network_they_were_trained_for(tmp_path):
    """Another number of stations is refused, also where observations have the same length."""
    train("slicing", PRESET, "mappo", [0], tmp_path / "run", changes=SMALL)
    whole = generate(PRESET, 5)
    stations = whole.stations
    fewer = replace(
        whole,
        stations=replace(
            stations, position=stations.position[:1], power_w=stations.power_w[:1], gain=stations.gain[:, :1]
        ),
    )
    with pytest.raises(InputError, match=r"\[1, 2, 1, 10\], the policy was trained for \[2, 2, 1, 10\]"):
        solve(fewer, f"policy:{tmp_path / 'run'}")


def test_presets_take_turns():
    """Whatever units are: both sizes are lived in, walk after walk."""
    settings = replace(maddpg.TUNED, **(SMALL | {"updates": 12, "unit": 6, "batch": 4, "capacity": 64}))
    learner, lived = maddpg.TeamLearner(f"{PRESET};paper-24:users=9,side=3", [0], settings), []
    begun = learner._begun

    def noted(number):
        lived.append(begun(number))
        return lived[-1]

    learner._begun = noted
    while learner.progress < 1:
        learner.step()
    assert [own.slots.users for own in lived] == [6, 9, 6, 9]


def test_the_last_checkpoint_is_small(tmp_path):
    """The memory is of no use when all is learned."""
    changes = SMALL | {"batch": 4, "capacity": 64}
    train("slicing", PRESET, "maddpg", [0], tmp_path / "run", changes=changes)
    assert "replay" not in read_torch(tmp_path / "run" / "checkpoint.pt")["learner"]
    assert train("slicing", PRESET, "maddpg", [0], tmp_path / "run", changes=changes, resume=True).stopped == "done"


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        (maddpg.TUNED, "learning_rate", (1e-3, 1e-4, 0.0)),
        (maddpg.TUNED, "noise", (-0.1, 0.1, 1.0)),
        (maddpg.TUNED, "target_rate", 5.0),
        (maddpg.TUNED, "largest_gradient", -1.0),
        (mappo.TUNED, "learning_rate", (1e-3, -1e-4, 1.0)),
        (replace(mappo.TUNED, slots=1), "environments", 1),
    ],
)
def test_hyperparameters_that_cannot_be(settings, name, value):
    with pytest.raises(InputError, match=name):
        replace(settings, **{name: value})
