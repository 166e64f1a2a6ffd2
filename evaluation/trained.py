"""Runs that records and figures are made of: trained once, gone on with where an earlier call stopped."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..learned.algorithms import train


def trained(
    problem: str,
    preset: str,
    algorithm: str,
    seeds: Sequence[int],
    folder: Path,
    *,
    budget_cpu_s: float | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Train, or go on; the run's folder.

    Raises
    ------
    KeyboardInterrupt
        When the training was interrupted.
    """
    outcome = train(
        problem, preset, algorithm, list(seeds), folder, budget_cpu_s=budget_cpu_s, resume=True, changes=changes
    )
    if outcome.stopped == "interrupted":
        raise KeyboardInterrupt
    return folder


def run_folder(work: Path, algorithm: str, preset: str) -> Path:
    """Where an algorithm's run on a preset, or several, is kept, so that records and figures find each other's."""
    return work / "runs" / f"{algorithm}-{preset}".translate({ord(":"): "-", ord(";"): "+"})


def metrics(run: Path) -> list[dict[str, Any]]:
    """What each unit of a run reported."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def cpu_minutes(run: Path) -> float:
    """CPU time of a run for all its seeds, labels included (min)."""
    return float(metrics(run)[-1]["cpu_s"]) / 60
