"""Ranks of nodes, and rules that embed by them."""

import numpy as np
import pytest
from skybound.instances.embedding import Links
from skybound.instances.embedding.ranked import embed_by_resources, resource_rank
from skybound.instances.embedding.residual import Residual
from skybound.instances.problems import generate
from skybound.solvers.embedding.rules import embed_greedily, global_capacity, outwards, random_walk

# A path of three nodes with bandwidth 2 and 6.
PATH = Links([0, 1], [1, 2], [2.0, 6.0])
RESOURCES = np.array([1.0, 2.0, 1.0])


def test_resources_times_bandwidth():
    assert resource_rank(RESOURCES, RESOURCES, PATH, PATH.bandwidth).tolist() == [4.0, 32.0, 12.0]


def test_global_capacity_solves_its_equation():
    """M shares a neighbour's capacity by bandwidth: all of an end's goes to the middle, a quarter of its to node 0."""
    share = np.array([[0, 1 / 4, 0], [1, 0, 1], [0, 3 / 4, 0]])
    own = RESOURCES / 4
    known = np.linalg.solve(np.eye(3) - 0.85 * share, 0.15 * own)
    assert global_capacity(RESOURCES, PATH, PATH.bandwidth) == pytest.approx(known, abs=1e-4)


def test_the_random_walk_is_where_it_stays():
    """Weights 2, 16, 6: from the middle a walk steps to node 2 three times as often as to node 0."""
    step = np.array([[0, 1, 0], [1 / 4, 0, 3 / 4], [0, 1, 0]])
    jump = np.array([2, 16, 6]) / 24
    known = np.linalg.solve((np.eye(3) - 0.85 * step).T, 0.15 * jump)
    assert random_walk(RESOURCES, PATH, PATH.bandwidth) == pytest.approx(known, abs=1e-4)
    assert known.sum() == pytest.approx(1)


def test_nodes_are_placed_outwards_from_the_one_with_most_links():
    for request in generate("embedding", "paper:requests=20", 0).requests:
        order, links = outwards(request), request.links
        assert sorted(order) == list(range(len(request.nodes)))
        for at, node in enumerate(order[1:], 1):
            near = {*links.target[links.source == node].tolist(), *links.source[links.target == node].tolist()}
            assert near & set(order[:at])


def test_greedy_pays_for_fewer_hops_than_rules_that_rank():
    instance = generate("embedding", "paper:requests=20", 0)
    residual = Residual(instance.substrate)
    found = [
        [rule(residual, request, colocate=False) for request in instance.requests]
        for rule in (embed_greedily, embed_by_resources)
    ]
    both = [k for k in range(20) if all(embeddings[k] is not None for embeddings in found)]
    assert len(both) >= 15
    greedy, nrm = (sum(instance.requests[k].cost(embeddings[k].hops) for k in both) for embeddings in found)
    assert greedy < 0.9 * nrm
