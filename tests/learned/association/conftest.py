"""Sceneries that tests of the networks share."""

import pytest
from skybound.instances.association.presets import generate
from skybound.learned.association.foresight import Scenery


@pytest.fixture(scope="session")
def scenery() -> Scenery:
    """Three short days: two whose channels are alike, and one that fades."""
    return Scenery.of(
        [generate(f"{name}:slots=6", seed) for name, seed in (("headline", 0), ("headline", 1), ("fading", 0))]
    )
