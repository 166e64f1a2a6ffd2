"""IQL, VDN and QMIX on environments with known answers."""

import numpy as np
import pytest
import torch
from skybound.learned.layers import generators
from skybound.learned.team_networks import MonotoneMixer
from skybound.learned.value_decomposition import REWARDS, Team, loss
from skybound.learned.value_learner import ValueLearner, live

SEEDS = [0, 1]


def learned(environment, settings) -> ValueLearner:
    learner = ValueLearner(settings, environment, environment, SEEDS)
    learner.step()
    return learner


def own_values(learner: ValueLearner) -> torch.Tensor:
    """What each agent of a game thinks of its actions, shape (S, agents, actions)."""
    with torch.no_grad():
        x = torch.zeros(len(SEEDS), 1, 2, 1 + learner.environment.actions)
        x[:, :, 1, 0] = 1
        return learner.team.agent(x)[0][:, 0]


def team_values(learner: ValueLearner) -> np.ndarray:
    """The team's value of every joint action of a game, shape (S, actions, actions)."""
    actions = learner.environment.actions
    with torch.no_grad():
        first, second = own_values(learner).unbind(1)
        pairs = torch.stack([first[:, :, None].expand(-1, -1, actions), second[:, None].expand(-1, actions, -1)], -1)
        state = torch.ones(len(SEEDS), actions, actions, 1)
        return learner.team.mix(pairs, state)[..., 0].numpy()


def test_vdn_factorises_an_additive_game(game, small):
    payoff = np.array([[0.0, 1.0, 4.0], [2.0, 3.0, 6.0], [-1.0, 0.0, 3.0]])
    found = team_values(learned(game(payoff), small(mixer="sum")))
    assert found == pytest.approx(np.stack([payoff] * 2), abs=0.1)


def test_vdn_fits_a_game_that_is_not_additive_by_least_squares(game, small):
    """Row and column means of [[0, 1], [1, 8]] are 0.5 and 4.5, so no sum is nearer than [[-1.5, 2.5], [2.5, 6.5]]."""
    payoff = np.array([[0.0, 1.0], [1.0, 8.0]])
    settings = small(mixer="sum", batch=128, episodes=64)
    found = team_values(learned(game(payoff), settings)).mean(0)
    assert found == pytest.approx(np.array([[-1.5, 2.5], [2.5, 6.5]]), abs=0.6)


def test_qmix_learns_the_monotone_game_that_vdn_cannot(game, small):
    payoff = np.array([[0.0, 1.0], [1.0, 8.0]])
    found = team_values(learned(game(payoff), small(mixer="monotone")))
    assert found == pytest.approx(np.stack([payoff] * 2), abs=0.2)


def test_iql_learns_what_an_action_is_worth_on_average(game, small):
    """Against a partner that acts at random: the means of rows and of columns."""
    payoff = np.array([[0.0, 4.0], [2.0, 6.0]])
    learner = learned(game(payoff), small(mixer="none", batch=128, episodes=64))
    found = own_values(learner).mean(0).numpy()
    assert found == pytest.approx(np.array([[2.0, 4.0], [1.0, 5.0]]), abs=0.4)


def test_no_mixer_escapes_a_game_with_miscoordination_penalties(game, small):
    """The known limitation: both going for 8 is best, but beside a random partner the safe actions' 0 wins."""
    payoff = np.array([[8.0, -12.0, -12.0], [-12.0, 0.0, 0.0], [-12.0, 0.0, 0.0]])
    for mixer in ("none", "sum"):
        learner = learned(game(payoff), small(mixer=mixer))
        assert learner.policy()["validation_return"] == [0.0, 0.0]


@pytest.mark.parametrize("mixer", ["none", "sum", "monotone"])
def test_values_of_a_corridor(mixer, corridor, small):
    """With one agent all three are Q-learning: going on is worth 0.9 * 5, though stopping pays 1 at once."""
    settings = small(mixer=mixer, gamma=0.9, learning_rate=(1e-2, 1e-3))
    learner = learned(corridor, settings)
    rollout = live(
        learner.team.agent, corridor, np.zeros((2, 1), int), lambda v, m: np.where(m, v.numpy(), -9).argmax(-1)
    )
    assert rollout["reward"].sum(2).tolist() == [[5.0], [5.0]]
    if mixer != "monotone":  # a mixer's agent values have no scale of their own
        with torch.no_grad():
            first = learner.team.agent(torch.zeros(2, 1, 1, 5))[0][:, 0, 0, :2].numpy()
        assert first == pytest.approx(np.array([[1.0, 4.5]] * 2), abs=0.25)


def episode(seeds: int = 1) -> dict[str, torch.Tensor]:
    """Four random episodes of three steps, two agents and three actions, the last one masked; rewards 0, 1, 2, …"""
    rng = torch.Generator().manual_seed(5)
    mask = torch.ones(seeds, 4, 3, 2, 3, dtype=torch.bool)
    mask[..., 2] = False
    return {
        "observation": torch.randn(seeds, 4, 3, 2, 1, generator=rng),
        "mask": mask,
        "state": torch.randn(seeds, 4, 3, 1, generator=rng),
        "action": torch.randint(0, 2, (seeds, 4, 3, 2), generator=rng),
        "reward": torch.arange(12.0).view(1, 4, 3).expand(seeds, -1, -1),
    }


def stepwise(team: Team, episodes: dict[str, torch.Tensor]) -> torch.Tensor:
    """Values (B, T, agents, actions) of one seed by plain loops over episodes, agents and steps."""
    values = torch.zeros(4, 3, 2, 3)
    for b in range(4):
        for agent in range(2):
            hidden, previous = None, torch.zeros(3)
            for t in range(3):
                x = torch.cat([episodes["observation"][0, b, t, agent], previous])
                out, hidden = team.agent(x.view(1, 1, 1, -1), hidden)
                values[b, t, agent] = out[0, 0, 0]
                previous = torch.nn.functional.one_hot(episodes["action"][0, b, t, agent], 3).float()
    return values


@pytest.mark.parametrize("mixer", ["none", "sum", "monotone"])
def test_loss_equals_plain_loops(mixer, game, small):
    """Double-Q targets with masks, the terminal step, the mean over all steps."""
    environment, settings = game(np.zeros((3, 3))), small(mixer=mixer)
    team, target = Team(settings, environment, [1]), Team(settings, environment, [2])
    batch = episode()
    with torch.no_grad():
        found = loss(team, target, batch, gamma=0.9)
        own, later = stepwise(team, batch), stepwise(target, batch)
        errors = []
        for b in range(4):
            for t in range(3):
                taken = own[b, t, [0, 1], batch["action"][0, b, t]]
                learned_value = mixed(team, taken, batch, b, t)
                wanted = batch["reward"][0, b, t]
                if t < 2:
                    best = own[b, t + 1, :, :2].argmax(-1)
                    wanted = wanted + 0.9 * mixed(target, later[b, t + 1, [0, 1], best], batch, b, t + 1)
                errors.append((wanted - learned_value).square().mean())
    torch.testing.assert_close(found, torch.stack(errors).mean()[None])


def mixed(team: Team, values: torch.Tensor, batch: dict, b: int, t: int) -> torch.Tensor:
    return team.mix(values.view(1, 1, 1, 2), batch["state"][:, b : b + 1, t : t + 1])[0, 0, 0]


def test_masked_actions_are_not_bootstrapped(game, small):
    """However much both networks think of the masked action, the loss does not change."""
    environment, settings = game(np.zeros((3, 3))), small(mixer="sum")
    team, target = Team(settings, environment, [1]), Team(settings, environment, [2])
    batch = episode()
    with torch.no_grad():
        before = loss(team, target, batch, gamma=0.9)
        for network in (team, target):
            network.agent.value.bias[..., 2] += 1e6
        assert torch.equal(loss(team, target, batch, gamma=0.9), before)


def test_masked_actions_are_never_taken(corridor, small):
    """Not by exploring and not greedily, even when their value is largest; the corridor objects to them."""
    learner = ValueLearner(small(mixer="sum", iterations=20, unit=20), corridor, corridor, SEEDS)
    with torch.no_grad():
        learner.team.agent.value.bias[..., 2] += 1e6
    learner.step()


def test_seeds_do_not_touch_each_other(corridor, small):
    """Seed 1 learns the same beside seed 0 and alone."""
    settings = small(mixer="monotone", iterations=20, unit=20)
    together = ValueLearner(settings, corridor, corridor, [0, 1])
    alone = ValueLearner(settings, corridor, corridor, [1])
    first, second = together.step(), alone.step()
    assert first["return"][1] == second["return"][0]
    for one, other in zip(together.team.parameters(), alone.team.parameters(), strict=True):
        torch.testing.assert_close(one[1], other[0], rtol=1e-4, atol=1e-5)


def test_the_mixer_is_monotone():
    """(22): no partial derivative by an agent's value is negative, in any state."""
    mixer = MonotoneMixer(3, 4, 8, generators([0, 1]))
    values = torch.randn(2, 500, 3, requires_grad=True)
    mixer(values, torch.randn(2, 500, 4)).sum().backward()
    assert values.grad.min() >= 0
    assert values.grad.max() > 0


def test_exploration_falls_linearly_and_stays(small):
    settings = small(iterations=100, exploration=(1.0, 0.2, 0.5))
    assert [settings.epsilon(i) for i in (0, 25, 50, 90)] == pytest.approx([1.0, 0.6, 0.2, 0.2])


def test_the_papers_reward_weighs_delay_and_a_constant_cost():
    assert REWARDS["paper"](np.array([-10.0]), 20) == pytest.approx(0.7 * -10 - 0.3 * 20)


def test_large_errors_count_linearly(game, small):
    """The Huber loss of the same errors, in the scale of squares."""
    environment, settings = game(np.zeros((3, 3))), small(mixer="sum")
    team, batch = Team(settings, environment, [1]), episode()
    with torch.no_grad():
        taken = stepwise(team, batch).gather(-1, batch["action"][0][..., None])[..., 0].sum(-1)
        known = 2 * torch.nn.functional.huber_loss(taken, batch["reward"][0], delta=1.5)
        torch.testing.assert_close(loss(team, team, batch, gamma=0.0, largest_error=1.5), known[None])
