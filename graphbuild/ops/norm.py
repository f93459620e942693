"""Normalisations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError, Shapes
from graphbuild.ops.build import function, layer
from graphbuild.ops.dtypes import same
from graphbuild.ops.rules import (
    agree,
    each,
    infer_channels,
    infer_last,
    need_at_least,
    need_rank,
    product,
    show,
    spatial,
)  # fmt: skip
from graphbuild.ops.writing import between, keywords

_CHANNELS = "the number of channels of the input"


def _batch_channels(x: Shape, dims: int) -> int:
    if dims == 1:
        need_rank(x, 2, 3, like="N×C or N×C×L")
        return x[1]
    return spatial(x, dims, batched=True)[1]


def _batch(dims: int) -> Callable[[Args, Shape], Shape]:
    def shape(args: Args, x: Shape) -> Shape:
        agree(args, "num_features", _batch_channels(x, dims), _CHANNELS)
        if not args.track_running_stats:
            _several(x[0] * product(x[2:]), "channel", x)
        return x

    return shape


def _instance(dims: int) -> Callable[[Args, Shape], Shape]:
    def shape(args: Args, x: Shape) -> Shape:
        _, channels, sizes = spatial(x, dims)
        agree(args, "num_features", channels, _CHANNELS)
        if not args.track_running_stats:
            _several(product(sizes), "channel", x)
        return x

    return shape


def _several(count: int, per: str, x: Shape) -> None:
    if count == 1:
        raise ShapeError(f"cannot normalise over a single number per {per}: {show(x)}")


def _affine(args: Args) -> dict[str, Shape]:
    if not args.affine:
        return {}
    size = (args.num_features if hasattr(args, "num_features") else args.num_channels,)
    return {"weight": size, "bias": size} if args.bias else {"weight": size}


def _statistics(args: Args) -> dict[str, Shape]:
    if not args.track_running_stats:
        return {}
    size = (args.num_features,)
    return {"running_mean": size, "running_var": size, "num_batches_tracked": ()}


def _group(args: Args, x: Shape) -> Shape:
    need_at_least(x, 2)
    agree(args, "num_channels", x[1], _CHANNELS)
    if args.num_channels % args.num_groups:
        raise ShapeError(
            f"the number of channels ({args.num_channels}) is not divisible by num_groups ({args.num_groups})"
        )
    _several(x[0] * (x[1] // args.num_groups) * product(x[2:]), "group", x)
    return x


def _group_channels(args: Args, shapes: Shapes) -> int:
    need_at_least(shapes[0], 2)
    return shapes[0][1]


def _last(args: Args, x: Shape) -> Shape:
    wanted = each(args.normalized_shape, 1)
    if not wanted or len(x) < len(wanted) or tuple(x[-len(wanted) :]) != wanted:
        sizes = tuple(x[-len(wanted) :]) if wanted else x
        raise ShapeError(
            f"normalized_shape is {show(wanted)}, but the input ends in {show(sizes)}",
            argument="normalized_shape",
            value=sizes if len(sizes) != 1 else sizes[0],
        )
    return x


def _weighed(args: Args, x: Shape, *weights: Shape | None) -> Shape:
    for weight in weights:
        if weight is not None and weight != each(args.normalized_shape, 1):
            wanted = show(each(args.normalized_shape, 1))
            raise ShapeError(
                f"takes weight and bias of normalized_shape ({wanted}), found {show(weight)}"
            )
    return _last(args, x)


def _elementwise(args: Args) -> dict[str, Shape]:
    if not args.elementwise_affine:
        return {}
    size = each(args.normalized_shape, 1)
    return {"weight": size, "bias": size} if getattr(args, "bias", False) else {"weight": size}


def _response(args: Args, x: Shape) -> Shape:
    need_at_least(x, 3)
    return x


def _rows(dims: int) -> list[Op]:
    shared: dict[str, Any] = {"parameters": _affine, "buffers": _statistics, "positional": 1}
    return [
        layer(
            f"BatchNorm{dims}d",
            _batch(dims),
            "Normalises each channel over the batch and all positions.",
            infer={"num_features": lambda args, shapes: _batch_channels(shapes[0], dims)},
            **shared,
        ),
        layer(
            f"InstanceNorm{dims}d",
            _instance(dims),
            "Normalises each channel of each sample over its positions.",
            infer={"num_features": infer_channels(dims)},
            **shared,
        ),
    ]


_NEIGHBOURS = "Divides each number by those of the neighbouring channels."
OPS = [
    *_rows(1),
    *_rows(2),
    *_rows(3),
    layer(
        "GroupNorm",
        _group,
        "Normalises groups of channels of each sample.",
        infer={"num_channels": _group_channels},
        parameters=_affine,
        positional=2,
    ),
    layer(
        "LayerNorm",
        _last,
        "Normalises over the last dimensions.",
        infer={"normalized_shape": infer_last},
        parameters=_elementwise,
        positional=1,
    ),
    layer(
        "RMSNorm",
        _last,
        "Divides by the root mean square over the last dimensions.",
        infer={"normalized_shape": infer_last},
        parameters=_elementwise,
        positional=1,
    ),
    layer("LocalResponseNorm", _response, _NEIGHBOURS, positional=1),
    function(
        "local_response_norm", "F.local_response_norm", _response, _NEIGHBOURS,
        module="LocalResponseNorm", positional=1,
    ),
    function(
        "layer_norm",
        "F.layer_norm",
        _weighed,
        "Normalises over the last dimensions; weight and bias are tensors, if they are given.",
        operands=("input", "weight", "bias"), optional=2,
        wired=keywords("weight", "bias"), write=between("F.layer_norm", "normalized_shape"),
        dtype=same(),
    ),
]  # fmt: skip
