"""Functions that pick numbers out of a tensor by indices, and those that order them."""

from __future__ import annotations

from typing import Any

from graphbuild.ops.base import Args, Argument, DtypeError, Op, Shape, ShapeError
from graphbuild.ops.build import function
from graphbuild.ops.dtypes import same as same_dtype
from graphbuild.ops.rules import broadcast, index, need_rank, product, show
from graphbuild.ops.writing import between

_INDICES = ("int32", "int64")


def _gather(args: Args, x: Shape, indices: Shape) -> Shape:
    _within(args, x, indices, "index")
    return indices


def _within(args: Args, x: Shape, indices: Shape, what: str) -> None:
    """That the indices reach no further than the input, except along `dim`."""
    dim = index(args.dim, max(len(x), 1))
    if max(len(x), 1) != max(len(indices), 1):
        raise ShapeError(f"takes an {what} of {len(x)} dimensions, found {show(indices)}")
    for i, (size, wanted) in enumerate(zip(x, indices, strict=False)):
        if i != dim and wanted > size:
            raise ShapeError(f"the {what} is larger in dimension {i} ({wanted} and {size})")


def _scatter(args: Args, x: Shape, indices: Shape, src: Shape | None = None) -> Shape:
    if (src is None) == (args.value is None):
        raise ShapeError("needs either a third operand or a number as the argument 'value'")
    _within(args, x, indices, "index")
    if src is not None and src != indices:  # its gradient would be wrong
        raise ShapeError(f"takes a source of the index's {show(indices)}, found {show(src)}")
    return x


def _index_select(args: Args, x: Shape, indices: Shape) -> Shape:
    dim = index(args.dim, max(len(x), 1))
    if len(indices) > 1:
        raise ShapeError(f"takes an index of one dimension, found {show(indices)}")
    if not x:
        return x
    return (*x[:dim], *(indices or (1,)), *x[dim + 1 :])


def _take_along(args: Args, x: Shape, indices: Shape) -> Shape:
    if args.dim is None:
        return (product(indices),)
    if len(x) != len(indices):
        raise ShapeError(f"takes indices of {len(x)} dimensions, found {show(indices)}")
    dim = index(args.dim, len(x))
    out = list(broadcast((*x[:dim], 1, *x[dim + 1 :]), (*indices[:dim], 1, *indices[dim + 1 :])))
    out[dim] = indices[dim]
    return tuple(out)


def _topk(args: Args, x: Shape) -> list[Shape]:
    dim = index(args.dim, max(len(x), 1))
    size = x[dim] if x else 1
    if args.k > size:
        raise ShapeError(f"k ({args.k}) is larger than dimension {dim} ({size})")
    out = (*x[:dim], args.k, *x[dim + 1 :]) if x else ()
    return [out, out]


def _sort(args: Args, x: Shape) -> list[Shape]:
    return [_order(args, x)] * 2


def _order(args: Args, x: Shape) -> Shape:
    index(args.dim, max(len(x), 1))
    return x


def _repeated(args: Args, x: Shape) -> Shape:
    if args.dim is None:
        return (product(x) * args.repeats,)
    dim = index(args.dim, len(x))
    return (*x[:dim], x[dim] * args.repeats, *x[dim + 1 :])


def _diagonal(args: Args, x: Shape) -> Shape:
    a, b = index(args.dim1, len(x), "dim1"), index(args.dim2, len(x), "dim2")
    if a == b:
        raise ShapeError(f"dim1 and dim2 are the same dimension, {a}")
    below, right = max(-args.offset, 0), max(args.offset, 0)
    length = max(min(x[a] - below, x[b] - right), 0)
    return (*(size for i, size in enumerate(x) if i not in (a, b)), length)


def _trace(args: Args, x: Shape) -> Shape:
    need_rank(x, 2)
    return ()


def _grid(args: Args, *shapes: Shape) -> list[Shape]:
    for shape in shapes:
        if len(shape) > 1:
            raise ShapeError(f"takes operands of one dimension, found {show(shape)}")
    sizes = tuple(shape[0] if shape else 1 for shape in shapes)
    if args.indexing == "xy" and len(sizes) > 1:
        sizes = (sizes[1], sizes[0], *sizes[2:])
    return [sizes] * len(shapes)


def _of_input(args: Args, x: str, indices: str, *others: str) -> str:
    if indices not in _INDICES:
        raise DtypeError(f"takes indices of {' or '.join(_INDICES)}, found {indices}")
    if any(other != x for other in others):
        raise DtypeError(f"its input and source differ in dtype: {x}, {others[0]}")
    return x


def _along_dim(args: Args, x: str, indices: str) -> str:
    if indices != "int64":
        raise DtypeError(f"takes indices of int64, found {indices}")
    return x


def _ordered(args: Args, x: str) -> list[str]:
    return [x, "int64"]


def _positions(args: Args, x: str) -> str:
    return "int64"


def _summed(args: Args, x: str) -> str:
    return x if x.startswith(("float", "bfloat")) else "int64"


_ANY: dict[str, Any] = {"accepts": ("any",)}
_BY: dict[str, Any] = {"accepts": ("any", "int", "any"), "dtype": _of_input}
_PARTS: dict[str, Any] = {
    **_ANY,
    "several": True,
    "outputs": ("values", "indices"),
    "dtype": _ordered,
}

OPS: list[Op] = [
    function(
        "gather",
        "torch.gather",
        _gather,
        "The numbers at the indices along a dimension.",
        operands=("input", "index"),
        write=between("torch.gather", "dim"),
        **_BY,
    ),
    function(
        "scatter",
        "torch.scatter",
        _scatter,
        "The input with numbers of a source, or a given value, put at the indices.",
        defaults={"value": None},
        operands=("input", "index", "src"),
        optional=1,
        write=between("torch.scatter", "dim"),
        **_BY,
    ),
    function(
        "index_select",
        "torch.index_select",
        _index_select,
        "The slices of a dimension at the indices.",
        operands=("input", "index"),
        write=between("torch.index_select", "dim"),
        **_BY,
    ),
    function(
        "take_along_dim",
        "torch.take_along_dim",
        _take_along,
        "The numbers at the indices along a dimension; other sizes are stretched to each other.",
        operands=("input", "indices"),
        accepts=("any", "int"),
        dtype=_along_dim,
    ),
    function(
        "topk",
        "torch.topk",
        _topk,
        "The k largest numbers along a dimension, and their positions.",
        positional=1,
        **{**_PARTS, "accepts": ("float int",)},
    ),
    function("sort", "torch.sort", _sort, "In order along a dimension, and from where.", **_PARTS),
    function(
        "argsort",
        "torch.argsort",
        _order,
        "The positions that put a dimension in order.",
        dtype=_positions,
        **_ANY,
    ),
    function(
        "repeat_interleave",
        "torch.repeat_interleave",
        _repeated,
        "Each number of a dimension several times in a row.",
        positional=1,
        **_ANY,
    ),
    function(
        "diagonal",
        "torch.diagonal",
        _diagonal,
        "The diagonal of two dimensions, as a new last one.",
        aliases=True,
        **_ANY,
    ),
    function("trace", "torch.trace", _trace, "The sum of the diagonal.", dtype=_summed, **_ANY),
    Op(
        "meshgrid",
        "torch.meshgrid",
        (Argument("indexing", "Literal['ij', 'xy']", "ij", explicit=True),),
        _grid,
        "The coordinates of a grid, a tensor for each of its dimensions.",
        operands=("tensors",),
        variadic=True,
        several=True,
        saves_output=True,  # torch lets nothing overwrite numbers that stand for several
        aliases=True,
        dtype=same_dtype(),
        **_ANY,
    ),
]
