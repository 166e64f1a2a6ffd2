"""Asynchronous advantage actor-critic (A3C, the paper's): workers in processes of their own, one network a seed.

Every worker copies the shared parameters, plays t_max steps, and applies its gradients to the shared parameters without
waiting for others (Mnih et al. 2016, algorithm S3), by RMSProp with shared statistics.
"""

import signal
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.multiprocessing
from torch import Tensor

from ..best_networks import BestNetworks
from ..label_store import TRAINING_SEED
from ..layers import clip_gradients
from ..settings import at_least, linear
from . import actor_critic
from .actor_critic import ActorPolicy, Pools, draw_instances, network_for, sizes_of
from .actor_network import ActorCritic
from .environment import ProvisioningEnvironment
from .rollout import losses, play, play_greedily
from .worlds import Worlds

__all__ = ["PAPER", "TUNED", "ActorPolicy", "AsynchronousLearner", "Settings"]

DECAY, LEAST = 0.99, 1e-5  # of the running mean of squared gradients, and what is added to its root


@dataclass(frozen=True)
class Settings(actor_critic.Settings):
    """Hyperparameters of A2C, and the workers.

    Attributes
    ----------
    workers
        Processes; updates are theirs together, and each has `environments` of its own.
    """

    workers: int

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, ("workers",))


PAPER = Settings(**vars(actor_critic.PAPER) | {"environments": 4, "workers": 2})
TUNED = Settings(**vars(actor_critic.TUNED) | {"workers": 2})


class Shared(NamedTuple):
    """What the workers of a seed share, in shared memory.

    Attributes
    ----------
    parameters, squares
        Of the network, and running means of their squared gradients, by name.
    done : tensor, shape ()
        Updates.
    """

    parameters: dict[str, Tensor]
    squares: dict[str, Tensor]
    done: Tensor

    @classmethod
    def of(cls, network: ActorCritic) -> "Shared":
        """A network at its beginning."""
        parameters = {name: _in_common(value.detach().clone()) for name, value in network.named_parameters()}
        squares = {name: _in_common(torch.zeros_like(value)) for name, value in parameters.items()}
        return cls(parameters, squares, _in_common(torch.zeros((), dtype=torch.int64)))

    def apply(self, network: ActorCritic, rate: float) -> None:
        """Add a worker's gradients, whatever others do meanwhile."""
        with torch.no_grad():
            for name, value in network.named_parameters():
                assert value.grad is not None
                square = self.squares[name]
                square.mul_(DECAY).addcmul_(value.grad, value.grad, value=1 - DECAY)
                self.parameters[name].addcdiv_(value.grad, square.sqrt().add_(LEAST), value=-rate)
            self.done.add_(1)


def _in_common(values: Tensor) -> Tensor:
    """The tensor in memory that other processes see."""
    shared: Tensor = values.share_memory_()  # type: ignore[no-untyped-call]
    return shared


class Worker:
    """One worker: its trajectories and its generator, of every seed."""

    def __init__(self, number: int, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        self.settings = settings
        pool = Worlds(draw_instances(preset, TRAINING_SEED, settings.worlds))
        self.environments = [ProvisioningEnvironment(pool) for _ in seeds]
        self.rngs = [np.random.default_rng([seed, number]) for seed in seeds]
        self.network = network_for(pool.layout, settings, [0])
        for environment, rng in zip(self.environments, self.rngs, strict=True):
            environment.reset(rng.integers(environment.worlds, size=settings.environments))

    def work(self, at: int, shared: Shared, updates: int, stopped: Any) -> dict[str, float]:
        """Do so many updates of a seed, or as many as there is time for; sums of what happened."""
        settings, began = self.settings, time.process_time()
        reward = norm = 0.0
        done = 0
        while done < updates and not stopped.is_set():
            self.network.load_state_dict(shared.parameters)
            played = play(self.network, self.environments[at], settings.steps, settings.lesson, [self.rngs[at]])
            self.network.zero_grad()
            torch.autograd.backward(losses(self.network, played, settings.lesson).sum())
            norm += float(clip_gradients(self.network.parameters(), settings.largest_gradient)[0])
            rate = linear(settings.learning_rate, float(shared.done) / settings.updates)
            shared.apply(self.network, rate)
            reward += float(played.reward.sum(-1).mean())
            done += 1
        return {"updates": done, "reward": reward, "gradient_norm": norm, "cpu_s": time.process_time() - began}

    def state(self, at: int) -> dict[str, Any]:
        """Where it stands with a seed."""
        return {"environment": self.environments[at].state(), "generator": self.rngs[at].bit_generator.state}

    def load_state(self, at: int, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.environments[at].load_state(state["environment"])
        self.rngs[at].bit_generator.state = state["generator"]


def _serve(worker: tuple[Any, ...], shared: Sequence[Shared], orders: Connection, stopped: Any) -> None:
    """The life of a worker's process: an order names a seed, a number of updates and maybe a state to begin from."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the learner, which lets updates end
    torch.set_num_threads(1)
    own = Worker(*worker)
    while True:
        try:
            at, updates, state = orders.recv()
        except EOFError:
            return
        if state is not None:
            own.load_state(at, state)
        report = own.work(at, shared[at], updates, stopped)
        orders.send((report, own.state(at)))


class AsynchronousLearner:
    """A3C of S seeds, one after the other in each unit of work; a unit ends when all workers have done their share.

    With one worker, going on from a checkpoint is going on bit for bit. Ctrl-C lets the updates in hand end.

    Parameters
    ----------
    preset
        What instances are drawn from; a preset's name.
    """

    def __init__(self, preset: str, seeds: Sequence[int], settings: Settings) -> None:
        self.settings = settings
        pools = Pools.of(preset, settings)
        self.validation, self._seen = ProvisioningEnvironment(pools.validation), pools.seen
        self.network = network_for(self.validation.layout, settings, seeds)
        self._best = BestNetworks(self.network, len(seeds))
        self._shared = [Shared.of(network_for(self.validation.layout, settings, [seed])) for seed in seeds]
        self._names = [name for name, _ in self.network.named_parameters()]
        self._states: list[list[Any]] = [[None] * settings.workers for _ in seeds]
        self._told = False  # whether the workers know where they stand
        self._team = _Team((preset, tuple(seeds), settings), self._shared, settings.workers)
        self._interrupted = False

    @property
    def progress(self) -> float:
        """Share of the updates done."""
        return min(int(shared.done) for shared in self._shared) / self.settings.updates

    def step(self) -> dict[str, Any]:
        """Updates of every seed up to the end of a unit, then validation; what happened, one number a seed."""
        if self._interrupted:
            raise KeyboardInterrupt
        settings, done = self.settings, min(int(shared.done) for shared in self._shared)
        end = min((done // settings.unit + 1) * settings.unit, settings.updates)
        reports = [self._work(at, end - int(shared.done)) for at, shared in enumerate(self._shared)]
        self._told = True
        metrics: dict[str, Any] = {
            name: [report[name] / max(report["updates"], 1) for report in reports]
            for name in ("reward", "gradient_norm")
        }
        metrics["step"] = [int(shared.done) for shared in self._shared]
        metrics["workers_cpu_s"] = sum(report["cpu_s"] for report in reports)
        if all(int(shared.done) == end for shared in self._shared):
            metrics |= {"validation_return": self._validate()}
        return metrics

    def _work(self, at: int, updates: int) -> dict[str, float]:
        """Let the workers share updates of a seed; sums of what they report."""
        workers = self.settings.workers
        shares = [updates // workers + (k < updates % workers) for k in range(workers)]
        found, interrupted = self._team.work(at, shares, [None] * workers if self._told else self._states[at])
        self._interrupted |= interrupted
        self._states[at] = [state for _, state in found]
        return {name: sum(report[name] for report, _ in found) for name in found[0][0]}

    def _validate(self) -> list[float]:
        """Mean objective of each seed's likeliest actions; the best networks are kept."""
        parameters = {name: torch.cat([shared.parameters[name] for shared in self._shared]) for name in self._names}
        self.network.load_state_dict(parameters)
        found = play_greedily(self.network, self.validation).mean(1)
        self._best.offer(self.network, torch.from_numpy(found))
        return [float(value) for value in found]

    def conclude(self) -> None:
        """Nothing is left to do: units end with a validation."""

    def state(self) -> dict[str, Any]:
        """Everything needed to go on."""
        return {
            "shared": [tuple(shared) for shared in self._shared],
            "workers": self._states,
            "best": self._best.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        for shared, (parameters, squares, done) in zip(self._shared, state["shared"], strict=True):
            for mine, known in ((shared.parameters, parameters), (shared.squares, squares)):
                for name, value in known.items():
                    mine[name].copy_(value)
            shared.done.copy_(done)
        self._states, self._told = state["workers"], False
        self._best.load_state(state["best"])

    def policy(self) -> dict[str, Any]:
        """The best network of each seed, with what is needed to use it and the instances that it has seen."""
        sizes = sizes_of(self.validation.layout, self.settings)
        return {"network": sizes, **self._best.policy(), "seen": torch.from_numpy(self._seen)}


class _Team:
    """The workers' processes, which begin when they are first needed and end with the learner."""

    def __init__(self, worker: tuple[Any, ...], shared: Sequence[Shared], workers: int) -> None:
        self._worker, self._shared, self._workers = worker, list(shared), workers
        self._lines: list[Any] = []

    def work(self, at: int, shares: Sequence[int], states: Sequence[Any]) -> tuple[list[tuple[Any, Any]], bool]:
        """Have each worker do its share of a seed's updates; reports and states, and whether Ctrl-C cut it short."""
        if not self._lines:
            self._begin()
        interrupted = False
        for line, share, state in zip(self._lines, shares, states, strict=True):
            line.send((at, share, state))
        found: dict[Any, Any] = {}
        while len(found) < len(self._lines):
            try:
                ready: list[Any] = wait([line for line in self._lines if line not in found])
                found |= {line: line.recv() for line in ready}
            except KeyboardInterrupt:
                interrupted = True
                self._stopped.set()
            except EOFError:
                raise RuntimeError("a worker has ended before its work") from None
        self._stopped.clear()
        return [found[line] for line in self._lines], interrupted

    def _begin(self) -> None:
        context = torch.multiprocessing.get_context("spawn")
        self._stopped = context.Event()
        for number in range(self._workers):
            here, there = context.Pipe()
            order = (number, *self._worker), self._shared, there, self._stopped
            process = context.Process(target=_serve, args=order, daemon=True)
            process.start()
            there.close()
            weakref.finalize(self, _end, process, here)
            self._lines.append(here)


def _end(process: Any, line: Connection) -> None:
    """Tell a worker to go home."""
    line.close()
    process.join(timeout=5)
