"""The generic driver, on a problem of its own and on placement's."""

import dataclasses
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pytest
from skybound.instances.placement import PlacementDecision
from skybound.instances.problems import generate
from skybound.instances.solution import Status
from skybound.solvers.column_generation import Priced, Settings, Solution, Start, price_and_branch
from skybound.solvers.master import Column, Rows
from skybound.solvers.result import Limits
from skybound.solvers.solve import solve


@dataclass
class Assignment:
    """Generalised assignment: jobs to machines of limited time; a column is the set of jobs of one machine.

    A node fixes which machines a job may have.
    """

    cost: np.ndarray
    time: np.ndarray
    capacity: np.ndarray
    dear: float = 1000.0

    def __post_init__(self):
        self.jobs, self.machines = self.cost.shape
        self.sets = [list(c) for size in range(self.jobs + 1) for c in combinations(range(self.jobs), size)]

    def fits(self, machine, jobs):
        return self.time[jobs, machine].sum() <= self.capacity[machine]

    def rows(self):
        return Rows(np.ones(self.jobs), np.ones(self.jobs), self.machines, penalty=2 * self.dear)

    def fixed_columns(self):
        """Every job may be left undone, at great cost."""
        return [Column(None, np.array([j]), np.ones(1), self.dear, -1) for j in range(self.jobs)]

    def start(self):
        left_undone = Solution(self.dear * self.jobs, PlacementDecision(np.zeros(self.jobs, int)))
        return Start(left_undone, [], np.zeros(self.jobs), 0.0)

    def root(self):
        return np.ones((self.jobs, self.machines), bool)

    def column(self, machine, jobs):
        return Column(machine, np.array(jobs), np.ones(len(jobs)), float(self.cost[jobs, machine].sum()), machine)

    def price(self, duals, node):
        bound = float(duals.sum() + np.minimum(0, self.dear - duals).sum())
        gradient = np.where(self.dear < duals, 0.0, 1.0)
        columns = []
        for machine in range(self.machines):
            allowed = [jobs for jobs in self.sets if node[jobs, machine].all() and self.fits(machine, jobs)]
            value = [self.cost[jobs, machine].sum() - duals[jobs].sum() for jobs in allowed]
            best = allowed[int(np.argmin(value))]
            bound += min(value)
            if best:
                gradient[best] -= 1
                columns.append(self.column(machine, best))
        return Priced(bound, columns, gradient, None)

    def clip(self, duals, node):
        return np.minimum(duals, self.dear)

    def improve(self, priced, pool, x, node):
        whole = np.flatnonzero(x > 1 - 1e-6)
        covered = sum(len(pool[k].rows) for k in whole)
        if covered < self.jobs:
            return None
        host = np.zeros(self.jobs, int)
        for k in whole:
            host[pool[k].rows] = pool[k].kind + 1
        return Solution(sum(pool[k].cost for k in whole), PlacementDecision(host))

    def tighten(self, priced, node, cutoff):
        return None

    def admits(self, columns, node):
        return np.array([c.kind < 0 or node[c.rows, c.kind].all() for c in columns], bool)

    def finish(self, priced, node, cutoff):
        return None

    def branch(self, node, pool, x):
        share = np.zeros(node.shape)
        for column, use in zip(pool, x, strict=True):
            if column.kind >= 0:
                share[column.rows, column.kind] += use
        job, machine = np.unravel_index(np.abs(share - 0.5).argmin(), share.shape)
        without, only = node.copy(), node.copy()
        without[job, machine] = False
        only[job] = False
        only[job, machine] = True
        return [without, only]

    def enumerated(self):
        best = np.inf
        for machine in product(range(-1, self.machines), repeat=self.jobs):
            machine = np.array(machine)
            if all(self.fits(m, np.flatnonzero(machine == m)) for m in range(self.machines)):
                done = np.flatnonzero(machine >= 0)
                value = self.cost[done, machine[done]].sum() + self.dear * (machine < 0).sum()
                best = min(best, value)
        return best


@pytest.mark.parametrize("warm_up", [0, 10])
def test_generalised_assignment(warm_up):
    """Known answers on a problem with nothing but pricing and branching; some need more than the root."""
    nodes = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        time = rng.integers(2, 9, (5, 3)).astype(float)
        problem = Assignment(rng.integers(1, 20, (5, 3)).astype(float), time, np.full(3, 9.0))
        answer = price_and_branch(problem, Limits(), Settings(warm_up=warm_up))
        known = problem.enumerated()
        assert answer.objective == pytest.approx(known)
        assert answer.bound == pytest.approx(known, rel=1e-6)
        nodes += answer.counters["nodes"]
    assert nodes > 12


@pytest.mark.parametrize("preset", ["congested-100", "congested-100-optimal", "large"])
def test_every_bound_of_the_trace_is_valid_and_none_gets_worse(preset):
    instance = generate("placement", preset, 1)
    result = solve(instance)
    assert result.status is Status.OPTIMAL
    assert len(result.trace) > 3
    for point in result.trace:
        assert point.bound <= result.objective * (1 + 1e-12)
        assert point.incumbent >= result.bound * (1 - 1e-12)
    for earlier, later in zip(result.trace, result.trace[1:], strict=False):
        assert later.time_s >= earlier.time_s
        assert later.incumbent <= earlier.incumbent


@pytest.mark.parametrize("preset", ["huge", "congested-100-optimal"])
def test_a_time_limit_keeps_a_valid_bracket(preset):
    instance = generate("placement", preset, 0)
    solve(generate("placement", "congested", 0))  # compiles
    result = solve(instance, time_limit_s=0.01)
    assert result.status is Status.FEASIBLE
    assert result.reason == "time limit reached"
    assert 0 <= result.bound < result.objective


@pytest.mark.parametrize("preset", ["congested", "congested-40", "congested-optimal"])
def test_agrees_with_the_explicit_model_at_the_papers_size(preset):
    for seed in range(4):
        instance = generate("placement", preset, seed)
        by_columns, by_model = solve(instance), solve(instance, "milp", time_limit_s=120)
        assert by_columns.status is Status.OPTIMAL
        assert by_columns.objective == pytest.approx(by_model.objective, rel=1e-6)


def test_a_wide_gap_is_honoured():
    instance = generate("placement", "large", 0)
    exact, loose = solve(instance), solve(instance, gap=1e-2)
    assert loose.status is Status.OPTIMAL
    assert loose.bound <= exact.objective <= loose.objective <= loose.bound * 1.0102


def test_equal_users_and_devices():
    """Symmetric instances have many optima and no order."""
    instance = generate("placement", "congested", 0)
    same = dataclasses.replace(
        instance,
        **{name: np.full(20, getattr(instance, name)[0]) for name in ("data_bits", "cycles_per_bit", "cloud_cps")},
        local_cps=np.zeros(20),
        device_cps=np.full(3, 3e10),
        device_capacity=np.full(3, 7),
        uplink_bps=np.full((20, 3), 3e7),
        cloud_capacity=4,
    )
    for share in ("even", "optimal"):
        result = solve(dataclasses.replace(same, share=share), time_limit_s=60)
        assert result.status is Status.OPTIMAL
        assert result.objective == pytest.approx(
            solve(dataclasses.replace(same, share="even"), "milp", time_limit_s=60).objective, rel=1e-6
        )
