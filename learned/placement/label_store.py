"""The labels of a run: what is to be drawn, chunk by chunk, kept in the run's folder."""

from dataclasses import dataclass
from pathlib import Path

from ...instances.errors import InputError
from ...instances.placement.presets import find
from .imitation_settings import Settings
from .labels import Labels, draw

TRAINING_SEED, VALIDATION_SEED = 1_000_000, 2_000_000


@dataclass(frozen=True)
class Chunk:
    """Instances of a preset that are labelled in one unit of work; `validation` is what they are for."""

    preset: str
    validation: bool
    seeds: range

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"{self.preset}-{self.seeds.start}.pt"


class LabelStore:
    """Labels of one or several presets.

    Attributes
    ----------
    presets
        Their names.
    chunks
        All that is to be drawn.
    """

    def __init__(self, presets: str, settings: Settings) -> None:
        self.presets = tuple(presets.split(","))
        for preset in self.presets:
            find(preset)
        if len(set(self.presets)) < len(self.presets):
            raise InputError("has a preset twice", "preset")
        self._largest_gap = settings.largest_gap
        self.chunks = [
            chunk
            for preset in self.presets
            for chunk in _plan(preset, VALIDATION_SEED, settings.validation_pairs, settings)
        ]
        if settings.targets is None:
            for preset in self.presets:
                self.chunks += _plan(preset, TRAINING_SEED, settings.label_pairs, settings)

    def make(self, chunk: Chunk, folder: Path) -> None:
        """Draw, solve and keep a chunk."""
        draw(chunk.preset, chunk.seeds, self._largest_gap).write(folder / chunk.name)

    def load(self, folder: Path, chunks: int, *, validation: bool) -> dict[str, Labels]:
        """What the first `chunks` chunks have come to, by preset."""
        made = [chunk for chunk in self.chunks[:chunks] if chunk.validation == validation]
        return {
            preset: Labels.joined([Labels.read(folder / chunk.name) for chunk in made if chunk.preset == preset])
            for preset in self.presets
            if any(chunk.preset == preset for chunk in made)
        }


def _plan(preset: str, first_seed: int, pairs: int, settings: Settings) -> list[Chunk]:
    """The chunks for so many pairs of a preset, at least one instance."""
    each = find(preset).users * (find(preset).devices + 2)
    end, size = first_seed + max(1, pairs // each), max(1, settings.chunk_pairs // each)
    validation = first_seed == VALIDATION_SEED
    return [Chunk(preset, validation, range(at, min(at + size, end))) for at in range(first_seed, end, size)]
