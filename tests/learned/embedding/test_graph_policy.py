"""The graph policy: lessons, known answers, fine-tuning, and runs that resume."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skybound.formulations.embedding.referee import judge
from skybound.instances.embedding.presets import generate
from skybound.instances.errors import InputError
from skybound.learned.algorithms import train
from skybound.learned.embedding.environment import EmbeddingEnvironment
from skybound.learned.embedding.graph_decider import GraphDecider
from skybound.learned.embedding.graph_labels import REJECTED, GraphLabels
from skybound.learned.embedding.graph_lessons import Lessons, neighbours_of
from skybound.learned.embedding.graph_network import GraphNetwork, PriceNetwork, Size
from skybound.learned.embedding.graph_policy import GraphImitation
from skybound.learned.embedding.graph_settings import IMITATION, REINFORCED
from skybound.learned.embedding.graph_tuning import Rehearsal
from skybound.learned.embedding.online import meet
from skybound.learned.embedding.sights import HOST_FEATURES, KINDS, OFFER_FEATURES
from skybound.learned.policy_file import PolicyFile
from skybound.solvers.solve import solve

FEW = {
    "largest_gap": 1.0,
    "label_traces": 2,
    "validation_traces": 2,
    "rounds": 5,
    "price_steps": 20,
    "host_steps": 20,
    "batch": 8,
    "price_batch": 8,
    "width": 8,
    "price_width": 4,
    "unit": 10,
    "validate": 10,
}
TUNED = FEW | {
    "tuning_steps": 10,
    "tuning_traces": 3,
    "past": 4,
    "future": 6,
    "window": 3,
    "samples": 2,
    "tuning_worlds": 2,
}
CASES = {"imitation": FEW, "imitation-rl": TUNED}


@pytest.fixture(scope="module")
def labels():
    return GraphLabels.draw("small", [0, 1], 200, 1.0)


def test_labels_are_hosts_by_arrival(labels):
    """As many as request nodes, in domains that are allowed, of at least the requests an online rule takes."""
    at = 0
    for seed in (0, 1):
        instance = generate("small", seed)
        for k in instance.order:
            nodes = instance.requests[k].nodes
            for host in (labels.clairvoyant[at : at + len(nodes)], labels.online[at : at + len(nodes)]):
                assert (host == REJECTED).all() or nodes.domain[
                    np.arange(len(nodes)), instance.substrate.nodes.domain[host]
                ].all()
            at += len(nodes)
    assert at == len(labels.clairvoyant) == len(labels.online)
    assert (labels.clairvoyant != REJECTED).mean() > 0.4


def test_a_label_beyond_the_largest_gap_is_refused():
    with pytest.raises(InputError, match="largest_gap"):
        GraphLabels.draw("small", [0], 1, 1e-6)


def test_lessons_are_possible_hosts_and_all_requests_that_could_be_embedded(labels):
    lessons = Lessons.of([labels])
    chosen = lessons.hosts[torch.arange(len(lessons.host)), lessons.host]
    assert (chosen[:, 0] == 1).all()
    assert lessons.neighbours.shape == (4, 12, 12)  # two worlds, replayed with either label
    assert set(lessons.world.tolist()) == {0, 1, 2, 3}
    assert 0 < lessons.taken.sum() < len(lessons.taken) <= 40


def test_the_network_does_not_know_numbers_of_nodes():
    """Renumbering the substrate renumbers its answer."""
    network = GraphNetwork(Size(8, 2, 4), 1)
    rng = np.random.default_rng(0)
    hosts = torch.from_numpy(rng.random((3, 12, HOST_FEATURES))).float()
    hosts[:, :, 0] = torch.from_numpy(rng.random((3, 12)) < 0.7)
    neighbours = neighbours_of(EmbeddingEnvironment([generate("small", 0)], stepwise=True).tables).expand(3, -1, -1)
    order = torch.from_numpy(rng.permutation(12))
    one = network.host(hosts, neighbours)[:, order]
    other = network.host(hosts[:, order], neighbours[:, order][:, :, order])
    assert torch.allclose(one, other, atol=1e-5)
    assert (network.host(hosts, neighbours)[hosts[:, :, 0] == 0] < -1e8).all()


def test_what_takes_more_or_stays_longer_never_gains_more():
    network = PriceNetwork(8)
    rng = np.random.default_rng(1)
    offer = torch.from_numpy(rng.random((50, OFFER_FEATURES))).float()
    gain = network.gain(offer)
    for column in [*range(KINDS), 2 * KINDS + 1]:
        more = offer.clone()
        more[:, column] += 0.5
        assert (network.gain(more) <= gain).all()
    assert torch.equal(network(offer) > 0, gain > 0)


def test_labels_are_reproduced(labels):
    """Enough steps on two small traces take and refuse as the search did, and find most of its hosts."""
    learner = GraphImitation("small", [0], replace(IMITATION, host_steps=300, price_steps=300, batch=64))
    lessons, (student,) = Lessons.of([labels]), learner.students
    for step in range(600):
        student.learn(lessons, [], step)
    with torch.no_grad():
        likely = student.network.host(lessons.hosts.float(), lessons.neighbours[lessons.world])
        taken = student.network.price(lessons.offer) > 0
    assert (likely.argmax(1) == lessons.host).float().mean() > 0.7
    assert (taken == (lessons.taken > 0)).float().mean() > 0.85


def test_fine_tuning_gains_on_its_own_traces():
    """From networks that know nothing, at prices of nothing: what is embedded earns more after some rehearsals."""
    traces = [generate("paper:requests=40", seed) for seed in range(2)]
    settings = replace(
        REINFORCED, price_steps=1, host_steps=1, width=16, tuning_steps=6, tuning_worlds=2, replicas=4, past=10,
        future=30, tuning_rate=1e-2, tuning_price_rate=0.0, tuning_averaging=0.5,
    )  # fmt: skip
    learner = GraphImitation("small", [0], settings)
    (student,) = learner.students
    with torch.no_grad():
        student.learned.price.leave.bias.fill_(-20.0)
    environment = EmbeddingEnvironment(traces, stepwise=True)

    def earned(network: GraphNetwork) -> float:
        world = np.arange(2)
        return float(meet(GraphDecider(network, environment), environment, world, 1, np.random.default_rng(0)).sum())

    before = earned(student.learned)
    for step in range(2, 8):
        student.learn(None, traces, step)
    assert earned(student.learned) > 1.1 * before


def test_replicas_begin_alike_and_rewards_are_what_is_earned():
    """All that a replica earns after the past is in its rewards."""
    instance = generate("small", 3)
    settings = replace(REINFORCED, tuning_worlds=1, past=5, future=15, window=4)
    rehearsal = Rehearsal(GraphNetwork(Size(8, 1, 4)), [instance], settings, np.random.default_rng(0))
    environment = rehearsal._environment
    before = environment.play.accepted.copy()
    assert (before == before[0]).all()
    while not rehearsal.over:
        rehearsal.window()
    for group in range(settings.replicas):
        row = group * settings.samples
        own = environment.play.accepted[row] & ~before[row]
        assert rehearsal.reward[group].sum() == pytest.approx(environment.tables.revenue[0, own].sum())
    assert torch.isfinite(rehearsal.price_loss())


@pytest.fixture(scope="module", params=CASES)
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / request.param
    outcome = train("embedding", "small", request.param, [0, 1], folder, changes=CASES[request.param])
    assert outcome.stopped == "done"
    return request.param, folder


def test_a_policy_is_a_solver(run):
    """Feasible, the same each time, never above the bound, on substrates of any size."""
    _, folder = run
    for preset in ("small", "paper:requests=15"):
        instance = generate(preset, 3_000_000)
        one, again = (solve(instance, f"policy:{folder}?samples=3") for _ in range(2))
        assert one.decision.to_json() == again.decision.to_json()
        assert not judge(instance, one.decision).violations
        bound = solve(instance, "clairvoyant", time_limit_s=1).bound
        assert 0 < one.objective <= bound


def test_the_traces_of_training_and_validation_are_known(run):
    name, folder = run
    file = PolicyFile.read(folder)
    seen = [1_000_000, 1_000_001, 2_000_000, 2_000_001] + [1_000_002] * (name == "imitation-rl")
    assert all(file.saw(generate("small", seed).hash) for seed in seen)
    assert not file.saw(generate("small", 3_000_000).hash)


def test_a_resumed_run_equals_an_uninterrupted_one(run, tmp_path, interrupted):
    """Interrupted in every stage."""
    name, whole = run
    again = {"resume": True, "changes": CASES[name]}
    interrupted(GraphImitation, 3, lambda: train("embedding", "small", name, [0, 1], tmp_path / "run", **again))
    one, other = PolicyFile.read(whole), PolicyFile.read(tmp_path / "run")
    assert all(torch.equal(one.parameters[name], other.parameters[name]) for name in one.parameters)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"validate": 30}, "validate"), ({"samples": 1}, "samples"), ({"largest_gap": -1.0}, "largest_gap")],
)
def test_impossible_settings_are_named(changes, field):
    with pytest.raises(InputError, match=field):
        replace(IMITATION, **changes)


def test_the_policy_that_comes_along_beats_the_rules():
    """On a trace that it never saw; any of its seeds, and the better of draws."""
    instance = generate("paper:requests=60", 4_000_000)
    rules = [solve(instance, name).objective for name in ("nrm", "grc", "greedy")]
    shipped = [
        solve(instance, place) for place in ("policy:shipped", "policy:shipped?seed=1", "policy:shipped?samples=8")
    ]
    for found in shipped:
        assert judge(instance, found.decision).objective == pytest.approx(found.objective)
        assert found.objective > max(rules)
