"""Specs of functions, compiled, against the same calls of torch; and how the calls are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import yaml
from torch import Tensor, nn

import graphbuild
from graphbuild.check import verify

TOKENS = {"x": ["N", "L=5", 8]}
IMAGE = {"x": ["N", 4, "H=8", "W=12"]}
Given = dict[str, Any]


def spec(nodes: str, inputs: Given, outputs: Any = None) -> Given:
    data = {"graphbuild": 1, "name": "probe", "inputs": inputs, "nodes": yaml.safe_load(nodes)}
    return {**data, **({"outputs": outputs} if outputs else {})}


def source(data: Given) -> str:
    graph = graphbuild.elaborate(graphbuild.read(data))
    verify(graph)
    return graphbuild.emit(graph).source


def build(data: Given) -> nn.Module:
    source(data)
    torch.manual_seed(0)
    return graphbuild.compile(data).eval()


def same(ours: Any, theirs: Any) -> None:
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)


# A spec's nodes, its inputs, what torch says, and what the source should hold.
Case = tuple[str, Given, Callable[..., Any], str]
CASES: dict[str, Case] = {
    "einsum": (
        "{a: {op: einsum, equation: 'bid,bjd->bij', from: [x, x]}}",
        TOKENS,
        lambda x: torch.einsum("bid,bjd->bij", x, x),
        'return torch.einsum("bid,bjd->bij", x, x)',
    ),
    "einsum in a chain": (
        "{a: {nodes: [{op: einsum, equation: bij->bji}, ReLU]}}",
        TOKENS,
        lambda x: x.transpose(1, 2).relu(),
        'Einsum(equation="bij->bji")',
    ),
    "expand": (
        "{a: {op: unsqueeze, dim: 1}, b: {op: expand, size: [-1, 3, -1, -1]}}",
        TOKENS,
        lambda x: x.unsqueeze(1).expand(-1, 3, -1, -1),
        "a.expand(-1, 3, -1, -1)",
    ),
    "expand to a size that is free": (
        "{a: {op: select, dim: 1, index: 0}, b: {op: unsqueeze, dim: 1},"
        " c: {op: expand, size: [-1, '$(x.shape[1])', -1]}}",
        TOKENS,
        lambda x: x[:, :1].expand(-1, x.shape[1], -1),
        "expand(-1, x.shape[1], -1)",
    ),
    "positions": (
        "{p: {op: arange, end: '$(x.shape[1])'}, f: {op: to, dtype: float32, from: p},"
        " u: {op: unsqueeze, dim: -1}, a: {op: add, from: [x, u]}}",
        TOKENS,
        lambda x: x + torch.arange(x.shape[1]).float()[:, None],
        "torch.arange(x.shape[1], device=x.device)",
    ),
    "a causal mask": (
        "{s: {op: einsum, equation: 'bid,bjd->bij', from: [x, x]},"
        " o: {op: ones, size: ['$(x.shape[1])', '$(x.shape[1])'], dtype: bool},"
        " m: {op: triu, diagonal: 1, from: o},"
        " a: {op: masked_fill, value: -.inf, from: [s, m]}, p: {op: softmax, dim: -1}}",
        TOKENS,
        lambda x: torch.softmax(
            torch.einsum("bid,bjd->bij", x, x)
            + torch.full((x.shape[1],) * 2, float("-inf")).triu(1),
            -1,
        ),
        "torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device)",
    ),
    "full": (
        "{f: {op: full, size: [8], fill_value: 2.5, from: x}, a: {op: mul, from: [x, f]}}",
        TOKENS,
        lambda x: x * 2.5,
        "torch.full((8,), 2.5, device=x.device)",
    ),
    "eye and linspace": (
        "{e: {op: eye, n: 8}, l: {op: linspace, start: 0, end: 1, steps: 8},"
        " m: {op: mul, from: [e, l]}, a: {op: matmul, from: [x, m]}}",
        TOKENS,
        lambda x: x @ (torch.eye(8) * torch.linspace(0, 1, 8)),
        "torch.linspace(0, 1, 8, device=x.device)",
    ),
    "arange by steps": (
        "{r: {op: arange, end: 16, step: 2}, a: {op: add, from: [x, r]}}",
        TOKENS,
        lambda x: x + torch.arange(0, 16, 2),
        "torch.arange(0, 16, 2, device=x.device)",
    ),
    "like": (
        "{z: zeros_like, o: {op: ones_like, from: x},"
        " f: {op: full_like, fill_value: 3, from: x}, a: {op: add, from: [z, o, f]}}",
        TOKENS,
        lambda x: torch.full_like(x, 4),
        "torch.zeros_like(x)",
    ),
    "topk, gather and scatter": (
        "{t: {op: topk, k: 3}, g: {op: gather, dim: -1, from: [x, t.indices]},"
        " z: {op: zeros_like, from: x}, s: {op: scatter, dim: -1, from: [z, t.indices, g]},"
        " m: {op: scatter, dim: 2, value: 1.5, from: [s, t.indices]}}",
        TOKENS,
        lambda x: torch.zeros_like(x).scatter(-1, x.topk(3).indices, 1.5),
        "torch.gather(x, -1, t[1])",
    ),
    "sort and take_along_dim": (
        "{o: {op: argsort, dim: 1, descending: true},"
        " a: {op: take_along_dim, dim: 1, from: [x, o]}, s: {op: sort, dim: 1, descending: true,"
        " from: x}, d: {op: sub, from: [a, s.values]}}",
        TOKENS,
        lambda x: torch.zeros_like(x),
        "torch.take_along_dim(x, out, dim=1)",
    ),
    "index_select": (
        "{i: {op: arange, start: 6, end: 0, step: -2}, a: {op: index_select, dim: 2, from: [x, i]}}",
        TOKENS,
        lambda x: x[..., [6, 4, 2]],
        "torch.index_select(x, 2, i)",
    ),
    "where with a number": (
        "{m: {op: gt, other: 0.5}, a: {op: where, from: [m, x], other: 0.0}}",
        TOKENS,
        lambda x: torch.where(x > 0.5, x, 0.0),
        "torch.where(m, x, 0.0)",
    ),
    "logic": (
        "{a: {op: gt, other: 0.2}, b: {op: lt, other: 0.7, from: x}, n: {op: isnan, from: x},"
        " c: {op: logical_and, from: [a, b]}, d: {op: logical_xor, from: [c, n]},"
        " e: {op: logical_not, from: d}, f: {op: logical_or, from: [e, n]}}",
        TOKENS,
        lambda x: ~((x > 0.2) & (x < 0.7)),
        "torch.logical_not(",
    ),
    "detach, clone, contiguous": (
        "{a: detach, b: clone, c: {op: transpose, dim0: 1, dim1: 2}, d: contiguous}",
        TOKENS,
        lambda x: x.transpose(1, 2),
        "x.detach()",
    ),
    "raw weights": (
        "{w: {op: ones, size: [6, 4, 3, 3]}, b: {op: arange, end: 6.0},"
        " a: {op: conv2d, padding: 1, from: [x, w, b]}}",
        IMAGE,
        lambda x: F.conv2d(x, torch.ones(6, 4, 3, 3), torch.arange(6.0), padding=1),
        "F.conv2d(x, w, b, padding=1)",
    ),
    "a raw matrix, without a bias": (
        "{w: {op: ones, size: [6, 8]}, a: {op: linear, from: {input: x, weight: w}}}",
        TOKENS,
        lambda x: F.linear(x, torch.ones(6, 8)),
        "F.linear(x, w)",
    ),
    "a grid": (
        "{h: {op: arange, end: $x.height}, w: {op: arange, end: $x.width},"
        " g: {op: meshgrid, from: [h, w]}, a: {op: add, from: [g.0, g.1]},"
        " b: {op: mul, from: [x, a]}}",
        IMAGE,
        lambda x: x * (torch.arange(x.shape[2])[:, None] + torch.arange(x.shape[3])),
        'torch.meshgrid(h, w, indexing="ij")',
    ),
    "windows of a dimension": (
        "{a: {op: tensor_unfold, dimension: 2, size: 4, step: 2}}",
        TOKENS,
        lambda x: x.unfold(2, 4, 2),
        "x.unfold(2, 4, 2)",
    ),
    "the rest": (
        "{a: {op: cdist, from: [x, x]}, b: {op: diagonal, dim1: 1, dim2: 2},"
        " c: {op: repeat_interleave, repeats: 2, dim: 1}, d: {op: cumprod, dim: 1}}",
        TOKENS,
        lambda x: torch.cumprod(
            torch.diagonal(torch.cdist(x, x), dim1=1, dim2=2).repeat_interleave(2, 1), 1
        ),
        "torch.repeat_interleave(",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_like_torch(name: str) -> None:
    nodes, inputs, theirs, written = CASES[name]
    data = spec(nodes, inputs)
    assert written in source(data)
    model = build(data)
    for sizes in ((2, 5, 8, 12), (3, 7, 10, 6)):  # free dimensions stay free
        free = iter(sizes[1:] if inputs is TOKENS else sizes[2:])
        shape = [size if isinstance(size, int) else next(free) for size in inputs["x"][1:]]
        x = torch.rand(sizes[0], *shape)
        same(model(x.clone()), theirs(x))


@pytest.mark.parametrize("name", CASES)
def test_made_on_the_device_of_the_model(name: str) -> None:
    """Nothing is made on the default device where the input is on another."""
    nodes, inputs, *_ = CASES[name]
    shape = [size if isinstance(size, int) else 8 for size in inputs["x"][1:]]
    out = build(spec(nodes, inputs)).to("meta")(torch.rand(2, *shape, device="meta"))
    assert out.device.type == "meta"


def test_without_an_operand_nothing_is_taken_from_the_node_above() -> None:
    nodes = "{a: {op: Linear, out_features: 3}, z: {op: zeros, size: [3]}, s: ReLU}"
    found = graphbuild.check(spec(nodes, TOKENS))
    assert [f.code for f in found if f.is_error] == ["E202"]
    assert found[0].suggestion == "say from: z, or what else it takes"


def test_random_numbers() -> None:
    nodes = "{u: rand_like, v: {op: randn_like, from: x}, out: {op: add, from: [u, v]}}"
    model = build(spec(nodes, TOKENS))
    x = torch.rand(2, 5, 8)
    torch.manual_seed(0)
    wanted = torch.rand_like(x) + torch.randn_like(x)
    torch.manual_seed(0)
    same(model(x), wanted)
    assert model.to("meta")(x.to("meta")).device.type == "meta"
    tokens = {"x": {"shape": ["N"], "dtype": "int64"}}
    assert [f.code for f in graphbuild.check(spec("[randn_like]", tokens))] == ["E206"]


def test_an_operand_says_whose_device() -> None:
    nodes = "{z: {op: zeros, size: [8], from: y}, a: {op: add, from: [x, z]}}"
    assert "torch.zeros(8, device=y.device)" in source(spec(nodes, {"x": ["N", 8], "y": ["N", 8]}))


# -- what depends on a param --------------------------------------------------------------------

DTYPES = """
params: {kind: float16}
nodes:
  a: {op: to, dtype: $kind}
  b: {op: zeros_like, dtype: $kind}
  c: {op: add, from: [a, b]}
"""


def test_a_dtype_by_param_is_written_out() -> None:
    data = {
        "graphbuild": 1, "name": "probe", "inputs": TOKENS,
        "blocks": {"cast": yaml.safe_load(DTYPES)},
        "nodes": {"a": {"op": "cast"}, "b": {"op": "cast", "kind": "float64"}},
    }  # fmt: skip
    text = source(data)
    assert text.count("(nn.Module)") == 3  # a class for either dtype
    assert "x.to(torch.float16)" in text
    assert build(data)(torch.rand(2, 5, 8)).dtype == torch.float64
    data["nodes"]["b"]["kind"] = "float65"
    found = {(f.code, f.suggestion) for f in graphbuild.check(data)}
    assert found == {("E115", "did you mean 'float64'?")}


# -- layers with optional operands ----------------------------------------------------------------


def copied(model: nn.Module, reference: nn.Module) -> nn.Module:
    reference.load_state_dict(model.state_dict())
    return reference.eval()


def test_masks_of_attention() -> None:
    inputs = {"x": ["N", "L=5", 8], "mask": {"shape": ["L=5", "L=5"], "dtype": "bool"},
              "pad": {"shape": ["N", "L=5"], "dtype": "bool"}}  # fmt: skip
    given = {"query": "x", "key": "x", "value": "x"}
    x, mask = torch.rand(2, 5, 8), torch.ones(5, 5).triu(1).bool()
    pad = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    attention = {"op": "MultiheadAttention", "num_heads": 2, "batch_first": True}
    theirs = nn.MultiheadAttention(8, 2, batch_first=True)
    for masks in (("mask",), ("pad",), ("mask", "pad")):
        named = {"attn_mask": "mask", "key_padding_mask": "pad"}
        chosen = {name: value for name, value in named.items() if value in masks}
        data = {"graphbuild": 1, "name": "probe", "inputs": inputs, "outputs": ["a.output"],
                "nodes": {"a": {**attention, "from": {**given, **chosen}}}}  # fmt: skip
        text = source(data)
        written = "".join(f", {name}={value}" for name, value in chosen.items())
        assert f"self.a(x, x, x{written}, need_weights=False)" in text
        model = build(data)
        theirs.load_state_dict({k[2:]: v for k, v in model.state_dict().items()})
        values = {"attn_mask": mask, "key_padding_mask": pad}
        named = {name: values[name] for name in chosen}
        wanted = theirs.eval()(x, x, x, **named, need_weights=False)[0]
        same(model(x, mask, pad)[0], wanted)


def test_a_repetition_skips_what_its_node_skips() -> None:
    inputs = {"x": ["N", "L=5", 8], "pad": {"shape": ["N", "L=5"], "dtype": "bool"}}
    nodes = """
    a: {op: TransformerEncoderLayer, nhead: 2, dim_feedforward: 16, batch_first: true, repeat: 2,
        from: {src: x, src_key_padding_mask: pad}}
    """
    data = spec(nodes, inputs)
    assert "src_key_padding_mask=" in source(data)
    model = build(data)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    theirs = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    theirs.layers.load_state_dict({k[2:]: v for k, v in model.state_dict().items()})
    x, pad = torch.rand(2, 5, 8), torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    wanted = theirs(x, src_key_padding_mask=pad)
    torch.testing.assert_close(model(x, pad)[~pad], wanted[~pad])


def test_an_operand_that_is_needed_cannot_be_skipped() -> None:
    data = spec("{a: {op: MultiheadAttention, num_heads: 2, from: {query: x, value: x}}}", TOKENS)
    (found,) = graphbuild.check(data)
    assert (found.code, found.message) == ("E205", "MultiheadAttention lacks the operand 'key'")


def test_a_mask_that_does_not_fit() -> None:
    nodes = "{a: {op: TransformerEncoderLayer, nhead: 2, batch_first: true, from: [x, m]}}"
    data = spec(nodes, {"x": ["N", 5, 8], "m": [5, 6]})
    (found,) = graphbuild.check(data)
    assert found.code == "E207"
    assert "takes a mask of 5×5" in found.message


def test_an_lstm_hands_on_its_state() -> None:
    nodes = """
    a: {op: LSTM, hidden_size: 8, batch_first: true, from: x}
    b: {op: LSTM, hidden_size: 8, batch_first: true,
        from: {input: x, h_0: a.state.0, c_0: a.state.1}}
    c: {op: LSTMCell, hidden_size: 8, from: {input: y, h_0: z, c_0: z}}
    """
    data = spec(nodes, {**TOKENS, "y": ["N", 3], "z": ["N", 8]}, ["b.output", "c.h", "c.c"])
    text = source(data)
    assert "self.b(x, a[1])" in text
    assert "self.c(y, (z, z))" in text
    model = build(data)
    x, y, z = torch.rand(2, 5, 8), torch.rand(2, 3), torch.rand(2, 8)
    wanted = [model.b(x, model.a(x)[1])[0], *model.c(y, (z, z))]
    for ours, theirs in zip(model(x, y, z), wanted, strict=True):
        same(ours, theirs)
    data["nodes"]["c"]["from"].pop("c_0")
    (found,) = graphbuild.check(data)
    assert "takes both parts of its state" in found.message


def test_a_pooling_and_its_way_back() -> None:
    nodes = """
    pool: {op: MaxPool2d, kernel_size: 2, return_indices: true}
    conv: {op: Conv2d, out_channels: 4, kernel_size: 1, from: pool.values}
    back: {op: MaxUnpool2d, kernel_size: 2, from: [conv, pool.indices]}
    """
    model = build(spec(nodes, IMAGE))
    x = torch.rand(2, 4, 8, 12)
    values, indices = F.max_pool2d(x, 2, return_indices=True)
    same(model(x), F.max_unpool2d(model.conv(values), indices, 2))


def test_attention_without_projections() -> None:
    nodes = """
    a: {op: scaled_dot_product_attention, from: [x, x, x], is_causal: true}
    b: {op: scaled_dot_product_attention, from: [a, x, x, m], scale: 0.5}
    c: {op: scaled_dot_product_attention, from: [b, k, k], enable_gqa: true}
    """
    inputs = {"x": ["N", 4, "L=5", 8], "k": ["N", 2, "L=5", 8],
              "m": {"shape": ["L=5", "L=5"], "dtype": "bool"}}  # fmt: skip
    model = build(spec(nodes, inputs))
    x, k, m = torch.rand(2, 4, 5, 8), torch.rand(2, 2, 5, 8), torch.ones(5, 5).tril().bool()
    attend = F.scaled_dot_product_attention
    a = attend(attend(x, x, x, is_causal=True), x, x, m, scale=0.5)
    same(model(x, k, m), attend(a, k, k, enable_gqa=True))
    wrong = spec("{a: {op: scaled_dot_product_attention, from: [x, x, x, m]}}",
                 {"x": [2, 4, 5, 8], "m": {"shape": [5, 5], "dtype": "float64"}})  # fmt: skip
    assert [f.code for f in graphbuild.check(wrong)] == ["E206"]


# -- torchvision ----------------------------------------------------------------------------------


def test_layers_of_torchvision() -> None:
    from graphbuild.vision import torchvision

    nodes = """
    conv: {op: Conv2d, out_channels: 8, kernel_size: 3}
    norm: FrozenBatchNorm2d
    drop: {op: DropBlock2d, p: 0.1, block_size: 3}
    depth: {op: StochasticDepth, p: 0.2, mode: row}
    last: {op: Permute, dims: [0, 2, 3, 1]}
    """
    data = spec(nodes, IMAGE)
    text = source(data)
    assert "needs torch and torchvision." in text
    assert "import torch.nn" not in text
    assert "\nimport torchvision.ops\nfrom torch import Tensor, nn\n" in text
    vision = torchvision.ops
    model = build(data)
    theirs = nn.Sequential(
        nn.Conv2d(4, 8, 3), vision.FrozenBatchNorm2d(8), vision.DropBlock2d(0.1, 3),
        vision.StochasticDepth(0.2, "row"), vision.Permute([0, 2, 3, 1]),
    )  # fmt: skip
    state = zip(theirs.state_dict(), model.state_dict().items(), strict=True)
    theirs.load_state_dict({own: value for own, (_, value) in state})
    x = torch.rand(2, 4, 8, 12)
    for mode in (False, True):
        torch.manual_seed(1)
        wanted = theirs.train(mode)(x)
        torch.manual_seed(1)
        same(model.train(mode)(x), wanted)


# -- export ---------------------------------------------------------------------------------------


def test_exports_with_a_free_length() -> None:
    nodes, inputs, theirs, _ = CASES["positions"]
    model = build(spec(nodes, inputs))
    free = {"x": {0: torch.export.Dim("N"), 1: torch.export.Dim("L")}}
    exported = torch.export.export(model, (torch.rand(2, 5, 8),), dynamic_shapes=free).module()
    x: Tensor = torch.rand(3, 9, 8)
    same(exported(x), theirs(x))
