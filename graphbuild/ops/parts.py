"""Functions that join tensors, and those that cut parts out of them."""

from __future__ import annotations

import ast
from typing import Any

from graphbuild.ops.base import Args, Argument, Op, Shape, ShapeError
from graphbuild.ops.build import function
from graphbuild.ops.dtypes import promote
from graphbuild.ops.rules import ceil_div, index, show


def _concat(args: Args, *shapes: Shape) -> Shape:
    first = shapes[0]
    _same_rank(shapes)
    dim = index(args.dim, len(first))
    total: Any = None
    for shape in shapes:
        total = shape[dim] if total is None else total + shape[dim]
        if shape[:dim] == first[:dim] and shape[dim + 1 :] == first[dim + 1 :]:
            continue
        for i, (size, other) in enumerate(zip(first, shape, strict=True)):
            if i != dim and size != other:
                raise ShapeError(f"sizes differ in dimension {i} ({size} and {other})", mismatch=i)
    return (*first[:dim], total, *first[dim + 1 :])


def _same_rank(shapes: tuple[Shape, ...]) -> None:
    for shape in shapes:
        if len(shape) != len(shapes[0]):
            raise ShapeError(
                f"takes operands of as many dimensions, found {show(shapes[0])} and {show(shape)}"
            )


def _stack(args: Args, *shapes: Shape) -> Shape:
    first = shapes[0]
    _same_rank(shapes)
    for shape in shapes:
        for i, (size, other) in enumerate(zip(first, shape, strict=True)):
            if size != other:
                raise ShapeError(f"sizes differ in dimension {i} ({size} and {other})", mismatch=i)
    dim = index(args.dim, len(first) + 1)
    return (*first[:dim], len(shapes), *first[dim:])


MAX_PARTS = 1_000


def _chunk(args: Args, x: Shape) -> list[Shape]:
    dim = index(args.dim, len(x))
    return _cut(x, dim, _parts(x[dim], ceil_div(x[dim], args.chunks)))


def _split(args: Args, x: Shape) -> list[Shape]:
    dim = index(args.dim, len(x))
    sizes = args.split_size_or_sections
    if not isinstance(sizes, tuple):
        return _cut(x, dim, _parts(x[dim], sizes))
    if sum(sizes) != x[dim]:
        raise ShapeError(f"the sizes {show(sizes).replace('×', ' + ')} do not add up to {x[dim]}")
    return _cut(x, dim, list(sizes))


def _few(count: int) -> None:
    if count > MAX_PARTS:
        raise ShapeError(f"would give {count:,} parts; there may be {MAX_PARTS:,}")


def _parts(total: int, size: int) -> list[int]:
    count = max(ceil_div(total, size), 1) if size else 1
    _few(count)
    if total == size * count:
        return [size] * count
    return [*[size] * (count - 1), total - size * (count - 1)]


def _cut(x: Shape, dim: int, sizes: list[int]) -> list[Shape]:
    return [(*x[:dim], size, *x[dim + 1 :]) for size in sizes]


def _unbind(args: Args, x: Shape) -> list[Shape]:
    dim = index(args.dim, len(x))
    _few(x[dim])
    return [(*x[:dim], *x[dim + 1 :])] * x[dim]


def _narrow(args: Args, x: Shape) -> Shape:
    dim = index(args.dim, len(x))
    start = args.start + x[dim] if args.start < 0 else args.start
    if args.length < 0 or start < 0 or start + args.length > x[dim]:
        raise ShapeError(
            f"start {args.start} and length {args.length} reach outside of dimension {dim} ({x[dim]})"
        )
    return (*x[:dim], args.length, *x[dim + 1 :])


def _select(args: Args, x: Shape) -> Shape:
    dim = index(args.dim, len(x))
    if not -x[dim] <= args.index < x[dim]:
        raise ShapeError(f"index {args.index} is outside of dimension {dim} ({x[dim]})")
    return (*x[:dim], *x[dim + 1 :])


def _getitem(args: Args, x: Shape) -> Shape:
    items = args.index if isinstance(args.index, tuple) else (args.index,)
    if sum(item == "..." for item in items) > 1:
        raise ShapeError("an index has one '...' at most")
    taken = sum(item is not None and item != "..." for item in items)
    if taken > len(x):
        raise ShapeError(f"an index into {taken} dimensions, but the input has {len(x)}: {show(x)}")
    out: list[int] = []
    dim = 0
    for item in items if "..." in items else (*items, "..."):
        if item is None:
            out.append(1)
        elif item == "...":
            out += x[dim : dim + len(x) - taken]
            dim += len(x) - taken
        else:
            size = x[dim]
            if isinstance(item, str):
                out.append(_slice(item, size))
            elif not -size <= item < size:
                raise ShapeError(f"index {item} is outside of dimension {dim} ({size})")
            dim += 1
    return tuple(out)


def _slice(text: str, size: int) -> int:
    start, stop, step = (int(part) if part else None for part in f"{text}::".split(":")[:3])
    if start is None and stop is None and step is None:
        return size
    return len(range(size)[slice(start, stop, step)])


def index_source(written: str) -> str:
    """What stands between the brackets, from the Python text of the argument `index`.

    >>> index_source("(':', 0, None)")
    ':, 0, None'
    """
    tree = ast.parse(written, mode="eval").body
    items = tree.elts if isinstance(tree, (ast.Tuple, ast.List)) else [tree]
    texts = [
        str(item.value)
        if isinstance(item, ast.Constant) and isinstance(item.value, str)
        else ast.unparse(item)
        for item in items
    ]
    return ", ".join(texts) or "..."


_VIEW: dict[str, Any] = {"accepts": ("any",), "aliases": True}
# Torch lets nothing overwrite one of several views, which is what `saves_output` says.
_VIEWS: dict[str, Any] = {**_VIEW, "several": True, "saves_output": True}


def _promoted(args: Args, *dtypes: str) -> str:
    return promote(*dtypes)


_JOIN: dict[str, Any] = {
    "accepts": ("any",),
    "operands": ("tensors",),
    "variadic": True,
    "style": "list",
    "dtype": _promoted,
}

OPS: list[Op] = [
    function(
        "concat",
        "torch.cat",
        _concat,
        "Joins tensors along a dimension, the channels if none is given.",
        defaults={"dim": 1},
        passes=True,
        **_JOIN,
    ),
    function(
        "stack", "torch.stack", _stack, "Joins tensors of one shape along a new dimension.", **_JOIN
    ),
    function("chunk", "torch.chunk", _chunk, "Cuts into so many parts.", positional=1, **_VIEWS),
    function(
        "split", "torch.split", _split, "Cuts into parts of given sizes.", positional=1, **_VIEWS
    ),
    function(
        "unbind", "torch.unbind", _unbind, "Cuts into slices without that dimension.", **_VIEWS
    ),
    function(
        "narrow", "torch.narrow", _narrow, "A stretch of one dimension.", positional=3, **_VIEW
    ),
    function("select", "torch.select", _select, "One slice of a dimension.", positional=2, **_VIEW),
    Op(
        "getitem",
        "[]",
        (Argument("index", "Index"),),
        _getitem,
        "A part of a tensor: an index such as 0, '1:-1', null or '...', or a list of them.",
        style="index",
        **_VIEW,
    ),
]
