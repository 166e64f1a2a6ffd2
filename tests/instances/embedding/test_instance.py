"""Instances of embedding: what is refused, and what the presets draw."""

import copy

import networkx as nx
import numpy as np
import pytest
from skybound.instances.embedding import VirtualNetworks
from skybound.instances.embedding.presets import PRESETS, generate
from skybound.instances.embedding.ranked import embed_by_resources
from skybound.instances.embedding.residual import Residual
from skybound.instances.errors import InputError


def changed(data, path, value):
    data = copy.deepcopy(data)
    at = data
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "field", "message"),
    [
        (("cost_weight",), -1, "cost_weight", "must be at least 0, is -1"),
        (("horizon",), 0, "horizon", "must be above 0, is 0"),
        (("colocate",), 0, "colocate", "must be true or false, is 0"),
        (("substrate", "nodes", "domain", 1), 3, "substrate.nodes.domain[1]", "must be at most 2, is 3"),
        (("substrate", "nodes", "cpu"), [1, 2, 3], "substrate.nodes.cpu", "has 3 entries, but there are 4 nodes"),
        (("substrate", "links", "target", 1), 4, "substrate.links.target[1]", "must be below 4, is 4"),
        (("substrate", "links", "target", 1), 1, "substrate.links.target[1]", "is a loop"),
        (("substrate", "links", "target", 3), 2, "substrate.links.source[3]", "is the same link as [1]"),
        (("substrate", "links", "bandwidth", 0), -1, "substrate.links.bandwidth[0]", "must be at least 0"),
        (("requests", 1, "duration"), 0, "requests[1].duration", "must be above 0, is 0"),
        (("requests", 1, "duration"), float("inf"), "requests[1].duration", "must be finite"),
        (("requests", 1, "arrival"), -1, "requests[1].arrival", "must be at least 0, is -1"),
        (("requests", 0, "nodes", "domain", 0), [], "requests[0].nodes.domain[0]", "must not be empty"),
        (("requests", 0, "nodes", "domain", 0), [1, 1], "requests[0].nodes.domain[0][1]", "is 1 again"),
        (("requests", 0, "links", "source", 0), 2, "requests[0].links.source[0]", "must be below 2, is 2"),
        (("requests", 0, "links", "source", 0), 1, "requests[0].links.target[0]", "is a loop"),
        (
            ("requests", 2, "nodes"),
            {"domain": [], "cpu": [], "storage": []},
            "requests[2].nodes.cpu",
            "needs at least one node",
        ),
    ],
)
def test_errors_name_field_and_place(worked_embedding_data, path, value, field, message):
    with pytest.raises(InputError) as caught:
        VirtualNetworks.from_json(changed(worked_embedding_data, path, value), "data", name="x")
    assert caught.value.field == f"data.{field}"
    assert caught.value.message.startswith(message)


def test_written_and_read_again_it_is_equal(worked_embedding, worked_embedding_data):
    assert worked_embedding.to_json() == worked_embedding_data
    assert VirtualNetworks.from_json(worked_embedding.to_json(), "data", name="again") == worked_embedding


def test_nothing_but_nodes_is_an_instance(worked_embedding_data):
    data = worked_embedding_data
    data["substrate"] = {
        "nodes": {"domain": [], "cpu": [], "storage": []},
        "links": {"source": [], "target": [], "bandwidth": []},
    }
    data["requests"] = []
    assert not VirtualNetworks.from_json(data, "data", name="nothing").requests


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_draw_what_they_say(preset):
    drawn, numbers = generate(preset, 3), PRESETS[preset]
    nodes, links = drawn.substrate.nodes, drawn.substrate.links
    assert tuple(np.bincount(nodes.domain)) == numbers.nodes
    graph = nx.Graph(zip(links.source.tolist(), links.target.tolist(), strict=True))
    assert nx.is_connected(graph)
    assert len(graph) == sum(numbers.nodes)
    if numbers.single != "half-full":
        ground = nodes.domain == 2
        for column in (nodes.cpu, nodes.storage):
            assert column.min() >= 50
            assert column[~ground].max() <= 80
            assert column[ground].max() <= 100
    for request in drawn.requests:
        size = len(request.nodes)
        assert numbers.sizes[0] <= size <= numbers.sizes[1]
        ends = zip(request.links.source.tolist(), request.links.target.tolist(), strict=True)
        assert nx.is_connected(nx.Graph(ends))
        assert 1 <= request.nodes.storage.min() <= request.nodes.storage.max() <= numbers.storage
        assert (request.duration is None) == numbers.stays
        assert (request.nodes.domain.sum(1) == (3 if numbers.anywhere else 1)).all()


def test_each_space_or_air_node_has_two_gateways_to_each_higher_domain():
    drawn = generate("paper", 0)
    domain, links = drawn.substrate.nodes.domain, drawn.substrate.links
    between = np.sort(domain[np.column_stack([links.source, links.target])], 1)
    assert ((between == (0, 1)).all(1)).sum() == 20
    assert ((between == (0, 2)).all(1)).sum() == 20
    assert ((between == (1, 2)).all(1)).sum() == 60


def test_presets_differ_in_what_they_say_and_in_nothing_else():
    """Of the trace: storage, durations, domains; and a shorter trace is the beginning of a longer one."""
    paper = generate("paper:requests=40", 5)
    stays, anywhere, less = (generate(f"{name}:requests=30", 5) for name in ("paper-stay", "paper-any", "storage-10"))
    for other in (stays, anywhere, less):
        assert other.substrate == paper.substrate
        for one, same in zip(other.requests, paper.requests, strict=False):
            assert one.arrival == same.arrival
            assert one.links == same.links
            assert (one.nodes.cpu == same.nodes.cpu).all()
    assert [one.nodes for one in stays.requests] == [same.nodes for same in paper.requests[:30]]


def test_requests_arrive_at_the_papers_rate_in_proportion_to_domains():
    drawn = generate("paper", 1)
    assert drawn.horizon == 25_000
    assert drawn.requests[-1].arrival == pytest.approx(25_000, rel=0.1)
    assert np.mean([request.duration for request in drawn.requests]) == pytest.approx(1_000, rel=0.1)
    domain = np.concatenate([request.nodes.domain for request in drawn.requests])
    assert domain.mean(0) == pytest.approx([0.1, 0.3, 0.6], abs=0.03)


def test_single_requests_have_all_sizes_in_turn():
    sizes = [len(generate("single", seed).requests[0].nodes) for seed in range(9)]
    assert sizes == list(range(2, 11))


def test_a_half_full_substrate_has_half_of_its_bandwidth_or_less_cpu_left():
    empty, half = generate("single", 4), generate("single-half", 4)
    assert half.requests == empty.requests
    bandwidth = half.substrate.links.bandwidth.sum() / empty.substrate.links.bandwidth.sum()
    cpu = half.substrate.nodes.cpu.sum() / empty.substrate.nodes.cpu.sum()
    assert bandwidth <= 0.5 or cpu <= 0.6
    assert bandwidth > 0.4
    assert cpu > 0.5


def test_variants():
    assert len(generate("paper:requests=7,size=3", 0).requests[0].nodes) == 3
    assert generate("small:colocate=yes,cost=0.5", 0).colocate
    for wrong in ("paper:requests=0", "paper:size=0", "paper:colocate=1", "paper:cost=-1", "paper:nodes=3"):
        with pytest.raises(InputError):
            generate(wrong, 0)


def test_a_residual_takes_and_gives_back():
    drawn = generate("paper:requests=20", 2)
    residual = Residual(drawn.substrate)
    before = residual.left()
    taken = []
    for request in drawn.requests:
        if (embedding := embed_by_resources(residual, request)) is not None:
            residual.take(request, embedding)
            taken.append((request, embedding))
    assert len(taken) > 10
    assert residual.bandwidth.min() >= 0
    assert residual.left() != before
    for request, embedding in taken:
        residual.give_back(request, embedding)
    assert residual.left() == before


def test_paths_are_shortest():
    """Against networkx, on the links that have enough bandwidth left."""
    drawn = generate("paper:requests=1", 0)
    residual, links = Residual(drawn.substrate), drawn.substrate.links
    wide = links.bandwidth >= 70
    graph = nx.empty_graph(100)
    graph.add_edges_from(zip(links.source[wide].tolist(), links.target[wide].tolist(), strict=True))
    known = dict(nx.all_pairs_shortest_path_length(graph))
    none = 0
    for source, target in np.random.default_rng(0).integers(100, size=(200, 2)).tolist():
        path = residual.path(source, target, 70.0)
        if path is None:
            none += 1
            assert target not in known[source]
        else:
            assert (path[0], path[-1], len(path) - 1) == (source, target, known[source][target])
            assert all(graph.has_edge(a, b) for a, b in zip(path[:-1].tolist(), path[1:].tolist(), strict=True))
    assert 0 < none < 200
