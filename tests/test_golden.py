"""The bundled specs as they come out: some line by line (IR and source), all by what must hold.

`pytest tests/test_golden.py --update-golden` writes them anew; read the difference before you
commit it.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from command import BUNDLED, PACKAGE, ROOT, barred, python

import graphbuild
from graphbuild.check import verify
from graphbuild.ir_text import show

GOLDEN = Path(__file__).parent / "golden"
KEPT = (
    *(
        "alexnet",
        "conditional_depth_route",
        "densenet121",
        "dynamic_mlp",
        "efficientnet_b0",
        "googlenet",
        "lenet5",
    ),
    *("mixture_of_experts", "multimodal", "resnet18", "resnet50", "vgg16"),
)


def spec(name: str) -> Path:
    return ROOT / "specs" / f"{name}.yaml"


def emitted(name: str) -> str:
    return graphbuild.emit(graphbuild.elaborate(graphbuild.read(spec(name)))).source


def compare(file: Path, text: str, update: bool) -> None:
    if update:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    assert file.exists(), "run pytest with --update-golden"
    assert text.splitlines() == file.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", KEPT)
def test_ir(name: str, update_golden: bool) -> None:
    graph = graphbuild.elaborate(graphbuild.read(spec(name)))
    verify(graph)
    compare(GOLDEN / f"{name}.ir", show(graph), update_golden)


@pytest.mark.parametrize("name", KEPT)
def test_source(name: str, update_golden: bool) -> None:
    compare(GOLDEN / f"{name}.py", emitted(name), update_golden)


def test_the_same_bytes_under_any_hash_seed(tmp_path: Path) -> None:
    script = f"""
import graphbuild
from graphbuild.ir_text import show
for path in {[str(spec(name)) for name in BUNDLED]!r}:
    graph = graphbuild.elaborate(graphbuild.read(path))
    print(show(graph))
    print(graphbuild.emit(graph).source)
"""
    one = python("-c", script, cwd=tmp_path, PYTHONHASHSEED="1")
    other = python("-c", script, cwd=tmp_path, PYTHONHASHSEED="2")
    assert one.returncode == 0, one.stderr
    assert one.stdout == other.stdout


@pytest.mark.parametrize("verb", [("check",), ("format", "--check")])
def test_ruff_accepts_the_source(verb: tuple[str, ...], tmp_path: Path) -> None:
    for name in BUNDLED:
        (tmp_path / f"{name}.py").write_text(emitted(name), encoding="utf-8")
    command = [sys.executable, "-m", "ruff", *verb, "--isolated", "--no-cache", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", BUNDLED)
def test_the_source_needs_only_torch(name: str) -> None:
    tree = ast.parse(emitted(name))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules = {alias.name for node in imports for alias in node.names}
    modules |= {node.module or "" for node in froms}
    roots = {module.split(".")[0] for module in modules}
    beside = (
        {"torchvision"} if "torchvision." in emitted(name) else set()
    )  # where an op is from there
    assert roots <= {"torch", *beside, *sys.stdlib_module_names}


def test_the_source_has_docstrings() -> None:
    for name in BUNDLED:
        tree = ast.parse(emitted(name))
        assert ast.get_docstring(tree)
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        assert all(ast.get_docstring(node) for node in classes)
        assert "[N, " in (ast.get_docstring(classes[-1]) or "")  # the root tells its shapes


@pytest.mark.parametrize(
    ("name", "limit"), [("densenet121", 130), ("resnet18", 105), ("resnet50", 165)]
)
def test_the_source_is_short(name: str, limit: int) -> None:
    assert len(emitted(name).splitlines()) < limit


def test_the_source_says_what_the_spec_says() -> None:
    source = emitted("resnet50")
    assert "planes * 4" in source
    assert "2048" not in source


def test_the_source_runs_where_graphbuild_is_not(tmp_path: Path) -> None:
    # one process for all, since importing torch is what takes the time
    expected = {}
    for name in BUNDLED:
        graph = graphbuild.elaborate(graphbuild.read(spec(name)))
        generated = graphbuild.emit(graph)
        (tmp_path / f"{name}.py").write_text(generated.source, encoding="utf-8")
        model = graphbuild.load(generated, init=False)
        shapes = [f"{key} {tuple(value.shape)}" for key, value in model.state_dict().items()]
        expected[name] = (generated.class_name, shapes)
    script = f"""
import importlib, importlib.util, torch
vision = importlib.util.spec_from_file_location("vision", {str(PACKAGE / "vision.py")!r})
vision.loader.exec_module(importlib.util.module_from_spec(vision))
for name, (class_name, expected) in {expected!r}.items():
    model = getattr(importlib.import_module(name), class_name)()
    found = [f"{{k}} {{tuple(v.shape)}}" for k, v in model.state_dict().items()]
    assert found == expected, name
    assert all(v.isfinite().all() for v in model.state_dict().values()), name
try:
    import graphbuild
except ImportError:
    print("ran alone")
"""
    (tmp_path / "alone.py").write_text(script, encoding="utf-8")
    done = python("alone.py", cwd=tmp_path, without=barred(tmp_path / "barred", "graphbuild"))
    assert done.stdout == "ran alone\n", done.stderr
