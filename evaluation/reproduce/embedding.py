"""Figures 4 to 8 of the embedding paper with bounds that hold for every policy: training, methods, storage demands.

Figures 4 and 8, and DDRL-NRA and RLVNE in the others, are the paper's algorithms as printed (`-paper` settings). The
graph policy is ours. All are trained once, on traces with departures, and used without departures as they are.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...instances.embedding import EmbeddingDecision, VirtualNetworks
from ...instances.embedding.presets import generate
from ...instances.fields import FloatArray
from ...learned.embedding.policy_gradient import PAPER
from ...learned.label_store import TRAINING_SEED
from ...solvers.embedding.aggregate import aggregate
from ...solvers.embedding.joint import joint_bound
from ...solvers.embedding.trace import Trace
from ...solvers.solve import solve
from ..trained import metrics, trained
from .drawing import Curves, bands, draw

BOUND = "bound (any policy)"
HELD_OUT_SEED = 3_000_000
RATES = (5e-1, 5e-2, 5e-3, 5e-4)
PAPERS_RATE = 5e-3
POINTS = 20  # of time in Figures 5 to 8
PAPERS = {"DDRL-NRA": "ddrl-nra-paper", "RLVNE": "rlvne-paper"}
RULES = {"NRMVNE": "nrm", "greedy": "greedy"}
OURS = {"graph policy": "imitation-rl"}
STORAGES = {"U[1, 50]": "paper", "U[1, 20]": "storage-20", "U[1, 10]": "storage-10"}
JOINT = "joint optimisation O"
MEASURES = ("average revenue", "acceptance rate", "revenue to cost", JOINT)


@dataclass(frozen=True, eq=False)
class Effort:
    """How much is done.

    Attributes
    ----------
    papers, ours
        Hyperparameters other than the algorithms' own, of the paper's methods and of the graph policy.
    held_out
        Traces that methods are compared on.
    variant
        What is appended to the names of presets.
    """

    seeds: Sequence[int]
    papers: Mapping[str, Any]
    ours: Mapping[str, Any]
    held_out: int
    variant: str

    @property
    def note(self) -> str:
        """What figures say of it."""
        return f"{len(self.seeds)} seeds, {self.held_out} held-out traces, {bands(len(self.seeds))}"


FULL = Effort(range(5), {}, {}, 5, "")
QUICK = Effort(
    range(2),
    {"requests": 1_000, "unit": 5, "validation_worlds": 1},
    {
        "label_traces": 2,
        "validation_traces": 2,
        "rounds": 10,
        "largest_gap": 0.5,
        "tuning_steps": 5,
        "tuning_traces": 6,
        "tuning_worlds": 2,
        "past": 20,
        "future": 20,
        "validate": 5,
    },
    2,
    ":requests=200",
)


def figure_4(out: Path, effort: Effort) -> Path:
    """Average revenue, acceptance rate and revenue to cost of DDRL-NRA over training, for several learning rates."""
    runs = {rate: _papers(out, effort, "ddrl-nra-paper", rate) for rate in RATES}
    batch = effort.papers.get("batch", PAPER.batch)
    most = _bounds(generate(f"paper{effort.variant}", TRAINING_SEED))
    panels = []
    for measure, label in zip(("average_revenue", "accepted", "revenue_to_cost"), MEASURES, strict=False):
        rows = [
            {"method": f"learning rate {rate:g}", "seed": seed, "x": unit["step"] * batch, "y": value}
            for rate, run in runs.items()
            for unit in metrics(run)
            for seed, value in zip(effort.seeds, unit[measure], strict=True)
        ]
        rows += [{"method": BOUND, "seed": -1, "x": x, "y": most[label]} for x in sorted({row["x"] for row in rows})]
        note = f"Figure 4: DDRL-NRA over training on one trace; {len(effort.seeds)} seeds, {bands(len(effort.seeds))}"
        panels.append(_curves(label, "requests met", rows, note))
    return draw(panels, out / "figure-4")


def _by_method(number: int, measure: str) -> Callable[[Path, Effort], Path]:
    """A figure of the methods over time, with departures and without."""

    def figure(out: Path, effort: Effort) -> Path:
        note = f"Figure {number}: {effort.note}"
        panels = []
        for title, preset in (("requests depart", "paper"), ("requests stay", "paper-stay")):
            rows = [
                {"method": course.method, "seed": course.seed, "x": x, "y": y}
                for course in _courses(out, effort, preset)
                for x, y in zip(course.time, course.measures[measure], strict=True)
            ]
            panels.append(_curves(f"{measure}: {title}", "time (1,000 units)", rows, note))
        return draw(panels, out / f"figure-{number}")

    return figure


def figure_8(out: Path, effort: Effort) -> Path:
    """All measures of DDRL-NRA over time, with three storage demands; O with its bound for each."""
    panels = []
    for measure in MEASURES:
        rows = []
        for storage, preset in STORAGES.items():
            courses = _of_method(out, effort, preset, "DDRL-NRA")
            if measure == JOINT:
                courses = [*courses, _most(effort, preset)]
            for course in courses:
                method = f"storage {storage}" + (", bound" if course.method == BOUND else "")
                both = zip(course.time, course.measures[measure], strict=True)
                rows += [{"method": method, "seed": course.seed, "x": x, "y": y} for x, y in both]
        panels.append(_curves(measure, "time (1,000 units)", rows, f"Figure 8: DDRL-NRA; {effort.note}"))
    return draw(panels, out / "figure-8")


FIGURES: dict[int, Callable[[Path, Effort], Path]] = {
    4: figure_4,
    **{number: _by_method(number, measure) for number, measure in zip((5, 6, 7), MEASURES, strict=False)},
    8: figure_8,
}


def _curves(title: str, x: str, rows: list[dict[str, Any]], note: str) -> Curves:
    return Curves(title, x, "", pd.DataFrame(rows, columns=["method", "seed", "x", "y"]), BOUND, note)


def _papers(out: Path, effort: Effort, algorithm: str, rate: float = PAPERS_RATE) -> Path:
    """One of the paper's methods as printed but for the learning rate."""
    folder = out / "runs" / f"{algorithm}-{rate:g}"
    changes = {"learning_rate": rate, **effort.papers}
    return trained("embedding", f"paper{effort.variant}", algorithm, effort.seeds, folder, changes=changes)


class Course(NamedTuple):
    """How traces went for a method and seed, on average.

    Attributes
    ----------
    time : array, shape (POINTS,)
        In 1,000 units.
    measures
        By name, each of shape (POINTS,): of all requests until then.
    """

    method: str
    seed: int
    time: FloatArray
    measures: dict[str, FloatArray]


@functools.cache
def _courses(out: Path, effort: Effort, preset: str) -> list[Course]:
    """The courses of all methods on the held-out traces of a preset, and the bound."""
    methods = [*PAPERS, *OURS, *RULES]
    return [course for method in methods for course in _of_method(out, effort, preset, method)] + [
        _most(effort, preset)
    ]


@functools.cache
def _of_method(out: Path, effort: Effort, preset: str, method: str) -> list[Course]:
    """The courses of one method, one a seed."""
    traces = _traces(effort, preset)
    if method in RULES:
        return [_course(method, -1, [(trace, solve(trace, RULES[method]).decision) for trace in traces])]
    if method in PAPERS:
        run = _papers(out, effort, PAPERS[method])
    else:
        folder = out / "runs" / OURS[method]
        run = trained("embedding", f"paper{effort.variant}", OURS[method], effort.seeds, folder, changes=effort.ours)
    return [
        _course(method, seed, [(trace, solve(trace, f"policy:{run}?seed={seed}").decision) for trace in traces])
        for seed in effort.seeds
    ]


@functools.cache
def _traces(effort: Effort, preset: str) -> list[VirtualNetworks]:
    return [generate(f"{preset}{effort.variant}", HELD_OUT_SEED + k) for k in range(effort.held_out)]


def _course(method: str, seed: int, pairs: Sequence[tuple[VirtualNetworks, Any]]) -> Course:
    found = [_of_trace(trace, decision) for trace, decision in pairs]
    time = np.mean([_times(trace) for trace, _ in pairs], 0) / 1_000
    return Course(method, seed, time, {name: np.mean([one[name] for one in found], 0) for name in MEASURES})


def _times(trace: VirtualNetworks) -> FloatArray:
    horizon = trace.horizon or 1.0
    return np.linspace(horizon / POINTS, horizon, POINTS)


def _of_trace(trace: VirtualNetworks, decision: Any) -> dict[str, FloatArray]:
    """The paper's measures at each time, of the requests that have arrived (equations 9 to 12)."""
    assert isinstance(decision, EmbeddingDecision)
    requests = [trace.requests[k] for k in trace.order]
    embeddings = [decision.embeddings[k] for k in trace.order]
    both = list(zip(requests, embeddings, strict=True))
    taken = np.array([embedding is not None for embedding in embeddings])
    gained = np.array([0.0 if embedding is None else request.revenue for request, embedding in both])
    paid = np.array([0.0 if embedding is None else request.cost(embedding.hops) for request, embedding in both])
    times = _times(trace)
    until = np.searchsorted([request.arrival for request in requests], times, side="right")
    revenue, cost, count = (np.append(0.0, np.cumsum(value))[until] for value in (gained, paid, taken))
    by_time, ratio, share = revenue / times, revenue / np.maximum(cost, 1e-9), count / np.maximum(until, 1)
    return dict(zip(MEASURES, (by_time, share, ratio, by_time + share + ratio), strict=True))


@functools.cache
def _most(effort: Effort, preset: str) -> Course:
    """What no policy exceeds at each time."""
    traces = _traces(effort, preset)
    found = [[_bounds(_until(trace, time)) for time in _times(trace)] for trace in traces]
    time = np.mean([_times(trace) for trace in traces], 0) / 1_000
    columns = {name: np.mean([[one[name] for one in own] for own in found], 0) for name in MEASURES}
    return Course(BOUND, -1, time, columns)


def _until(trace: VirtualNetworks, time: float) -> VirtualNetworks:
    """The beginning of a trace."""
    return replace(trace, requests=tuple(one for one in trace.requests if one.arrival <= time), horizon=float(time))


def _bounds(trace: VirtualNetworks) -> dict[str, float]:
    """What no policy exceeds on a trace without colocation, by measure."""
    if not trace.requests:
        return dict.fromkeys(MEASURES, 0.0)
    tables, count = Trace.of(trace), len(trace.requests)
    revenue = aggregate(trace, tables).bound / (trace.horizon or 1.0)
    accepted = aggregate(trace, tables, value=np.full(count, 1 / count)).bound
    return dict(zip(MEASURES, (revenue, accepted, 1.0, joint_bound(trace) or 0.0), strict=True))
