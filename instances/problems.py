"""The problems, by name: their class and the presets they are drawn from."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from .arguments import of_kind, whole
from .association import Association
from .association import presets as association_presets
from .embedding import VirtualNetworks
from .embedding import presets as embedding_presets
from .errors import InputError
from .placement import Placement
from .placement import presets as placement_presets
from .provisioning import Provisioning
from .provisioning import presets as provisioning_presets
from .record import Instance
from .slicing import Slicing
from .slicing import presets as slicing_presets


@dataclass(frozen=True)
class Problem:
    """What this floor knows of a problem.

    Attributes
    ----------
    kind
        Class of its instances.
    presets
        Names of its presets.
    draw
        Draws the instance of a preset and a seed.
    """

    kind: type[Instance]
    presets: Collection[str]
    draw: Callable[[str, int], Instance]


PROBLEMS = {
    "placement": Problem(Placement, placement_presets.PRESETS, placement_presets.generate),
    "association": Problem(Association, association_presets.PRESETS, association_presets.generate),
    "embedding": Problem(VirtualNetworks, embedding_presets.PRESETS, embedding_presets.generate),
    "provisioning": Problem(Provisioning, provisioning_presets.PRESETS, provisioning_presets.generate),
    "slicing": Problem(Slicing, slicing_presets.PRESETS, slicing_presets.generate),
}


def problem(name: str) -> Problem:
    """The problem of this name.

    Raises
    ------
    InputError
        When there is none.
    """
    if name not in PROBLEMS:
        raise InputError(f'is "{name}", unknown; known are {", ".join(PROBLEMS)}', "problem")
    return PROBLEMS[name]


def generate(problem_name: str, preset: str, seed: int) -> Instance:
    """Draw the instance of a preset and a seed.

    Parameters
    ----------
    problem_name
        A problem's name.
    preset
        One of its presets, or a variant such as ``paper:users=18``.
    seed
        Non-negative; the same seed gives the same instance.

    Raises
    ------
    InputError
        When there is no such problem or preset, or the seed is no integer from 0.
    """
    found = problem(of_kind(problem_name, str, "problem"))
    return found.draw(of_kind(preset, str, "preset"), whole(seed, "seed"))
