"""Exported models say the same as the instance, to whatever solver reads them."""

import re

import highspy
import pytest
from google.protobuf import text_format
from ortools.sat import cp_model_pb2
from ortools.sat.python import cp_model
from pyscipopt import Model
from skybound.evaluation.export import _named, export, export_start, import_values, imported_solution
from skybound.evaluation.model_size import model_size_mb
from skybound.formulations.association import slot_choices
from skybound.formulations.problems import FORMULATIONS
from skybound.instances.errors import InputError
from skybound.instances.problems import generate
from skybound.solvers.solve import solve


def by_highs(path, values=None):
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(path))
    highs.run()
    if values:
        highs.writeSolution(str(values), 0)
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return highs.modelStatusToString(highs.getModelStatus()).lower()
    return highs.getInfo().objective_function_value


def by_scip(path, values=None):
    model = Model()
    model.hideOutput()
    model.readProblem(str(path))
    model.setParam("limits/gap", 0.0)
    model.optimize()
    if values:
        model.writeBestSol(str(values))
    return model.getObjVal() if model.getStatus() == "optimal" else model.getStatus()


@pytest.mark.parametrize("seed", range(15))
def test_files_solved_elsewhere_agree(seed, random_placement, tmp_path):
    """LP and MPS, read by HiGHS and by SCIP, infeasibility included."""
    instance = random_placement(seed)
    known = solve(instance, "enumeration").objective
    for path in export(instance, tmp_path, ["lp", "mps"]):
        for found in (by_highs(path), by_scip(path)):
            assert found == ("infeasible" if known is None else pytest.approx(known, rel=1e-6, abs=1e-9))


@pytest.mark.parametrize(("form", "solver"), [("lp", by_highs), ("mps", by_highs), ("lp", by_scip), ("mps", by_scip)])
def test_values_of_other_solvers_come_back(form, solver, tmp_path):
    instance = generate("placement", "congested", 3)
    (path,) = export(instance, tmp_path, [form])
    solver(path, tmp_path / "x.sol")
    back = imported_solution(instance, tmp_path / "x.sol")
    assert back.objective == pytest.approx(solve(instance).objective, rel=1e-6)


def test_cbc_counts_its_lines(worked, tmp_path):
    (tmp_path / "x.sol").write_text(
        "Optimal - objective value 1.302\n      0 x(0_1)   1   0\n      1 in_cloud(1) 1 0\n"
        "      2 x(2_0) 1 0\n      3 at_home(3) 1 0\n      4 x(4_0) 1 0\n"
    )
    assert import_values(worked, tmp_path / "x.sol").host.tolist() == [2, 3, 1, 0, 1]


def test_a_start_file_says_the_decision(worked, tmp_path):
    decision = solve(worked).decision
    export_start(worked, decision, tmp_path / "x.sol")
    assert import_values(worked, tmp_path / "x.sol") == decision


def test_the_cpsat_file_is_a_model(worked, tmp_path):
    (path,) = export(worked, tmp_path, ["cpsat"])
    model = text_format.Parse(path.read_text(), cp_model_pb2.CpModelProto())
    assert len(model.variables) > 10
    assert "home[0]" in {variable.name for variable in model.variables}


@pytest.mark.parametrize("problem", ["placement", "association"])
@pytest.mark.parametrize("seed", range(5))
def test_the_cpsat_file_speaks_in_the_instances_units(problem, seed, random_instance, tmp_path):
    """Objective and bound that CP-SAT reports of the file are those of the solver, up to rounding."""
    instance = random_instance[problem](seed)
    known = solve(instance, "cp-sat")
    (path,) = export(instance, tmp_path, ["cpsat"])
    model = cp_model.CpModel()
    assert model.proto.parse_text_format(path.read_text())
    solver = cp_model.CpSolver()
    solver.parameters.cp_model_presolve = problem == "placement"
    status = solver.solve(model)
    assert (status == cp_model.INFEASIBLE) == (known.objective is None)
    if known.objective is not None:
        assert solver.objective_value == pytest.approx(known.objective, rel=1e-6, abs=1e-6)
        assert solver.best_objective_bound == pytest.approx(known.bound, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("problem", ["placement", "association"])
@pytest.mark.parametrize("seed", range(5))
def test_values_of_the_cpsat_file_come_back(problem, seed, random_instance, tmp_path):
    """Names are those of the file's variables; literals that are 0 may be missing."""
    instance = random_instance[problem](seed)
    (path,) = export(instance, tmp_path, ["cpsat"])
    model, solver = cp_model.CpModel(), cp_model.CpSolver()
    model.proto.parse_text_format(path.read_text())
    solver.parameters.cp_model_presolve = problem == "placement"
    if solver.solve(model) == cp_model.INFEASIBLE:
        return
    variables = enumerate(model.proto.variables)
    values = {variable.name: solver.value(model.get_int_var_from_proto_index(k)) for k, variable in variables}
    (tmp_path / "x.sol").write_text("".join(f"{name} {value}\n" for name, value in values.items() if value))
    if any(values.values()):
        back = imported_solution(instance, tmp_path / "x.sol")
        assert back.objective == pytest.approx(solve(instance).objective, rel=1e-6)


def test_values_that_the_cpsat_model_excludes_are_refused(worked, tmp_path):
    (tmp_path / "x.sol").write_text("home[0] 1\n")
    with pytest.raises(InputError, match=r"x\.sol: its values violate the constraint model"):
        import_values(worked, tmp_path / "x.sol")
    (tmp_path / "y.sol").write_text("home[0] 0.5\n")
    with pytest.raises(InputError, match=r"violate: home\[0\] is 0\.5, not a whole number"):
        import_values(worked, tmp_path / "y.sol")


def test_values_of_another_instance_are_refused(tmp_path):
    """Its model has variables that this one lacks."""
    own, other = (generate("association", f"headline:slots={slots}", 0) for slots in (2, 3))
    path = tmp_path / "x.sol"
    path.write_text("objective 3\ny(0_0_1) 0\n")
    assert len(import_values(own, path).links) == 0
    beyond = next(name for name in named(other) if name.startswith("y(") and name not in named(own))
    path.write_text(f"objective 3\ny(0_0_1) 0\n{beyond} 1\n")
    with pytest.raises(InputError, match=rf"line 3: there is no {re.escape(beyond)} in the model of this instance"):
        import_values(own, path)


def named(instance):
    """Names of the variables in an instance's files."""
    return set(_named(instance)[1])


def test_foreign_files_are_refused(worked, tmp_path):
    (tmp_path / "x.sol").write_text("nothing 1\n")
    with pytest.raises(InputError, match="no line with a variable"):
        import_values(worked, tmp_path / "x.sol")
    (tmp_path / "y.sol").write_text("x(0_0) nan\n")
    with pytest.raises(InputError, match=r"line 1: x\(0_0\) is nan"):
        import_values(worked, tmp_path / "y.sol")
    (tmp_path / "w.sol").write_text("x(3_0) 1\nx(0_0) 1..5\n")
    with pytest.raises(InputError, match=r"w.sol: line 2: x\(0_0\) is 1..5, no number"):
        import_values(worked, tmp_path / "w.sol")
    (tmp_path / "z.sol").write_text("x(3_0) 1\n")
    with pytest.raises(InputError, match=r"its values violate: \(13c\) user 0 has one host"):
        imported_solution(worked, tmp_path / "z.sol")
    (tmp_path / "half.sol").write_text("at_home(0) 0.5\nin_cloud(0) 0.5\n")
    with pytest.raises(InputError, match=r"its values violate: at_home\[0\] is 0.5, not a whole number"):
        imported_solution(worked, tmp_path / "half.sol")
    (tmp_path / "impossible.sol").write_text("".join(f"at_home({i}) 1\n" for i in range(5)))
    with pytest.raises(InputError, match="its decision violates possible host"):
        imported_solution(worked, tmp_path / "impossible.sol")
    with pytest.raises(InputError, match="format: "):
        export(worked, tmp_path, ["xls"])


@pytest.mark.parametrize("form", ["lp", "mps", "cpsat"])
@pytest.mark.parametrize("problem", list(FORMULATIONS))
def test_a_header_says_of_what_the_model_is(problem, form, random_instance, tmp_path):
    """The instance's name and hash, and whether the optimum is the problem's or a bound."""
    instance = random_instance[problem](3)
    path = export(instance, tmp_path, [form])[0]
    mark = {"lp": "\\", "mps": "*", "cpsat": "#"}[form]
    header = [line for line in path.read_text().splitlines()[:3] if line.startswith(mark)]
    assert instance.name in header[0]
    assert instance.hash in header[1]
    assert "the optimum is" in header[2]


def test_large_files_are_announced_and_need_leave(tmp_path):
    """An estimate of the size, before anything is written."""
    instance = generate("embedding", "small", 0)
    with pytest.raises(InputError, match="would have about"):
        export(instance, tmp_path, ["lp"], max_mb=0.1)
    assert list(tmp_path.iterdir()) == []
    said = []
    export(instance, tmp_path, ["lp"], max_mb=None, announce=said.append)
    assert said == []  # it is small


@pytest.mark.parametrize("form", ["lp", "mps", "cpsat"])
def test_sizes_are_estimated_to_a_factor_of_two(form, tmp_path):
    for problem, preset in (
        ("placement", "congested"),
        ("embedding", "small:requests=5"),
        ("provisioning", "tight:slots=3"),
    ):
        instance = generate(problem, preset, 0)
        module = FORMULATIONS[problem].cpsat if form == "cpsat" else FORMULATIONS[problem].milp
        size = export(instance, tmp_path, [form])[0].stat().st_size / 1e6
        assert size / 2 <= model_size_mb(module.build(instance), form) <= 2 * size


@pytest.mark.parametrize("few", [True, False])
def test_a_legend_names_every_variable_of_association(few, tmp_path, monkeypatch):
    """Of choices and storage levels, and of patterns where there are too many choices."""
    if not few:
        monkeypatch.setattr(slot_choices, "MOST_CHOICES", 1)
    instance = generate("association", "headline:slots=2,satellites=20", 0)
    model, legend = export(instance, tmp_path, ["lp"])
    rows = dict(line.split(",", 1) for line in legend.read_text().splitlines()[1:])
    words = set(model.read_text().split())
    assert {label for label in _named(instance)[1] if label in words} <= rows.keys()
    links = [meaning.strip('"') for meaning in rows.values() if "satellite" in meaning]
    assert links
    assert all(meaning.startswith("slot ") and " to station " in meaning for meaning in links)
