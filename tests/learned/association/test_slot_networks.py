"""The networks of imitation: what they see, whom it does not matter to renumber, and how they decide."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skybound.formulations.association.referee import judge, loads
from skybound.instances.association import Windows
from skybound.instances.association.presets import generate
from skybound.learned.association.foresight import Foresight, Scenery, Size, decision_of, play_exactly, play_links
from skybound.learned.association.link_loss import imitation_loss, reinforce_loss
from skybound.learned.association.link_network import Ends, LinkNetwork
from skybound.learned.association.slot_decoder import rounds
from skybound.learned.association.slot_lessons import collected_lessons, exact_lessons
from skybound.learned.association.slot_state import FEATURES, NONE, UNDECIDED, SlotState
from skybound.solvers.association.slot_by_slot import play
from skybound.solvers.solve import solve

SIZE = Size(price_width=8, width=8, layers=2)


def begun(scenery, seed=0, rows=12):
    """States with some satellites decided at random."""
    rng = np.random.default_rng(seed)
    slots = np.flatnonzero(scenery.graph.satellites)
    slot = rng.choice(slots, rows)
    stations = scenery.days.shape[1]
    state = SlotState(
        scenery.graph, slot, rng.uniform(50, 100, (rows, stations)), rng.uniform(0, 0.1, (rows, stations))
    )
    network = LinkNetwork(8, 1, seed)
    with torch.no_grad():
        for count, _ in enumerate(rounds(network, state, np.ones(rows), rng)):
            if count == 3:
                break
    return state


def links_so_far(scenery, state, row):
    """The links of a state as the referee takes them."""
    world, slot = divmod(int(state.slot[row]), scenery.days.shape[3])
    choice = np.zeros((scenery.days.shape[3], scenery.graph.shape[0]), np.int64)
    choice[slot] = np.maximum(state.choice[row], NONE)
    return world, decision_of(scenery, world, choice)


def test_loads_and_gains_of_a_slot_are_the_referees(scenery):
    """What a possible link adds to the value is what the features say."""
    state = begun(scenery)
    features, possible = state.features(), state.possible
    row, edge, channel = (index[0] for index in np.nonzero(possible)) if possible.any() else (0, 0, 0)
    for b in range(len(state.slot)):
        world, decided = links_so_far(scenery, state, b)
        load = loads(scenery.days.instances[world], decided.links).sum(0)
        assert load == pytest.approx(state.load[b], rel=1e-9)
    place, station = scenery.graph.place[state.slot[row], edge], scenery.graph.station[state.slot[row], edge]
    before = state.value[row]
    gain = features[row, edge, channel, 7]
    state.decide(np.array([row]), np.array([place]), np.array([(station + 1) * scenery.graph.shape[3] + channel]))
    assert state.value[row] - before == pytest.approx(gain, rel=1e-4)


def test_features_are_finite_and_moderate(scenery):
    features = begun(scenery).features()
    assert features.shape[-1] == FEATURES
    assert np.isfinite(features).all()
    assert np.abs(features).max() < 5


def test_likelihoods_are_those_of_possible_choices(scenery):
    """They add up to one, and nothing impossible is likely."""
    state = begun(scenery)
    with torch.no_grad():
        likely = LinkNetwork(8, 2, 0)(state, Ends.of(state)).exp().numpy()
    satellites, edges, _, channels = scenery.graph.shape
    assert likely.sum(2) == pytest.approx(np.ones(likely.shape[:2]), abs=1e-5)
    links = likely[:, :, 1:].reshape(-1, satellites, edges, channels)
    assert (links.sum(1)[~state.possible] == 0).all()
    row, edge, _ = np.nonzero(state.possible)
    owner = scenery.graph.place[state.slot[row], edge]
    elsewhere = np.arange(satellites) != owner[:, None]
    assert (links[row, :, edge].sum(2)[elsewhere] == 0).all()


def test_renumbering_satellites_stations_and_channels_changes_nothing(scenery):
    """A play of a day is worth the same, whatever things are called."""
    instance, rng = generate("fading:slots=4", 7), np.random.default_rng(0)
    order = {name: rng.permutation(getattr(instance, name)) for name in ("satellites", "stations", "channels")}
    windows = instance.windows
    renamed = replace(
        instance,
        capacity=instance.capacity[np.argsort(order["stations"])],
        windows=Windows(
            windows.slot,
            order["satellites"][windows.satellite],
            order["stations"][windows.station],
            windows.valid_s,
            windows.gain[:, np.argsort(order["channels"])],
        ),
    )
    foresight = Foresight(SIZE, 3)
    one, other = (play_links(foresight, Scenery.of([day]), np.zeros(1, np.int64)).value for day in (instance, renamed))
    assert one == pytest.approx(other, rel=1e-6)


def test_played_days_are_feasible_and_worth_what_they_say(scenery):
    foresight, world = Foresight(SIZE, 0), np.array([2, 0, 1])
    for samples in (1, 5):
        played = play_links(foresight, scenery, world, samples)
        for b, w in enumerate(world):
            verdict = judge(scenery.days.instances[w], decision_of(scenery, w, played.choice[b]))
            assert verdict.objective == pytest.approx(played.value[b], rel=1e-9)


def test_the_best_of_several_draws_of_a_slot_is_worth_no_less():
    """In one slot, where it is known at once."""
    scenery = Scenery.of([generate("headline:slots=1", seed) for seed in range(6)])
    foresight = Foresight(SIZE, 1)
    with torch.no_grad():  # no price of the future: there is none
        foresight.price.layers[-1].bias.fill_(-50.0)
    one, several = (play_links(foresight, scenery, np.arange(6), samples).value for samples in (1, 16))
    assert (several >= one - 1e-12).all()
    assert several.sum() > one.sum()


def test_exact_lessons_are_the_exact_solvers_days(scenery):
    foresight = Foresight(SIZE, 0)
    lessons = exact_lessons(foresight, scenery, [1])
    played, made = play_exactly(foresight, scenery, 1)
    assert decision_of(scenery, 1, played.choice[0]).links.tolist() == made.links.tolist()
    own = lessons.slot // scenery.days.shape[3] == 1
    assert own.all()
    state = SlotState(scenery.graph, lessons.slot, lessons.left, lessons.ahead, lessons.choice)
    assert state.load.sum(0) == pytest.approx(played.left[0, 0] - played.left[0, -1] + state.load[-1], rel=1e-9)


def test_collected_lessons_are_best_where_the_policy_comes_to(scenery):
    """The expert's choice is worth at least the policy's own, slot by slot at the same storage and prices."""
    foresight = Foresight(SIZE, 4)
    lessons = collected_lessons(foresight, scenery, [0, 2])
    own = play_links(foresight, scenery, np.array([0, 2]))
    slots = scenery.days.shape[3]
    best = SlotState(scenery.graph, lessons.slot, lessons.left, lessons.ahead, lessons.choice)
    at = np.where(lessons.slot // slots == 0, 0, 1), lessons.slot % slots
    mine = SlotState(scenery.graph, lessons.slot, own.left[at], own.ahead[at], own.choice[at])
    assert lessons.left == pytest.approx(own.left[at])
    assert (best.value >= mine.value - 1e-9).all()


def test_states_on_the_way_leave_somebody_open(scenery):
    lessons = exact_lessons(Foresight(SIZE, 0), scenery, [0, 1, 2])
    state = lessons.partly_decided(scenery, np.random.default_rng(0))
    assert state.open.any(1).all()
    assert not state.open.all()
    decided = ~state.open
    assert (state.choice[decided] == lessons.choice[decided]).all()
    absent = np.arange(scenery.graph.shape[0]) >= scenery.graph.satellites[lessons.slot][:, None]
    assert (state.choice[absent] == NONE).all()
    assert set(np.unique(state.choice[state.open])) == {UNDECIDED}


def test_imitation_comes_to_the_expert(scenery):
    """A slot is learned by heart, exchange of like channels aside."""
    lessons = exact_lessons(Foresight(SIZE, 0), scenery, [0]).take(np.arange(1))
    network, rng = LinkNetwork(32, 2, 0), np.random.default_rng(0)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    losses = []
    for step in range(400):
        optimiser.param_groups[0]["lr"] = 5e-3 * (1 - step / 400)
        optimiser.zero_grad()
        loss = imitation_loss(network, lessons, scenery, rng)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-20:]) < 0.2 * losses[0]
    best = SlotState(scenery.graph, lessons.slot, lessons.left, lessons.ahead, lessons.choice)
    for decider, least, most in ((network, 0.9, 1 + 1e-9), (LinkNetwork(32, 2, 0), 0.0, 0.8)):
        state = SlotState(scenery.graph, lessons.slot, lessons.left, lessons.ahead)
        with torch.no_grad():
            for _ in rounds(decider, state, np.zeros(1), rng):
                pass
        assert least * best.value[0] <= state.value[0] <= most * best.value[0]


def test_reinforcement_raises_what_draws_are_worth(scenery):
    lessons = exact_lessons(Foresight(SIZE, 0), scenery, [0]).take(np.arange(3))
    network, rng = LinkNetwork(16, 2, 0), np.random.default_rng(0)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)

    def worth() -> float:
        many = lessons.take(np.repeat(np.arange(3), 30))
        state = SlotState(scenery.graph, many.slot, many.left, many.ahead)
        with torch.no_grad():
            for _ in rounds(network, state, np.ones(90), np.random.default_rng(5)):
                pass
        return float(state.value.mean())

    before = worth()
    for _ in range(30):
        optimiser.zero_grad()
        reinforce_loss(network, lessons, scenery, 8, 0.01, rng).loss.backward()
        optimiser.step()
    assert worth() > before * 1.05


def test_prices_of_the_optimum_make_the_exact_play_optimal():
    """With the right prices nothing is lost; the network only has to find them."""
    instance = generate("headline:slots=6", 2)
    optimum = solve(instance).objective
    from skybound.learned.association.horizon_labels import HorizonLabels
    from skybound.solvers.association.groups import Groups

    labels = HorizonLabels.draw("headline:slots=6", [2], 1e-6)
    played = play(instance, Groups.reduced(instance)[0], lambda t, _: labels.ahead[0, t])
    assert labels.optimum[0] == pytest.approx(optimum, rel=1e-6)
    assert played.value > 0.9995 * optimum
