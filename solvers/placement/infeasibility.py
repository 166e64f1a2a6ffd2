"""Why there is no placement: users whose possible hosts have fewer places together than there are users (Hall)."""

from collections.abc import Iterable

import networkx as nx
import numpy as np

from ...instances.placement import Placement

NAMED = 8  # users and hosts called by name


def explained(instance: Placement) -> str:
    """Users and all their hosts, with too few places; found as a minimum cut."""
    delay_s = np.column_stack([instance.local_s, instance.transmit_s, instance.cloud_s])
    places = [*instance.device_capacity.tolist(), instance.cloud_places]
    graph: nx.DiGraph[object] = nx.DiGraph()
    graph.add_nodes_from(["source", "sink"])
    for user, host in np.argwhere(np.isfinite(delay_s)).tolist():
        graph.add_edge(("user", user), ("host", host) if host else "sink", capacity=1)
    for user in range(instance.users):
        graph.add_edge("source", ("user", user), capacity=1)
    for host, room in enumerate(places, 1):
        graph.add_edge(("host", host), "sink", capacity=room)
    _, (side, _) = nx.minimum_cut(graph, "source", "sink")
    users = sorted(number for kind, number in side - {"source"} if kind == "user")
    hosts = sorted({host for user in users for host in np.flatnonzero(np.isfinite(delay_s[user])).tolist()})
    room = sum(places[host - 1] for host in hosts)
    names = [f"device {host - 1}" if host < instance.cloud else "the cloud" for host in hosts]
    who = f"user {users[0]} has" if len(users) == 1 else f"{len(users)} users ({_listed(map(str, users))}) have"
    return f"{who} " + (f"only {_listed(names)} to be on, with {room} places" if hosts else "no possible host")


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known if len(known) <= NAMED else [*known[: NAMED - 1], f"and {len(known) - NAMED + 1} more"])
