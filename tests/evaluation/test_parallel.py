"""Jobs side by side."""

import os
from functools import partial

import pytest
from skybound.evaluation.parallel import side_by_side


def write(path, text):
    path.write_text(f"{text} {os.getpid()}")


def fail():
    raise ValueError("no")


def test_all_jobs_are_done(tmp_path):
    side_by_side([partial(write, tmp_path / str(k), k) for k in range(4)], "writing")
    assert sorted(path.read_text().split()[0] for path in tmp_path.iterdir()) == ["0", "1", "2", "3"]
    side_by_side([], "nothing")


def test_what_a_job_raises_is_raised(tmp_path):
    with pytest.raises(ValueError, match="no"):
        side_by_side([partial(fail), partial(write, tmp_path / "one", 1)], "failing")
