"""Convolutions, their transposes, and the unrolling of their windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError, Shapes
from graphbuild.ops.build import function, layer
from graphbuild.ops.dtypes import same as same_dtype
from graphbuild.ops.rules import (
    agree,
    each,
    infer_channels,
    need_rank,
    positive,
    product,
    shift,
    show,
    spatial,
    windows,
)


def _groups(args: Args) -> None:
    if args.groups == 1:
        return
    for name in ("in_channels", "out_channels"):
        if getattr(args, name) % args.groups:
            value = getattr(args, name)
            raise ShapeError(f"{name} ({value}) is not divisible by groups ({args.groups})")


def _alike(args: Args, dims: int) -> str:
    """What to write for `same` with a stride, where one padding on all sides does it."""
    kernel, dilation = each(args.kernel_size, dims), each(args.dilation, dims)
    whole = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if any(size % 2 for size in whole):
        return ""
    halves = [size // 2 for size in whole]
    told = halves[0] if len(set(halves)) == 1 else halves
    return f"; padding: {told} gives the size divided by the stride, rounded up"


def _conv(dims: int) -> Callable[[Args, Shape], Shape]:
    def shape(args: Args, x: Shape) -> Shape:
        batch, channels, sizes = spatial(x, dims)
        agree(args, "in_channels", channels, "the number of channels of the input")
        _groups(args)
        if args.padding == "same":
            if any(s != 1 for s in each(args.stride, dims)):
                raise ShapeError(f"padding: same needs a stride of 1{_alike(args, dims)}")
            return (*batch, args.out_channels, *sizes)
        padding = each(0 if args.padding == "valid" else args.padding, dims)
        _reach(args.padding_mode, padding, sizes)
        return (*batch, args.out_channels, *positive(windows(args, sizes, padding), x))

    return shape


def _reach(mode: str, padding: tuple[int, ...], sizes: Shape) -> None:
    """Padding that repeats the input cannot reach further than the input does."""
    if mode not in ("reflect", "circular"):
        return
    for p, size in zip(padding, sizes, strict=True):
        if (mode == "reflect" and p >= size) or (mode == "circular" and p > size):
            raise ShapeError(f"a {mode} padding of {p} reaches beyond an input of {show(sizes)}")


def _conv_transpose(dims: int) -> Callable[[Args, Shape], Shape]:
    def shape(args: Args, x: Shape) -> Shape:
        batch, channels, sizes = spatial(x, dims)
        agree(args, "in_channels", channels, "the number of channels of the input")
        _groups(args)
        each_of = [
            each(value, dims)
            for value in (
                args.kernel_size,
                args.stride,
                args.padding,
                args.dilation,
                args.output_padding,
            )
        ]
        for _, s, _, d, extra in zip(*each_of, strict=True):
            if extra >= s and extra >= d:
                raise ShapeError(
                    f"output_padding ({extra}) must be smaller than the stride ({s}) or the dilation ({d})"
                )
        out = tuple(
            shift(h * s, d * (k - 1) + extra + 1 - 2 * p - s)
            for h, k, s, p, d, extra in zip(sizes, *each_of, strict=True)
        )
        return (*batch, args.out_channels, *positive(out, x))

    return shape


def _weights(args: Args, dims: int, x: Shape, weight: Shape, transposed: bool) -> Args:
    """The arguments of the layer whose weight this would be."""
    need_rank(weight, dims + 2, like="a kernel for each pair of channels")
    wide, narrow = weight[1] * args.groups, weight[0]
    return Args(
        **vars(args),
        in_channels=narrow if transposed else wide,
        out_channels=wide if transposed else narrow,
        kernel_size=tuple(weight[2:]),
        padding_mode="zeros",
    )


def _conv_of(dims: int, transposed: bool) -> Callable[..., Shape]:
    """A convolution whose weight and bias are operands."""
    rule = (_conv_transpose if transposed else _conv)(dims)

    def shape(args: Args, x: Shape, weight: Shape, bias: Shape | None = None) -> Shape:
        full = _weights(args, dims, x, weight, transposed)
        _, channels, _ = spatial(x, dims)
        if channels != full.in_channels:
            raise ShapeError(
                f"the input has {channels} channels, the weight is for {full.in_channels}"
            )
        if min(weight) < 1:
            raise ShapeError(f"takes a kernel of 1 or more, found {show(weight)}")
        if bias is not None and bias != (full.out_channels,):
            raise ShapeError(f"takes a bias of {full.out_channels}, found {show(bias)}")
        return rule(full, x)

    return shape


def _parameters(dims: int, transposed: bool) -> Callable[[Args], dict[str, Shape]]:
    def parameters(args: Args) -> dict[str, Shape]:
        wide, narrow = args.out_channels, args.in_channels // args.groups
        if transposed:
            wide, narrow = args.in_channels, args.out_channels // args.groups
        out: dict[str, Shape] = {"weight": (wide, narrow, *each(args.kernel_size, dims))}
        if args.bias:
            out["bias"] = (args.out_channels,)
        return out

    return parameters


def _macs(dims: int, transposed: bool) -> Callable[[Args, Shapes, Shape], int]:
    def macs(args: Args, shapes: Shapes, output: Shape) -> int:
        # Each position of the output (of the input, when transposed) meets the whole kernel.
        places = shapes[0] if transposed else output
        batch, _, sizes = spatial(places, dims)
        pairs = args.in_channels * args.out_channels // args.groups
        return product((*batch, *sizes, pairs, *each(args.kernel_size, dims)))

    return macs


def _macs_of(dims: int, transposed: bool) -> Callable[[Args, Shapes, Shape], int]:
    count = _macs(dims, transposed)
    return lambda args, shapes, output: count(
        _weights(args, dims, shapes[0], shapes[1], transposed), shapes, output
    )


def _rows(dims: int) -> list[Op]:
    shared: dict[str, Any] = {"infer": {"in_channels": infer_channels(dims)}, "positional": 2}
    return [
        layer(
            f"Conv{dims}d",
            _conv(dims),
            f"Convolves over {dims} spatial dimension{'s' * (dims > 1)}.",
            parameters=_parameters(dims, False),
            macs=_macs(dims, False),
            **shared,
        ),
        layer(
            f"ConvTranspose{dims}d",
            _conv_transpose(dims),
            "Goes the way of a convolution backwards: a larger stride gives a larger output.",
            parameters=_parameters(dims, True),
            macs=_macs(dims, True),
            **shared,
        ),
        *(
            function(
                name,
                f"F.{name}",
                _conv_of(dims, transposed),
                f"{what} with a given weight and bias.",
                operands=("input", "weight", "bias"),
                optional=1,
                macs=_macs_of(dims, transposed),
                dtype=same_dtype(),
            )
            for name, transposed, what in (
                (f"conv{dims}d", False, "A convolution"),
                (f"conv_transpose{dims}d", True, "A transposed convolution"),
            )
        ),
    ]


def _unfold(args: Args, x: Shape) -> Shape:
    batch, channels, sizes = spatial(x, 2)
    count = product(positive(windows(args, sizes, args.padding), x))
    return (*batch, channels * product(each(args.kernel_size, 2)), count)


def _fold(args: Args, x: Shape) -> Shape:
    need_rank(x, 2, 3, like="N×C*kernel×windows")
    kernel = product(each(args.kernel_size, 2))
    if x[-2] % kernel:
        raise ShapeError(
            f"dimension {len(x) - 2} ({x[-2]}) is not divisible by the kernel's size ({kernel})"
        )
    size = each(args.output_size, 2)
    count = product(positive(windows(args, size, args.padding), size))
    if count != x[-1]:
        raise ShapeError(
            f"an output of {show(size)} has {count} windows, but the input holds {x[-1]}"
        )
    return (*x[:-2], x[-2] // kernel, *size)


_UNFOLD = "Lays out the windows of a sliding kernel as columns."
_FOLD = "Sums windows laid out as columns back into an image."

OPS = [
    *_rows(1),
    *_rows(2),
    *_rows(3),
    layer("Unfold", _unfold, _UNFOLD),
    layer("Fold", _fold, _FOLD),
    function("unfold", "F.unfold", _unfold, _UNFOLD, module="Unfold"),
    function("fold", "F.fold", _fold, _FOLD, module="Fold"),
]
