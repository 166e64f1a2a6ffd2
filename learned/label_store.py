"""The labels of a run: what is to be drawn, chunk by chunk, kept in the run's folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
import torch

from ..instances.errors import InputError
from ..instances.fields import IntArray
from ..instances.json_files import file_stem
from ..solvers.interrupts import noting_interrupts
from .policy_file import SeenArray
from .run import read_torch, write_torch

TRAINING_SEED, VALIDATION_SEED = 1_000_000, 2_000_000


class Labels(Protocol):
    """Labels that can be kept."""

    def write(self, path: Path) -> None:
        """Write a file atomically."""


L = TypeVar("L", bound=Labels)


@dataclass(frozen=True)
class PresetLabels:
    """Labels of one preset whose other fields are arrays.

    Attributes
    ----------
    seeds : array, shape (instances,)
        Of the instances.
    seen : array, shape (instances,)
        First 64 bits of the instances' hashes.
    """

    preset: str
    seeds: IntArray
    seen: SeenArray

    @classmethod
    def _arrays(cls) -> list[str]:
        return [field.name for field in fields(cls) if field.name != "preset"]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several labels of one preset as one."""
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in cls._arrays()}
        return cls(preset=parts[0].preset, **arrays)

    def write(self, path: Path) -> None:
        """Write a file atomically."""
        arrays = {name: torch.from_numpy(getattr(self, name)) for name in self._arrays()}
        write_torch(path, {"preset": self.preset} | arrays)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what `write` has written.

        Raises
        ------
        InputError
            When it is something else.
        """
        content = read_torch(path)
        try:
            return cls(preset=str(content["preset"]), **{name: content[name].numpy() for name in cls._arrays()})
        except (KeyError, AttributeError) as error:
            raise InputError(f"is no file of labels: {error!r}", file=str(path)) from None


@dataclass(frozen=True)
class Chunk:
    """Instances of a preset that are labelled in one unit of work; `validation` is what they are for."""

    preset: str
    validation: bool
    seeds: range

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"{file_stem(self.preset)}-{self.seeds.start}.pt"


def plan(preset: str, count: int, size: int, *, validation: bool) -> list[Chunk]:
    """The chunks of `size` or less for so many instances of a preset."""
    first = VALIDATION_SEED if validation else TRAINING_SEED
    end = first + count
    return [Chunk(preset, validation, range(at, min(at + size, end))) for at in range(first, end, size)]


def plan_all(presets: Sequence[str], training: int, validation: int, size: int) -> list[Chunk]:
    """The chunks for so many instances of each preset to validate on, and then for those to learn from."""
    return [
        chunk
        for count, validates in ((validation, True), (training, False))
        for preset in presets
        for chunk in plan(preset, count, size, validation=validates)
    ]


def split(presets: str, find: Callable[[str], Any]) -> tuple[str, ...]:
    """The names of one or several presets, with semicolons between, or commas where no name has one.

    Raises
    ------
    InputError
        When one is unknown to `find`, or named twice.
    """
    names = tuple(presets.split(";" if ";" in presets or ":" in presets else ","))
    for name in names:
        find(name)
    if len(set(names)) < len(names):
        raise InputError("has a preset twice", "preset")
    return names


class LabelStore(Generic[L]):
    """Labels of one or several presets.

    Parameters
    ----------
    chunks
        All that is to be drawn.
    draw
        Makes the labels of a preset and seeds.
    read, join
        Reads what labels have written; makes one of several.
    """

    def __init__(
        self,
        chunks: Sequence[Chunk],
        draw: Callable[[str, Sequence[int]], L],
        read: Callable[[Path], L],
        join: Callable[[Sequence[L]], L],
    ) -> None:
        self.chunks, self._draw, self._read, self._join = chunks, draw, read, join

    def make(self, chunk: Chunk, folder: Path) -> None:
        """Draw, solve and keep a chunk."""
        with noting_interrupts():
            labels = self._draw(chunk.preset, chunk.seeds)
        labels.write(folder / chunk.name)

    def load(self, folder: Path, chunks: int, *, validation: bool) -> dict[str, L]:
        """What the first `chunks` chunks have come to, by preset."""
        made = [chunk for chunk in self.chunks[:chunks] if chunk.validation == validation]
        presets = dict.fromkeys(chunk.preset for chunk in made)
        return {
            preset: self._join([self._read(folder / chunk.name) for chunk in made if chunk.preset == preset])
            for preset in presets
        }
