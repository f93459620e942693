"""Changing the size of images: interpolation, shuffles between channels and positions, sampling."""

from __future__ import annotations

import math
from typing import Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError
from graphbuild.ops.build import function, layer
from graphbuild.ops.dtypes import same as same_dtype
from graphbuild.ops.rules import each, need_at_least, need_rank, positive, show

_RANKS = {"linear": (3,), "bilinear": (4,), "bicubic": (4,), "trilinear": (5,)}


def _scaled(size: Any, factor: Any) -> Any:
    # A whole factor is written as a product, so that the size keeps its expression.
    return size * round(factor) if factor == round(factor) else math.floor(float(size) * factor)


def _resized(args: Args, x: Shape, mode: str) -> Shape:
    ranks = _RANKS.get(mode, (3, 4, 5))
    if len(x) not in ranks:
        need_rank(x, *ranks, like=f"for mode {mode}")
    sizes = x[2:]
    if (args.size is None) == (args.scale_factor is None):
        raise ShapeError("needs either size or scale_factor")
    if any(f is not None and not math.isfinite(f) for f in each(args.scale_factor, 1)):
        raise ShapeError(f"scale_factor is {args.scale_factor}, which is no finite number")
    for name in ("size", "scale_factor"):
        given = getattr(args, name)
        if isinstance(given, tuple) and len(given) != len(sizes):
            raise ShapeError(
                f"{name} must be one number or {len(sizes)} of them, found {len(given)}"
            )
    if args.size is not None:
        return (*x[:2], *each(args.size, len(sizes)))
    factors = each(args.scale_factor, len(sizes))
    out = tuple(_scaled(size, factor) for size, factor in zip(sizes, factors, strict=True))
    return (*x[:2], *positive(out, x))


def _interpolate(args: Args, x: Shape) -> Shape:
    out = _resized(args, x, args.mode)
    if args.align_corners is not None and args.mode not in _RANKS:
        raise ShapeError(f"mode {args.mode} does not take align_corners")
    if args.recompute_scale_factor and args.size is not None:
        raise ShapeError("recompute_scale_factor goes with scale_factor, not with size")
    if getattr(args, "antialias", False) and args.mode not in ("bilinear", "bicubic"):
        raise ShapeError(f"mode {args.mode} does not take antialias")
    return out


def _nearest(args: Args, x: Shape) -> Shape:
    return _resized(args, x, "nearest")


def _bilinear(args: Args, x: Shape) -> Shape:
    return _resized(args, x, "bilinear")


def _shuffle(args: Args, x: Shape) -> Shape:
    need_at_least(x, 3)
    factor = args.upscale_factor
    if x[-3] % (factor * factor):
        raise ShapeError(f"the number of channels ({x[-3]}) is not divisible by {factor}²")
    return (*x[:-3], x[-3] // (factor * factor), x[-2] * factor, x[-1] * factor)


def _unshuffle(args: Args, x: Shape) -> Shape:
    need_at_least(x, 3)
    factor = args.downscale_factor
    if x[-2] % factor or x[-1] % factor:
        raise ShapeError(f"the size ({show(x[-2:])}) is not divisible by {factor}")
    return (*x[:-3], x[-3] * (factor * factor), x[-2] // factor, x[-1] // factor)


def _channels(args: Args, x: Shape) -> Shape:
    need_at_least(x, 3)
    if x[1] % args.groups:
        raise ShapeError(
            f"the number of channels ({x[1]}) is not divisible by groups ({args.groups})"
        )
    return x


def _grid(args: Args, x: Shape, grid: Shape) -> Shape:
    need_rank(x, 4, 5, like="N×C×H×W or N×C×D×H×W")
    if len(grid) != len(x) or grid[0] != x[0] or grid[-1] != len(x) - 2:
        places = "×".join("DHW"[-(len(x) - 2) :])
        raise ShapeError(f"takes a grid of {x[0]}×{places}×{len(x) - 2}, found {show(grid)}")
    if args.mode == "bicubic" and len(x) == 5:
        raise ShapeError("mode bicubic takes an input of 4 dimensions (N×C×H×W)")
    return (*x[:2], *grid[1:-1])


_SHUFFLE = "Moves channels to positions: an upscale_factor times larger image."
_UNSHUFFLE = "Moves positions to channels: a downscale_factor times smaller image."
_CHANNELS = "Mixes the channels of different groups."
_ONE: dict[str, Any] = {"positional": 1}

OPS: list[Op] = [
    layer("Upsample", _interpolate, "Resizes to a size or by a factor."),
    layer("UpsamplingNearest2d", _nearest, "Resizes, repeating the nearest number."),
    layer("UpsamplingBilinear2d", _bilinear, "Resizes, blending the four nearest numbers."),
    function("interpolate", "F.interpolate", _interpolate, "Resizes to a size or by a factor."),
    layer("PixelShuffle", _shuffle, _SHUFFLE, accepts=("any",), **_ONE),
    layer("PixelUnshuffle", _unshuffle, _UNSHUFFLE, accepts=("any",), **_ONE),
    layer("ChannelShuffle", _channels, _CHANNELS, accepts=("any",), **_ONE),
    function(
        "pixel_shuffle",
        "F.pixel_shuffle",
        _shuffle,
        _SHUFFLE,
        module="PixelShuffle",
        accepts=("any",),
        **_ONE,
    ),
    function(
        "pixel_unshuffle",
        "F.pixel_unshuffle",
        _unshuffle,
        _UNSHUFFLE,
        module="PixelUnshuffle",
        accepts=("any",),
        **_ONE,
    ),
    function(
        "channel_shuffle",
        "torch.channel_shuffle",
        _channels,
        _CHANNELS,
        module="ChannelShuffle",
        accepts=("any",),
        **_ONE,
    ),
    function(
        "grid_sample",
        "F.grid_sample",
        _grid,
        "Samples an image at given positions, from -1 to 1.",
        operands=("input", "grid"),
        dtype=same_dtype(),
    ),
]
