"""Nothing of a spec is executed, and no file but the spec is opened: Python's own audit events."""

from __future__ import annotations

from pathlib import Path

from command import python

HOSTILE = r'''
graphbuild: 1
name: hostile
doc: '"""; import os; os.system("id")'
params: {width: 8, note: "__import__('os').system('id')"}
let: {double: $(width * 2)}
inputs: {image: [N, 3, H=16, W=16]}
blocks: {layer: {params: {k: 1}, nodes: {c: {op: Conv2d, out_channels: $double, kernel_size: $k}}}}
nodes:
  first: {op: layer, k: 3}
  "{0}(x)$(i)": {op: layer, repeat: 2}
  size: {op: interpolate, size: ['$(image.height + 1)', 4]}
init: [{match: Conv2d, weight: {op: normal, std: $(1 / width)}}]
expect: {outputs: {size: [N, $double, $(H + 1), 4]}}
'''

SCRIPT = r"""
import sys
import graphbuild
from graphbuild.check import verify

def stages():
    graph = graphbuild.elaborate(graphbuild.read("spec.yaml"))
    verify(graph)
    graphbuild.summary(graph)
    graphbuild.check("broken.yaml")
    return graphbuild.emit(graph).source

stages()  # what is imported and prepared once is not the spec's doing
seen = []
sys.addaudithook(lambda event, args: seen.append((event, str(args[0])[:200])))
stages()
kept, seen = seen, None
for event, first in kept:
    if event not in ("compile", "builtins.id"):  # `ast.parse`; what it gave, run, is an 'exec'
        print(event, first)
"""


def test_reading_to_emitting_runs_nothing_and_opens_only_the_spec(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(HOSTILE, encoding="utf-8")
    broken = HOSTILE.replace("$double, kernel", "$(open('/etc/passwd')), kernel")
    (tmp_path / "broken.yaml").write_text(broken, encoding="utf-8")
    done = python("-c", SCRIPT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["open spec.yaml", "open broken.yaml"]


def test_of_other_files_only_those_are_opened_that_are_named_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "specs"
    folder.mkdir()
    (tmp_path / "outside.yaml").write_text(HOSTILE, encoding="utf-8")
    (folder / "link.yaml").symlink_to("../outside.yaml")
    (folder / "inner.yaml").write_text(HOSTILE, encoding="utf-8")
    (folder / "other.yaml").write_text(HOSTILE, encoding="utf-8")
    head = "graphbuild: 1\ninputs: {image: [N, 3, H=16, W=16]}\n"
    (folder / "spec.yaml").write_text(head + "nodes: {a: {spec: inner}}\n", encoding="utf-8")
    names = (
        "link",
        "../outside",
        "/etc/passwd",
        str(tmp_path / "outside.yaml"),
        "file:///etc/passwd",
    )
    nodes = ", ".join(f"n{i}: {{spec: '{name}', from: image}}" for i, name in enumerate(names))
    (folder / "broken.yaml").write_text(f"{head}nodes: {{{nodes}}}\n", encoding="utf-8")
    done = python("-c", SCRIPT, cwd=folder)
    assert done.returncode == 0, done.stderr
    opened = [line for line in done.stdout.splitlines() if line.startswith("open ")]
    assert opened == ["open spec.yaml", "open inner.yaml", "open broken.yaml"]
    assert not {line.split()[0] for line in done.stdout.splitlines()} & {"exec", "socket.connect"}


def test_what_a_spec_says_stays_text_in_the_source(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(HOSTILE, encoding="utf-8")
    script = """
import ast, graphbuild
source = graphbuild.emit(graphbuild.elaborate(graphbuild.read("spec.yaml"))).source
called = {ast.unparse(n.func) for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)}
print(sorted(name for name in called if "system" in name or "import" in name), "import os" in source)
"""
    done = python("-c", script, cwd=tmp_path)
    assert done.stdout == "[] True\n", done.stderr  # it is there, in the docstring
