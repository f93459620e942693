"""Poolings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError
from graphbuild.ops.build import function, layer
from graphbuild.ops.rules import each, positive, show, spatial, windows

_Rule = Callable[[Args, Shape], Shape]


def _window(dims: int, inside: bool = False) -> _Rule:
    """Windows of a kernel, which with `inside` may not be larger than the input."""

    def shape(args: Args, x: Shape) -> Shape:
        batch, channels, sizes = spatial(x, dims)
        kernel = each(args.kernel_size, dims)
        padding = each(getattr(args, "padding", 0), dims)
        if getattr(args, "divisor_override", None) == 0:
            raise ShapeError("divisor_override must not be 0")
        for h, k, p in zip(sizes, kernel, padding, strict=True):
            if p > k // 2:
                raise ShapeError(f"the padding ({p}) is more than half of the kernel ({k})")
            if inside and h < k:
                raise ShapeError(
                    f"the kernel ({show(kernel)}) is larger than the input ({show(x)})"
                )
        out = windows(args, sizes, padding, ceil=args.ceil_mode)
        return (*batch, channels, *positive(out, x))

    return shape


def _adaptive(dims: int) -> _Rule:
    """Windows of whatever size gives the wanted output."""

    def shape(args: Args, x: Shape) -> Shape:
        batch, channels, sizes = spatial(x, dims)
        wanted = each(args.output_size, dims)
        out = tuple(h if w is None else w for h, w in zip(sizes, wanted, strict=True))
        return (*batch, channels, *out)

    return shape


def _rows(dims: int) -> list[Op]:
    axes = f"over {dims} spatial dimension{'s' * (dims > 1)}"
    adaptive = "whatever the input's size: the output has the given one"
    out = []
    for kind, word in (
        ("Max", "The largest number"),
        ("Avg", "The mean"),
        ("LP", "The power mean"),
    ):
        name = f"{kind}Pool{dims}d"
        doc = f"{word} of each window {axes}."
        source = f"F.{kind.lower()}_pool{dims}d"
        accepts: dict[str, Any] = {
            "accepts": ("float int" if kind == "Max" and dims > 1 else "float",)
        }
        leading = 1 if kind == "LP" else 0
        rule = _window(dims, inside=dims == 3 and kind != "Max")
        out += [
            layer(name, rule, doc, positional=leading, **accepts),
            function(source[2:], source, rule, doc, module=name, positional=1 + leading, **accepts),
        ]
    for kind, word in (("Max", "The largest number"), ("Avg", "The mean")):
        doc = f"{word} of each window {axes}, {adaptive}."
        name = f"Adaptive{kind}Pool{dims}d"
        out.append(layer(name, _adaptive(dims), doc, positional=1))
        if kind == "Avg":
            source = f"F.adaptive_avg_pool{dims}d"
            out.append(
                function(source[2:], source, _adaptive(dims), doc, module=name, positional=1)
            )
    return out


OPS = [*_rows(1), *_rows(2), *_rows(3)]
