"""The referee of embedding, on the case worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from skybound.formulations.embedding.referee import judge
from skybound.instances.embedding import EmbeddingDecision
from skybound.instances.errors import InputError

FIRST = {"nodes": [1, 0], "paths": [[1, 0]]}
SECOND = {"nodes": [2, 3], "paths": [[2, 3]]}
THIRD = {"nodes": [2], "paths": []}
NONE = {"embeddings": [None, None, None]}


def decide(instance, *embeddings):
    return instance.decide({"embeddings": list(embeddings)})


def test_the_worked_case(worked_embedding):
    """Revenues 9 + 3 + 6, 13 + 2 + 5 and 6, each over one hop; at time 10 the first request has gone."""
    verdict = judge(worked_embedding, decide(worked_embedding, FIRST, SECOND, THIRD))
    assert verdict.violations == ()
    assert verdict.parts == {"revenue": 44.0, "cost": 44.0}
    assert verdict.objective == 22.0


def test_longer_paths_cost_more(worked_embedding):
    """Over air from the ground: two hops of 6, cost 24 instead of 18."""
    detour = {"nodes": [2, 0], "paths": [[2, 1, 0]]}
    verdict = judge(worked_embedding, decide(worked_embedding, detour, None, THIRD))
    assert verdict.parts == {"revenue": 24.0, "cost": 30.0}


def test_nothing_is_worth_nothing(worked_embedding):
    nothing = worked_embedding.decide(NONE)
    verdict = judge(worked_embedding, nothing)
    assert (verdict.objective, verdict.violations) == (0.0, ())
    assert judge(worked_embedding, nothing).measures == {
        "AR": 0.0,
        "R/C": None,
        "ACR": 0.0,
        "O": None,
        "normalised O": None,
    }


def test_what_the_paper_reports(worked_embedding):
    """Two of three accepted: revenue 24 of 44 in 16 time units, cost 30."""
    detour = {"nodes": [2, 0], "paths": [[2, 1, 0]]}
    decision = decide(worked_embedding, detour, None, THIRD)
    found = judge(worked_embedding, decision).measures
    assert found["AR"] == 1.5
    assert found["R/C"] == 0.8
    assert found["ACR"] == pytest.approx(2 / 3)
    assert found["O"] == pytest.approx(1.5 + 0.8 + 2 / 3)
    assert found["normalised O"] == pytest.approx(24 / 44 + 0.8 + 2 / 3)
    without = judge(replace(worked_embedding, horizon=None), decision).measures
    assert (without["AR"], without["O"], without["normalised O"]) == (None, None, found["normalised O"])


def test_requests_that_meet_share_capacities(worked_embedding):
    """Node 2 has CPU 10: 5 and 6 together from 5 to 10, and 6 and 3 from 10 on."""
    detour = {"nodes": [2, 0], "paths": [[2, 1, 0]]}
    verdict = judge(worked_embedding, decide(worked_embedding, detour, SECOND, THIRD))
    assert [(v.constraint, v.place, v.amount) for v in verdict.violations] == [("cpu", "node 2 at time 5", 1.0)]


def test_requests_may_leave_before_others_come(worked_embedding):
    """What departs at time 10 is gone for what arrives then, to the last bit."""
    requests = list(worked_embedding.requests)
    requests[0] = replace(requests[0], arrival=0.1, duration=9.9)
    assert requests[0].departure == 10.0
    detour = {"nodes": [2, 0], "paths": [[2, 1, 0]]}
    instance = replace(worked_embedding, requests=(requests[0], replace(requests[1], arrival=10.0), requests[2]))
    assert judge(instance, decide(instance, detour, SECOND, THIRD)).feasible


def test_nodes_of_one_request_may_share_a_host_where_allowed(worked_embedding):
    instance = replace(worked_embedding, colocate=True)
    roomy = replace(instance.substrate.nodes, cpu=np.full(4, 20.0))
    instance = replace(instance, substrate=replace(instance.substrate, nodes=roomy))
    verdict = judge(instance, decide(instance, None, {"nodes": [3, 3], "paths": [[3]]}, None))
    assert verdict.parts == {"revenue": 20.0, "cost": 15.0}


def test_rounding_is_let_pass(worked_embedding):
    nodes = worked_embedding.substrate.nodes
    tight = nodes.cpu.copy()
    tight[2] = 9.0 - 5e-9
    instance = replace(worked_embedding, substrate=replace(worked_embedding.substrate, nodes=replace(nodes, cpu=tight)))
    decision = decide(instance, None, SECOND, THIRD)
    assert judge(instance, decision).feasible
    tight[2] = 9.0 - 2e-8
    instance = replace(worked_embedding, substrate=replace(worked_embedding.substrate, nodes=replace(nodes, cpu=tight)))
    assert not judge(instance, decision).feasible


@pytest.mark.parametrize(
    ("embeddings", "constraint", "place", "amount"),
    [
        ([{"nodes": [0, 1], "paths": [[0, 1]]}, None, None], "allowed domain", "request 0, node 0 on 0", 1),
        ([{"nodes": [1, 1], "paths": [[1]]}, None, None], "allowed domain", "request 0, node 1 on 1", 1),
        (
            [None, {"nodes": [2, 2], "paths": [[2]]}, None],
            "one node a substrate node",
            "request 1, substrate node 2",
            1,
        ),
        ([{"nodes": [1, 0], "paths": [[0, 1]]}, None, None], "path ends", "request 0, link 0 from 1 to 0", 1),
        ([{"nodes": [1, 0], "paths": [[1, 2]]}, None, None], "path ends", "request 0, link 0 from 1 to 0", 1),
        ([{"nodes": [1, 0], "paths": [[]]}, None, None], "path ends", "request 0, link 0 from 1 to 0", 1),
        ([{"nodes": [1, 0], "paths": [[1, 2, 1, 0]]}, None, None], "simple path", "request 0, link 0", 1),
        ([{"nodes": [3, 0], "paths": [[3, 0]]}, None, None], "substrate link", "request 0, link 0 from 3 to 0", 1),
        ([{"nodes": [1, 0], "paths": [[1, 1, 0]]}, None, None], "substrate link", "request 0, link 0 from 1 to 1", 1),
        ([None, SECOND, {"nodes": [3], "paths": []}], "cpu", "node 3 at time 10", 1),
        ([None, {"nodes": [2, 3], "paths": [[2, 1, 3]]}, None], "bandwidth", "link 3 at time 5", 1),
    ],
)
def test_what_is_violated_is_named(worked_embedding, embeddings, constraint, place, amount):
    verdict = judge(worked_embedding, decide(worked_embedding, *embeddings))
    assert (verdict.objective, verdict.parts) == (None, {"revenue": None, "cost": None})
    assert {(v.constraint, v.place): v.amount for v in verdict.violations}[constraint, place] == amount


@pytest.mark.parametrize(
    ("changes", "constraint", "place"),
    [
        ({"storage": [3.0, 4.0, 3.5, 6.0]}, "storage", "node 2 at time 10"),
        ({"cpu": [3.0, 8.0, 10.0, 9.0]}, "cpu", "node 0 at time 0"),
        ({"domain": [0, 0, 2, 2]}, "allowed domain", "request 0, node 0 on 1"),
    ],
)
def test_what_a_substrate_lacks_is_named(worked_embedding, changes, constraint, place):
    substrate = worked_embedding.substrate
    instance = replace(worked_embedding, substrate=replace(substrate, nodes=replace(substrate.nodes, **changes)))
    verdict = judge(instance, decide(instance, FIRST, SECOND, THIRD))
    assert [(v.constraint, v.place) for v in verdict.violations] == [(constraint, place)]


def test_both_directions_of_a_link_count_together(worked_embedding):
    """5 units there and 5 back on the link of 6."""
    back = replace(worked_embedding.requests[1], arrival=6.0)
    nodes = replace(worked_embedding.substrate.nodes, cpu=np.full(4, 50.0))
    substrate = replace(worked_embedding.substrate, nodes=nodes)
    instance = replace(worked_embedding, substrate=substrate, requests=(worked_embedding.requests[1], back))
    verdict = judge(instance, decide(instance, SECOND, {"nodes": [3, 2], "paths": [[3, 2]]}))
    assert [(v.constraint, v.place, v.amount) for v in verdict.violations] == [("bandwidth", "link 2 at time 6", 4.0)]


@pytest.mark.parametrize(
    ("decision", "field", "message"),
    [
        ({"embeddings": [None, None]}, "embeddings", "has 2 entries for 3 requests"),
        ({"embeddings": [{"nodes": [1], "paths": [[1, 0]]}, None, None]}, "embeddings[0].nodes", "has 1 entries for 2"),
        ({"embeddings": [{"nodes": [1, 0], "paths": []}, None, None]}, "embeddings[0].paths", "has 0 entries for 1"),
        ({"embeddings": [None, None, {"nodes": [4], "paths": []}]}, "embeddings[2].nodes[0]", "must be below 4, is 4"),
        (
            {"embeddings": [{"nodes": [1, 0], "paths": [[1, 9]]}, None, None]},
            "embeddings[0].paths[0][1]",
            "must be below 4, is 9",
        ),
        ({"embeddings": [None, None, {"nodes": [-1], "paths": []}]}, "embeddings[2].nodes[0]", "must be at least 0"),
        ({"embeddings": [None, None, {"nodes": [2.0], "paths": []}]}, "embeddings[2].nodes[0]", "must be an integer"),
        ({"embeddings": [None, None, {"nodes": [2]}]}, "embeddings[2]", "is missing the field paths"),
        ({"embeddings": [None, None, False]}, "embeddings[2]", "must be an object"),
        ({"embeddings": None}, "embeddings", "must be a list, is null"),
    ],
)
def test_decisions_that_do_not_fit_are_refused(worked_embedding, decision, field, message):
    with pytest.raises(InputError) as caught:
        worked_embedding.decide(decision)
    assert caught.value.field == f"decision.{field}"
    assert caught.value.message.startswith(message)


def test_many_moments_are_looked_at_in_parts(worked_embedding):
    """A thousand short requests one after the other, and one too many at the end."""
    one = worked_embedding.requests[2]
    requests = [replace(one, arrival=float(k), duration=1.0) for k in range(1000)]
    instance = replace(worked_embedding, requests=(*requests, replace(one, arrival=999.5)))
    every = EmbeddingDecision(tuple(THIRD for _ in instance.requests))
    verdict = judge(instance, every)
    assert [(v.constraint, v.place, v.amount) for v in verdict.violations] == [("storage", "node 2 at time 999.5", 1.0)]
