"""Hostile specs end in a finding, soon and without much memory; nothing of them becomes code."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from command import PACKAGE
from hostile import every
from test_formats import findings

import graphbuild
from graphbuild.errors import SpecError
from graphbuild.read import read_text

# What is promised, on a machine that takes so long for the work that `hostile.pace` measures.
SECONDS, MIB, PACE = 2, 300, 0.015
AGAIN = 3  # times that a case is measured at most: others on the machine come and go
EVERY = every()


def allowed(row: dict[str, Any]) -> float:
    """The seconds that are promised, on the machine as it was just then."""
    return SECONDS * max(1.0, float(row["pace"]) / PACE)


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, Any]]:
    """All cases in one process, so that what is imported is not counted."""
    return measure()


def measure(*names: str) -> dict[str, dict[str, Any]]:
    path = f"{PACKAGE.parent}:{Path(__file__).parent}"
    script = Path(__file__).parent / "hostile.py"
    done = subprocess.run(
        [sys.executable, str(script), *names],
        env={"PYTHONPATH": path, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in rows}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("name", EVERY)
def test_it_ends(name: str, measured: dict[str, dict[str, Any]]) -> None:
    row, code = measured[name], EVERY[name][0]
    for _ in range(AGAIN - 1):
        if max(row["seconds"], row["later"]) >= allowed(row):
            row = measure(name)[name]
    assert code in row["codes"] if code else not [c for c in row["codes"] if c[0] == "E"], row
    assert max(row["seconds"], row["later"]) < allowed(row), row
    assert row["MiB"] < MIB, row
    assert row["characters"] < 1_000_000, row


def test_no_memory_is_taken_for_what_is_too_large() -> None:
    for op in (
        "Conv2d, out_channels: 10000000000000, kernel_size: 1",
        "Conv2d, out_channels: 8, kernel_size: 1000000, padding: 1000000",
    ):
        text = (
            f"graphbuild: 1\nname: net\ninputs: {{x: [N, 3, 8, 8]}}\nnodes:\n  big: {{op: {op}}}\n"
        )
        generated = graphbuild.emit(graphbuild.elaborate(read_text(text, "net.yaml")))
        with pytest.raises(MemoryError, match=r"net needs .* TB .*largest layer is big \(Conv2d\)"):
            graphbuild.load(generated)
        with torch.device("meta"):  # where nothing is allocated
            assert next(graphbuild.load(generated).parameters()).is_meta


# -- what reaches the source ----------------------------------------------------------------------

TEXTS = [
    '"""; import os; os.system("id")  #',
    "'''; import os\nimport os",
    'a\\"""b\\\\"\\',
    "x'); __import__('os').system('id'); ('",
    "line\nbreak\r\nreturn\x0bfeed\x0c\x85\u2028\u2029",
    "\u202e}esrever{ \u2066 \u200b \ufeff",
    "</script><b onload=alert(1)>&amp;\"'",
    '"];a->b[label="x',
    "A[x]-->|y|B;%%{init}%%",
    "{0} {x!r} %s %(x)s ${x} \\N{BULLET} \\x41 \\u0041",
    "\x1b[2J\x07\x9b\U000e0041\ud7ff",
    "x" * 200,
]
PLACES = {
    "doc": "doc: [text]\nnodes: {a: {op: Linear, out_features: 2}}\n",
    "doc of a block": "blocks: {b: {doc: [text], nodes: {l: {op: Linear, out_features: 2}}}}\nnodes: {a: b}\n",
    "doc of a group": "nodes: {a: {doc: [text], nodes: [{op: Linear, out_features: 2}]}}\n",
    "doc of a node": "nodes: {a: {doc: [text], op: Linear, out_features: 2}}\n",
    "a param": "params: {p: [text]}\nnodes: {a: {op: Linear, out_features: '$(2 if p else 3)'}}\n",
    "a param of a block": "blocks: {b: {params: {p: [text]}, nodes: {l: {op: Linear, out_features: '$(2 if p else 3)'}}}}\nnodes: {a: b}\n",
    "an argument of a block": "blocks: {b: {params: {p: str}, nodes: {l: {op: Linear, out_features: '$(2 if p else 3)'}}}}\nnodes: {a: {op: b, p: [text]}}\n",
    "an output": "nodes: {a: {op: Linear, out_features: 2}}\noutputs: {[text]: a}\n",
    "an output of a block": "blocks: {b: {outputs: {[text]: l, z: l}, nodes: {l: {op: Linear, out_features: 2}}}}\nnodes: {a: b, c: {op: ReLU, from: a.z}}\n",
    "an argument": "nodes: {a: {op: Linear, out_features: 2}, b: {op: interpolate, size: 2, mode: [text]}}\n",
    "an equation": "nodes: {a: {op: einsum, equation: [text], from: [x, x]}}\n",
    "an index": "nodes: {a: {op: getitem, index: [text]}}\n",
    "a rule": "nodes: {a: {op: Linear, out_features: 2}}\ninit: [{match: [text], weight: ones}]\n",
    "an initialiser": "nodes: {a: {op: Linear, out_features: 2}}\ninit: [{match: a, weight: [text]}]\n",
    "a condition": "params: {p: q}\nnodes: {a: {op: Linear, out_features: 2}, b: {op: ReLU, if: $(p == [text])}}\n",
}  # fmt: skip
NAMES = {
    "the spec": "name: [text]\nnodes: {a: {op: Linear, out_features: 2}}\n",
    "a node": "nodes: {[text]: {op: Linear, out_features: 2}}\n",
    "a group": "nodes: {[text]: {nodes: [{op: Linear, out_features: 2}]}}\n",
    "an interpolated node": "params: {p: [text]}\nnodes: {'$(p)x': {op: Linear, out_features: 2}}\n",
    "an input": "inputs: {[text]: [N, 4]}\nnodes: {a: {op: Linear, out_features: 2}}\n",
    "a dimension": "inputs: {x: [[text], 4]}\nnodes: {a: {op: Linear, out_features: 2}}\n",
    "a param": "params: {[text]: 3}\nnodes: {a: {op: Linear, out_features: 2}}\n",
    "a block": "blocks: {[text]: {nodes: {l: {op: Linear, out_features: 2}}}}\nnodes: {a: [text]}\n",
}
ODD = ["a b", "a-b", "a:b", "1", "é", "class", "None", "self", "torch", "nn", "super", "forward", "__init__", "__class__", "_modules", "x.y", "$x", "print", "Tensor", "ﬁ", "a\u202eb", "List", "init_weights"]  # fmt: skip


def written(template: str, text: str) -> str:
    """A spec with a text in double quotes, where every character can be said."""
    head = ["graphbuild: 1"]
    head += ["name: net"] if "name:" not in template else []
    head += ["inputs: {x: [N, 4]}"] if "inputs:" not in template else []
    return "\n".join([*head, template.replace("[text]", quoted(text))])


def quoted(text: str) -> str:
    plain = [c.isascii() and c.isprintable() and c not in '"\\' for c in text]
    pairs = zip(text, plain, strict=True)
    return '"' + "".join(c if bare else f"\\U{ord(c):08x}" for c, bare in pairs) + '"'


def emitted(text: str) -> str | None:
    """The source, or None where there is a finding instead."""
    try:
        graph = graphbuild.elaborate(read_text(text, "net.yaml"))
    except SpecError:
        return None
    return graphbuild.emit(graph).source


def shape(source: str) -> list[str]:
    """A program without its texts and names."""
    return [type(node).__name__ for node in ast.walk(ast.parse(source))]


def foreign(source: str) -> set[str]:
    """The names that a program reads and does not define itself."""
    tree = ast.parse(source)
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {n.name for n in ast.walk(tree) if isinstance(n, ast.ClassDef | ast.FunctionDef)}
    return {node.id for node in names} - own


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", TEXTS)
def test_texts_stay_texts(place: str, text: str) -> None:
    source = emitted(written(PLACES[place], text))
    if source is None:
        return
    plain = emitted(written(PLACES[place], "plain"))
    assert plain is not None
    assert shape(source) == shape(plain)
    assert all(char.isprintable() or char == "\n" for char in source.replace("\u3000", ""))
    graphbuild.compile(_mapping(PLACES[place], text))(torch.zeros(2, 4))


def _mapping(template: str, text: str) -> dict[str, Any]:
    from graphbuild.errors import Source
    from graphbuild.source import parse, plain

    found: Any = plain(parse(Source("net.yaml", written(template, text))))
    return dict(found)


@pytest.mark.parametrize("place", NAMES)
@pytest.mark.parametrize("text", TEXTS + ODD)
def test_names_stay_names(place: str, text: str) -> None:
    source = emitted(written(NAMES[place], text))
    if source is None:
        return
    plain = emitted(written(NAMES[place], "plain"))
    assert plain is not None
    assert foreign(source) - foreign(plain) <= {"getattr", "super"}, source
    assert all(char.isprintable() or char == "\n" for char in source)
    graphbuild.compile(_mapping(NAMES[place], text))(torch.zeros(2, 4))


def test_texts_are_kept_whole_where_they_are_kept() -> None:
    for text in TEXTS:
        source = emitted(written(PLACES["doc"], text))
        assert source is not None
        doc = ast.get_docstring(ast.parse(source), clean=False) or ""
        assert " ".join(text.split()) in " ".join(doc.split())
        key = graphbuild.compile(_mapping(PLACES["an output"], text))
        assert list(key(torch.zeros(2, 4))) == [text]


def test_what_is_shown_is_escaped() -> None:
    for text in TEXTS:
        for place in (*PLACES.values(), *NAMES.values()):
            for finding in findings(written(place, text)):
                assert all(
                    c.isprintable() or c in "\n\t" for c in str(finding).replace("\u3000", "")
                )
