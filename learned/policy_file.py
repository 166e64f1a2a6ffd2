"""A trained policy as a file: what it was trained on, its networks, one a seed, and what it has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from ..instances.errors import InputError
from .run import read_torch, write_torch

SeenArray = np.ndarray[Any, np.dtype[np.uint64]]


@dataclass(frozen=True)
class PolicyFile:
    """The content of ``policy.pt``.

    Attributes
    ----------
    seeds
        Trained seeds.
    validation_return
        What each seed's policy came to in validation; larger is better.
    network
        Sizes of the network.
    parameters
        Tensors by name, the seed first.
    seen : array, shape (instances,)
        First 64 bits of the hashes of all training and validation instances, ascending.
    """

    path: Path
    problem: str
    preset: str
    algorithm: str
    seeds: tuple[int, ...]
    validation_return: tuple[float, ...]
    network: dict[str, Any]
    parameters: dict[str, Tensor]
    seen: SeenArray

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a policy: a run's folder, or the file itself.

        Raises
        ------
        InputError
            When there is no policy, or the file is something else.
        """
        path = Path(path)
        file = path / "policy.pt" if path.is_dir() else path
        if not file.exists():
            missing = (
                "has no policy.pt (a run writes it with its first checkpoint)" if path.is_dir() else "is not there"
            )
            raise InputError(missing, file=str(path))
        content = read_torch(file)
        if content.get("format") != "skybound-policy" or content.get("version") != 1:
            raise InputError("is not a policy that this skybound reads", file=str(file))
        try:
            known = cls(
                path=file,
                **{name: str(content[name]) for name in ("problem", "preset", "algorithm")},
                seeds=tuple(content["seeds"]),
                validation_return=tuple(content["validation_return"]),
                network=dict(content["network"]),
                parameters=dict(content["parameters"]),
                seen=content["seen"].numpy(),
            )
            if not known.seeds or len(known.validation_return) != len(known.seeds):
                raise KeyError("seeds")
            return known
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"is not a whole policy: {error!r}", file=str(file)) from None

    @property
    def best_seed(self) -> int:
        """The seed that was best in validation."""
        return self.seeds[int(np.argmax(self.validation_return))]

    def saw(self, instance_hash: str) -> bool:
        """Whether the instance with this hash was trained or validated on."""
        return bool(np.isin(hash_numbers([instance_hash]), self.seen)[0])

    def network_size(self, name: str) -> int:
        """One of the network's sizes."""
        size = self.network.get(name)
        if not isinstance(size, int) or size < 1:
            raise InputError("is missing or no number from 1 up", f"network.{name}", str(self.path))
        return size

    def fill(self, module: torch.nn.Module, seed: int, *, stacked: bool = True) -> None:
        """Give a network the parameters of a trained seed; `stacked` networks have a first axis for seeds."""
        at = self._at(seed)
        try:
            which = slice(at, at + 1) if stacked else at
            module.load_state_dict({name: value[which] for name, value in self.parameters.items()})
        except (RuntimeError, IndexError, TypeError) as error:
            message = f"do not fit their network: {str(error).splitlines()[0]}"
            raise InputError(message, "parameters", str(self.path)) from None
        module.eval()

    def write_seed(self, seed: int, path: str | Path) -> None:
        """Write the policy of one trained seed as a file of its own."""
        at = self._at(seed)
        only = {
            "seeds": [seed],
            "validation_return": [self.validation_return[at]],
            "parameters": {name: value[at : at + 1].clone() for name, value in self.parameters.items()},
        }
        write_torch(Path(path), read_torch(self.path) | only)

    def _at(self, seed: int) -> int:
        """Where a trained seed stands among the others."""
        if seed not in self.seeds:
            raise InputError(f"is {seed}, trained are {', '.join(map(str, self.seeds))}", "seed", str(self.path))
        return self.seeds.index(seed)


def hash_numbers(hashes: Sequence[str]) -> SeenArray:
    """The first 64 bits of hashes, ascending."""
    return np.sort(np.array([int(text[:16], 16) for text in hashes], np.uint64))
