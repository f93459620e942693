"""What the wheel holds."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, requires

import pytest
import yaml
from command import BUNDLED, ROOT, run

import graphbuild


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built).namelist()


def test_the_wheel_has_specs_types_and_licence(wheel: list[str]) -> None:
    assert {f"graphbuild/specs/{name}.yaml" for name in BUNDLED} <= set(wheel)
    assert {
        "graphbuild/py.typed",
        "graphbuild/cli/app.py",
        "graphbuild/explain.md",
        "graphbuild/ops/conv.py",
        "graphbuild/render/viewer/main.js",
        "graphbuild/render/viewer/page.html",
        "graphbuild/render/viewer/vendor/LICENSE.graphviz",
        "graphbuild/render/viewer/vendor/wasm-graphviz.js",
    } <= set(wheel)
    assert any(name.endswith("licenses/LICENSE") for name in wheel)
    folders = {name.split("/")[0] for name in wheel}
    assert folders == {"graphbuild", f"graphbuild-{graphbuild.__version__}.dist-info"}


def test_the_bundled_specs_are_found_where_the_package_is_installed() -> None:
    assert tuple(graphbuild.specs()) == BUNDLED
    for name, path in graphbuild.specs().items():
        source = ROOT / "specs" / f"{name}.yaml"
        assert path.read_text(encoding="utf-8") == source.read_text(encoding="utf-8")


def test_the_changelog_knows_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {graphbuild.__version__}" in text


def test_every_dependency_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"#|[\w.-]+==[\w.]+(; .+)?$", line) for line in lines)
    pinned = {_bare(line) for line in lines if "==" in line}
    try:
        needed = {_bare(line) for line in requires("graphbuild") or ()}
    except PackageNotFoundError:
        pytest.skip("graphbuild is not installed, only on the path")
    assert needed - {"graphbuild"} <= pinned  # an extra may name another of its own


def test_the_hooks_are_commands() -> None:
    """What pre-commit runs, with a file's name behind it."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == ["graphbuild-check", "graphbuild-fmt"]
    for hook in hooks:
        assert {"id", "name", "entry", "language"} <= set(hook)
        command, *args = hook["entry"].split()
        assert command == "graphbuild"
        done = run(*args, "specs/lenet5.yaml", cwd=ROOT)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.match(hook["files"], "specs/lenet5.yaml")


def _bare(requirement: str) -> str:
    name = re.split("[^A-Za-z0-9_.-]", requirement)[0]
    return re.sub("[_.]", "-", name.lower())


def test_ci_runs_what_the_readme_says() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command in (
        "pip install -c constraints.txt . && graphbuild compile specs/densenet121.yaml",
        "pip install -c constraints.txt '.[test]' && pytest -n auto",
        "pip install -c constraints.txt '.[examples]' && python examples/linear_regression.py",
    ):
        assert command in readme
        assert command in script


def test_first_screen() -> None:
    head = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:40]
    assert sum("pip install -c constraints.txt" in line for line in head) == 2
