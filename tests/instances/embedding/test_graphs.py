"""Substrates and requests from graph files, and substrates over real networks."""

import json

import networkx as nx
import numpy as np
import pytest
from skybound.instances.embedding.geographic import Terrestrial, above, flat
from skybound.instances.embedding.graphs import read_requests, read_substrate
from skybound.instances.errors import InputError
from skybound.instances.problems import generate

# As Virne writes them.
VIRNE_SUBSTRATE = """graph [
  node_attrs_setting [
    name "cpu"
    owner "node"
  ]
  topology___type "waxman"
  node [ id 0 label "0" cpu 94 max_cpu 94 ]
  node [ id 1 label "1" cpu 97 max_cpu 97 ]
  node [ id 2 label "2" cpu 50 max_cpu 50 ]
  edge [ source 0 target 1 bw 77 max_bw 77 ]
  edge [ source 1 target 2 bw 60.5 max_bw 60.5 ]
]
"""
VIRNE_REQUEST = """graph [
  id %d
  arrival_time %f
  lifetime 500.0
  node [ id 0 label "0" cpu 24 ]
  node [ id 1 label "1" cpu 34 ]
  edge [ source 0 target 1 bw 29 ]
]
"""


@pytest.fixture
def virne(tmp_path):
    """A data set in Virne's layout: the later request has the lower number."""
    (tmp_path / "p_net.gml").write_text(VIRNE_SUBSTRATE)
    folder = tmp_path / "trace" / "v_nets"
    folder.mkdir(parents=True)
    for number, arrival in enumerate([29.0, 18.0]):
        (folder / f"v_net-{number:05d}.gml").write_text(VIRNE_REQUEST % (number, arrival))
    (tmp_path / "trace" / "events.yaml").write_text("- id: 0\n")
    return tmp_path


def test_data_sets_of_virne(virne):
    instance = generate("embedding", f"paper:substrate={virne}/p_net.gml,trace={virne}/trace", 0)
    assert instance.substrate.nodes.domain.tolist() == [2, 2, 2]
    assert instance.substrate.nodes.cpu.tolist() == [94, 97, 50]
    assert instance.substrate.nodes.storage.tolist() == [0, 0, 0]
    assert instance.substrate.links.bandwidth.tolist() == [77, 60.5]
    assert [request.arrival for request in instance.requests] == [18, 29]
    request = instance.requests[0]
    assert (request.duration, request.nodes.cpu.tolist(), request.links.bandwidth.tolist()) == (500, [24, 34], [29])
    assert request.nodes.domain.all()
    assert instance.horizon == 29


def test_drawn_requests_ask_for_the_domains_that_a_substrate_has(virne):
    instance = generate("embedding", f"paper:substrate={virne}/p_net.gml,requests=20", 0)
    assert all((request.nodes.domain == [False, False, True]).all() for request in instance.requests)


def graph():
    """A loop, parallel links, and domains by number and by name."""
    found = nx.MultiGraph()
    found.add_node("a", cpu=1, storage=2, domain=0)
    found.add_node("b", cpu=3, storage=4.5, domain="air")
    found.add_edge("a", "b", bandwidth=5)
    found.add_edge("b", "a", bandwidth=1)
    found.add_edge("a", "a", bandwidth=9)
    return found


def written(path, found):
    if path.suffix == ".json":
        path.write_text(json.dumps(nx.node_link_data(found, edges=path.stem)))
    else:
        {".graphml": nx.write_graphml, ".gml": nx.write_gml}[path.suffix](found, path)
    return path


@pytest.mark.parametrize("name", ["one.graphml", "one.gml", "links.json", "edges.json"])
def test_every_kind_of_file_says_the_same(name, tmp_path):
    found = read_substrate(written(tmp_path / name, graph()))
    assert found.nodes.domain.tolist() == [0, 1]
    assert found.nodes.storage.tolist() == [2, 4.5]
    assert (found.links.source.tolist(), found.links.target.tolist()) == ([0], [1])
    assert found.links.bandwidth.tolist() == [6]


def test_a_request_that_stays_and_chooses_between_domains(tmp_path):
    found = graph()
    found.nodes["a"]["domain"] = "space, ground"
    found.graph["arrival"] = 3
    (request,) = read_requests(written(tmp_path / "one.gml", found))
    assert (request.arrival, request.duration) == (3, None)
    assert request.nodes.domain.tolist() == [[True, False, True], [False, True, False]]


def spoilt(change):
    found = graph()
    change(found)
    return found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.nodes["a"].pop("cpu"), r'one.graphml: nodes\["a"\].cpu: is missing'),
        (lambda g: g.nodes["a"].update(cpu=-1), r'nodes\["a"\].cpu: must be at least 0'),
        (lambda g: g.nodes["a"].update(cpu="much"), r'nodes\["a"\].cpu: must be a number, is "much"'),
        (lambda g: g.nodes["b"].update(domain="sea"), r'nodes\["b"\].domain: is "sea"'),
        (lambda g: g.nodes["b"].update(domain="air,space"), r'nodes\["b"\]: must be in one domain'),
        (lambda g: [g.remove_edges_from(list(g.edges)), g.add_edge("a", "b")], r'links\["a-b"\].bandwidth: is missing'),
        (lambda g: g.remove_nodes_from(["a", "b"]), "has no nodes"),
    ],
)
def test_spoilt_graphs_are_refused_by_place(change, message, tmp_path):
    found = spoilt(change)
    for _, data in found.nodes(data=True):  # GraphML wants one type an attribute
        data.update({key: str(value) for key, value in data.items()})
    with pytest.raises(InputError, match=message):
        read_substrate(written(tmp_path / "one.graphml", found))


def test_files_that_are_none_are_refused(tmp_path):
    for name, content in [
        ("a.graphml", "<graph"),
        ("a.gml", "graph ["),
        ("a.json", "[]"),
        ("a.txt", ""),
        ("a.gml", ""),
    ]:
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match=name):
            read_substrate(tmp_path / name)
    with pytest.raises(InputError, match=r"b\.gml: cannot be read"):
        read_substrate(tmp_path / "b.gml")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no files that end with"):
        read_requests(tmp_path / "empty")


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ("paper:topology=a.graphml,substrate=b.gml", "both a topology and a substrate"),
        ("paper:speeds=yes", "speeds, but no topology"),
        ("single:trace=folder", "has a trace, but is of one request"),
    ],
)
def test_variants_that_do_not_go_together(variant, message):
    with pytest.raises(InputError, match=message):
        generate("embedding", variant, 0)


@pytest.fixture
def backbone(tmp_path):
    """Four towns in a row and one that nobody knows the place of, amid the first two."""
    found = nx.MultiGraph()
    for k in range(4):
        found.add_node(f"t{k}", Longitude=10.0 + k, Latitude=50.0)
    found.add_node("t4")
    found.add_edge("t0", "t4", LinkSpeedRaw=1e9)
    found.add_edge("t4", "t1")
    found.add_edge("t1", "t2", LinkSpeedRaw=2e9)
    found.add_edge("t1", "t2", LinkSpeedRaw=2e9)
    found.add_edge("t2", "t3", LinkSpeedRaw=1e9)
    path = tmp_path / "towns.graphml"
    nx.write_graphml(found, path)
    return path


def test_a_backbone_has_places_and_speeds(backbone):
    found = Terrestrial(backbone)
    assert found.place[4] == pytest.approx([10.5, 50])
    assert found.speed.tolist() == pytest.approx([1e9, np.nan, 4e9, 1e9], nan_ok=True)
    assert flat(found.place, found.place)[:, 0] == pytest.approx([0, 1 / 3, 2 / 3, 1, 1 / 6])


def test_satellites_above_a_region_are_the_nearest():
    near = above(np.array([[10.0, 40.0]]), 120, 0.0)
    one, other = np.radians(near), np.radians([10.0, 40.0])
    away = np.arccos(
        np.sin(one[:, 1]) * np.sin(other[1]) + np.cos(one[:, 1]) * np.cos(other[1]) * np.cos(one[:, 0] - other[0])
    )
    assert (np.diff(away) >= -1e-9).all()
    assert np.abs(near[:, 1]).max() <= 45 + 1e-6
    assert np.array_equal(above(np.array([[10.0, 40.0]]), 3, 0.0), near[:3])


def test_a_substrate_over_a_backbone(backbone):
    drawn = generate("embedding", f"paper:topology={backbone},requests=5", 0)
    read = generate("embedding", f"paper:topology={backbone},requests=5,speeds=yes", 0)
    nodes, links = drawn.substrate.nodes, drawn.substrate.links
    assert np.bincount(nodes.domain).tolist() == [1, 2, 5]
    ground = nodes.domain[links.source] + nodes.domain[links.target] == 4
    assert ground.sum() == 4
    assert np.array_equal(links.source, read.substrate.links.source)
    own = read.substrate.links.bandwidth[ground]
    assert own[[0, 2, 3]] == pytest.approx([75, 300, 75])
    assert own[1] == links.bandwidth[ground][1]
    assert np.array_equal(read.substrate.links.bandwidth[~ground], links.bandwidth[~ground])
    assert generate("embedding", f"paper:topology={backbone},requests=5", 0).hash == drawn.hash


def test_a_backbone_without_places_or_speeds_is_refused(tmp_path):
    found = nx.path_graph(3)
    nx.write_graphml(found, tmp_path / "bare.graphml")
    with pytest.raises(InputError, match=r"bare\.graphml: has no node with Longitude"):
        generate("embedding", f"paper:topology={tmp_path}/bare.graphml", 0)
    nx.set_node_attributes(found, {k: {"Longitude": k, "Latitude": 0} for k in range(3)})
    nx.write_graphml(found, tmp_path / "bare.graphml")
    with pytest.raises(InputError, match=r"bare\.graphml: has no link with LinkSpeedRaw"):
        generate("embedding", f"paper:topology={tmp_path}/bare.graphml,speeds=yes", 0)
