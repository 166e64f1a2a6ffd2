"""Embedding's records: policies and rules beside a clairvoyant bracket, the paper's claims, edge domains, scale."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from ...instances.embedding.presets import find, generate
from ...instances.errors import InputError
from ...solvers.solve import solve
from .. import benchmark
from ..benchmark_cases import ONLINE
from ..experiment import Evaluation, evaluate
from ..statistics import interval
from ..trained import cpu_minutes, metrics, trained

SEEDS = range(5)
HELD_OUT_SEED, HELD_OUT = 3_000_000, 5
SAMPLES = 16
CLAIRVOYANT = "clairvoyant"
CLAIRVOYANT_S = 300.0
TABLES = ("rlvne-paper", "ddrl-nra-paper", "rlvne", "ddrl-nra")
GRAPHS = ("imitation", "imitation-rl")
DOMAINS = {1: "paper:domains=1", 3: "paper", 6: "domains-6", 10: "domains-10"}
PROOF_S = 600.0
PROVERS = (
    ("tiny", "milp", range(10)),
    ("tiny", "cp-sat", range(10)),
    ("tiny", "column-generation", range(10)),
    ("small", CLAIRVOYANT, range(10)),
    ("medium", CLAIRVOYANT, range(3)),
)
REVENUE, ACCEPTED = "objective", "measures.ACR"


def policies(work: Path) -> pd.DataFrame:
    """Revenue of rules and policies on held-out traces, against the bound and the best embeddings known."""
    return _table(_evaluated(work, "paper"), _names(work), work)


def topology(work: Path) -> pd.DataFrame:
    """The same on a real network, ``topology.graphml`` in the work folder, with policies as they were trained."""
    return _table(_evaluated(work, f"paper:topology={work / 'topology.graphml'},speeds=yes"), _names(work), work)


def claims(work: Path) -> pd.DataFrame:
    """What the paper's method and ours earn (%) and accept (points) beyond others, with intervals."""
    rows = _evaluated(work, "paper").rows
    rows = rows.assign(solver=rows["solver"].map(_names(work)))
    pairs = [
        (better, worse)
        for better in ("ddrl-nra-paper", "ddrl-nra")
        for worse in (better.replace("ddrl-nra", "rlvne"), "nrm", "greedy")
    ]
    best = f"{GRAPHS[-1]}, best of {SAMPLES}"
    pairs += [(name, worse) for name in (*GRAPHS, best) for worse in ("ddrl-nra-paper", "greedy", "per-request")]
    return pd.DataFrame([_beyond(rows, *pair) for pair in pairs])


def _beyond(rows: pd.DataFrame, better: str, worse: str) -> dict[str, object]:
    """How much more revenue and acceptance one comes to than another on the same traces, seed by seed."""
    line: dict[str, object] = {"of": better, "less": worse}
    for name, column, relative in (("revenue_percent", REVENUE, True), ("acceptance_points", ACCEPTED, False)):
        one, other = (
            rows[rows["solver"] == solver].pivot_table(index="hash", columns="seed", values=column)
            for solver in (better, worse)
        )
        base = other if set(one.columns) == set(other.columns) else other.mean(axis=1)
        more = 100 * (one.div(base, axis=0) - 1 if relative else one.sub(base, axis=0)).to_numpy()
        low, high = interval(more, np.zeros(len(more)), np.mean, np.random.default_rng(0))
        line |= {name: more.mean(), f"{name}_low": low, f"{name}_high": high}
    return line


def domains(work: Path) -> pd.DataFrame:
    """DDRL-NRA with our hyperparameters and one agent for all, or one an edge domain; bytes sent for each request."""
    runs = {count: trained_run(work, "ddrl-nra", preset) for count, preset in DOMAINS.items()}
    names = {f"policy:{run}": str(count) for count, run in runs.items()}
    traces = [generate("paper", HELD_OUT_SEED + k) for k in range(HELD_OUT)]
    found = evaluate(traces, list(names), seeds=list(SEEDS), out=work / "domains", resume=True).summary
    found.insert(0, "domains", found.pop("solver").map(names))
    found["bytes_per_request"] = [metrics(runs[int(count)])[-1]["bytes_per_request"] for count in found["domains"]]
    found["cpu_minutes"] = [cpu_minutes(runs[int(count)]) for count in found["domains"]]
    return found


def _evaluated(work: Path, preset: str) -> Evaluation:
    """All that is compared on a preset's held-out traces."""
    if (file := find(preset).topology) is not None and not Path(file).exists():
        raise InputError("is not there: a real network as GraphML", file=file)
    traces = [generate(preset, HELD_OUT_SEED + k) for k in range(HELD_OUT)]
    folder = work / "policies" / preset.partition(":")[0] / ("topology" if ":" in preset else "drawn")
    return evaluate(traces, list(_names(work)), seeds=list(SEEDS), time_limit_s=CLAIRVOYANT_S, out=folder, resume=True)


def _names(work: Path) -> dict[str, str]:
    """What solvers are called."""
    runs = {name: trained_run(work, name, "paper") for name in TABLES + GRAPHS}
    names = {CLAIRVOYANT: CLAIRVOYANT} | {rule: rule for rule in ONLINE}
    names |= {f"policy:{run}": name for name, run in runs.items()}
    return names | {f"policy:{runs[name]}?samples={SAMPLES}": f"{name}, best of {SAMPLES}" for name in GRAPHS}


def _table(evaluation: Evaluation, names: Mapping[str, str], work: Path) -> pd.DataFrame:
    """The summary with mean revenue and CPU time of training."""
    rows, found = evaluation.rows, evaluation.summary
    minutes = {f"policy:{run}": cpu_minutes(run) for run in (trained_run(work, n, "paper") for n in TABLES + GRAPHS)}
    found.insert(1, "revenue_mean", found["solver"].map(rows.groupby("solver")[REVENUE].mean()))
    found["cpu_minutes"] = [minutes.get(name.partition("?")[0]) for name in found["solver"]]
    found["solver"] = found["solver"].map(names)
    return found


def trained_run(work: Path, algorithm: str, preset: str) -> Path:
    """The run of an algorithm."""
    return trained("embedding", preset, algorithm, SEEDS, work / "runs" / f"{algorithm}-{preset.replace(':', '-')}")


def scale(work: Path) -> pd.DataFrame:
    """Medians and maxima of the benchmark cases."""
    return benchmark.scale("embedding", work / "benchmark-embedding")


def proofs(work: Path) -> pd.DataFrame:
    """Bounds and CPU seconds of exact solvers on ten seeds of the small presets, one file a run in the work folder."""
    folder = work / "proofs"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for case in [(preset, solver, seed) for preset, solver, seeds in PROVERS for seed in seeds]:
        path = folder / ("-".join(map(str, case)) + ".json")
        if not path.exists():
            path.write_text(json.dumps(_proof(*case)), encoding="utf-8")
        rows.append(json.loads(path.read_text(encoding="utf-8")))
    return pd.DataFrame(rows)


def _proof(preset: str, solver: str, seed: int) -> dict[str, object]:
    """One run and its CPU time."""
    instance, began = generate(preset, seed), time.process_time()
    found = solve(instance, solver, time_limit_s=PROOF_S)
    return {
        "preset": preset,
        "solver": solver,
        "seed": seed,
        "status": str(found.status),
        "objective": found.objective,
        "bound": found.bound,
        "gap_percent": None if found.gap is None else 100 * found.gap,
        "cpu_s": time.process_time() - began,
        "runtime_s": found.runtime_s,
    }


RECORDS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "policies": policies,
    "claims": claims,
    "domains": domains,
    "topology": topology,
    "scale": scale,
    "proofs": proofs,
}
