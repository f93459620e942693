"""`when`: values that are there in one mode of the module, or not at all."""

from __future__ import annotations

import ast
import copy
import pickle
from dataclasses import replace
from typing import Any

import pytest
import torch
from proof import built
from torch import Tensor, nn

from graphbuild import expr
from graphbuild.check import VerifyError, verify
from graphbuild.elaborate import elaborate_with_findings
from graphbuild.emit import emit
from graphbuild.ir import ABSENT, Edge, Graph
from graphbuild.ir_text import show
from graphbuild.load import load
from graphbuild.read import read_text
from graphbuild.report import report

TEXT = """
params: {aux: true}
inputs: {x: [N, 3, H=8, W=8]}
blocks:
  head:
    nodes:
      pool: {op: AdaptiveAvgPool2d, output_size: 1}
      flat: {op: flatten, start_dim: 1}
      fc: {op: Linear, out_features: 5}
nodes:
  stem: {op: Conv2d, out_channels: 4, kernel_size: 3, padding: 1}
  noise: {op: Conv2d, out_channels: 4, kernel_size: 1, when: $training}
  body: {op: Conv2d, out_channels: 6, kernel_size: 3, from: {add: [stem, noise]}}
  act: ReLU
  side: {op: head, from: stem, when: $(aux and training)}
  soft: {op: softmax, from: side, dim: 1}
  main: {op: head, from: act}
  sharp: {op: mul, from: main, other: 2, when: $(not training)}
outputs: {main: main, soft: soft, sharp: sharp}
"""


class Handwritten(nn.Module):
    """The same net as people write it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.noise = nn.Conv2d(4, 4, 1)
        self.body = nn.Conv2d(4, 6, 3)
        self.side = self.head(4)
        self.main = self.head(6)

    def head(self, width: int) -> nn.Module:
        head = nn.Module()
        head.fc = nn.Linear(width, 5)
        return head

    def forward(self, x: Tensor) -> dict[str, Tensor | None]:
        x = self.stem(x)
        soft = sharp = None
        if self.training:
            soft = self.side.fc(x.mean((2, 3))).softmax(1)
            x = x + self.noise(x)
        main = self.main.fc(self.body(x).relu().mean((2, 3)))
        if not self.training:
            sharp = main * 2
        return {"main": main, "soft": soft, "sharp": sharp}


@pytest.fixture
def model() -> nn.Module:
    return load(emit(built(TEXT)))


def gradients(model: nn.Module, image: Tensor) -> tuple[dict[str, Any], dict[str, Any]]:
    model.zero_grad()
    found = model(image)
    sum(value.sin().sum() for value in found.values() if value is not None).backward()
    return found, {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("train", [True, False])
def test_values_and_gradients_are_those_of_a_handwritten_module(
    model: nn.Module, train: bool
) -> None:
    theirs = Handwritten().train(train)
    model.load_state_dict(theirs.state_dict())
    image = torch.randn(2, 3, 8, 8)
    found, slopes = gradients(model.train(train), image)
    wanted, others = gradients(theirs, image)
    assert [k for k, v in found.items() if v is None] == (["sharp"] if train else ["soft"])
    assert slopes.keys() == others.keys()
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(slopes, others)
    assert (slopes["side.fc.weight"] is None) is not train  # what does not run learns nothing


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("params", [{}, {"aux": False}], ids=["aux", "plain"])
def test_compiles_and_exports_in_both_modes(train: bool, params: dict[str, Any]) -> None:
    model = load(emit(built(TEXT, params))).train(train)
    image = torch.randn(2, 3, 8, 8)
    wanted = model(image)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(image), wanted)
    program = torch.export.export(model, (image,)).module()  # keeps the mode it had here
    torch.testing.assert_close(program(image), wanted)


@pytest.mark.parametrize("params", [{}, {"aux": False}], ids=["aux", "plain"])
@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_scripts_with_both_modes_in_it(params: dict[str, Any]) -> None:
    text = TEXT.replace("{add: [stem, noise]}", "stem")
    model = load(emit(built(text, params)))
    scripted = torch.jit.script(model)
    image = torch.randn(2, 3, 8, 8)
    for train in (True, False):
        torch.testing.assert_close(scripted.train(train)(image), model.train(train)(image))


def test_copies_keep_what_is_absent(model: nn.Module) -> None:
    image = torch.randn(2, 3, 8, 8)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(twin.eval()(image), model.eval()(image))


def test_the_class_leaves_its_heads_to_a_param() -> None:
    generated = emit(built(TEXT))
    assert "def __init__(self, aux: bool = True) -> None:" in generated.source
    cls = type(load(generated))
    assert "side.fc.weight" in cls().state_dict()
    plain = cls(aux=False)
    assert plain.side is None
    assert list(plain.state_dict()) == list(load(emit(built(TEXT, {"aux": False}))).state_dict())
    assert plain(torch.randn(2, 3, 8, 8))["soft"] is None


def test_each_parameter_of_a_head_is_drawn(model: nn.Module) -> None:
    torch.manual_seed(0)
    one = load(emit(built(TEXT))).side.fc.weight
    torch.manual_seed(1)
    assert not torch.equal(one, load(emit(built(TEXT))).side.fc.weight)


def test_lines_lead_to_the_spec() -> None:
    generated = emit(built(TEXT))
    lines, spec = generated.source.splitlines(), ("graphbuild: 1\nname: net\n" + TEXT).splitlines()
    found = {lines[at - 1].strip(): spec[span.line - 1] for at, span in generated.lines.items()}
    for line, start in (
        ("if self.side is not None and self.training:", "  side:"),
        ("soft = self.side(out)", "  side:"),
        ("soft = F.softmax(soft, dim=1)", "  soft:"),
        ("soft = None", "  side:"),
        ("if noise is not None:", "  body:"),
        ("out = out + noise", "  body:"),
        ("sharp = out * 2 if not self.training else None", "  sharp:"),
    ):
        assert found[line].startswith(start), found
    assert all(at in generated.lines for at, line in enumerate(lines, 1) if "self.training" in line)


# -- the graph ----------------------------------------------------------------------------------


def test_what_consumes_only_an_absent_value_is_absent_too() -> None:
    graph = built(TEXT)
    modes = {node.name: node.mode for node in graph.nodes}
    assert [n for n, mode in modes.items() if mode == "training"] == ["noise", "side", "soft"]
    assert [n for n, mode in modes.items() if mode == "eval"] == ["sharp"]
    never = built(TEXT, {"aux": False})
    side, soft = never.by_name["side"], never.by_name["soft"]
    assert side.mode == soft.mode == "never"
    assert side.call is soft.call is None
    assert side.type == soft.type == ABSENT
    assert "side = nothing(stem) when never{aux and training}" in show(never)


def test_what_waits_for_one_mode_runs_as_soon_as_it_can() -> None:
    graph = built(TEXT)
    order = [graph.nodes[p].name for p in graph.order]
    assert order[:5] == ["stem", "noise", "side", "soft", "body.from"]
    assert [n.name for n in graph.nodes][:4] == ["stem", "noise", "body.from", "body"]


def test_macs_are_those_of_evaluation_and_parameters_all() -> None:
    told = report(built(TEXT))
    rows = {row.path: row for row in told.rows}
    assert rows["noise"].mode == rows["side.fc"].mode == "training"
    assert rows["side.fc"].counts.parameters == 25
    assert rows["side.fc"].counts.macs == 0
    assert rows["main.fc"].counts.macs == 30
    assert told.totals.macs == sum(row.counts.macs for row in told.rows)
    assert told.totals.parameters == sum(p.numel() for p in Handwritten().parameters())
    assert dict(told.outputs)["soft"] == "N×5 (training only)"
    for depth in (1, 2):
        assert report(built(TEXT), depth).totals == told.totals


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("soft", {"mode": "always"}),
    ("soft", {"mode": "eval"}),
    ("soft", {"mode": "never", "call": None, "type": ABSENT}),
    ("side", {"mode": "never", "call": None, "type": ABSENT}),
    ("side", {"mode": "never"}),
    ("body.from", {"mode": "training"}),
    ("body.from", {"mode": "never"}),
    ("body", {"operands": (Edge("noise"),)}),
    ("main", {"operands": (Edge("soft"),)}),
]


@pytest.mark.parametrize(("name", "fields"), BROKEN)
def test_the_verifier_looks_at_modes(name: str, fields: dict[str, Any]) -> None:
    graph = built(TEXT)
    nodes = tuple(replace(n, **fields) if n.name == name else n for n in graph.nodes)
    with pytest.raises(VerifyError):
        verify(replace(graph, nodes=nodes))


def test_a_merge_on_the_edge_of_what_is_never_there_is_not_either() -> None:
    text = (
        "inputs: {x: [N, 8]}\nnodes:\n"
        "  sharp: {op: abs, from: x, when: $(not training)}\n"
        "  off: {op: Tanh, from: {add: [sharp, x]}, when: false}\n"
        "  out: {op: ReLU, from: {add: [sharp, x]}}\n"
    )
    graph = built(text)  # which the verifier has seen
    assert graph.by_name["off.from"].mode == "never"


# -- in place -----------------------------------------------------------------------------------

START = (
    "inputs: {x: [N, 8, H=9, W=7]}\nnodes:\n  a: {op: Conv2d, out_channels: 8, kernel_size: 1}\n"
)


def in_place(text: str) -> list[str]:
    spec = read_text("graphbuild: 1\nname: net\n" + START + text, "net.yaml")
    return [f.message for f in elaborate_with_findings(spec)[1] if f.is_error]


def test_a_reader_in_the_other_mode_does_not_mind() -> None:
    overwrites = "  r: {op: ReLU, from: a, inplace: true, when: $training}\n"
    for condition, fine in (("$(not training)", True), ("$training", False), ("true", False)):
        reads = f"  s: {{op: sigmoid, from: a, when: {condition}}}\n"
        found = in_place(overwrites + reads + "outputs: [r, s]\n")
        assert (not found) is fine, condition
        assert all("still read" in message for message in found)


def test_a_merge_that_passes_on_hands_on_the_memory_too() -> None:
    sides = "  t: {op: tanh, from: a, when: $training}\n  m: {op: add, from: [a, t]}\n"
    text = sides + "  r: {op: ReLU, from: m, inplace: true}\n"
    assert in_place(text) == []  # in evaluation it overwrites `a`, which no one reads any more
    (message,) = in_place(text + "  o: {op: sub, from: [r, a]}\n")
    assert "overwrites the value of 'a'" in message


# -- expressions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "training", "evaluation"),
    [
        ("$training", "True", "False"),
        ("$(not training)", "False", "True"),
        ("$(aux and training)", "aux", "False"),
        ("$(training and aux and deep)", "aux and deep", "False"),
        ("$(aux or training)", "True", "aux"),
        ("$(aux and (training or deep))", "aux", "aux and deep"),
        ("$(aux if training else deep)", "aux", "deep"),
        ("$(not (aux and training))", "not aux", "True"),
        ("$(training == aux)", "True == aux", "False == aux"),
        ("$((aux or training) and (deep or training))", "True", "aux and deep"),
        ("$(2 > 1)", "True", "True"),
        ("$(1 / 0 > 1)", "1 / 0 > 1", "1 / 0 > 1"),
        ("$aux", "aux", "aux"),
    ],
)
def test_conditions_are_reduced(text: str, training: str, evaluation: str) -> None:
    tree = expr.lift(text)
    before = ast.dump(tree)
    assert expr.unparse(expr.reduced(tree, True)) == training
    assert expr.unparse(expr.reduced(tree, False)) == evaluation
    assert ast.dump(tree) == before  # trees are shared


def test_a_graph_without_when_is_always_there() -> None:
    graph: Graph = built(START)
    assert graph.modes == "always"
    assert {node.mode for node in graph.nodes} == {"always"}
