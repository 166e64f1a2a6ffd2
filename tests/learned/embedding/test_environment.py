"""The environment of embedding: its rules, and that a return is the referee's objective."""

from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.embedding.referee import judge
from skybound.instances.embedding.presets import generate
from skybound.instances.errors import InputError
from skybound.learned.embedding.environment import EmbeddingEnvironment
from skybound.learned.embedding.play import WAIT
from skybound.learned.embedding.sights import BANDWIDTH, KINDS, LINK, NODE, TIME, look
from skybound.solvers.solve import solve


def play_randomly(environment: EmbeddingEnvironment, batch: int, seed: int = 0) -> np.ndarray:
    """Traces with random possible actions, most of which take what is embedded; returns."""
    rng = np.random.default_rng(seed)
    environment.reset(np.arange(batch) % environment.worlds)
    total = np.zeros(batch)
    while not environment.over.all():
        mask = environment.mask
        assert mask.any(1).all()
        lots = np.where(mask, rng.random(mask.shape), -1.0)
        lots[:, -1] *= 4
        total += environment.step(lots.argmax(1))
    return total


@pytest.mark.parametrize("stepwise", [True, False])
def test_a_return_is_the_referees_objective(stepwise, random_embedding):
    """On tiny instances of all kinds, most of which accept something; and it is never above the optimum."""
    accepted = 0
    for seed in range(40):
        instance = random_embedding(seed)
        environment = EmbeddingEnvironment([instance], stepwise=stepwise)
        returns = play_randomly(environment, 8, seed)
        best = solve(instance, "enumeration").objective
        for b, total in enumerate(returns):
            decision = environment.decision(b)
            verdict = judge(instance, decision)
            assert not verdict.violations
            assert verdict.objective == pytest.approx(total, abs=1e-9)
            assert total <= best + 1e-9
            accepted += any(embedding is not None for embedding in decision.embeddings)
    assert accepted > 100


@pytest.mark.parametrize("preset", ["paper:requests=60", "small", "small:colocate=yes", "paper-any:requests=40"])
def test_presets_are_played_feasibly(preset):
    instances = [generate(preset, seed) for seed in range(2)]
    environment = EmbeddingEnvironment(instances, stepwise=True)
    returns = play_randomly(environment, 4)
    for b, total in enumerate(returns):
        verdict = judge(instances[b % 2], environment.decision(b))
        assert not verdict.violations
        assert verdict.objective == pytest.approx(total, rel=1e-12)
        assert total > 0


def test_what_is_impossible_does_nothing(worked_embedding):
    environment = EmbeddingEnvironment([worked_embedding], stepwise=True)
    environment.reset(np.zeros(1, np.int64))
    before = [column.copy() for column in environment.play]
    for action in (WAIT, 0, environment.nodes, environment.nodes + 1):  # the first node cannot be in space
        assert environment.step(np.array([action])) == 0
        assert all(np.array_equal(one, other) for one, other in zip(before, environment.play, strict=True))


def test_hosts_are_seen_with_their_distances(worked_embedding):
    """The first request's node is 1, 2 or 3 hops from the only place of its neighbour; the narrow link is no way."""
    environment = EmbeddingEnvironment([worked_embedding], stepwise=True)
    environment.reset(np.zeros(1, np.int64))
    assert environment.mask[0].tolist() == [False, True, True, True, False, False]
    seen = look(environment.tables, environment.rules, environment.play, np.zeros(1, np.int64)).hosts[0]
    assert seen[1:, 2] * 4 == pytest.approx([1, 2, 3])
    assert seen[1:, 5] * NODE == pytest.approx([3, 5, 4])
    environment.step(np.array([2]))
    assert environment.play.cost[0].tolist() == [12.0, np.inf, np.inf, np.inf]


def test_an_offer_says_what_a_request_takes_and_what_is_left(worked_embedding):
    environment = EmbeddingEnvironment([worked_embedding], stepwise=True)
    environment.reset(np.zeros(1, np.int64))
    for action in (2, 0):
        environment.step(np.array([action]))
    assert environment.mask[0].tolist() == [False] * 4 + [True, True]
    offer = look(environment.tables, environment.rules, environment.play, np.zeros(1, np.int64)).offer[0]
    assert offer[:BANDWIDTH] * NODE == pytest.approx([4, 0, 5, 1, 0, 2])
    assert offer[BANDWIDTH:KINDS] * LINK == pytest.approx([0, 6, 0, 0, 6, 0])  # space and air, air and ground
    assert offer[KINDS : KINDS + BANDWIDTH] == pytest.approx(1, abs=1e-6)
    worth = 18 - worked_embedding.cost_weight * (12 + 6 * 2)
    assert offer[2 * KINDS] * NODE == pytest.approx(worth)
    assert offer[2 * KINDS + 1] * TIME == pytest.approx(min(10.0, worked_embedding.horizon))
    assert environment.step(np.array([5])) == pytest.approx(worth)


def test_a_request_without_room_waits_to_be_refused(worked_embedding):
    """Its node is larger than any host; then the next request has its turn."""
    request = worked_embedding.requests[2]
    huge = replace(request, arrival=0.0, nodes=replace(request.nodes, cpu=np.array([99.0])))
    environment = EmbeddingEnvironment([replace(worked_embedding, requests=(huge, request))], stepwise=True)
    environment.reset(np.zeros(1, np.int64))
    assert environment.deciding[0]
    assert environment.mask[0].tolist() == [False] * 4 + [True, False]
    assert environment.step(np.array([5])) == 0
    assert not environment.deciding[0]
    assert environment.play.request[0] == 1


def test_what_departs_gives_back_before_the_next_arrives(worked_embedding):
    """A request that leaves at 10 makes room for one that arrives at 10, and for none before."""
    request = worked_embedding.requests[2]
    whole = replace(request, arrival=0.0, duration=10.0, nodes=replace(request.nodes, cpu=np.array([10.0])))
    for arrival, fits in ((9.0, False), (10.0, True)):
        instance = replace(worked_embedding, requests=(whole, replace(whole, arrival=arrival)))
        environment = EmbeddingEnvironment([instance], stepwise=True)
        environment.reset(np.zeros(1, np.int64))
        for action in (2, 5):
            environment.step(np.array([action]))
        assert environment.mask[0, 2] == fits


def test_samples_adopt_another_and_go_on_alike():
    environment = EmbeddingEnvironment([generate("paper:requests=30", 0)], stepwise=True)
    rng = np.random.default_rng(0)
    environment.reset(np.zeros(3, np.int64))
    while not environment.over.all():
        action, deciding = np.full(3, WAIT), environment.deciding
        if deciding.all():
            able = np.flatnonzero(~environment.play.failed)
            environment.adopt(np.full(3, able[-1] if able.size else 0))
            action[:] = environment.nodes + (able.size > 0)
        else:
            mask = environment.mask[:, : environment.nodes]
            action = np.where(deciding, WAIT, np.where(mask, rng.random(mask.shape), -1).argmax(1))
        environment.step(action)
    one, other, last = (environment.decision(b).to_json() for b in range(3))
    assert one == other == last
    assert not judge(environment.instances[0], environment.decision(0)).violations


def test_worlds_of_other_shapes_do_not_go_together():
    with pytest.raises(InputError, match="equally many"):
        EmbeddingEnvironment([generate("small", 0), generate("paper:requests=20", 0)], stepwise=True)
    with pytest.raises(InputError, match="colocation"):
        EmbeddingEnvironment([generate("small", 0), generate("small:colocate=yes", 0)], stepwise=True)
