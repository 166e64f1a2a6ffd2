"""The house keeps its shape: floors, packages, wheel."""

import ast
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ["instances", "formulations", "solvers", "learned", "evaluation"]


def modules():
    return [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    """A module imports its own floor and those below, relatively, and nothing above."""
    place = path.relative_to(ROOT).parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not any(alias.name.split(".")[0] == "skybound" for alias in node.names), "import relatively"
        if not isinstance(node, ast.ImportFrom):
            continue
        assert (node.module or "").split(".")[0] != "skybound", "import relatively"
        if node.level:
            target = [*place[: len(place) - node.level], *(node.module or "").split(".")]
            assert FLOORS.index(target[0]) <= FLOORS.index(place[0]), f"{place[0]} imports {target[0]}"


def packages():
    folders = {path.parent for path in modules()}
    return sorted(["skybound", *(".".join(["skybound", *f.relative_to(ROOT).parts]) for f in folders)])


def test_every_package_is_declared():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert sorted(declared) == packages()


def test_the_typing_link_leads_home():
    assert (ROOT / ".typing" / "skybound").resolve() == ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from what git tracks."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    tracked = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(tracked, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_five_floors_and_nothing_else(wheel):
    names = [name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name]
    assert {name.split("/")[0] for name in names} == {"skybound"}
    assert {name.split("/")[1] for name in names} == {*FLOORS, "__init__.py", "__main__.py", "py.typed"}
    code = {name for name in names if name.endswith(".py")}
    assert code == {
        "skybound/__init__.py",
        "skybound/__main__.py",
        *(f"skybound/{path.relative_to(ROOT)}" for path in modules()),
    }


def test_the_wheel_runs_where_nothing_else_is(wheel, tmp_path):
    """Installed beside its dependencies only, from another folder."""
    venv.create(tmp_path / "env", symlinks=True)
    site = next((tmp_path / "env").glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    # Dependencies come from this environment, after the installed wheel; the editable skybound stays out.
    dependencies = [p for p in sys.path if p.endswith("site-packages")]
    script = (
        f"import sys; sys.path += {dependencies!r}; sys.argv = ['skybound', 'list', '--json'];"
        "import skybound; print(skybound.__file__, file=sys.stderr);"
        "from skybound.evaluation.command_line import main; main()"
    )
    python = tmp_path / "env" / "bin" / "python"
    done = subprocess.run([python, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert str(site) in done.stderr
    assert '"placement"' in done.stdout
