"""The loop of every training run: a unit of work, a checkpoint, the best policy, until done or out of budget."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .run import Run
from .threads import torch_threads


class Learner(Protocol):
    """Something that learns in units of work of some seconds."""

    @property
    def progress(self) -> float:
        """Share of the work done; 1 is all."""

    def step(self) -> Mapping[str, Any]:
        """Do one unit; numbers, or lists of one number a seed, by name.

        ``workers_cpu_s`` is the CPU time that it took in other processes (s).
        """

    def state(self) -> Mapping[str, Any]:
        """Everything needed to go on bit for bit: tensors and plain values."""

    def conclude(self) -> None:
        """Validate what has been learned since the last validation: the run ends before its time."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""

    def policy(self) -> Mapping[str, Any]:
        """The best policy so far, with what is needed to use it."""


@runtime_checkable
class KeepsFiles(Protocol):
    """A learner that keeps files of its own in the run's folder."""

    def open(self, folder: Path) -> None:
        """Use this folder; called before anything else."""


@dataclass(frozen=True)
class Outcome:
    """How a training run ended.

    Attributes
    ----------
    stopped
        ``done``, ``budget`` (out of CPU time) or ``interrupted`` (Ctrl-C); what was finished is kept and can go on.
    policy
        Whether the run has a policy, which comes with the first validation.
    metrics
        What the last unit reported; None when this start did none.
    """

    stopped: Literal["done", "budget", "interrupted"]
    units: int
    cpu_s: float
    policy: bool
    metrics: Mapping[str, Any] | None


def train(learner: Learner, run: Run, budget_cpu_s: float | None = None) -> Outcome:
    """Train until the learner is done, the CPU time of all starts exceeds the budget, or Ctrl-C.

    A unit of work counts once its checkpoint is written; the unit in hand is lost when the process ends.
    """
    run.begin()
    if isinstance(learner, KeepsFiles):
        learner.open(run.folder)
    if run.learner is not None:
        learner.load_state(run.learner)
        _keep_policy(learner, run)
    stopped: Literal["done", "budget", "interrupted"] = "done"
    metrics: Mapping[str, Any] | None = None
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    try:
        with torch_threads(1), Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task(run.about.algorithm, total=1.0)
            progress.update(task, completed=_share(learner, run, budget_cpu_s))
            while learner.progress < 1:
                if budget_cpu_s is not None and run.cpu_s >= budget_cpu_s:
                    stopped = "budget"
                    learner.conclude()
                    _keep_policy(learner, run)
                    break
                metrics = learner.step()
                run.charge(metrics.get("workers_cpu_s", 0.0))
                run.keep(metrics, learner.state())
                _keep_policy(learner, run)
                progress.update(task, completed=_share(learner, run, budget_cpu_s))
    except KeyboardInterrupt:
        stopped = "interrupted"
    finally:
        run.close()
    return Outcome(stopped, run.units, run.cpu_s, run.has_policy, metrics)


def _keep_policy(learner: Learner, run: Run) -> None:
    """Write the policy, once every seed has been validated."""
    policy = learner.policy()
    if min(policy["validation_return"]) > -math.inf:
        run.keep_policy(policy)


def _share(learner: Learner, run: Run, budget_cpu_s: float | None) -> float:
    """Share of the way to the nearest end."""
    spent = 0.0 if budget_cpu_s is None else 1.0 if run.cpu_s >= budget_cpu_s else run.cpu_s / budget_cpu_s
    return min(1.0, max(learner.progress, spent))
