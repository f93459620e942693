"""Raw parameters and buffers, and rules of initialisation that read a layer's own arguments."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from proof import HEAD, built
from torch import Tensor, nn

from graphbuild import ops
from graphbuild.elaborate import elaborate_with_findings
from graphbuild.emit import emit
from graphbuild.errors import Finding
from graphbuild.load import load
from graphbuild.ops.base import Args, Op
from graphbuild.read import read_text
from graphbuild.report import report

NET = """
inputs: {x: [N, T=5, 6]}
params: {std: 0.02}
blocks:
  scaled:
    nodes:
      fc: {op: Linear, out_features: 6}
      scale: {op: parameter, shape: [6], init: {op: normal, mean: 3.0, std: $std}}
      out: {op: mul, from: [fc, scale]}
nodes:
  position: {op: arange, end: 6}
  column: {op: unsqueeze, from: position, dim: 1}
  ahead: {op: lt, from: [column, position]}
  mask: {op: buffer, from: ahead, persistent: false}
  token: {op: parameter, shape: [1, 1, 6], init: ones}
  first: {op: scaled, from: x}
  second: scaled
  sum: {op: add, from: [second, token]}
  halved: {op: mul, from: mask, other: 0.5}
  scores: {op: matmul, from: [sum, halved]}
"""


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(6))
        self.fc = nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x) * self.scale


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.ones(1, 1, 6))
        self.register_buffer("mask", torch.ones(6, 6).triu(1).bool(), persistent=False)
        self.first = Scaled()
        self.second = Scaled()

    def forward(self, x: Tensor) -> Tensor:
        return (self.second(self.first(x)) + self.token) @ (self.mask * 0.5)


def compiled(text: str, **given: Any) -> nn.Module:
    return load(emit(built(text)), **given)


def pair() -> tuple[nn.Module, nn.Module]:
    ours, theirs = compiled(NET), Net()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def test_equal_a_handwritten_module() -> None:
    ours, theirs = pair()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_buffers()] == [n for n, _ in theirs.named_buffers()]
    x = torch.randn(3, 5, 6)
    for model in (ours, theirs):
        model(x).sin().sum().backward()
    assert torch.equal(ours(x), theirs(x))
    for name, parameter in ours.named_parameters():
        assert torch.equal(parameter.grad, theirs.get_parameter(name).grad), name


def test_copies_pickles_moves_compiles_and_exports() -> None:
    model = compiled(NET)
    x = torch.randn(3, 5, 6)
    wanted = model(x)
    assert torch.equal(copy.deepcopy(model)(x), wanted)
    assert torch.equal(pickle.loads(pickle.dumps(model))(x), wanted)
    assert torch.equal(torch.compile(model, fullgraph=True, backend="eager")(x), wanted)
    dims = ({0: torch.export.Dim("batch", min=2)},)
    program = torch.export.export(model, (x,), dynamic_shapes=dims)
    assert program.module()(x[:2]).equal(model(x[:2]))
    assert model.to("meta")(x.to("meta")).is_meta


def test_each_parameter_is_drawn_once() -> None:
    rules = """
init:
  - {match: "*.scale", value: {op: uniform, a: 7.0, b: 8.0}}
  - {match: Linear, weight: {op: normal, std: "$(1 / in_features)"}}
"""
    for text in (NET, NET + rules):
        model = compiled(text)
        for name, parameter in model.named_parameters():
            assert parameter._version == (name != "token"), name  # that is made of ones
    assert all(7 <= scale <= 8 for scale in model.first.scale)
    assert model.second.fc.weight.std() < 0.3
    torch.manual_seed(0)
    first = compiled(NET).first.scale
    torch.manual_seed(0)
    assert torch.equal(compiled(NET).first.scale, first)
    assert 2.8 < first.mean() < 3.2


def test_without_init_nothing_is_drawn() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    model = compiled(NET, init=False)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.mask.sum() == 15


def test_beside_layers_that_draw_in_their_constructors() -> None:
    more = NET + "  attn: {op: MultiheadAttention, num_heads: 2, from: [scores, scores, scores]}\n"
    model = compiled(more + "outputs: attn.output\ninit: [{match: '*.scale', value: zeros}]\n")
    assert not model.first.scale.any()
    assert torch.equal(model.token, torch.ones(1, 1, 6))
    assert model.attn.in_proj_weight.std() > 0.1


def test_a_class_draws_itself_anew() -> None:
    model = compiled(NET)
    before = model.first.scale.clone()
    model.first.reset_parameters()
    assert not torch.equal(model.first.scale, before)
    assert not hasattr(model, "reset_parameters")  # what is filled needs none


def test_are_counted_and_shown() -> None:
    graph = built(NET)
    found = report(graph)
    rows = {row.path: row for row in found.rows}
    assert rows["token"].counts.parameters == rows["first.scale"].counts.parameters == 6
    assert rows["mask"].counts.buffers == 36
    assert rows["mask"].op == "buffer"
    assert found.totals.parameters == 2 * 42 + 12 + 6
    assert found.totals.parameters == sum(p.numel() for p in compiled(NET).parameters())


def test_memory_is_not_shared_between_buffers() -> None:
    model = compiled("""
inputs: {x: [N, 3]}
nodes:
  row: {op: arange, end: 3}
  one: {op: buffer, from: row}
  two: {op: buffer, from: row}
  wide: {op: broadcast_to, from: row, size: [2, 3]}
  three: {op: buffer, from: wide}
  part: {op: getitem, from: three, index: 0}
  four: {op: buffer, from: part}
  sum: {op: add, from: [x, one, two, four]}
  out: {op: add, from: [sum, part]}
""")
    places = {t.untyped_storage().data_ptr() for t in model.state_dict().values()}
    assert len(places) == 4
    model.load_state_dict(model.state_dict())


@pytest.mark.parametrize("name", [n for n in ops.names() if n[:1].isupper()])
def test_attributes_are_those_of_torch(name: str) -> None:
    op = ops.get(name)
    given: dict[str, Any] = {
        "kernel_size": 3, "stride": 2, "normalized_shape": 6, "num_heads": 2, "padding": 1,
    }  # fmt: skip
    numbers = {a.name: given.get(a.name, 6) for a in op.arguments if a.required or a.name in given}
    args = {a.name: a.default for a in op.arguments} | numbers
    kept = ops.attributes(op, Args(**args))
    if kept:
        layer = eval(op.source, {"nn": nn})(**numbers)
        assert {key: getattr(layer, key) for key in kept} == kept


def test_layers_of_ones_own_keep_nothing_that_is_known() -> None:
    op = Op("Linear", "mine.Linear", (), lambda args, x: x)
    assert ops.attributes(op, Args()) == {}


# -- what is wrong ----------------------------------------------------------------------------


def findings(body: str) -> list[Finding]:
    text = f"{HEAD}inputs: {{x: [N, 4, H=8, W=8]}}\n{body}"
    return elaborate_with_findings(read_text(text, "net.yaml"))[1]


def nodes(*lines: str) -> str:
    out = "".join(f"  {line}\n" for line in lines)
    return f"nodes:\n{out}  out: {{op: add, from: [x, p]}}\n"


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (nodes("p: {op: parameter}"), "E113", "shape or value"),
        (nodes("p: {op: parameter, shape: [1], value: 1.0}"), "E112", "shape and value"),
        (nodes("p: {op: parameter, value: 1.0, init: ones}"), "E112", "`init` fills a shape"),
        (nodes("p: {op: parameter, value: [[1], [2, 3]]}"), "E114", "equally long"),
        (nodes("p: {op: parameter, value: [one]}"), "E114", "numbers"),
        (nodes("p: {op: parameter, shape: [-1]}"), "E115", "ints >= 1"),
        (nodes("p: {op: parameter, shape: [$(x.height)]}"), "E208", "free dimension"),
        (nodes("p: {op: parameter, shape: [1], init: normall}"), "E212", "'normal'"),
        (nodes("p: {op: parameter, shape: [1], init: {op: normal, sd: 1}}"), "E212", "'sd'"),
        (nodes("p: {op: parameter, shape: [1], init: {op: normal, std: -1}}"), "E212", "range"),
        (nodes("p: {op: parameter, shape: [1], init: kaiming_normal}"), "E212", "2 dimensions"),
        (nodes("p: {op: parameter, shape: [1], init: {std: 1}}"), "E212", "unknown"),
        (nodes("p: {op: parameter, shape: [1], dtype: int64}"), "E206", "requires_grad: false"),
        (nodes("p: {op: parameter, shape: [1], size: 2}"), "E112", "'size'"),
        (nodes("p: {op: parameter, from: x, shape: [1]}"), "E205", "wrong number"),
        (nodes("p: {op: buffer, from: x}"), "E208", "p <- x"),
        (nodes("r: {op: relu, from: x}", "p: {op: buffer, from: r}"), "E208", "p <- r <- x"),
        (nodes("q: {op: parameter, shape: [1]}", "p: {op: buffer, from: q}"), "E208", "p <- q"),
        (nodes("q: {op: arange, end: '$(x.shape[2])'}", "p: {op: buffer, from: q}"), "E208", "'q'"),
        (
            nodes("q: {op: buffer, value: 1.0}", "d: {op: dropout, from: q}", "p: {op: buffer, from: d}"),
            "E208",
            "training",
        ),
        (nodes("q: {op: buffer, shape: [1]}", "p: {op: buffer, from: q, shape: [1]}"), "E112", "twice"),
        (nodes("q: {op: buffer, shape: [1]}", "p: {op: buffer, from: q, dtype: int8}"), "E112", "dtype"),
        (nodes("p: {op: parameter, shape: [1], repeat: 2}"), "E205", "p$(i)"),
        (nodes("p: {op: parameter, shape: [1], if: false}"), "E205", "no operand"),
        (nodes("q: {op: parameter, shape: [1]}", "p: {op: ReLU, from: q, inplace: true}"), "E209", "parameter 'q'"),
        (
            nodes("q: {op: buffer, shape: [1]}", "v: {op: reshape, from: q, shape: [-1]}", "p: {op: ReLU, inplace: true}"),
            "E209",
            "buffer 'q'",
        ),
        (
            nodes("g: {from: x, nodes: {p: {op: parameter, shape: [1]}}}", "p: {op: ReLU, inplace: true}"),
            "E209",
            "parameter 'g.p'",
        ),
        (nodes("q: {op: parameter, shape: [1]}", "p: {op: ReLU, from: x}"), "W301", "'q'"),
        (
            nodes("q: {op: parameter, shape: [1]}", "p: {op: mul, from: [x, q]}") + "init: [{match: q, weight: ones}]\n",
            "E212",
            "they have value",
        ),
        (
            nodes("p: {op: Conv2d, from: x, out_channels: 4, kernel_size: 1}")
            + "init: [{match: Conv2d, weight: {op: normal, std: $(1 / out_features)}}]\n",
            "E212",
            "out_features",
        ),
        (
            nodes("p: {op: Conv2d, from: x, out_channels: 4, kernel_size: 1}")
            + "init: [{match: Conv2d, weight: {op: uniform, a: $out_channels, b: 1}}]\n",
            "E212",
            "range",
        ),
    ],
)  # fmt: skip
def test_findings(body: str, code: str, said: str) -> None:
    found = findings(body)
    assert [f.code for f in found] == [code], "\n\n".join(map(str, found))
    assert said in str(found[0])


def test_a_parameter_above_is_no_operand() -> None:
    found = findings("nodes: {p: {op: parameter, shape: [1]}, out: ReLU}\n")
    assert [f.code for f in found] == ["E202"]
    assert found[0].suggestion == "say from: p, or what else it takes"


def test_rules_without_a_layer_are_taken() -> None:
    body = nodes("p: {op: parameter, shape: [1]}")
    assert not findings(
        f"{body}init: [{{match: Linear, weight: {{op: normal, std: $out_features}}}}]\n"
    )
