"""Shared modules against handwritten ones: keys, outputs, gradients and statistics, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import graphbuild
from graphbuild.elaborate import elaborate
from graphbuild.read import read_text
from graphbuild.report import report

HEAD = "graphbuild: 1\nname: net\n"

TRIPLET = """
inputs: {anchor: [N, 3, H=12, W=10], positive: [N, 3, H, W], negative: [M, 3, V=9, U=8]}
blocks:
  embedding:
    nodes:
      conv: {op: Conv2d, out_channels: 8, kernel_size: 3}
      norm: BatchNorm2d
      act: ReLU
      pool: {op: AdaptiveAvgPool2d, output_size: 1}
      flat: {op: flatten, start_dim: 1}
      fc: {op: Linear, out_features: 5}
nodes:
  anchor_embedding: {op: embedding, from: anchor}
  positive_embedding: {share: anchor_embedding, from: positive}
  negative_embedding: {share: anchor_embedding, from: negative}
outputs: {anchor: anchor_embedding, positive: positive_embedding, negative: negative_embedding}
expect: {parameters: 285}
"""


class Embedding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.conv(x)))
        return self.fc(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


class Triplet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.anchor_embedding = Embedding()

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> dict[str, Tensor]:
        net = self.anchor_embedding
        return {"anchor": net(anchor), "positive": net(positive), "negative": net(negative)}


REFINE = """
inputs: {state: [N, 4, H=6, W=5], context: [N, 2, H, W]}
params: {depth: 3}
blocks:
  update:
    inputs: [x, context]
    nodes:
      conv: {op: Conv2d, out_channels: $x.channels, kernel_size: 3, padding: 1, from: {concat: [x, context]}}
      norm: BatchNorm2d
      act: Tanh
      out: {op: add, from: [act, x]}
nodes:
  refine: {op: update, from: [state, context], repeat: $depth, share: true}
  stack: {op: Conv2d, out_channels: 4, kernel_size: 1, repeat: 2}
  more: {share: refine, from: [stack, context], repeat: 2}
  again: {share: stack}
  out: {op: sub, from: [again, state]}
expect: {parameters: 268}
"""


class Update(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return torch.tanh(self.norm(self.conv(torch.cat([x, context], 1)))) + x


class Refine(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.refine = Update()
        self.stack = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1))

    def forward(self, state: Tensor, context: Tensor) -> Tensor:
        x = state
        for _ in range(3):
            x = self.refine(x, context)
        x = self.stack(x)
        for _ in range(2):
            x = self.refine(x, context)
        return self.stack(x) - state


MULTIRANK = """
inputs: {query: [N, 6], candidates: [N, K=4, 6]}
blocks:
  tower:
    nodes:
      fc1: {op: Linear, out_features: 7}
      norm: LayerNorm
      act: GELU
      fc2: {op: Linear, out_features: 6}
      out: {op: add, from: [fc2, input]}
nodes:
  left: {op: tower, from: query}
  right: {share: left, from: candidates}
  column: {op: unsqueeze, from: left, dim: 2}
  score: {op: matmul, from: [right, column]}
"""


class Tower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(6, 7)
        self.norm = nn.LayerNorm(7)
        self.fc2 = nn.Linear(7, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(nn.functional.gelu(self.norm(self.fc1(x)))) + x


class Multirank(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left = Tower()

    def forward(self, query: Tensor, candidates: Tensor) -> Tensor:
        return self.left(candidates) @ self.left(query).unsqueeze(2)


CASES: dict[str, tuple[str, Callable[[], nn.Module], tuple[tuple[int, ...], ...]]] = {
    "triplet": (TRIPLET, Triplet, ((2, 3, 12, 10), (2, 3, 12, 10), (5, 3, 9, 8))),
    "refine": (REFINE, Refine, ((2, 4, 6, 5), (2, 2, 6, 5))),
    "multirank": (MULTIRANK, Multirank, ((3, 6), (3, 4, 6))),
}


def made(name: str) -> tuple[nn.Module, nn.Module, tuple[Tensor, ...]]:
    """Ours and the handwritten module with the same weights, and inputs."""
    text, reference, shapes = CASES[name]
    torch.manual_seed(0)
    theirs = reference()
    ours = compiled(text)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs, tuple(torch.randn(shape) for shape in shapes)


def compiled(text: str, **params: Any) -> nn.Module:
    graph = elaborate(read_text(HEAD + text, "net.yaml"), params)
    return graphbuild.load(graphbuild.emit(graph))


def values(found: Any) -> list[Tensor]:
    return list(found.values()) if isinstance(found, dict) else [found]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("train", [True, False])
def test_equals_the_handwritten_module(name: str, train: bool) -> None:
    ours, theirs, inputs = made(name)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    results = []
    for model in (ours.train(train), theirs.train(train)):
        found = values(model(*inputs))
        sum(value.sin().sum() for value in found).backward()  # type: ignore[union-attr]
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        assert len(grads) == len(list(model.parameters()))
        results.append([*found, *grads, *model.state_dict().values()])  # with the statistics
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_compiles_and_exports(name: str) -> None:
    ours, _, inputs = made(name)
    ours.eval()
    wanted = values(ours(*inputs))
    for found in (
        torch.compile(ours, fullgraph=True, backend="aot_eager")(*inputs),
        torch.export.export(ours, inputs).module()(*inputs),
    ):
        assert all(torch.allclose(a, b) for a, b in zip(values(found), wanted, strict=True))
    torch._dynamo.reset()


def test_scripts() -> None:
    ours, _, inputs = made("refine")
    assert torch.equal(torch.jit.script(ours.eval())(*inputs), ours(*inputs))


def test_every_call_is_counted_and_every_weight_once() -> None:
    told = report(elaborate(read_text(HEAD + REFINE, "net.yaml")), depth=1)
    rows = {row.path: row for row in told.rows}
    assert rows["refine"].what == "update ×3 shared"
    assert rows["more"].what == "shares refine ×2"
    assert rows["again"].what == "shares stack"
    once = 4 * 30 * (6 * 9)
    assert (rows["refine"].counts.macs, rows["more"].counts.macs) == (3 * once, 2 * once)
    assert rows["more"].counts.parameters == rows["again"].counts.parameters == 0
    assert rows["again"].counts.macs == rows["stack"].counts.macs > 0
    inside = report(elaborate(read_text(HEAD + REFINE, "net.yaml")))
    assert inside.totals == told.totals
    conv = next(row for row in inside.rows if row.path == "refine.conv")
    assert (conv.what, conv.times, conv.counts.macs) == ("Conv2d ×3 shared", 3, 3 * once)
    (shared,) = (r for r in told.to_dict()["rows"] if r["path"] == "more")
    assert (shared["shares"], shared["times"], shared["ties"]) == ("refine", 2, {})


@pytest.mark.parametrize("depth", [1, 5])
def test_other_counts_are_one_argument_away(depth: int) -> None:
    module, wanted = compiled(REFINE), compiled(REFINE, depth=depth)
    other = type(module)(depth=depth).eval()
    other.load_state_dict(wanted.state_dict())
    inputs = (torch.randn(1, 4, 6, 5), torch.randn(1, 2, 6, 5))
    assert torch.equal(other(*inputs), wanted.eval()(*inputs))


def test_without_turns_it_is_the_identity() -> None:
    text = """
inputs: {x: [N, 4]}
params: {n: 0}
nodes: {a: {op: Linear, out_features: 4, repeat: $n, share: true}, b: Linear2}
""".replace("Linear2", "{op: Linear, out_features: 2}")
    module = compiled(text)
    assert list(module.state_dict()) == ["b.weight", "b.bias"]
    x = torch.randn(3, 4)
    assert torch.equal(module(x), module.b(x))


# -- in place: what is refused fails in torch as well, what is allowed does not ------------------

X = "inputs: {x: [N, 4, H=6, W=5]}\n"
REFUSED = {
    "ReLU in turn, whose backward reads what it gave": (
        "nodes: {n: BatchNorm2d, r: {op: ReLU, inplace: true, repeat: 3, share: true}}",
        "the backward of r reads it",
    ),
    "what a shared sigmoid gave": (
        "nodes: {n: BatchNorm2d, s: Sigmoid, t: {share: s, from: n}, "
        "r: {op: ReLU, inplace: true, from: t}, a: {op: add, from: [r, s]}}",
        "the backward of t reads it",
    ),
    "one operand of two calls": (
        "nodes: {n: BatchNorm2d, r: {op: ReLU, inplace: true}, s: {share: r, from: n}, "
        "a: {op: add, from: [r, s]}}",
        "s reads it",
    ),
    "the operand that stays the same": (
        "blocks: {b: {inputs: [p, q], nodes: {d: {op: Hardtanh, inplace: true, from: q}, "
        "o: {op: add, from: [p, d]}}}}\n"
        "nodes: {n: BatchNorm2d, m: {op: BatchNorm2d, from: x}, "
        "r: {op: b, from: [n, m], repeat: 2, share: true}}",
        "r.d reads it",
    ),
    "what the turn before gave, inside": (
        "blocks: {b: {nodes: {r: {op: Hardtanh, inplace: true}, "
        "c: {op: Conv2d, out_channels: 4, kernel_size: 1}, t: Sigmoid}}}\n"
        "nodes: {n: BatchNorm2d, b: {op: b, repeat: 2, share: true}}",
        "the backward of b.t reads it",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_in_place_is_refused(name: str) -> None:
    text, words = REFUSED[name]
    with pytest.raises(graphbuild.SpecError) as caught:
        elaborate(read_text(HEAD + X + text, "net.yaml"))
    (found,) = caught.value.findings
    assert found.code == "E209"
    assert words in str(found)


def test_the_mend_is_told_where_the_layer_stands() -> None:
    text = "nodes: {r: ReLU, n: BatchNorm2d, i: {op: ReLU, inplace: true}, j: {share: i, from: n}}"
    with pytest.raises(graphbuild.SpecError) as caught:
        elaborate(read_text(HEAD + X + text + "\noutputs: [n, i, j]", "net.yaml"))
    hints = [finding.suggestion for finding in caught.value.findings]
    assert any(
        hint in ("write inplace: false here", "write inplace: false in 'i'") for hint in hints
    )


@pytest.mark.parametrize(
    "text",
    [
        "nodes: {n: BatchNorm2d, r: {op: Hardtanh, inplace: true, repeat: 3, share: true}}",
        "nodes: {n: BatchNorm2d, r: {op: ReLU, inplace: true}, m: BatchNorm2d, s: {share: r}}",
        "blocks: {b: {nodes: {r: {op: Hardtanh, inplace: true}, "
        "c: {op: Conv2d, out_channels: 4, kernel_size: 1}}}}\n"
        "nodes: {n: BatchNorm2d, b: {op: b, repeat: 2, share: true}, c: {share: b}}",
    ],
)
def test_in_place_is_allowed(text: str) -> None:
    module = compiled(X + text)
    x = torch.randn(2, 4, 6, 5, requires_grad=True)
    module(x).sum().backward()
    assert x.grad is not None


def test_torch_refuses_a_relu_in_turn_as_well() -> None:
    relu, x = nn.ReLU(inplace=True), torch.randn(3, requires_grad=True)
    value = x * 1
    for _ in range(3):
        value = relu(value)
    with pytest.raises(RuntimeError, match="inplace operation"):
        value.sum().backward()
