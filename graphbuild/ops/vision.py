"""Layers of `torchvision.ops`. Source that has one of them needs torchvision."""

from __future__ import annotations

from typing import Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError
from graphbuild.ops.build import arguments
from graphbuild.ops.rules import agree, need_rank
from graphbuild.ops.shapes import permuted


def _blocks(args: Args, x: Shape) -> Shape:
    need_rank(x, 4, like="N×C×H×W")
    if args.block_size % 2 == 0:
        raise ShapeError(f"block_size must be odd, found {args.block_size}")
    if args.block_size > min(x[-2:]):
        raise ShapeError(f"block_size ({args.block_size}) is larger than the input")
    return x


def _rows(args: Args, x: Shape) -> Shape:
    if args.mode == "row" and not x:
        raise ShapeError("mode row takes an input with a batch")
    return x


def _frozen(args: Args, x: Shape) -> Shape:
    need_rank(x, 4, like="N×C×H×W")
    agree(args, "num_features", x[1], "the number of channels of the input")
    return x


def _channels(args: Args, shapes: Any) -> int:
    need_rank(shapes[0], 4, like="N×C×H×W")
    size: int = shapes[0][1]
    return size


def _statistics(args: Args) -> dict[str, Shape]:
    names = ("weight", "bias", "running_mean", "running_var")
    return dict.fromkeys(names, (args.num_features,))


def _layer(name: str, shape: Any, doc: str, **row: Any) -> Op:
    return Op(name, f"torchvision.ops.{name}", arguments(name, {}), shape, doc, **row)


OPS: list[Op] = [
    _layer(
        "StochasticDepth",
        _rows,
        "Leaves out its input in training, for some samples (mode row) or all (mode batch).",
        positional=2,
        aliases=True,
    ),
    _layer(
        "DropBlock2d",
        _blocks,
        "Drops squares of an image in training.",
        positional=2,
        aliases=True,
        overwrites="inplace",
    ),
    _layer(
        "FrozenBatchNorm2d",
        _frozen,
        "Scales and shifts each channel by fixed numbers.",
        infer={"num_features": _channels},
        buffers=_statistics,
        positional=1,
    ),
    _layer(
        "Permute",
        permuted,
        "Reorders the dimensions.",
        accepts=("any",),
        aliases=True,
        positional=1,
    ),
]
