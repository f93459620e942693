"""Functions that give a tensor another shape or another order."""

from __future__ import annotations

from typing import Any

from graphbuild.ops.base import Args, Op, Shape, ShapeError
from graphbuild.ops.build import function, layer
from graphbuild.ops.rules import each, index, indices, product, show


def _flatten(args: Args, x: Shape) -> Shape:
    rank = max(len(x), 1)
    start, end = index(args.start_dim, rank, "start_dim"), index(args.end_dim, rank, "end_dim")
    if start > end:
        raise ShapeError(f"start_dim ({args.start_dim}) comes after end_dim ({args.end_dim})")
    return (*x[:start], product(x[start : end + 1]), *x[end + 1 :])


def fill(sizes: tuple[int, ...], total: int, what: str) -> Shape:
    """The sizes, with a -1 among them computed so that they hold `total` numbers."""
    if sum(size == -1 for size in sizes) > 1 or any(size < -1 for size in sizes):
        raise ShapeError(f"takes sizes of 0 or more, and one -1 at most: {what} {list(sizes)}")
    known = product([size for size in sizes if size != -1])
    if -1 in sizes:
        if known == 0 or total % known:
            raise ShapeError(f"{total} numbers do not fill {what} {list(sizes)}")
        return tuple(total // known if size == -1 else size for size in sizes)
    if known != total:
        raise ShapeError(f"{total} numbers do not fill {what} {list(sizes)}, which holds {known}")
    return sizes


def _reshape(args: Args, x: Shape) -> Shape:
    return fill(args.shape, product(x), "the shape")


def _unflatten(args: Args, x: Shape) -> Shape:
    dim = index(args.dim, len(x))
    sizes = args.sizes if hasattr(args, "sizes") else args.unflattened_size
    if not sizes:
        raise ShapeError("needs at least one size")
    return (*x[:dim], *fill(sizes, x[dim], "the sizes"), *x[dim + 1 :])


def permuted(args: Args, x: Shape) -> Shape:
    dims = indices(args.dims, len(x), "dims") if args.dims else ()
    if len(dims) != len(x):
        raise ShapeError(
            f"dims must name each of the {len(x)} dimensions once, found {list(args.dims)}"
        )
    return tuple(x[dim] for dim in dims)


def _transpose(args: Args, x: Shape) -> Shape:
    out, rank = list(x), max(len(x), 1)
    a, b = index(args.dim0, rank, "dim0"), index(args.dim1, rank, "dim1")
    if x:
        out[a], out[b] = out[b], out[a]
    return tuple(out)


def _movedim(args: Args, x: Shape) -> Shape:
    out, rank = list(x), max(len(x), 1)
    source = index(args.source, rank, "source")
    target = index(args.destination, rank, "destination")
    if x:
        out.insert(target, out.pop(source))
    return tuple(out)


def _squeeze(args: Args, x: Shape) -> Shape:
    dims = indices(args.dim, max(len(x), 1)) if args.dim != () else ()
    return tuple(size for i, size in enumerate(x) if i not in dims or size != 1)


def _unsqueeze(args: Args, x: Shape) -> Shape:
    dim = index(args.dim, len(x) + 1)
    return (*x[:dim], 1, *x[dim:])


def _roll(args: Args, x: Shape) -> Shape:
    shifts = each(args.shifts, 1)
    if args.dims in (None, ()):
        if len(shifts) != 1:
            raise ShapeError("needs dims, as many as shifts")
        return x
    dims = each(args.dims, 1)
    if len(dims) != len(shifts):
        raise ShapeError(f"takes as many dims as shifts, found {len(dims)} and {len(shifts)}")
    for dim in dims:
        index(dim, len(x), "dims")
    return x


def _flip(args: Args, x: Shape) -> Shape:
    if args.dims != ():
        indices(args.dims, len(x), "dims")
    return x


def _tile(args: Args, x: Shape) -> Shape:
    rank = max(len(x), len(args.dims))
    sizes = (*(1,) * (rank - len(x)), *x)
    times = (*(1,) * (rank - len(args.dims)), *args.dims)
    return tuple(size * n for size, n in zip(sizes, times, strict=True))


def stretched(size: Shape, x: Shape) -> Shape:
    """The input's shape, with sizes of 1 stretched; -1 keeps one."""
    new = len(size) - len(x)
    if new < 0:
        raise ShapeError(f"size {list(size)} has fewer dimensions than the input: {show(x)}")
    out = list(size)
    for i, own in enumerate(x, new):
        if out[i] == -1:
            out[i] = own
        elif own not in (1, out[i]):
            raise ShapeError(f"sizes differ in dimension {i} ({own} and {out[i]})", mismatch=i)
    if any(n < 0 for n in out):
        raise ShapeError(f"size {list(size)}: a new dimension needs a size of 0 or more")
    return tuple(out)


def _broadcast_to(args: Args, x: Shape) -> Shape:
    return stretched(args.size, x)


_VIEW: dict[str, Any] = {"accepts": ("any",), "aliases": True}
_COPY: dict[str, Any] = {"accepts": ("any",)}

OPS: list[Op] = [
    function(
        "flatten",
        "torch.flatten",
        _flatten,
        "Makes one dimension of several.",
        module="Flatten",
        positional=2,
        **_VIEW,
    ),
    layer(
        "Flatten",
        _flatten,
        "Makes one dimension of several, all but the batch if none are given.",
        **_VIEW,
    ),
    function(
        "unflatten",
        "torch.unflatten",
        _unflatten,
        "Makes several dimensions of one.",
        positional=2,
        **_VIEW,
    ),
    layer("Unflatten", _unflatten, "Makes several dimensions of one.", positional=2, **_VIEW),
    function(
        "reshape",
        "torch.reshape",
        _reshape,
        "The same numbers in another shape.",
        positional=1,
        **_VIEW,
    ),
    function(
        "permute", "torch.permute", permuted, "Reorders the dimensions.", positional=1, **_VIEW
    ),
    function(
        "transpose", "torch.transpose", _transpose, "Swaps two dimensions.", positional=2, **_VIEW
    ),
    function("movedim", "torch.movedim", _movedim, "Moves one dimension.", positional=2, **_VIEW),
    function(
        "squeeze", "torch.squeeze", _squeeze, "Drops dimensions of size 1.", positional=1, **_VIEW
    ),
    function(
        "unsqueeze",
        "torch.unsqueeze",
        _unsqueeze,
        "Adds a dimension of size 1.",
        positional=1,
        **_VIEW,
    ),
    function(
        "broadcast_to",
        "torch.broadcast_to",
        _broadcast_to,
        "Stretches sizes of 1.",
        positional=1,
        saves_output=True,  # torch lets nothing overwrite numbers that stand for several
        **_VIEW,
    ),
    function(
        "roll", "torch.roll", _roll, "Shifts numbers around a dimension.", positional=1, **_COPY
    ),
    function("flip", "torch.flip", _flip, "Reverses dimensions.", positional=1, **_COPY),
    function("tile", "torch.tile", _tile, "Repeats along dimensions.", positional=1, **_COPY),
]
