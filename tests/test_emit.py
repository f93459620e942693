"""Emitted source against the reference, construct by construct; `fuzz` does so for random specs."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from command import barred, python
from proof import HEAD, built, constructs, examples, prove, ruff
from torch import Tensor, nn

from graphbuild.emit import emit
from graphbuild.emit.variables import input_variables
from graphbuild.ir import Edge, Graph
from graphbuild.load import load
from graphbuild.ops.base import Op

SPECS = constructs()


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", SPECS)
def test_construct(name: str) -> None:
    prove(SPECS[name])


@pytest.mark.parametrize("count", [5, 25])
def test_a_size_that_hangs_on_others(count: int) -> None:
    width = "$(a[n].channels * 2 % 7 + 1)"
    lines = [f"  a{n + 1}: {{op: Linear, out_features: {width}}}" for n in range(count)]
    lines = [line.replace("[n]", str(n)) for n, line in enumerate(lines)]
    head = "params: {w: 3}\ninputs: {x: [N, 8]}\nnodes:\n  a0: {op: Linear, out_features: $w}\n"
    source = prove(head + "\n".join(lines)).source
    assert max(map(len, source.split("\n"))) <= 100
    assert ("w: int = 3" in source) == (count == 5)  # what nobody could read is fixed


def test_merges_of_very_many() -> None:
    names = ["sum", "math", *(f"b{n}" for n in range(58))]  # two of them read like functions
    lines = [f"  {name}: {{op: Linear, out_features: 4, from: x}}" for name in names]
    lines += [f"  {op}_: {{op: {op}, from: [{', '.join(names)}]}}" for op in ("add", "mul")]
    head, tail = "inputs: {x: [N, 4]}\nnodes:\n", "\noutputs: [add_, mul_]\n"
    source = prove(head + "\n".join(lines) + tail).source
    assert "sum(" in source
    assert "math.prod(" in source


def test_ruff_finds_nothing(tmp_path: Path) -> None:
    said = ruff(tmp_path, {name: emit(built(text)).source for name, text in SPECS.items()})
    assert said == ""


def test_runs_where_there_is_no_graphbuild(tmp_path: Path) -> None:
    script = [
        "import importlib.util, sys, torch",
        "for file in sys.argv[1:]:",
        "    name, path = file.split(':', 1)",
        "    spec = importlib.util.spec_from_file_location('net', path)",
        "    module = importlib.util.module_from_spec(spec)",
        "    spec.loader.exec_module(module)",
        "    print(*getattr(module, name)().state_dict())",
        "assert 'graphbuild' not in sys.modules",
    ]
    folder = tmp_path / "sources"
    folder.mkdir()
    wanted, files = [], []
    for position, text in enumerate(SPECS.values()):
        generated = emit(built(text))
        file = folder / f"{position}.py"
        file.write_text(generated.source, encoding="utf-8")
        files.append(f"{generated.class_name}:{file}")
        wanted.append(" ".join(load(generated).state_dict()))
    without = barred(tmp_path / "barred", "graphbuild")
    ran = python("-c", "\n".join(script), *files, cwd=tmp_path, without=without)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split("\n")[:-1] == wanted


# -- memory -----------------------------------------------------------------------------------

SKIPS = """
inputs: {x: [N, 4, H=16, W=16]}
blocks:
  double:
    params: {w: int}
    nodes: [{op: Conv2d, out_channels: $w, kernel_size: 3, padding: 1}, BatchNorm2d, ReLU]
  gate:
    nodes:
      squeeze: {op: Conv2d, out_channels: 2, kernel_size: 1}
      open: {op: Conv2d, out_channels: $input.channels, kernel_size: 1}
      s: Sigmoid
      out: {op: mul, from: [input, s]}
      after: {op: Conv2d, out_channels: $input.channels, kernel_size: 1}
nodes:
  d1: {op: double, w: 4}
  p1: {op: MaxPool2d, kernel_size: 2}
  d2: {op: double, w: 8}
  p2: {op: MaxPool2d, kernel_size: 2}
  d3: {op: double, w: 8}
  g: gate
  u2: {op: Upsample, scale_factor: 2}
  c2: {op: double, w: 8, from: {concat: [u2, d2]}}
  u1: {op: Upsample, scale_factor: 2}
  c1: {op: double, w: 4, from: {concat: [u1, d1]}}
  parts: {op: chunk, chunks: 2, dim: 1}
  left: {op: Conv2d, out_channels: 2, kernel_size: 1, from: parts.0}
  right: {op: Conv2d, out_channels: 2, kernel_size: 1, from: parts.1}
  sum: {op: add, from: [left, right]}
  head: {op: Conv2d, out_channels: 1, kernel_size: 1}
  side: {op: Conv2d, out_channels: 1, kernel_size: 1, from: p1}
outputs: [head, side]
"""


@pytest.mark.parametrize("name", ["skips", *SPECS])
def test_no_value_outlives_its_last_use(name: str) -> None:
    graph = built(SKIPS if name == "skips" else SPECS[name])
    module = load(emit(graph)).eval()
    alive: list[str] = []
    checks = sum(watch(graph, module, alive))
    inputs = next(iter(examples(graph)))
    names = dict(zip(graph.input_names, input_variables(graph), strict=True))
    with torch.no_grad():
        module(**{names[key]: inputs.pop(key) for key in list(inputs)})
    assert alive == []
    assert checks > 10 or name != "skips"


def watch(graph: Graph, module: nn.Module, alive: list[str], path: str = "") -> list[int]:
    """Look, before each child runs, whether what no one reads any more is gone."""
    ends = last_reads(graph)
    values: dict[str, list[weakref.ref[Tensor]]] = {}
    checks = [0]
    shared = {node.shared for node in graph.nodes}
    for moment, position in enumerate(graph.order):
        node = graph.nodes[position]
        child = getattr(module, node.name, None) if "." not in node.name else None
        if not isinstance(child, nn.Module):
            continue
        if isinstance(node.call, Graph):
            checks += watch(node.call, child, alive, f"{path}{node.name}.")
        dead = [name for name, end in ends.items() if end < moment]
        child.register_forward_pre_hook(looked(path, node.name, dead, values, alive))
        if node.name not in shared:  # else a later call gives another node's value
            child.register_forward_hook(kept(node.name, values))
        checks[0] += len(dead)
    return checks


def looked(
    path: str, name: str, dead: list[str], values: Any, alive: list[str]
) -> Callable[..., None]:
    def hook(module: nn.Module, args: Any) -> None:
        for other in dead:
            if any(ref() is not None for ref in values.get(other, ())):
                alive.append(f"{path}{other} at {path}{name}")

    return hook


def kept(name: str, values: dict[str, list[weakref.ref[Tensor]]]) -> Callable[..., None]:
    def hook(module: nn.Module, args: Any, output: Any) -> None:
        own = {id(arg) for arg in args}  # an Identity gives its operand back
        found = [output] if isinstance(output, Tensor) else []
        values[name] = [weakref.ref(value) for value in found if id(value) not in own]

    return hook


def last_reads(graph: Graph) -> dict[str, int]:
    """When each value is read for the last time.

    An absent node hands its operand on; a view, and a sum added up in place, keep theirs.
    """

    def source(edge: Edge) -> str:
        node = graph.by_name.get(edge.source)
        return source(node.operands[0]) if node is not None and node.call is None else edge.source

    ends = {source(output.edge): len(graph.order) for output in graph.outputs}
    for moment, position in reversed(list(enumerate(graph.order))):
        node = graph.nodes[position]
        ends.setdefault(node.name, moment)
        for place, edge in enumerate(node.operands if node.call is not None else ()):
            read = ends[node.name] if keeps(node.call, place) else moment
            ends[source(edge)] = max(ends.get(source(edge), 0), read)
    return ends


def keeps(call: Op | Graph | None, place: int) -> bool:
    """Whether a call's value holds its operand."""
    if isinstance(call, Graph):
        name = call.inputs[place].name
        return any(output.edge.source == name for output in call.outputs)
    return (
        call is not None
        and place == 0
        and bool(call.aliases or call.overwrites or call.source in "+-")
    )


# -- what the text says -----------------------------------------------------------------------


def test_lines_lead_to_the_spec() -> None:
    text = SPECS["residual"]
    generated = emit(built(text))
    lines, spec = generated.source.splitlines(), (HEAD + text).splitlines()
    found = {
        lines[at - 1].strip(): spec[span.line - 1][span.column - 1 :]
        for at, span in generated.lines.items()
    }
    assert found["self.a = nn.Conv2d(8, 8, kernel_size=3, padding=1)"].startswith("a: {op: Conv2d")
    assert found["return self.c(out)"] == "c: ReLU"


def test_docs_are_kept() -> None:
    tree = ast.parse(emit(built(SPECS["docs"])).source)
    assert 'It says "no" to C:' in str(ast.get_docstring(tree))
    docs = {
        n.name: ast.get_docstring(n)
        for n in tree.body
        if isinstance(n, (ast.ClassDef, ast.FunctionDef))
    }
    assert str(docs["B"]).startswith('ends in a quote "')
    assert str(docs["e"]).startswith("ends in a backslash \\")


def test_init_rules_are_applied() -> None:
    module = load(emit(built(SPECS["init by op and path"])))
    state = module.state_dict()
    assert (state["b.0.c.bias"] == 0.25).all()
    assert (state["b.1.n.weight"] == 1).all()
    assert (state["b.1.n.bias"] == 0.25).all()
    assert (state["n.bias"] == 0).all()
    assert (state["fc.weight"].abs() <= 0.1).all()
    assert (state["fc.bias"] == 0).all()
    assert (state["a.weight"] - 0.5).abs().max() < 0.1


def test_a_size_is_named_before_it_is_read() -> None:
    """Sizes get their names as the nodes run; what runs later may be registered earlier."""
    generated = prove(
        "inputs: {x: [N, 6]}\nparams: {n: 3, ws: [3, 4]}\nnodes:\n"
        "  last: {op: Linear, from: grown, out_features: 3}\n"
        "  grown:\n    repeat: $n\n    connect: dense\n    from: x\n    nodes:\n"
        "      one: {op: Linear, out_features: $(2 if 3 in ws else 1)}\n"
        "      two: {op: Linear, out_features: 2, if: $(n < 9)}\n"
        "outputs: last\n"
    )
    lines = generated.source.splitlines()
    (named,) = (at for at, line in enumerate(lines) if "grown_features2 = " in line)
    (read,) = (at for at, line in enumerate(lines) if "grown_features3 = grown_features2" in line)
    assert named < read
