"""The folder of one training run: what it is, how it went, where it stands, and the policy it came to.

run.json        problem, preset, algorithm, seeds, hyperparameters, version of the package
metrics.jsonl   one line a unit of work (and TensorBoard's event files where that is installed)
checkpoint.pt   everything needed to go on bit for bit
policy.pt       the best policy so far, see `policy`
"""

import contextlib
import importlib.metadata
import json
import os
import pickle
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ..instances.errors import InputError
from ..instances.json_files import atomic, read_json, write_json


@dataclass(frozen=True)
class About:
    """What is trained, on what, and how."""

    problem: str
    preset: str
    algorithm: str
    seeds: Sequence[int]
    hyperparameters: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The description as JSON types, with the package's version."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain | {"format": "skybound-run", "version": 1, "skybound": importlib.metadata.version("skybound")}


class Run:
    """A run folder opened for training.

    Attributes
    ----------
    units
        Units of work done and kept.
    cpu_s
        CPU time that they took, with the preparation of every start (s).
    learner
        State of the learner after them; None before the first.

    Raises
    ------
    InputError
        When the folder holds a run already and `resume` is not set, or holds another run than this one.
    """

    def __init__(self, folder: str | Path, about: About, *, resume: bool) -> None:
        self.folder, self.about = Path(folder), about
        self.units, self._cpu_s, self.learner = 0, 0.0, None
        self._began_cpu_s = time.process_time()
        self._metrics = self.folder / "metrics.jsonl"
        self._metrics_bytes = 0
        self._board: Any = None
        if (self.folder / "run.json").exists():
            if not resume:
                raise InputError("holds a run already; resume it or choose another folder", file=str(self.folder))
            self._compare()
            self._read_checkpoint()

    def _compare(self) -> None:
        """Object to a run that is there already and is another one."""
        file, description = self.folder / "run.json", self.about.to_json()
        known = read_json(file)
        if not isinstance(known, dict):
            raise InputError("must be an object", file=str(file))
        for key in ("problem", "preset", "algorithm", "seeds", "hyperparameters"):
            if known.get(key) != description[key]:
                there, here = json.dumps(known.get(key)), json.dumps(description[key])
                raise InputError(f"the run there has {there}, not {here}", key, str(file))

    def _read_checkpoint(self) -> None:
        """Take up the last checkpoint, if any."""
        file = self.folder / "checkpoint.pt"
        if file.exists():
            kept = read_torch(file)
            self.units, self._cpu_s, self.learner = kept["units"], kept["cpu_s"], kept["learner"]
            self._metrics_bytes = kept["metrics_bytes"]

    def begin(self) -> None:
        """Make the folder ready for more units."""
        if not (self.folder / "run.json").exists():
            write_json(self.folder / "run.json", self.about.to_json())
        for torn in self.folder.glob(".*.part"):  # what a start that was killed had in hand
            torn.unlink()
        # Lines that came after the checkpoint belong to work that will be done again.
        with self._metrics.open("ab") as stream:
            stream.truncate(self._metrics_bytes)
        self._board = _tensorboard(self.folder, self.units)

    @property
    def cpu_s(self) -> float:
        """CPU time of all starts so far (s)."""
        return self._cpu_s + time.process_time() - self._began_cpu_s

    def charge(self, cpu_s: float) -> None:
        """Add CPU time that other processes took (s)."""
        self._cpu_s += cpu_s

    def keep(self, metrics: Mapping[str, Any], learner: Mapping[str, Any]) -> None:
        """Write what a unit of work came to; it counts from the moment when the checkpoint stands."""
        units, cpu_s = self.units + 1, self.cpu_s
        with self._metrics.open("ab") as stream:
            stream.write(json.dumps({"unit": units, "cpu_s": round(cpu_s, 3), **metrics}).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
            length = stream.tell()
        state = {"units": units, "cpu_s": cpu_s, "metrics_bytes": length, "learner": learner}
        write_torch(self.folder / "checkpoint.pt", state)
        self.units = units
        self._show(metrics)

    def keep_policy(self, policy: Mapping[str, Any]) -> None:
        """Write the best policy so far."""
        about = self.about.to_json() | {"format": "skybound-policy"}
        write_torch(self.folder / "policy.pt", about | dict(policy))

    @property
    def has_policy(self) -> bool:
        """Whether a policy was written."""
        return (self.folder / "policy.pt").exists()

    def close(self) -> None:
        """Let go of the folder."""
        if self._board is not None:
            self._board.close()

    def _show(self, metrics: Mapping[str, Any]) -> None:
        if self._board is None:
            return
        for name, value in metrics.items():
            for seed, number in zip(self.about.seeds, value, strict=True) if isinstance(value, list) else [("", value)]:
                self._board.add_scalar(f"{name}/{seed}".rstrip("/"), number, self.units)


def _tensorboard(folder: Path, units: int) -> Any:
    """A TensorBoard writer that drops what came after these units; None where TensorBoard is not installed."""
    with contextlib.suppress(ImportError):
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(folder), purge_step=units + 1)
    return None


def write_torch(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain values atomically."""
    with atomic(path) as stream:
        torch.save(dict(content), stream)


def read_torch(path: Path) -> dict[str, Any]:
    """Read tensors and plain values; nothing in the file is executed.

    Raises
    ------
    InputError
        When the file cannot be read or holds anything else.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            content = torch.load(path, weights_only=True)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=str(path)) from None
    except (RuntimeError, EOFError, pickle.UnpicklingError, ValueError, LookupError, AttributeError):
        # What PyTorch says here is how to read the file all the same and execute what it holds.
        raise InputError("is not a file of tensors, or not a whole one", file=str(path)) from None
    if not isinstance(content, dict):
        raise InputError("is not a file of named tensors", file=str(path))
    return content
