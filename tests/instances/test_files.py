"""Instance and solution files."""

import gzip
import json
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from skybound.instances.errors import InputError
from skybound.instances.files import (
    instance_from_json,
    instance_to_json,
    load,
    load_solution,
    save,
    save_solution,
)
from skybound.instances.placement import PlacementDecision
from skybound.instances.solution import Solution, Status


@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_round_trip_gives_an_equal_instance(worked, tmp_path, suffix):
    save(worked, tmp_path / f"x{suffix}")
    again = load(tmp_path / f"x{suffix}")
    assert again == worked
    assert (again.name, again.provenance, again.hash) == (worked.name, worked.provenance, worked.hash)
    save(again, tmp_path / f"y{suffix}")
    assert (tmp_path / f"y{suffix}").read_bytes() == (tmp_path / f"x{suffix}").read_bytes()


def test_random_instances_survive_the_round_trip(random_placement):
    for seed in range(50):
        instance = random_placement(seed)
        assert instance_from_json(json.loads(json.dumps(instance_to_json(instance)))) == instance


def test_hash_depends_on_data_only(worked):
    assert replace(worked, name="other", provenance={"a": 1}).hash == worked.hash
    assert replace(worked, cloud_capacity=2).hash != worked.hash


def test_hash_does_not_depend_on_how_numbers_are_spelled(worked_data, worked):
    document = instance_to_json(worked)
    document["data"]["data_bits"] = [int(x) for x in document["data"]["data_bits"]]
    assert instance_from_json(document).hash == worked.hash


BROKEN_FILES = {
    "is not UTF-8 text (byte 9)": b'{"name": "\xff"}'.replace(b' "', b'"'),
    "is not JSON: line 1 column 2": b"{",
    "is not JSON: line 1 column 1": b"",
    "is nested too deep": b"[" * 100_000,
    "a[1].b: is NaN, which is not a JSON number": b'{"a": [0, {"b": NaN}]}',
    "a: is -Infinity, which is not a JSON number": b'{"a": -Infinity}',
    "a: is 1e999, too large for a double": b'{"a": 1e999}',
    "a: has an integer of 5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "a: is a duplicate key": b'{"a": 1, "a": 2}',
    "is damaged gzip": gzip.compress(b'{"a": 1}' * 1000)[:-20],
    "must be a JSON object": b"[1]",
    "format: must be": b"{}",
}


@pytest.mark.parametrize("message", BROKEN_FILES)
def test_broken_files_are_named(tmp_path, message):
    path = tmp_path / "x.json"
    path.write_bytes(BROKEN_FILES[message])
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_damaged_gzip_header_is_named(tmp_path):
    path = tmp_path / "x.json.gz"
    path.write_bytes(b"\x1f\x8b\x07broken")
    with pytest.raises(InputError, match="is damaged gzip"):
        load(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.json: cannot be read: No such file"):
        load(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "version: is 2, newer than this skybound reads (1)"),
        ({"version": True}, "version: must be an integer from 1 up"),
        ({"problem": "knapsack"}, 'problem: is "knapsack", unknown; known are'),
        ({"provenance": []}, "provenance: must be an object"),
        ({"name": 3}, "name: must be a text"),
        ({"comment": ""}, "comment: is an unknown field"),
        ({"data": []}, "data: must be an object"),
    ],
)
def test_envelope_is_checked(worked, change, message):
    with pytest.raises(InputError) as caught:
        instance_from_json(instance_to_json(worked) | change)
    assert str(caught.value).startswith(message)


def test_newer_version_is_refused_by_name_even_with_new_fields(worked):
    with pytest.raises(InputError, match="newer than this skybound reads"):
        instance_from_json(instance_to_json(worked) | {"version": 7, "novelty": 1})


def test_nothing_is_left_when_writing_fails(worked, tmp_path):
    (tmp_path / "x.json").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        save(worked, tmp_path / "x.json")
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def solution(worked, **change):
    found = Solution("placement", "worked", Status.OPTIMAL, "by hand", 1.302, 1.302, PlacementDecision([2, 3, 1, 0, 1]))
    return replace(found, **change)


def test_solution_round_trip(worked, tmp_path):
    save_solution(solution(worked), tmp_path / "s.json")
    assert load_solution(tmp_path / "s.json", worked) == solution(worked)
    none = solution(worked, status=Status.INFEASIBLE, objective=None, bound=None, decision=None)
    save_solution(none, tmp_path / "n.json")
    assert load_solution(tmp_path / "n.json", worked) == none


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"instance": "another"}, 'instance: is "another", but the instance given is "worked"'),
        ({"status": Status.INFEASIBLE}, 'decision: must be null when the status is "infeasible"'),
        ({"decision": None}, 'decision: must not be null when the status is "optimal"'),
        ({"objective": None}, 'objective: must not be null when the status is "optimal"'),
        ({"decision": PlacementDecision([2, 3, 1, 0])}, "decision.host: has 4 entries for 5 users"),
        ({"decision": PlacementDecision([2, 4, 1, 0, 1])}, "decision.host[1]: must be at most 3 (the cloud), is 4"),
    ],
)
def test_solution_must_fit_its_instance(worked, tmp_path, change, message):
    save_solution(solution(worked, **change), tmp_path / "s.json")
    with pytest.raises(InputError) as caught:
        load_solution(tmp_path / "s.json", worked)
    assert str(caught.value) == f"{tmp_path / 's.json'}: {message}"


LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=3)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_file_is_read_or_refused_with_its_place(worked, tmp_path, data):
    """Whatever one value of a valid file becomes, it is either still valid or an `InputError`."""
    document = instance_to_json(worked)
    node, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(node[key], dict | list) and node[key] and data.draw(st.booleans()):
        node = node[key]
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
    node[key] = data.draw(VALUES)
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document))
    try:
        instance = load(path)
    except InputError as error:
        assert str(error).startswith(f"{path}: ")
    else:
        assert instance_from_json(instance_to_json(instance)) == instance


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), packed=st.booleans())
def test_damaged_bytes_are_read_or_refused(worked, tmp_path, data, packed):
    path = tmp_path / ("x.json.gz" if packed else "x.json")
    save(worked, path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        load(path)
    except InputError as error:
        assert str(error).startswith(f"{path}: ")
