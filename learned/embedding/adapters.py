"""Embedding for other people's code: one agent, or one a segment; an impossible action does nothing."""

from typing import Any, ClassVar

import numpy as np

from ...instances.embedding.instance import DOMAINS
from ...instances.embedding.presets import generate
from ..environment import FRESH_SEEDS
from ..turn_adapters import TurnAEC, TurnGym
from .environment import EmbeddingEnvironment

OPERATOR = "operator"


def _fresh(preset: str, rng: np.random.Generator) -> EmbeddingEnvironment:
    """An environment of one fresh trace."""
    return EmbeddingEnvironment([generate(preset, int(rng.integers(*FRESH_SEEDS)))], stepwise=True)


class EmbeddingGym(TurnGym[EmbeddingEnvironment]):
    """One agent that places nodes one after the other; see `environment` for its actions.

    Parameters
    ----------
    preset
        What traces are drawn from; a preset's name.
    """

    def __init__(self, preset: str) -> None:
        super().__init__(lambda rng: _fresh(preset, rng), np.inf)


class EmbeddingAEC(TurnAEC[EmbeddingEnvironment]):
    """``space``, ``air`` and ``ground`` place the nodes that must be theirs; ``operator`` does all else.

    That is to place nodes that may be in several domains, and to take or refuse embeddings.

    Parameters
    ----------
    preset
        What traces are drawn from; a preset's name.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "skybound_embedding",
        "render_modes": [],
        "is_parallelizable": False,
    }

    def __init__(self, preset: str) -> None:
        super().__init__(lambda rng: _fresh(preset, rng), [*DOMAINS, OPERATOR], _segment, np.inf)


def _segment(environment: EmbeddingEnvironment) -> str:
    """Whose turn it is."""
    if environment.deciding[0]:
        return OPERATOR
    tables, play = environment.tables, environment.play
    first = tables.node_first[0, play.request[0]]
    able = tables.able[0, first + tables.sequence[0, first + play.turn[0]]]
    return DOMAINS[int(able.argmax())] if able.sum() == 1 else OPERATOR
