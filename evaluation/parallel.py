"""Independent jobs side by side, each in a process of its own, as many as there are cores."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from .terminal import counted


def side_by_side(jobs: Sequence[Callable[[], object]], words: str) -> None:
    """Do jobs that keep what they come to in files; on Ctrl-C they are asked to stop, and none is begun.

    Parameters
    ----------
    jobs
        Functions of modules with arguments that can be pickled.
    words
        What they do, for the progress.

    Raises
    ------
    KeyboardInterrupt
        When there was Ctrl-C; whatever else a job raises is raised, too.
    """
    processes = min(len(jobs), os.cpu_count() or 1)
    if processes < 2:
        for job in jobs:
            job()
        return
    with counted(words) as note, ProcessPoolExecutor(processes, get_context("spawn"), _silent) as pool:
        try:
            for done, future in enumerate(as_completed([pool.submit(job) for job in jobs]), 1):
                future.result()
                note(done, len(jobs))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _silent() -> None:
    """Let one process, the first one, show progress."""
    sys.stderr = io.StringIO()
