"""Why there is no placement: users whose possible hosts have fewer places together than there are users (Hall)."""

from collections.abc import Iterable, Mapping, Sequence

import networkx as nx
import numpy as np

from ...instances.placement import Placement

NAMED = 8  # users and hosts called by name


def explained(instance: Placement) -> str:
    """Users and all their hosts, with too few places; found as a minimum cut."""
    shared_s = np.column_stack([instance.transmit_s, instance.cloud_s])
    places = [*instance.device_capacity.tolist(), instance.cloud_places]
    hosts_of = {
        user: np.flatnonzero(np.isfinite(shared_s[user])).tolist()
        for user in np.flatnonzero(~np.isfinite(instance.local_s)).tolist()  # whoever can be at home needs no place
    }
    users = _short_of_places(hosts_of, places)
    hosts = sorted({host for user in users for host in hosts_of[user]})
    room = sum(places[host] for host in hosts)
    names = [f"device {host}" if host < instance.devices else "the cloud" for host in hosts]
    who = f"user {users[0]} has" if len(users) == 1 else f"{len(users)} users ({_listed(map(str, users))}) have"
    if not hosts:
        return f"{who} no possible host"
    return f"{who} only {_listed(names)} to be on, with {room} place{'s' * (room != 1)}"


def _short_of_places(hosts_of: Mapping[int, Sequence[int]], places: Sequence[int]) -> list[int]:
    """Users who are more than all their hosts' places; no others than the shortage needs."""
    graph: nx.DiGraph[object] = nx.DiGraph()
    graph.add_nodes_from(["source", "sink"])
    for user, hosts in hosts_of.items():
        graph.add_edge("source", ("user", user), capacity=1)
        graph.add_edges_from((("user", user), ("host", host)) for host in hosts)
    for host, room in enumerate(places):
        graph.add_edge(("host", host), "sink", capacity=room)
    # Backwards, the side of the source is only what it reaches in the residual graph.
    _, (_, side) = nx.minimum_cut(graph.reverse(), "sink", "source")
    return sorted(number for kind, number in side - {"source"} if kind == "user")


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known if len(known) <= NAMED else [*known[: NAMED - 1], f"and {len(known) - NAMED + 1} more"])
