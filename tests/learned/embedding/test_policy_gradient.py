"""The paper's methods: edge domains and their tables, rewards, a known answer, and runs that resume."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skybound.formulations.embedding.referee import judge
from skybound.instances.embedding import (
    Links,
    Request,
    RequestNodes,
    Substrate,
    SubstrateNodes,
    VirtualNetworks,
)
from skybound.instances.embedding.presets import generate
from skybound.instances.errors import InputError
from skybound.learned.algorithms import train
from skybound.learned.embedding import policy_gradient
from skybound.learned.embedding.edge_domains import (
    average_distance,
    bytes_of_request,
    edge_domains,
    strategy_tables,
)
from skybound.learned.embedding.environment import EmbeddingEnvironment
from skybound.learned.embedding.policy_gradient import PAPER, TUNED, PolicyGradient
from skybound.learned.embedding.rewards import joint, ratio
from skybound.learned.policy_file import PolicyFile
from skybound.solvers.solve import solve

PRESET = "small:domains=6"
FEW = {"requests": 30, "batch": 20, "environments": 2, "unit": 1, "worlds": 3, "validation_worlds": 2}


@pytest.mark.parametrize(("count", "each"), [(1, [1]), (3, [1, 1, 1]), (6, [1, 2, 3]), (10, [1, 3, 6])])
def test_segments_are_cut_in_proportion_to_their_nodes(count, each):
    substrate = generate("paper:requests=1", 0).substrate
    domain = edge_domains(substrate, count)
    assert sorted(set(domain)) == list(range(count))
    if count > 1:
        of = [len(set(domain[substrate.nodes.domain == segment])) for segment in range(3)]
        assert of == each
        segments = [set(substrate.nodes.domain[domain == one]) for one in range(count)]
        assert all(len(own) == 1 for own in segments)


def test_impossible_numbers_of_edge_domains_are_named():
    substrate = generate("small", 0).substrate
    for count in (2, 13):
        with pytest.raises(InputError, match="from 3 to 12"):
            edge_domains(substrate, count)


def line(bandwidth: float = 20.0) -> Substrate:
    """Space 0 - ground 1 - ground 2 - ground 3."""
    nodes = SubstrateNodes(np.array([0, 2, 2, 2]), np.array([10.0, 8.0, 9.0, 6.0]), np.array([10.0, 5.0, 5.0, 7.0]))
    return Substrate(nodes, Links(np.arange(3), np.arange(1, 4), np.full(3, bandwidth)))


def test_distances_are_of_a_nodes_own_domain():
    assert average_distance(line(), np.array([0, 1, 1, 1])).tolist() == pytest.approx([0, 3 / 3, 2 / 3, 3 / 3])
    assert average_distance(line(), np.zeros(4, int)).tolist() == pytest.approx([6 / 4, 4 / 4, 4 / 4, 6 / 4])


def test_tables_run_from_0_to_1_in_each_domain():
    instance = VirtualNetworks(0.0, False, None, line(), (request(),), name="line")
    environment = EmbeddingEnvironment([instance], stepwise=False)
    domain = np.array([[0, 1, 1, 1]])
    distance = average_distance(instance.substrate, domain[0])[None]
    table = strategy_tables(environment.tables, environment.play, domain, distance)[0]
    assert table[0].tolist() == [0.5] * 4
    assert table[1:, 0] == pytest.approx([2 / 3, 1, 0])
    assert table[1:, 1] == pytest.approx([0, 0, 1])
    assert table[1:, 2] == pytest.approx([1, 1, 0])
    assert table[1:, 3] == pytest.approx([1, 0, 1])


def test_bytes_are_those_of_tables_and_parameters():
    segment = np.array([0, 1, 1, 2])
    assert bytes_of_request(np.zeros(4, int), segment) == 4 * 4 * 4
    assert bytes_of_request(segment, segment) == (4 * 4 * 4 + 3 * 5 * 4) * 3


def test_rewards_are_the_papers():
    """Three requests of which the second is rejected."""
    accepted, arrival = np.array([[True, False, True]]), np.array([[0.0, 2.0, 4.0]])
    revenue, cost = np.array([[10.0, 5.0, 6.0]]), np.array([[20.0, 5.0, 12.0]])
    assert ratio(accepted, revenue, cost, arrival).tolist() == [[0.5, 0.0, 0.5]]
    expected = [0 + 10 / 20 + 1, 10 / 2 + 10 / 20 + 1 / 2, 16 / 4 + 16 / 32 + 2 / 3]
    assert joint(accepted, revenue, cost, arrival)[0] == pytest.approx(expected)


def request(arrival: float = 0.0) -> Request:
    """A node in space and one on the ground, linked."""
    nodes = RequestNodes(np.eye(3, dtype=bool)[[0, 2]], np.full(2, 1.0), np.full(2, 1.0))
    return Request(arrival, 1.0, nodes, Links(np.zeros(1, int), np.ones(1, int), np.full(1, 4.0)))


@pytest.mark.parametrize("name", ["tuned", "plain"])
def test_the_nearest_host_is_learned(name, monkeypatch):
    """A request over space and ground brings most for its cost when the ground node is next to the space node."""
    requests = tuple(request(2.0 * k) for k in range(40))
    trace = VirtualNetworks(0.0, False, 80.0, line(), requests, name="line")
    monkeypatch.setattr(policy_gradient, "generate", lambda preset, seed: replace(trace, name=f"line-{seed}"))
    changes = {"reward": "ratio", "distributed": False, "worlds": 1, "validation_worlds": 1}
    settings = replace(TUNED, **changes, learning_rate=0.1, requests=8_000, batch=40, environments=1, unit=100)
    if name == "plain":
        settings = replace(settings, plain=True, learning_rate=1.0)
    learner = PolicyGradient("paper", [0, 1], settings)
    while learner.progress < 1:
        learner.step()
    agents, environment = learner._agents, learner.environment
    environment.reset(np.zeros(2, np.int64))
    environment.step(np.zeros(2, np.int64))
    likely = np.exp(agents.hosts(environment, np.arange(2)))
    assert (likely[:, 0] < 1e-6).all()
    assert (likely.argmax(1) == 1).all()
    assert (likely[:, 1] > 0.6).all()


@pytest.fixture(scope="module", params=["rlvne", "ddrl-nra", "ddrl-nra-paper"])
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / request.param
    outcome = train("embedding", PRESET, request.param, [0, 1], folder, changes=FEW)
    assert outcome.stopped == "done"
    return request.param, folder


def test_a_policy_is_a_solver(run):
    """What it embeds is feasible, and more draws of a request are other embeddings."""
    name, folder = run
    instance = generate("small", 3_000_000)
    result = solve(instance, f"policy:{folder}")
    assert not judge(instance, result.decision).violations
    assert result.objective > 0
    assert solve(instance, f"policy:{folder}?samples=8", seed=1).objective > 0
    assert PolicyFile.read(folder).network == {"domains": 1 if name == "rlvne" else 6}


def test_a_resumed_run_equals_an_uninterrupted_one(run, tmp_path, interrupted):
    name, whole = run
    again = {"resume": True, "changes": FEW}
    interrupted(PolicyGradient, 2, lambda: train("embedding", PRESET, name, [0, 1], tmp_path / "run", **again))
    one, other = PolicyFile.read(whole), PolicyFile.read(tmp_path / "run")
    assert all(torch.equal(one.parameters[name], other.parameters[name]) for name in one.parameters)


def test_equal_seeds_learn_equally_whatever_the_others_are(run, tmp_path):
    name, whole = run
    train("embedding", PRESET, name, [1], tmp_path / "run", changes=FEW)
    one, other = PolicyFile.read(whole).parameters["kernel"], PolicyFile.read(tmp_path / "run").parameters["kernel"]
    assert torch.allclose(one[1], other[0], atol=1e-6)


@pytest.mark.parametrize(("changes", "field"), [({"batch": 0}, "batch"), ({"learning_rate": -1.0}, "learning_rate")])
def test_impossible_settings_are_named(changes, field):
    with pytest.raises(InputError, match=field):
        replace(PAPER, **changes)
