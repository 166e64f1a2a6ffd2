"""The algorithms of every problem, by name; their modules are imported when first used."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..instances.errors import InputError
from .settings import fitting

if TYPE_CHECKING:
    from ..solvers.result import Solver
    from .policy_file import PolicyFile
    from .training import Learner, Outcome


@dataclass(frozen=True)
class Entry:
    """An algorithm that users can name.

    Attributes
    ----------
    module
        Module on this floor with the algorithm's settings, learner and policy.
    settings_name, learner_name, policy_name
        The hyperparameters (a dataclass instance); the learner, made of preset, seeds and hyperparameters; the class
        whose `of` makes a solver of a policy file, a seed and the number of samples.
    changes
        Hyperparameters in which the algorithm differs from those.
    """

    name: str
    module: str
    settings_name: str
    learner_name: str
    policy_name: str
    changes: Mapping[str, Any]

    def settings(self) -> Any:
        """The hyperparameters."""
        return replace(self._get(self.settings_name), **self.changes)

    def learner(self, preset: str, seeds: Sequence[int], settings: Any) -> "Learner":
        """A learner at its beginning."""
        learner: Learner = self._get(self.learner_name)(preset, seeds, settings)
        return learner

    def policy(self, file: "PolicyFile", seed: int, samples: int) -> "Solver[Any]":
        """The solver in a policy file."""
        solver: Solver[Any] = self._get(self.policy_name).of(file, seed, samples)
        return solver

    def _get(self, name: str) -> Any:
        return getattr(importlib.import_module(f".{self.module}", __package__), name)


def _value_decomposition(problem: str) -> list[Entry]:
    """IQL, VDN and QMIX, with our hyperparameters and with the paper's."""
    names = f"{problem}.value_decomposition", "PlacementValueLearner", "ValuePolicy"
    module, learner, policy = names
    return [
        Entry(name, module, settings, learner, policy, {"mixer": mixer})
        for name, settings, mixer in (
            ("iql", "TUNED_INDEPENDENT", "none"),
            ("vdn", "TUNED", "sum"),
            ("qmix", "TUNED_MIXER", "monotone"),
            ("iql-paper", "PAPER", "none"),
            ("vdn-paper", "PAPER", "sum"),
            ("qmix-paper", "PAPER", "monotone"),
        )
    ]


# Imitation of proven optima, with and without fine-tuning by reinforcement.
IMITATION = [
    Entry(name, "placement.imitation", settings, "PlacementImitation", "ImitationPolicy", {})
    for name, settings in (("imitation", "IMITATION"), ("imitation-rl", "REINFORCED"))
]

# Deep Q-learning, with our hyperparameters and with the paper's; dueling networks as their authors trained them.
Q_FLAGS: dict[str, dict[str, bool]] = {
    "dqn": {},
    "ddqn": {"double": True},
    "dueling": {"double": True, "dueling": True},
    "psddqn": {"double": True, "prioritised": True},
}
FORESIGHT = [
    Entry(name, "association.imitation", settings, "AssociationImitation", "ForesightPolicy", {})
    for name, settings in (("prices", "PRICES"), ("imitation", "IMITATION"), ("imitation-rl", "REINFORCED"))
]
Q_LEARNING = [
    Entry(name + suffix, "association.dqn", settings, "AssociationQLearner", "QPolicy", flags)
    for settings, suffix in (("TUNED", ""), ("PAPER", "-paper"))
    for name, flags in Q_FLAGS.items()
]

# Policy gradients with one agent (RLVNE) and one an edge domain, with our hyperparameters and with the paper's.
POLICY_GRADIENT = [
    Entry(name + suffix, "embedding.policy_gradient", settings, "PolicyGradient", "TablePolicy", changes)
    for settings, suffix in (("TUNED", ""), ("PAPER", "-paper"))
    for name, changes in (
        ("rlvne", {"distributed": False, "reward": "ratio"}),
        ("ddrl-nra", {}),
    )
]

GRAPH_POLICY = [
    Entry(name, "embedding.graph_policy", settings, "GraphImitation", "GraphPolicy", {})
    for name, settings in (("imitation", "IMITATION"), ("imitation-rl", "REINFORCED"))
]

# Actor-critics in step and with workers of their own, with our hyperparameters and with the paper's.
ACTOR_CRITIC = [
    Entry(name + suffix, f"provisioning.{name}", settings, learner, "ActorPolicy", {})
    for settings, suffix in (("TUNED", ""), ("PAPER", "-paper"))
    for name, learner in (("a2c", "ActorCriticLearner"), ("a3c", "AsynchronousLearner"))
]

SLOT_NETWORKS = [
    Entry(name, "provisioning.imitation", settings, "ProvisioningImitation", "SlotPolicy", {})
    for name, settings in (("imitation", "IMITATION"), ("imitation-rl", "REINFORCED"))
]

# Multi-agent actor-critics in two layers (the paper's) and in one, with our hyperparameters and with the paper's.
TEAMS = [
    Entry(name + suffix, "slicing.maddpg", settings, "TeamLearner", "TeamPolicy", changes)
    for settings, suffix in (("TUNED", ""), ("PAPER", "-paper"))
    for name, changes in (("two-layer-maddpg", {}), ("maddpg", {"layered": False}))
]
PRICES = [
    Entry(name, "slicing.imitation", settings, "SlicingImitation", "PricePolicy", {})
    for name, settings in (("imitation", "IMITATION"), ("imitation-tuned", "TUNED"), ("imitation-rl", "REINFORCED"))
]
PROXIMAL = [Entry("mappo", "slicing.mappo", "TUNED", "ProximalLearner", "TeamPolicy", {})]

ALGORITHMS: dict[str, dict[str, Entry]] = {
    "placement": {entry.name: entry for entry in [*_value_decomposition("placement"), *IMITATION]},
    "association": {entry.name: entry for entry in [*Q_LEARNING, *FORESIGHT]},
    "embedding": {entry.name: entry for entry in [*POLICY_GRADIENT, *GRAPH_POLICY]},
    "provisioning": {entry.name: entry for entry in [*ACTOR_CRITIC, *SLOT_NETWORKS]},
    "slicing": {entry.name: entry for entry in [*TEAMS, *PROXIMAL, *PRICES]},
}


def find(problem: str, algorithm: str) -> Entry:
    """An algorithm of a problem.

    Raises
    ------
    InputError
        When there is none of this name.
    """
    entries = ALGORITHMS.get(problem, {})
    if algorithm not in entries:
        known = ", ".join(entries) or "none"
        raise InputError(f'is "{algorithm}", unknown for {problem}; known are {known}', "algorithm")
    return entries[algorithm]


def train(
    problem: str,
    preset: str,
    algorithm: str,
    seeds: Sequence[int],
    folder: str | Path,
    *,
    budget_cpu_s: float | None = None,
    resume: bool = False,
    changes: Mapping[str, Any] | None = None,
) -> "Outcome":
    """Train a policy and keep everything in a run folder.

    Parameters
    ----------
    seeds
        Seeds trained side by side.
    budget_cpu_s
        CPU time of all starts together (s), preparation included, after which no new unit of work begins.
    resume
        Go on with the run in the folder, if there is one.
    changes
        Hyperparameters other than the algorithm's own, by name.

    Raises
    ------
    InputError
        When something is unknown, or the folder holds another run.
    """
    from .run import About, Run
    from .training import train as train_learner

    entry = find(problem, algorithm)
    settings = entry.settings()
    known = {field.name for field in fields(settings)}
    for name in changes or {}:
        if name not in known:
            raise InputError(f"is unknown for {algorithm}; known are {', '.join(sorted(known))}", name)
    settings = replace(settings, **{name: fitting(settings, name, value) for name, value in (changes or {}).items()})
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise InputError("must be different and at least 0", "seeds")
    run = Run(folder, About(problem, preset, algorithm, tuple(seeds), asdict(settings)), resume=resume)
    return train_learner(entry.learner(preset, seeds, settings), run, budget_cpu_s)
