"""`rearrange` against the library whose patterns it takes, and `einsum` where an equation is wrong."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import einops
import pytest
import torch
from fits import rearrange
from hypothesis import given, settings
from hypothesis import strategies as st

import graphbuild
from graphbuild import ops
from graphbuild.emit.functions import function
from graphbuild.ops.base import ShapeError
from graphbuild.ops.rearrange import OPS


def written(pattern: str, sizes: dict[str, int], shape: tuple[int, ...]) -> str:
    arguments = {"pattern": repr(pattern), "sizes": repr(sizes)}
    return function(OPS[0], ["x"], arguments, [shape])


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_like_einops(data: Any) -> None:
    args, (shape,) = rearrange(data.draw)
    sizes = args.get("sizes", {})
    x = torch.rand(shape)
    space = ops.base.Args(pattern=args["pattern"], sizes=sizes)
    try:
        theirs: Any = einops.rearrange(x, args["pattern"], **sizes)
    except einops.EinopsError as error:
        theirs = error
    try:
        ours: Any = OPS[0].shape(space, shape)  # type: ignore[misc]
    except ShapeError as error:
        ours = error
    if isinstance(ours, Exception):
        assert isinstance(theirs, Exception), f"{args} on {shape}: {ours}"
        return
    assert not isinstance(theirs, Exception), f"{args} on {shape}: {theirs}"
    assert ours == tuple(theirs.shape)
    made = eval(written(args["pattern"], sizes, shape))
    assert torch.equal(made, theirs), f"{args} on {shape}"
    view = theirs.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    ours_views = made.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert ours_views or not view or not x.numel()


def test_an_empty_batch() -> None:
    x = torch.rand(0, 12, 5)
    assert eval(written("b (h d) n -> b h n d", {"h": 3}, x.shape)).shape == (0, 3, 5, 4)


@pytest.mark.parametrize(
    ("pattern", "sizes", "shape", "source"),
    [
        ("b c h w -> b (h w) c", {}, (2, 3, 4, 4), "x.permute(0, 2, 3, 1).flatten(1, 2)"),
        ("b n (h d) -> b h n d", {"h": 2}, (2, 3, 4), "x.unflatten(2, (2, -1)).transpose(1, 2)"),
        ("b h n d -> b n (h d)", {}, (2, 2, 3, 4), "x.transpose(1, 2).flatten(2, 3)"),
        ("b c -> b c 1 1", {}, (2, 3), "x.unsqueeze(2).unsqueeze(3)"),
        ("b c 1 1 -> b c", {}, (2, 3, 1, 1), "x.squeeze(3).squeeze(2)"),
        ("a b -> a b", {}, (2, 3), "x"),
    ],
)
def test_source(pattern: str, sizes: dict[str, int], shape: tuple[int, ...], source: str) -> None:
    assert written(pattern, sizes, shape) == source


def findings(node: dict[str, Any], *shapes: list[int]) -> list[tuple[str, str]]:
    inputs = {f"x{k}": shape for k, shape in enumerate(shapes)}
    spec = {"graphbuild": 1, "inputs": inputs, "nodes": {"a": {**node, "from": list(inputs)}}}
    return [(f.code, f.message.partition(": ")[2] or f.message) for f in graphbuild.check(spec)]


@pytest.mark.parametrize(
    ("pattern", "sizes", "message"),
    [
        ("b c h w", {}, "a pattern has two sides with '->' between them"),
        ("b (c -> b c", {}, "the pattern leaves a bracket open"),
        ("b c) -> b c", {}, "the pattern closes a bracket that is not open"),
        ("b ((c)) -> b c", {}, "the pattern has brackets inside of brackets"),
        ("b c* -> b c", {}, "the pattern holds '*', which stands for nothing"),
        ("b b c -> b c", {}, "the pattern names 'b' twice on one side"),
        ("a b c -> a b", {}, "the pattern names 'c' on one side only"),
        ("a b -> b a", {}, "the pattern takes an input of 2 dimensions, found 3"),
        ("(b ...) c -> b ... c", {}, "the pattern groups '...' on the left, so that its sizes are not known"),
        ("a b (c d) -> a b c d", {}, "of c and d only one size can be left out of `sizes`"),
        ("a b (c d) -> a b c d", {"c": 3}, "(c d): 8 is not divisible by 3"),
        ("a b (c d) -> a b c d", {"c": 2, "d": 3}, "(c d) holds 6, but the dimension is 8"),
        ("a b c -> c b a", {"d": 3}, "`sizes` names 'd', which the pattern does not"),
    ],
)  # fmt: skip
def test_wrong_patterns(pattern: str, sizes: dict[str, int], message: str) -> None:
    node = {"op": "rearrange", "pattern": pattern, "sizes": sizes}
    assert findings(node, [2, 4, 8]) == [("E207", message)]


def test_wrong_sizes() -> None:
    found = findings({"op": "rearrange", "pattern": "a b c -> a b c", "sizes": {"a": 0}}, [2, 4, 8])
    assert [code for code, _ in found] == ["E115"]
    found = findings({"op": "rearrange", "pattern": "a b c -> a b c", "sizes": 3}, [2, 4, 8])
    assert [code for code, _ in found] == ["E114"]


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("ij,jk->ik->i", "the equation has more than one '->'"),
        ("ij->i", "the equation names 1 operands, found 2"),
        ("i1,jk->ik", "the equation holds 'i1', where letters are wanted, with one '...' at most"),
        ("ij,jk->ii", "the output of the equation names 'i' twice"),
        ("ij,jk->im", "no operand of the equation has the output's 'm'"),
        ("ij,ijk->ik", "operand 2 is ijk in the equation, but has 2 dimensions: 4×5"),
        ("ij,ik->jk", "'i' is 3 and 4 in the equation"),
        ("ij,kk->ij", "'k' is 4 and 5 in operand 2"),
    ],
)
def test_wrong_equations(equation: str, message: str) -> None:
    node = {"op": "einsum", "equation": equation}
    assert findings(node, [3, 4], [4, 5]) == [("E207", message)]


# -- in a spec: sizes by param, by a free dimension, for several instances in one class -----------

ATTENTION = """
graphbuild: 1
name: probe
inputs: {x: [N, C=6, L=8]}
blocks:
  split:
    params: {heads: int}
    nodes:
      apart: {op: rearrange, pattern: "b c (h l) -> (b h) c l", sizes: {h: $heads}}
      back: {op: rearrange, pattern: "(b h) c l -> b c (h l)", sizes: {h: $heads}}
nodes:
  one: {op: split, heads: 2}
  two: {op: split, heads: 4}
  free: {op: rearrange, pattern: "b (k c) l -> b l k c", sizes: {k: "$(x.shape[1] // 2)"}}
"""


def test_sizes_are_written_as_the_spec_has_them(tmp_path: Any) -> None:
    path = tmp_path / "probe.yaml"
    path.write_text(ATTENTION)
    text = graphbuild.emit(graphbuild.elaborate(graphbuild.read(path))).source
    assert text.count("class ") == 2
    assert "x.unflatten(2, (self.heads, -1)).permute(0, 2, 1, 3).flatten(0, 1)" in text.replace(
        ".transpose(1, 2)", ".permute(0, 2, 1, 3)"
    )
    assert "unflatten(1, (x.shape[1] // 2, -1))" in text
    with patch.dict("sys.modules", einops=None):  # the source does without it
        model = graphbuild.compile(path)
        for channels, length in ((6, 8), (10, 12)):
            x = torch.rand(2, channels, length)
            assert torch.equal(model(x), x.unflatten(1, (channels // 2, 2)).permute(0, 3, 1, 2))
