"""Padding, and cropping by a negative padding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError
from graphbuild.ops.build import function, layer
from graphbuild.ops.rules import each, need_at_least, need_rank, show


def _padded(x: Shape, sides: tuple[int, ...], mode: str) -> Shape:
    """`sides` go from the last dimension to the first, two numbers each."""
    if len(sides) % 2:
        raise ShapeError(f"takes two numbers per dimension, found {len(sides)}")
    count = len(sides) // 2
    if mode == "constant":
        need_at_least(x, count)
    else:
        need_rank(x, count + 1, count + 2, like=f"to pad {count} of them in mode {mode}")
    out = list(x)
    for i in range(count):
        before, after, size = sides[2 * i], sides[2 * i + 1], x[-1 - i]
        out[-1 - i] = size + before + after
        most = {"reflect": size - 1, "circular": size}.get(mode)
        if most is not None and (before > most or after > most):
            raise ShapeError(
                f"a {mode} padding of {max(before, after)} reaches beyond a size of {size}"
            )
        if out[-1 - i] < (0 if mode == "constant" else 1):
            raise ShapeError(f"the padding {list(sides)} leaves nothing of {show(x)}")
    return tuple(out)


def _sides(dims: int, mode: str) -> Callable[[Args, Shape], Shape]:
    return lambda args, x: _padded(x, each(args.padding, 2 * dims), mode)


def _pad(args: Args, x: Shape) -> Shape:
    if args.mode != "constant":
        if args.value not in (None, 0):
            raise ShapeError(f"mode {args.mode} does not take a value")
        if len(args.pad) not in (2, 4, 6):
            raise ShapeError(f"mode {args.mode} pads 1 to 3 dimensions, two numbers each")
    return _padded(x, args.pad, args.mode)


_KINDS = (
    ("Zero", "constant", "with zeros", ("any",)),
    ("Constant", "constant", "with a given number", ("any",)),
    ("Reflection", "reflect", "with its mirror image", ("float int",)),
    ("Replication", "replicate", "with its outermost numbers", ("float int",)),
    ("Circular", "circular", "with its other end", ("any",)),
)
_ONE: dict[str, Any] = {"positional": 1}

OPS: list[Op] = [
    layer(
        f"{kind}Pad{dims}d",
        _sides(dims, mode),
        f"Pads the last {dims} dimensions {words}."
        if dims > 1
        else f"Pads the last dimension {words}.",
        accepts=accepts,
        positional=2 if kind == "Constant" else 1,
    )
    for kind, mode, words, accepts in _KINDS
    for dims in (1, 2, 3)
]
OPS.append(
    function(
        "pad",
        "F.pad",
        _pad,
        "Pads the last dimensions, two numbers each, the last one first.",
        accepts=("any",),
        **_ONE,
    )
)
