"""The whole trace at once: large neighbourhoods beside an aggregated bound, and a proof of small traces."""

from ...instances.embedding import EmbeddingDecision, VirtualNetworks
from ..result import Answer, Limits
from .neighbourhood_search import NeighbourhoodSearch, search_small_trace
from .per_request import solve_per_request
from .placement_decomposition import prove

ROUNDS = 500  # for each request, where time does not limit them
SMALL = 20_000  # variables of directed flow up to which the placement decomposition follows


def solve_clairvoyant(instance: VirtualNetworks, limits: Limits) -> Answer:
    """The best decisions for a trace that is known from the beginning, with a bound that holds for every policy.

    A single request is solved to the end (see `per_request`). For a trace, the prices of an aggregated linear program
    say which requests promise much, and bound the optimum; large neighbourhoods improve embeddings until the time
    limit, or for `ROUNDS` rounds a request without one. Small instances go on by negotiated congestion and
    to `placement_decomposition`, which proves them when it has the time.
    """
    if not instance.requests:
        return Answer(EmbeddingDecision(()), bound=0.0)
    if len(instance.requests) == 1:
        return solve_per_request(instance, limits)
    if _flow_variables(instance) > SMALL:
        search = NeighbourhoodSearch(instance, limits)
        search.run(1.0, ROUNDS, exhaust=True)
        return search.answer()
    search = search_small_trace(instance, limits)
    if search.closed() or search.late(1.0):
        return search.answer()
    return prove(instance, search.answer(), limits, search.began)


def _flow_variables(instance: VirtualNetworks) -> int:
    """How many variables the flow model has at most."""
    links = sum(len(request.links) for request in instance.requests)
    nodes = sum(len(request.nodes) for request in instance.requests)
    return 2 * links * len(instance.substrate.links) + nodes * len(instance.substrate.nodes)
