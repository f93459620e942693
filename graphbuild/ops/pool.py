"""Poolings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphbuild.ops.base import Args, DtypeError, Op, Shape, ShapeError
from graphbuild.ops.build import function, layer
from graphbuild.ops.rules import each, positive, shift, show, spatial, windows

_Rule = Callable[[Args, Shape], Any]


def _window(dims: int, inside: bool = False) -> _Rule:
    """Windows of a kernel, which with `inside` may not be larger than the input."""

    def shape(args: Args, x: Shape) -> Any:
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
        return _with_indices(args, (*batch, channels, *positive(out, x)))

    return shape


def _with_indices(args: Args, out: Shape) -> Any:
    """With `return_indices` a pooling also says where each largest number was."""
    return [out, out] if getattr(args, "return_indices", False) else out


def _indexed(args: Args, x: str) -> Any:
    return [x, "int64"] if getattr(args, "return_indices", False) else x


def _unpool(dims: int) -> Callable[[Args, Shape, Shape], Shape]:
    """Puts numbers back to where a pooling took them from."""

    def shape(args: Args, x: Shape, indices: Shape) -> Shape:
        batch, channels, sizes = spatial(x, dims)
        if indices != x:
            raise ShapeError(f"takes indices of {show(x)}, found {show(indices)}")
        each_of = (
            each(v, dims) for v in (args.kernel_size, args.stride or args.kernel_size, args.padding)
        )
        out = tuple(shift(h * s, k - s - 2 * p) for h, k, s, p in zip(sizes, *each_of, strict=True))
        return (*batch, channels, *positive(out, x))

    return shape


def _unpool_dtype(args: Args, x: str, indices: str) -> str:
    if indices != "int64":
        raise DtypeError(f"takes indices of int64, found {indices}")
    return x


def _adaptive(dims: int) -> _Rule:
    """Windows of whatever size gives the wanted output."""

    def shape(args: Args, x: Shape) -> Any:
        batch, channels, sizes = spatial(x, dims)
        wanted = each(args.output_size, dims)
        out = tuple(h if w is None else w for h, w in zip(sizes, wanted, strict=True))
        return _with_indices(args, (*batch, channels, *out))

    return shape


_INDEXED: dict[str, Any] = {"outputs": ("values", "indices"), "dtype": _indexed}


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
        indexed: dict[str, Any] = _INDEXED if kind == "Max" else {}
        leading = 1 if kind == "LP" else 0
        rule = _window(dims, inside=dims == 3 and kind != "Max")
        out += [
            layer(name, rule, doc, positional=leading, **accepts, **indexed),
            function(source[2:], source, rule, doc, module=name, positional=1 + leading, **accepts),
        ]
    for kind, word in (("Max", "The largest number"), ("Avg", "The mean")):
        doc = f"{word} of each window {axes}, {adaptive}."
        name = f"Adaptive{kind}Pool{dims}d"
        indexed = _INDEXED if kind == "Max" else {}
        out.append(layer(name, _adaptive(dims), doc, positional=1, **indexed))
        if kind == "Avg":
            source = f"F.adaptive_avg_pool{dims}d"
            out.append(
                function(source[2:], source, _adaptive(dims), doc, module=name, positional=1)
            )
    out.append(
        layer(
            f"MaxUnpool{dims}d",
            _unpool(dims),
            "Puts numbers back to where a max pooling took them from, with zeros elsewhere.",
            operands=("input", "indices"),
            accepts=("float", "int"),
            dtype=_unpool_dtype,
            positional=1,
        )
    )
    return out


OPS = [*_rows(1), *_rows(2), *_rows(3)]
