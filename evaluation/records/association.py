"""Association's records: policies against the optimum, the best of 64 draws, imperfect channels, rules, and scale."""

import itertools
import resource
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from ...instances.association import presets
from ...instances.errors import InputError
from ...instances.problems import generate
from ...solvers.solve import solve
from .. import benchmark
from ..experiment import Evaluation, evaluate, summarise
from ..trained import cpu_minutes, trained

PRESETS = ("paper", "headline")
PAPERS_SETTING = "paper"
BOTH = ",".join(PRESETS)  # prices and links are learned on both at once
RULES = ("random", "greedy", "greedy-channel", "load-aware", "local-search", "price-iteration", "myopic", "rolling")
FAMILY = ("dqn", "ddqn", "dueling", "psddqn")
PAPERS = tuple(f"{name}-paper" for name in FAMILY)  # as printed, in the paper's own setting
STUDENTS = ("prices", "imitation", "imitation-rl")
SEEDS = range(5)
HELD_OUT_SEED, HELD_OUT = 3_000_000, 40
SAMPLED_DAYS, SAMPLES = 10, 64
ERRORS = (0.1, 0.3)
OTHERS = ("headline-near", "fading", "steep", "steep-spread")  # presets that no policy was trained for
OTHERS_DAYS, OTHERS_LIMIT_S = 3, 120.0
SNAPSHOT_LIMIT_S = 600.0
ELEMENTS, PLACES = "satellites.tle", "stations.geojson"


def policies(work: Path) -> pd.DataFrame:
    """Regret of rules and policies on held-out days of each preset, 5 seeds, CPU time of training charged."""
    return pd.concat([_table(work, preset, 1, HELD_OUT) for preset in PRESETS])


def sampled(work: Path) -> pd.DataFrame:
    """The same of the best of 64 draws, of a day by Q-networks, of each slot by imitation, on fewer days."""
    return pd.concat([_table(work, preset, SAMPLES, SAMPLED_DAYS) for preset in PRESETS])


def order(work: Path) -> pd.DataFrame:
    """Regret of each of the paper's methods less that of another on the same held-out days, with intervals."""
    tables = []
    for preset in PRESETS:
        evaluation, names, _ = _evaluated(work, preset, 1, HELD_OUT)
        rows = evaluation.rows.assign(solver=evaluation.rows["solver"].map(names))
        for family in (FAMILY, PAPERS) if preset == PAPERS_SETTING else (FAMILY,):
            chain = ("greedy", *family)
            pairs = [*itertools.pairwise(chain), ("greedy", family[-1]), (family[0], family[-1])]
            for worse, better in pairs + [("load-aware", name) for name in family]:
                line = summarise(rows[rows["solver"].isin((worse, better))], against=worse)
                own = line[line["solver"] == better].filter(like="difference")
                own.insert(0, "of", better)
                own.insert(1, "less", worse)
                own.insert(0, "preset", preset)
                tables.append(own)
    found: pd.DataFrame = pd.concat(tables)
    return found


def _table(work: Path, preset: str, samples: int, count: int) -> pd.DataFrame:
    evaluation, names, minutes = _evaluated(work, preset, samples, count)
    found = evaluation.summary
    found.insert(0, "preset", preset)
    found["cpu_minutes"] = [minutes.get(name.partition("?")[0]) for name in found["solver"]]
    found["solver"] = found["solver"].map(names)
    return found


def _evaluated(
    work: Path, preset: str, samples: int, count: int
) -> tuple[Evaluation, dict[str, str], dict[str, float]]:
    """All that is compared on a preset, what its solvers are called, and CPU minutes of policies."""
    family = (*FAMILY, *PAPERS) if preset == PAPERS_SETTING else FAMILY
    runs = {name: trained_run(work, name, preset) for name in family}
    runs |= {name: trained_run(work, name, BOTH) for name in STUDENTS}
    names = {"decomposition": "optimum"}
    if samples == 1:
        names |= {rule: rule for rule in RULES} | {f"policy:{run}": name for name, run in runs.items()}
    else:
        names |= {
            f"policy:{run}?samples={samples}": f"{name}, best of {samples}"
            for name, run in runs.items()
            if name in ("psddqn", "imitation", "imitation-rl")
        }
    days = [generate("association", preset, HELD_OUT_SEED + k) for k in range(count)]
    folder = work / "policies" / f"{preset}-{samples}"
    found = evaluate(days, list(names), seeds=list(SEEDS), out=folder, resume=True)
    return found, names, {f"policy:{run}": cpu_minutes(run) for run in runs.values()}


def channels(work: Path) -> pd.DataFrame:
    """The same with channels known with an error of 10 and 30 %, against the optimum of perfect knowledge."""
    rules = ("greedy", "load-aware", "myopic", "decomposition")
    tables = []
    for preset in PRESETS:
        runs = {name: f"policy:{trained_run(work, name, BOTH)}" for name in ("prices", "imitation")}
        runs |= {"psddqn": f"policy:{trained_run(work, 'psddqn', preset)}", **{rule: rule for rule in rules}}
        names = {"decomposition": "optimum"} | {
            f"csi:{error}:{place}": f"{name}, error {error}" for error in ERRORS for name, place in runs.items()
        }
        days = [generate("association", preset, HELD_OUT_SEED + k) for k in range(SAMPLED_DAYS)]
        folder = work / "channels" / preset
        found = evaluate(days, list(names), seeds=list(SEEDS), out=folder, resume=True).summary
        found.insert(0, "preset", preset)
        found["solver"] = found["solver"].map(names)
        tables.append(found)
    return pd.concat(tables)


def rules(work: Path) -> pd.DataFrame:
    """Regret of rules on the presets that policies are not trained for; of `steep-spread`, against a bound."""
    tables = []
    for preset in OTHERS:
        days = [generate("association", preset, HELD_OUT_SEED + k) for k in range(OTHERS_DAYS)]
        names, folder = ["decomposition", *RULES], work / "rules" / preset
        found = evaluate(days, names, seeds=list(SEEDS), time_limit_s=OTHERS_LIMIT_S, out=folder, resume=True).summary
        found.insert(0, "preset", preset)
        tables.append(found)
    return pd.concat(tables)


def snapshot(work: Path) -> pd.DataFrame:
    """A sky of real satellites, `satellites.tle` and `stations.geojson` in the work folder, certified in ten minutes.

    Memory is the most that the process ever had, so a run with ``--only`` tells what this takes.
    """
    elements, stations = work / ELEMENTS, work / PLACES
    for file in (elements, stations):
        if not file.exists():
            raise InputError("is not there: element sets, and stations", file=str(file))
    instance = presets.generate(f"snapshot:tle={elements},stations={stations}", 0)
    found = solve(instance, time_limit_s=SNAPSHOT_LIMIT_S)
    line = {
        "hash": instance.hash,
        "satellites": instance.satellites,
        "stations": instance.stations,
        "slots": instance.slots,
        "slot_s": instance.slot_s,
        "status": str(found.status),
        "objective": found.objective,
        "bound": found.bound,
        "gap": found.gap,
        "seconds": found.runtime_s,
        "peak_bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    return pd.DataFrame([line])


def trained_run(work: Path, algorithm: str, preset: str) -> Path:
    """The run of an algorithm."""
    folder = work / "runs" / f"{algorithm}-{preset.replace(',', '+')}"
    return trained("association", preset, algorithm, SEEDS, folder)


def scale(work: Path) -> pd.DataFrame:
    """Medians and maxima of the benchmark cases."""
    return benchmark.scale("association", work / "benchmark-association")


RECORDS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "scale": scale,
    "policies": policies,
    "order": order,
    "sampled": sampled,
    "channels": channels,
    "rules": rules,
    "snapshot": snapshot,
}
