"""The floors of the program: imports go down only, torch begins at `load`, files stay short."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from command import PACKAGE

# Lowest first. A module imports from its own floor and those below it.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("visible", "errors", "names", "dims", "files", "pause", "modes"),
    ("source", "syntax", "comments", "ops", "expr"),
    ("spec", "ir"),
    (
        *("library", "read", "schema", "fmt", "explain", "starter", "advice", "storages"),
        *("inplace", "elaborate", "check", "check_modes", "ir_text"),
    ),
    ("emit", "report", "render", "diff"),
    ("load", "init", "memory", "trace", "vision", "weights"),
    ("api",),
    ("formats", "console", "settings", "cli", "__main__", "__init__"),
)
FLOOR = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
LINES = 350
LAZY = "ops/meta.py"  # runs ops that have no rule
GENERATED = {"ops/signatures.py"}  # written by a script

FILES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}


def part(file: str) -> str:
    """The part of the program that a file belongs to: `ops/conv.py` is of `ops`."""
    return file.split("/")[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules that are imported anywhere in a file, for types alone or when called too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            assert node.module is not None
            yield node.module
            # `from graphbuild import names`: the module is among the names
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(tree: ast.AST) -> set[str]:
    """Files of this package that a file imports."""
    found = set()
    for module in imported(tree):
        stem = module.removeprefix("graphbuild").removeprefix(".").replace(".", "/")
        if module.split(".")[0] == "graphbuild":
            found |= {f for f in (f"{stem}.py", f"{stem}/__init__.py".lstrip("/")) if f in FILES}
    return found - {"__init__.py"}  # the package itself, which holds only the public names


@pytest.mark.parametrize("file", FILES)
def test_imports_go_down(file: str) -> None:
    assert part(file) in FLOOR, f"{file} stands on no floor: add it to FLOORS"
    if file == "__init__.py":
        return
    above = {other for other in own(FILES[file]) if FLOOR[part(other)] > FLOOR[part(file)]}
    assert not above, f"{file} imports from floors above its own: {sorted(above)}"


def test_no_cycles() -> None:
    def at_import(tree: ast.Module) -> ast.Module:
        """The statements that run on import: not functions, not what is for types only."""
        kept = [s for s in tree.body if not isinstance(s, ast.FunctionDef | ast.ClassDef | ast.If)]
        return ast.Module(kept, [])

    graph = {file: own(at_import(tree)) - {file} for file, tree in FILES.items()}
    for file, found in graph.items():  # a package may import its own parts, and they its siblings
        if file.endswith("__init__.py"):
            graph[file] = {f for f in found if part(f) != part(file) or f.count("/") > 1}
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("file", [f for f in FILES if FLOOR.get(part(f), 0) < FLOOR["load"]])
def test_no_torch_above_load(file: str) -> None:
    tree = FILES[file]
    if file == LAZY:  # in its functions it may
        tree = ast.Module([s for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)], [])
    roots = {module.split(".")[0] for module in imported(tree)}
    assert not roots & {"torch", "torchvision"}


@pytest.mark.parametrize("file", [f for f in FILES if f not in GENERATED])
def test_files_are_short(file: str) -> None:
    lines = len((PACKAGE / file).read_text(encoding="utf-8").splitlines())
    assert lines <= LINES, f"{file} has {lines} lines; cut it where it falls apart by itself"


def test_the_package_is_where_the_tests_think() -> None:
    assert (PACKAGE / "py.typed").exists()
    assert Path(__file__).parent.name == "tests"
