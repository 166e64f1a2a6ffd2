"""Meanings of the variables of an association's models, whose indices number choices, patterns and storage levels."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyomo.environ as pyo

from ...instances.association import Association
from ...instances.fields import IntArray
from .slot_choices import links_of_choices

Row = tuple[Any, str]  # a variable and its meaning


def choices_legend(model: pyo.ConcreteModel, instance: Association) -> Iterator[Row]:
    """Yield the meaning of each choice, and of each arc between storage levels."""
    nothing = [0] * len(model.choices)
    for g, c in model.CHOICES:
        chosen = nothing.copy()
        chosen[g] = c
        links = links_of_choices(instance, model.choices, chosen)
        yield model.x[g, c], f"slot {model.choices[g].group.slot}: {_links(links)}"
    for j, n, a, load in model.ARCS:
        layer = model.networks[j].layers[n]
        slot = model.choices[layer.group].group.slot
        amounts = f"with {layer.level[a]:.9g} data units of storage stores {layer.load[load]:.9g}"
        yield model.f[j, n, a, load], f"slot {slot}: station {j} {amounts}"


def patterns_legend(model: pyo.ConcreteModel, instance: Association) -> Iterator[Row]:
    """Yield the meaning of each pattern on a kind of channel, and of each station's price."""
    kinds = len(model.KINDS)
    for g, k, p in model.PATTERNS:
        channel = f"channel {k}" if kinds > 1 else "any channel"
        pairs = enumerate(model.tables[g].link[p].tolist())
        words = ", ".join(f"satellite {i} to station {j}" for j, i in pairs if i >= 0)
        yield model.y[g, k, p], f"slot {model.groups[g].slot}: {words} on {channel}"
    for j in model.STATIONS:
        yield model.price[j], f"station {j}: sum over slots of load over storage, at least"


def _links(links: IntArray) -> str:
    words: Iterable[str] = (f"satellite {i} to station {j} on channel {k}" for _, i, j, k in np.asarray(links).tolist())
    return ", ".join(words)
