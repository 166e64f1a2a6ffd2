"""Files of targets: what is written is read, what is half written goes on, what is wrong is named."""

import dataclasses
import gzip
import json
from pathlib import Path

import pytest
from skybound.instances.errors import InputError
from skybound.instances.placement import Placement
from skybound.instances.solution import Status
from skybound.learned import targets
from skybound.learned.targets import read_targets, write_targets
from skybound.solvers.solve import solve


@pytest.fixture
def instances(random_placement) -> list[Placement]:
    return [random_placement(seed) for seed in range(8)]


@pytest.fixture
def feasible(instances) -> list[Placement]:
    return [instance for instance in instances if solve(instance).status is Status.OPTIMAL]


@pytest.fixture
def written(instances, feasible, tmp_path) -> Path:
    path = tmp_path / "targets.jsonl.gz"
    left_out = tuple(instance.name for instance in instances if instance not in feasible)
    assert write_targets(instances, path) == (len(feasible), left_out)
    assert feasible
    assert left_out
    return path


def documents(path: Path) -> list[dict]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def rewrite(path: Path, lines: list[str]) -> None:
    path.write_bytes(gzip.compress("".join(line + "\n" for line in lines).encode()))


def test_reads_what_it_writes(written, feasible):
    """Instances, decisions, bounds and gaps of those that have a solution."""
    found = list(read_targets(written))
    assert [target.instance for target in found] == feasible
    for target in found:
        assert target.solution.status is Status.OPTIMAL
        assert target.gap is not None
        assert 0 <= target.gap <= 1e-6
        target.instance.check_fit(target.solution.decision, "decision")
    assert [list(document) for document in documents(written)] == [["instance", "solution", "gap"]] * len(feasible)
    assert not list(written.parent.glob("*.part"))


def test_what_has_no_solution_in_the_time_is_left_out(worked, tmp_path):
    path = tmp_path / "targets.gz"
    assert write_targets([worked], path, "cp-sat", time_limit_s=0.0) == (0, ("worked",))
    assert list(read_targets(path)) == []
    assert not list(tmp_path.glob("*.part"))


def test_any_solver_can_be_asked(instances, tmp_path):
    """A heuristic proves nothing, so that its targets have no gap."""
    write_targets(instances, tmp_path / "targets.gz", "greedy", time_limit_s=1.0)
    found = list(read_targets(tmp_path / "targets.gz"))
    assert {target.solution.solver for target in found} == {"greedy"}
    assert {target.gap for target in found} == {None}


@pytest.fixture
def interrupted(instances, tmp_path, monkeypatch) -> Path:
    """A file that was interrupted at the fifth instance."""
    path = tmp_path / "again.gz"

    def stopped(instance, *args, **kwargs):
        if instance == instances[4]:
            raise KeyboardInterrupt
        return solve(instance, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(targets, "solve", stopped)
        with pytest.raises(KeyboardInterrupt):
            write_targets(instances, path)
    assert not path.exists()
    return path


def test_goes_on_where_it_was_interrupted(interrupted, written, instances, monkeypatch):
    """What has a line is not solved again, nor what will be left out; the file ends up the same."""
    solved = []

    def counted(instance, *args, **kwargs):
        solved.append(instance)
        return solve(instance, *args, **kwargs)

    monkeypatch.setattr(targets, "solve", counted)
    part = interrupted.with_name("again.gz.part")
    part.write_bytes(part.read_bytes()[:-7])  # killed within the fourth line
    assert write_targets(instances, interrupted) == write_targets(instances, written)
    assert solved == [*instances[3:], *instances]
    assert documents(interrupted) == documents(written)
    assert not part.exists()


@pytest.mark.parametrize(
    ("name", "solver", "message"),
    [
        ("targets.gz", "nosuch", '^solver: is "nosuch"'),
        ("targets.gz", "pyomo:nosuch", "^solver: "),
        ("here", None, "here: is a folder"),
        ("plain/targets.gz", None, "cannot be written"),
    ],
)
def test_nothing_is_solved_for_what_cannot_be_written(name, solver, message, worked, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "plain").write_text("")
    monkeypatch.setattr(targets, "solve", lambda *args, **kwargs: pytest.fail("solved"))
    with pytest.raises(InputError, match=message):
        write_targets([worked], tmp_path / name, solver)
    assert {path.name for path in tmp_path.iterdir()} == {"here", "plain"}


def test_nothing_is_left_of_a_first_solve_that_fails(worked, tmp_path, monkeypatch):
    failed = dataclasses.replace(solve(worked), status=Status.ERROR, reason="so")
    monkeypatch.setattr(targets, "solve", lambda *args, **kwargs: failed)
    with pytest.raises(InputError, match="failed on worked: so"):
        write_targets([worked], tmp_path / "targets.gz")
    assert not list(tmp_path.iterdir())


def test_does_not_go_on_with_other_instances(written, instances, tmp_path):
    written.rename(tmp_path / "other.gz.part")
    with pytest.raises(InputError, match=r"other\.gz\.part: line 1 is of another instance"):
        write_targets(instances[::-1], tmp_path / "other.gz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda line: line.pop("gap"), "line 2: is missing the field gap"),
        (lambda line: line.update(more=1), "line 2: more: is an unknown field"),
        (lambda line: line.update(gap=0.5), "line 2: gap: is 0.5, but objective and bound make it"),
        (lambda line: line.update(gap=None), "line 2: gap: is None"),
        (lambda line: line.update(gap="0"), "line 2: gap: must be a number"),
        (lambda line: line["instance"]["data"].update(share="odd"), r"line 2: instance\.data\.share: "),
        (
            lambda line: line["solution"]["decision"].update(host=[0]),
            r"line 2: solution\.decision\.host: has 1 entries",
        ),
        (lambda line: line["solution"].update(instance="x"), r"line 2: solution\.instance: is"),
        (lambda line: line["solution"].update(objective=1e-3), r"line 2: solution\.objective: is 0\.001, the referee"),
        (lambda line: line["solution"].update(bound=1e3), r"line 2: solution\.bound: is 1000\.0, on the wrong side"),
    ],
)
def test_names_file_line_and_field_of_what_is_wrong(written, change, message):
    lines = [document for document in documents(written) if document["gap"] is not None][:3]
    change(lines[1])
    rewrite(written, [json.dumps(line) for line in lines])
    with pytest.raises(InputError, match=r"targets\.jsonl\.gz: " + message):
        list(read_targets(written))


def test_objects_to_a_decision_that_breaks_a_constraint(worked, tmp_path):
    path = tmp_path / "one.gz"
    write_targets([worked], path)
    (line,) = documents(path)
    line["solution"]["decision"]["host"] = [2] * 5
    rewrite(path, [json.dumps(line)])
    with pytest.raises(InputError, match=r"line 1: solution\.decision: violates"):
        list(read_targets(path))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: is not JSON: line 1 column 2"),
        ("[]", "line 2: must be a JSON object"),
        ('{"gap": 1, "gap": 2}', "line 2: gap: is a duplicate key"),
        ('{"gap": NaN}', "line 2: gap: is NaN"),
        ("[" * 100_000, "line 2: is nested too deep"),
    ],
)
def test_names_a_line_that_is_no_json_object(written, line, message):
    first = gzip.decompress(written.read_bytes()).decode().splitlines()[0]
    rewrite(written, [first, line])
    with pytest.raises(InputError, match=message):
        list(read_targets(written))


def test_names_a_file_that_is_no_gzip(tmp_path, written):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        list(read_targets(tmp_path / "none.gz"))
    plain = tmp_path / "plain.jsonl"
    plain.write_text("{}\n")
    with pytest.raises(InputError, match="is no whole gzip file"):
        list(read_targets(plain))
    written.write_bytes(written.read_bytes()[:-5])
    with pytest.raises(InputError, match="is no whole gzip file"):
        list(read_targets(written))
