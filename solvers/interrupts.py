"""Ctrl-C during compiled code that does not look for it."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


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
        worker.join()
    except KeyboardInterrupt:
        stop()
        worker.join()
        raise
    if failure:
        raise failure[0]
    return outcome[0]
