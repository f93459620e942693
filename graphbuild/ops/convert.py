"""Functions that are methods in source: of dtype, memory and stretched sizes (`x.expand(2, n)`)."""

from __future__ import annotations

from typing import Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError
from graphbuild.ops.build import function
from graphbuild.ops.rules import index, same
from graphbuild.ops.shapes import stretched
from graphbuild.ops.writing import method


def _expand(args: Args, x: Shape) -> Shape:
    return stretched(args.size, x)


def _expand_as(args: Args, x: Shape, other: Shape) -> Shape:
    return stretched(other, x)


def _windows(args: Args, x: Shape) -> Shape:
    dim = index(args.dimension, max(len(x), 1), "dimension")
    size = x[dim] if x else 1
    if args.size > size:
        raise ShapeError(f"a window of {args.size} is larger than dimension {dim} ({size})")
    if not x:
        return (args.size,)
    count = (size - args.size) // args.step + 1
    return (*x[:dim], count, *x[dim + 1 :], args.size)


_VIEW: dict[str, Any] = {"accepts": ("any",), "aliases": True}
# Torch lets nothing overwrite numbers that stand for several, which is what `saves_output` says.
_STRETCHED: dict[str, Any] = {**_VIEW, "saves_output": True}


def _row(name: str, rule: Any, doc: str, *leading: str, spreads: bool = False, **row: Any) -> Op:
    written = "unfold" if name == "tensor_unfold" else name
    write = method(written, *leading, spreads=spreads)
    return function(name, f".{written}", rule, doc, write=write, **row)


OPS: list[Op] = [
    _row(
        "to",
        same,
        "The same numbers in another dtype.",
        "dtype",
        dtype=lambda args, x: args.dtype,
        **_VIEW,
    ),
    _row("detach", same, "The same numbers, without a gradient.", **_VIEW),
    _row("contiguous", same, "The same numbers, one after the other in memory.", **_VIEW),
    _row("clone", same, "A copy.", accepts=("any",)),
    _row("expand", _expand, "Stretches sizes of 1.", "size", spreads=True, **_STRETCHED),
    _row(
        "expand_as",
        _expand_as,
        "Stretches sizes of 1 to those of another tensor.",
        operands=("input", "other"),
        **_STRETCHED,
    ),
    _row(
        "tensor_unfold",
        _windows,
        "Windows along a dimension, as a new last one.",
        "dimension",
        "size",
        "step",
        **_VIEW,
    ),
]
