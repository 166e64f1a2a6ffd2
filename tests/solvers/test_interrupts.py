"""Ctrl-C while a solver runs."""

import os
import signal
import threading
import time
from subprocess import Popen

import pytest
from pyomo.contrib.solver.solvers.scip.scip_direct import ScipDirect
from skybound.instances.problems import generate
from skybound.solvers.interrupts import check_interrupts, interruptible, noting_interrupts
from skybound.solvers.solve import solve

pytestmark = pytest.mark.usefixtures("hearing_interrupts")


def press(after_s: float) -> None:
    threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGINT)).start()


def test_is_raised_where_it_is_looked_for():
    steps = []

    @noting_interrupts()
    def work() -> None:
        press(0.05)
        while True:
            time.sleep(0.01)
            steps.append(1)
            check_interrupts()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert len(steps) > 2
    check_interrupts()  # forgotten


def test_is_raised_at_the_end_otherwise():
    done = threading.Event()

    @noting_interrupts()
    def work() -> None:
        press(0.01)
        time.sleep(0.1)
        done.set()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done.is_set()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_stops_what_runs_in_a_thread():
    stopped = threading.Event()

    @noting_interrupts()
    def work() -> None:
        press(0.05)
        interruptible(lambda: stopped.wait(10), stopped.set)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert stopped.is_set()


def test_stops_a_solver_that_takes_it_for_itself(monkeypatch):
    """SCIP has its own handler while it runs, keeps Python's lock, and ends as if out of resources."""
    create, presses = ScipDirect._create_solver_model, []

    def created(self, model, config):
        made = create(self, model, config)
        presses.append(Popen(["sh", "-c", f"sleep 0.5; kill -INT {os.getpid()}"]))
        return made

    monkeypatch.setattr(ScipDirect, "_create_solver_model", created)
    with pytest.raises(KeyboardInterrupt):
        solve(generate("placement", "congested-40-optimal", 0), "pyomo:scip_direct", time_limit_s=10)
    assert presses[0].wait() == 0


def test_leaves_other_handlers_alone():
    seen = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        with noting_interrupts():
            os.kill(os.getpid(), signal.SIGINT)
        assert seen == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
