"""What Python functions are given is checked, and the wrong argument is named."""

import numpy as np
import pytest
import skybound
from skybound.instances.placement import PlacementDecision
from skybound.solvers.result import MOST_THREADS


def test_a_decision_of_ones_own_is_judged(worked):
    report = skybound.verify(worked, worked.decision([2, 3, 1, 0, 1]))
    assert report.passed
    assert report.objective == pytest.approx(1.302)
    crowded = skybound.verify(worked, worked.decision([1, 1, 1, 0, 1]))
    assert (crowded.passed, crowded.objective) == (False, None)
    assert [violation.constraint for violation in crowded.violations] == ["capacity"]


def test_a_decision_must_fit_the_instance(worked, worked_association):
    with pytest.raises(
        skybound.InputError, match="decision: must be a decision of association, is of type PlacementDecision"
    ):
        skybound.verify(worked_association, PlacementDecision([0, 0, 0]))
    with pytest.raises(skybound.InputError, match=r"decision.host: has 3 entries for 5 users"):
        skybound.verify(worked, PlacementDecision([0, 0, 0]))
    with pytest.raises(skybound.InputError, match="decision: must be a decision of association"):
        skybound.verify(worked_association, skybound.solve(worked, "greedy"))


def test_instances_and_solutions_are_saved(worked, tmp_path):
    result = skybound.solve(worked)
    skybound.save(worked, tmp_path / "i.json.gz")
    skybound.save(result, tmp_path / "s.json")
    assert skybound.load(tmp_path / "i.json.gz") == worked
    assert skybound.verify(worked, tmp_path / "s.json").passed
    skybound.save(result.solution(), tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "s.json").read_bytes()
    with pytest.raises(skybound.InputError, match=r"^content: must be of type Solution, is of type dict"):
        skybound.save({}, tmp_path / "x.json")


def test_targets_are_written(worked, tmp_path):
    skybound.save(worked, tmp_path / "i.json")
    assert skybound.targets([tmp_path / "i.json"], tmp_path / "t.gz") == (1, ())
    with pytest.raises(skybound.InputError, match=r"^instances\[0\]: must be of type Instance"):
        skybound.targets([5], tmp_path / "t.gz")
    with pytest.raises(skybound.InputError, match=r"^time_limit_s: must be"):
        skybound.targets([worked], tmp_path / "t.gz", time_limit_s="1")


@pytest.mark.parametrize("wrong", [None, "worked.json", {"share": "even"}])
def test_an_instance_is_asked_for(wrong, tmp_path):
    for call in (
        lambda: skybound.solve(wrong),
        lambda: skybound.build(wrong),
        lambda: skybound.verify(wrong, PlacementDecision([0])),
        lambda: skybound.export(wrong, tmp_path),
    ):
        with pytest.raises(skybound.InputError, match=r"^instance: must be of type Instance, is of type"):
            call()
    with pytest.raises(
        skybound.InputError, match=r"^instances\[0\]: must be of type Instance|worked.json: cannot be read"
    ):
        skybound.evaluate([wrong], ["greedy"])


@pytest.mark.parametrize("wrong", [-1, 1.0, "1", True, None, 2**63])
def test_seeds_are_integers_from_0(wrong, worked, tmp_path):
    with pytest.raises(skybound.InputError, match=r"^seed: must be"):
        skybound.solve(worked, "random", seed=wrong)
    with pytest.raises(skybound.InputError, match=r"^seed: must be"):
        skybound.generate("placement", "congested", wrong)
    with pytest.raises(skybound.InputError, match=r"^seeds\[1\]: must be"):
        skybound.evaluate([worked], ["random"], seeds=[0, wrong])
    with pytest.raises(skybound.InputError, match=r"^seeds\[1\]: must be"):
        skybound.train("placement", "congested", "imitation", tmp_path / "run", seeds=[0, wrong])
    assert not (tmp_path / "run").exists()


def test_seeds_may_be_of_numpy(worked):
    assert (
        skybound.solve(worked, "random", seed=np.int64(3)).decision == skybound.solve(worked, "random", seed=3).decision
    )
    assert len(skybound.evaluate([worked], ["random"], seeds=np.arange(2)).rows) == 2


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(("time_limit_s", wrong) for wrong in (-1, "1", float("nan"), float("inf"), True)),
        *(("gap", wrong) for wrong in (-1e-9, "1", None, float("nan"), float("inf"), True)),
        *(("threads", wrong) for wrong in (0, -1, 1.0, "1", None, True, MOST_THREADS + 1)),
    ],
)
def test_limits_are_numbers_in_range(name, wrong, worked, tmp_path):
    with pytest.raises(skybound.InputError, match=f"^{name}: must be"):
        skybound.solve(worked, "greedy", **{name: wrong})
    if name != "threads":
        with pytest.raises(skybound.InputError, match=f"^{name}: must be"):
            skybound.evaluate([worked], ["greedy"], out=tmp_path / "table", **{name: wrong})
        assert not (tmp_path / "table").exists()
    if name == "gap":
        with pytest.raises(skybound.InputError, match=r"^gap: must be"):
            skybound.verify(worked, skybound.solve(worked, "greedy"), wrong)


def test_a_text_is_no_list(worked, tmp_path):
    for name, call in (
        ("instances", lambda: skybound.evaluate("worked.json", ["greedy"])),
        ("instances", lambda: skybound.evaluate(worked, ["greedy"])),
        ("solvers", lambda: skybound.evaluate([worked], "greedy")),
        ("seeds", lambda: skybound.evaluate([worked], ["greedy"], seeds="01")),
        ("seeds", lambda: skybound.evaluate([worked], ["greedy"], seeds=1)),
        ("formats", lambda: skybound.export(worked, tmp_path, "lp")),
        ("seeds", lambda: skybound.train("placement", "congested", "imitation", tmp_path / "run", seeds="01")),
    ):
        with pytest.raises(skybound.InputError, match=f"^{name}: must be a list, is of type"):
            call()


def test_names_are_texts(worked, tmp_path):
    for name, call in (
        ("solver", lambda: skybound.solve(worked, 1)),
        (r"solvers\[0\]", lambda: skybound.evaluate([worked], [None])),
        ("problem", lambda: skybound.generate(1, "congested", 0)),
        ("preset", lambda: skybound.generate("placement", None, 0)),
        (r"formats\[0\]", lambda: skybound.export(worked, tmp_path, [1])),
        ("algorithm", lambda: skybound.train("placement", "congested", 1, tmp_path / "run")),
    ):
        with pytest.raises(skybound.InputError, match=f"^{name}: must be of type str"):
            call()


def test_a_model_is_one_of_pyomo(worked):
    for wrong in (5, "model.lp", worked):
        with pytest.raises(skybound.InputError, match=r"^model: must be of type ConcreteModel"):
            skybound.solve(worked, model=wrong)


def test_a_solution_is_one(worked):
    for wrong in (None, 5, {"host": [0] * 5}):
        with pytest.raises(skybound.InputError, match=r"^solution: must be"):
            skybound.verify(worked, wrong)
