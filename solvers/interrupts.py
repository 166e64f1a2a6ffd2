"""Ctrl-C while a solver runs: noted, and raised where it is safe.

An exception that comes up while compiled code or a library is entered or left can end the process.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
LOOK_S = 0.05

_noted = threading.Event()


@contextlib.contextmanager
def noting_interrupts() -> Iterator[None]:
    """Within, Ctrl-C is raised by `check_interrupts`, or at the end; a second one is raised at once."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def note(number: int, frame: FrameType | None) -> None:
        if _noted.is_set():
            raise KeyboardInterrupt
        _noted.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield
        check_interrupts()
    finally:
        _noted.clear()
        signal.signal(signal.SIGINT, signal.default_int_handler)


def check_interrupts() -> None:
    """Raise `KeyboardInterrupt` when Ctrl-C was noted."""
    if _noted.is_set():
        raise KeyboardInterrupt


def interruptible(run: Callable[[], T], stop: Callable[[], object]) -> T:
    """Run in a thread; on Ctrl-C ask it to stop, wait for it, and raise `KeyboardInterrupt`.

    Parameters
    ----------
    run
        The work; it must release Python's lock.
    stop
        Makes `run` return soon.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(run())
        except BaseException as error:  # noqa: BLE001 - raised again below, in the caller's thread
            failure.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        while worker.is_alive() and not _noted.is_set():
            worker.join(LOOK_S)
        check_interrupts()
    except KeyboardInterrupt:
        stop()
        worker.join()
        raise
    if failure:
        raise failure[0]
    return outcome[0]
