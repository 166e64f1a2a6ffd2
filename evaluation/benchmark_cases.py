"""Cases of the benchmarks of record: contenders on the same instances, and what must hold."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..instances.placement import Placement
from ..instances.placement.presets import Preset, World
from ..instances.problems import generate
from ..solvers.registry import SOLVERS
from ..solvers.result import SMALLEST_GAP, Result, relative_gap
from ..solvers.solve import solve

COMPACT_LIMIT_S = 60.0
BRACKET_LIMIT_S = 600.0
SIZES = 9  # of single requests, 2 to 10 nodes in turn
MET = 200  # requests that online rules meet
ONLINE = [name for name, entry in SOLVERS["embedding"].items() if entry.kind == "heuristic"] + ["per-request"]


class Target(NamedTuple):
    """What a contender's rows must show: the median of a measure at most so much, or its mean, of shares."""

    contender: str
    measure: str
    most: float
    of_mean: bool = False


@dataclass(frozen=True)
class Case:
    """Contenders on the same instances.

    Attributes
    ----------
    contenders
        By name; each makes the measures of one run on the instance of a seed.
    targets
        What must hold.
    most_seeds
        Of those asked for, where a seed takes many minutes.
    """

    name: str
    contenders: dict[str, Callable[[int], dict[str, Any]]]
    targets: Sequence[Target]
    most_seeds: int | None = None

    def rows(self, seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Run all contenders on one seed after the other."""
        for seed in seeds[: self.most_seeds]:
            for contender, measure in self.contenders.items():
                yield {"case": self.name, "contender": contender, "seed": seed} | measure(seed)


def scale(
    problem: str,
    preset: str,
    target_s: float,
    *,
    certified: tuple[float, float] | None = None,
    proven: bool = True,
    faster: float | None = None,
    most_seeds: int | None = None,
    gap: float = 1e-6,
) -> Case:
    """The problem's default solver beside the explicit model in HiGHS, which has a time limit.

    Parameters
    ----------
    target_s
        Of the best solver (s).
    certified
        A relative gap, and in what time it must be reached (s).
    proven
        Whether every instance must be proven optimal; otherwise the best solver has `target_s`.
    faster
        How many times faster than the explicit model the best solver must reach the gap that the model ends with.
    most_seeds
        See `Case`.
    gap
        At which the best solver stops.
    """
    best = next(iter(SOLVERS[problem]))
    milp = f"milp ({COMPACT_LIMIT_S:.0f} s)"
    model_gap: dict[int, float] = {}

    def by_model(seed: int) -> dict[str, Any]:
        result = solve(generate(problem, preset, seed), "milp", time_limit_s=COMPACT_LIMIT_S)
        model_gap[seed] = np.inf if result.gap is None else result.gap
        return _row(result) | {"seconds_to_same_gap": result.runtime_s}

    def by_best(seed: int) -> dict[str, Any]:
        result = solve(generate(problem, preset, seed), time_limit_s=None if proven else target_s, gap=gap)
        found = _row(result) | {"seconds_to_same_gap": _seconds_to(model_gap[seed], result)}
        return found | ({} if certified is None else {"seconds_to_certify": _seconds_to(certified[0], result)})

    targets = [Target(best, "seconds", target_s), Target(best, "unproven", 0.0)] if proven else []
    if certified is not None:
        targets.append(Target(best, "seconds_to_certify", certified[1]))
    if faster is not None:
        targets.append(Target(best, f"seconds_to_same_gap / {milp}", 1 / faster))
    return Case(f"{problem} {preset}", {milp: by_model, best: by_best}, targets, most_seeds)


def to_gap(preset: str, gap: float, target_s: float, limit_s: float, most_seeds: int | None = None) -> Case:
    """Slicing to a certified gap: the default solver, which stops there or at the limit, beside the explicit model."""
    certified = (gap, target_s)
    return scale("slicing", preset, limit_s, certified=certified, proven=False, most_seeds=most_seeds, gap=gap)


def _row(result: Result) -> dict[str, Any]:
    return {
        "hash": result.hash,
        "seconds": result.runtime_s,
        "status": str(result.status),
        "objective": result.objective,
        "bound": result.bound,
        "gap": result.gap,
        "unproven": float(result.status != "optimal"),
    }


def _seconds_to(gap: float, result: Result) -> float:
    """When a result's bound and incumbent were first so near (s); infinite when they never were."""
    gap = max(gap, SMALLEST_GAP)
    reached = [
        point.time_s
        for point in result.trace
        if (now := relative_gap(point.incumbent, point.bound)) is not None and now <= gap
    ]
    if result.gap is not None and result.gap <= gap:
        reached.append(result.runtime_s)
    return min(reached, default=np.inf)


def fast_path() -> Case:
    """Building a model of some 5,400 columns and handing it to HiGHS, against arrays filled by hand and appsi."""
    preset = Preset(400, 11, (0.5, 20), (20, 100), 0.2, (10, 10), 20)

    def instance(seed: int) -> Placement:
        rng = np.random.default_rng(seed)
        world = World.draw(preset, 1, rng)
        return world.instance(world.slots(rng), 0, name=f"fast-path-{seed}", provenance={})

    def by(hand_over: Callable[[Placement], int]) -> Callable[[int], dict[str, Any]]:
        def measure(seed: int) -> dict[str, Any]:
            drawn = instance(seed)
            began = time.perf_counter()
            columns = hand_over(drawn)
            return {"hash": drawn.hash, "seconds": time.perf_counter() - began, "columns": columns}

        return measure

    from . import hand_over

    contenders = {
        "fast path": by(hand_over.by_fast_path),
        "arrays": by(hand_over.by_arrays),
        "appsi_highs": by(hand_over.by_appsi),
    }
    targets = [Target("fast path", "seconds / arrays", 8.0), Target("fast path", "seconds / appsi_highs", 0.25)]
    return Case("fast path", contenders, targets)


def q_learning() -> Case:
    """Seconds for an environment step of deep Q-learning, beside Stable-Baselines3's at equal reuse of transitions."""
    from . import q_steps

    contenders: dict[str, Callable[[int], dict[str, Any]]] = {
        "ours": q_steps.ours,
        "stable-baselines3": q_steps.stable_baselines,
    }
    return Case("q-learning", contenders, [Target("ours", "seconds / stable-baselines3", 0.1)])


def single_requests(preset: str, unproven: dict[float, float]) -> Case:
    """Embedding of one request by search beside the flow model; a row is of requests of every size.

    Parameters
    ----------
    unproven
        What share of requests may be left without a proof after so many seconds.
    """

    def by(solver: str) -> Callable[[int], dict[str, Any]]:
        def measure(seed: int) -> dict[str, Any]:
            drawn = [generate("embedding", preset, SIZES * seed + k) for k in range(SIZES)]
            found = [solve(instance, solver, time_limit_s=COMPACT_LIMIT_S) for instance in drawn]
            proven_s = np.array([one.runtime_s if one.status == "optimal" else np.inf for one in found])
            late = {f"unproven after {limit:g} s": float((proven_s > limit).mean()) for limit in unproven}
            return {"seconds": float(np.median([one.runtime_s for one in found]))} | late

        return measure

    contenders = {"milp": by("milp"), "per-request": by("per-request")}
    targets = [Target("per-request", f"unproven after {limit:g} s", most, True) for limit, most in unproven.items()]
    return Case(f"embedding {preset}", contenders, targets, most_seeds=5)


def bracket(preset: str, gap: float) -> Case:
    """The clairvoyant bracket of a trace, beside what two online rules find."""

    def by(solver: str) -> Callable[[int], dict[str, Any]]:
        def measure(seed: int) -> dict[str, Any]:
            return _row(solve(generate("embedding", preset, seed), solver, time_limit_s=BRACKET_LIMIT_S))

        return measure

    contenders = {name: by(name) for name in ("greedy", "per-request", "clairvoyant")}
    return Case(f"embedding {preset}", contenders, [Target("clairvoyant", "gap", gap)], most_seeds=3)


def online_rules() -> Case:
    """Seconds a request of every online rule on the paper's substrate, with what it earns."""

    def by(solver: str) -> Callable[[int], dict[str, Any]]:
        def measure(seed: int) -> dict[str, Any]:
            instance = generate("embedding", f"paper:requests={MET}", seed)
            found = solve(instance, solver)
            return {"hash": found.hash, "seconds": found.runtime_s / MET, "objective": found.objective}

        return measure

    targets = [Target(name, "seconds", 1 / 150) for name in ("nrm", "grc")]
    return Case("embedding online", {name: by(name) for name in ONLINE}, targets)


def horizon(slots: int, target_s: float) -> Case:
    """Provisioning over many slots to the proven optimum; the model of all of them is not built."""

    def measure(seed: int) -> dict[str, Any]:
        return _row(solve(generate("provisioning", f"paper:slots={slots}", seed)))

    targets = [Target("decomposition", "seconds", target_s), Target("decomposition", "unproven", 0.0)]
    return Case(f"provisioning paper:slots={slots}", {"decomposition": measure}, targets)


CASES_OF: dict[str, dict[str, Callable[[], Case]]] = {
    "placement": {
        "fast-path": fast_path,
        "congested": lambda: scale("placement", "congested", 0.1),
        "congested-40": lambda: scale("placement", "congested-40", 0.1),
        "congested-100": lambda: scale("placement", "congested-100", 0.5),
        "large": lambda: scale("placement", "large", 2.0),
        "huge": lambda: scale("placement", "huge", 180.0, certified=(1e-3, 60.0)),
        "congested-optimal": lambda: scale("placement", "congested-optimal", 1.0),
        "congested-40-optimal": lambda: scale("placement", "congested-40-optimal", 3.0),
        "congested-100-optimal": lambda: scale("placement", "congested-100-optimal", 180.0),
    },
    "association": {
        "q-learning": q_learning,
        "association-paper": lambda: scale("association", "paper", 15.0, faster=100),
        "association-headline": lambda: scale("association", "headline", 15.0, faster=100),
        "association-headline-near": lambda: scale("association", "headline-near", 15.0, faster=100),
        "association-fading": lambda: scale("association", "fading", 15.0, faster=100),
        "association-steep": lambda: scale(
            "association", "steep", 120.0, certified=(1e-3, 120.0), proven=False, faster=100
        ),
        "association-steep-spread": lambda: scale(
            "association", "steep-spread", 150.0, certified=(1e-3, 120.0), proven=False, faster=100
        ),
    },
    "embedding": {
        "embedding-single": lambda: single_requests("single", {1.0: 0.03, 10.0: 0.01, 60.0: 0.01}),
        "embedding-single-half": lambda: single_requests("single-half", {1.0: 0.08, 10.0: 0.02, 60.0: 0.02}),
        "embedding-small": lambda: bracket("small", 1e-6),
        "embedding-paper": lambda: bracket("paper", 0.13),
        "embedding-paper-100": lambda: bracket("paper:requests=100", 0.08),
        "embedding-paper-any-100": lambda: bracket("paper-any:requests=100", 0.07),
        "embedding-paper-stay-100": lambda: bracket("paper-stay:requests=100", 0.17),
        "embedding-paper-any": lambda: bracket("paper-any", 0.07),
        "embedding-paper-stay": lambda: bracket("paper-stay", 0.17),
        "embedding-online": online_rules,
    },
    "provisioning": {
        "provisioning-paper": lambda: scale("provisioning", "paper", 1.0),
        "provisioning-paper-previous": lambda: scale("provisioning", "paper:information=previous", 1.0),
        "provisioning-10000": lambda: horizon(10_000, 60.0),
        "provisioning-large": lambda: scale("provisioning", "large", 1.0, faster=20),
        "provisioning-large-previous": lambda: scale("provisioning", "large:information=previous", 1.0, faster=20),
        "provisioning-500-users": lambda: scale("provisioning", "large:slots=1,users=500", 5.0),
    },
    "slicing": {
        "slicing-fixed-24": lambda: to_gap("fixed-24", 1e-3, 5.0, 30.0),
        "slicing-fixed-30": lambda: to_gap("fixed-30", 1e-3, 10.0, 60.0),
        "slicing-fixed-48": lambda: to_gap("fixed-48", 1e-3, 60.0, 120.0),
        "slicing-24": lambda: to_gap("paper-24", 2e-3, 60.0, 120.0),
        "slicing-30": lambda: to_gap("paper-30", 2e-3, 180.0, 240.0),
        "slicing-48": lambda: to_gap("paper-48", 2e-3, 600.0, 600.0, most_seeds=3),
    },
}
CASES = {name: case for own in CASES_OF.values() for name, case in own.items()}
