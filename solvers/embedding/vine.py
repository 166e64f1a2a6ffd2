"""D-ViNE and R-ViNE (Chowdhury et al., INFOCOM 2009): hosts by rounding a linear program, links over shortest paths.

The program is the paper's, for the request at hand in what is left; the flow over a meta edge is the demand times the
placement, as in the paper's integers (their relaxation leaves it loose). Paths may not split here, so links are
embedded as by the paper's D-ViNE-SP.
"""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from ...instances.embedding import Embedding, Request, VirtualNetworks
from ...instances.embedding.ranked import place, route
from ...instances.embedding.residual import Residual
from ...instances.fields import FloatArray, IntArray
from ..linear_program import Arrays, LinearProgram
from ..result import Answer, Limits
from .online import Embed, meet

SMALL = 1e-6  # delta, that keeps weights of used-up resources finite
TINY = 1e-12  # share of a host that the program gives nothing: the last resort


def solve_d_vine(instance: VirtualNetworks, limits: Limits) -> Answer:
    """D-ViNE: each node on the host with the largest share of it."""
    return meet(instance, _rounded(lambda share: share, colocate=instance.colocate))


def solve_r_vine(instance: VirtualNetworks, limits: Limits) -> Answer:
    """R-ViNE: each node on a host drawn by the shares of it."""
    rng = np.random.default_rng(limits.seed)
    # The largest of logarithms with Gumbel's noise is drawn in proportion, among whatever hosts are left.
    return meet(
        instance, _rounded(lambda share: np.log(share) + rng.gumbel(size=share.shape), colocate=instance.colocate)
    )


def _rounded(worth: Callable[[FloatArray], FloatArray], *, colocate: bool) -> Embed:
    """Embed by the program's shares and what they are worth."""

    def embed(residual: Residual, request: Request) -> Embedding | None:
        share = shares(residual, request, colocate=colocate)
        if share is None:
            return None
        value = worth(share + TINY)
        order = range(len(request.nodes))
        host = place(residual, request, order, lambda node, host: value[node], colocate=colocate)
        return None if host is None else route(residual, request, host)

    return embed


def shares(residual: Residual, request: Request, *, colocate: bool) -> FloatArray | None:
    """How the relaxed program places nodes, shape (request nodes, nodes); None when it is infeasible.

     Minimises bandwidth over what is left of each link, plus CPU and storage over what is left of each node, as in the
    paper with its alpha and beta at 1.
    """
    program, node, host = _program(residual, request, colocate=colocate)
    outcome = LinearProgram(program, options={"presolve": "off"}).solve()  # which takes far longer than the simplex
    if outcome.x is None:
        return None
    share = np.zeros((len(request.nodes), len(residual.cpu)))
    share[node, host] = np.clip(outcome.x[: len(node)], 0.0, 1.0)
    return share


def _program(residual: Residual, request: Request, *, colocate: bool) -> tuple[Arrays, IntArray, IntArray]:
    """The relaxed program, and the request node and host of each of its placements, which come first."""
    able, links, wanted = residual.hosts(request), residual.substrate.links, request.links
    (node, host), nodes = np.nonzero(able), able.shape[1]
    cpu, storage = request.nodes.cpu[node], request.nodes.storage[node]
    placements, flows = np.arange(len(node)), 2 * len(links)
    columns = len(node) + len(wanted) * flows

    def rows(number: IntArray, column: IntArray, value: FloatArray, count: int) -> sp.coo_array:
        return sp.coo_array((value, (number, column)), shape=(count, columns))

    one = np.ones(len(node))
    parts = [rows(node, placements, one, len(able))]
    limits = [(np.ones(len(able)), np.ones(len(able)))]
    if not colocate:
        parts.append(rows(host, placements, one, nodes))
        limits.append((np.zeros(nodes), np.ones(nodes)))
    for demand, left in ((cpu, residual.cpu), (storage, residual.storage)):
        parts.append(rows(host, placements, demand, nodes))
        limits.append((np.full(nodes, -np.inf), np.maximum(left, 0.0)))
    tail = np.concatenate([links.source, links.target])
    head = np.concatenate([links.target, links.source])
    for n in range(len(wanted)):  # what leaves a node, less what reaches it, is what starts there less what ends
        flow = len(node) + n * flows + np.arange(flows)
        starts, ends = placements[node == wanted.source[n]], placements[node == wanted.target[n]]
        number = np.concatenate([tail, head, host[starts], host[ends]])
        column = np.concatenate([flow, flow, starts, ends])
        demand = wanted.bandwidth[n]
        value = np.repeat([1.0, -1.0, -demand, demand], [flows, flows, len(starts), len(ends)])
        parts.append(rows(number, column, value, nodes))
        limits.append((np.zeros(nodes), np.zeros(nodes)))
    own = np.arange(len(wanted) * flows)
    parts.append(rows(own % len(links), len(node) + own, np.ones(len(own)), len(links)))
    limits.append((np.full(len(links), -np.inf), np.maximum(residual.bandwidth, 0.0)))
    weight = cpu / (residual.cpu[host] + SMALL) + storage / (residual.storage[host] + SMALL)
    cost = np.concatenate([weight, np.tile(1 / (np.maximum(residual.bandwidth, 0.0) + SMALL), 2 * len(wanted))])
    lower, upper = (np.concatenate(own) for own in zip(*limits, strict=True))
    none = np.zeros(columns)
    matrix = sp.csc_array(sp.vstack(parts))
    arrays = Arrays(cost, none, np.full(columns, np.inf), np.zeros(columns, bool), matrix, lower, upper)
    return arrays, node, host
