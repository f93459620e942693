"""What the shape rules of many ops share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphbuild.ops.base import Args, Shape, ShapeError

_AXES = ("D", "H", "W")


def each(value: Any, count: int) -> tuple[Any, ...]:
    """One value per dimension: a single one counts for all."""
    return value if isinstance(value, tuple) else (value,) * count


def show(shape: Sequence[Any]) -> str:
    """A shape for messages: 1×3×224×224."""
    return "×".join("?" if size is None else str(size) for size in shape) or "a scalar"


def same(args: Args, x: Shape, *others: Shape) -> Shape:
    """The shape rule of what works on each number alone."""
    return x


def spatial(x: Shape, dims: int, batched: bool = False) -> tuple[Shape, int, Shape]:
    """What stands in front of the channels, the channels, and the spatial sizes.

    Torch takes such an input with or without the batch; with `batched` only with it.
    """
    if len(x) != dims + 2 and (batched or len(x) != dims + 1):
        ranks = (dims + 2,) if batched else (dims + 1, dims + 2)
        need_rank(x, *ranks, like=_layout(dims, batched))
    return x[: -dims - 1], x[-dims - 1], x[-dims:]


def _layout(dims: int, batched: bool) -> str:
    axes = "L" if dims == 1 else "×".join(_AXES[-dims:])
    return f"N×C×{axes}" if batched else f"N×C×{axes} or C×{axes}"


def need_rank(x: Shape, *ranks: int, like: str = "") -> None:
    """Raise unless the input has one of these numbers of dimensions."""
    if len(x) not in ranks:
        counts = " or ".join(map(str, ranks))
        noun = "dimension" if ranks == (1,) else "dimensions"
        layout = f" ({like})" if like else ""
        raise ShapeError(f"takes an input of {counts} {noun}{layout}, found {len(x)}: {show(x)}")


def need_at_least(x: Shape, rank: int) -> None:
    """Raise unless the input has that many dimensions or more."""
    if len(x) < rank:
        noun = "dimension" if rank == 1 else "dimensions"
        raise ShapeError(f"takes an input of {rank} {noun} or more, found {len(x)}: {show(x)}")


def agree(args: Args, argument: str, size: int, what: str) -> None:
    """Raise if an argument says another size than the input has."""
    given = getattr(args, argument)
    if given != size:
        raise ShapeError(
            f"{argument} is {given}, but {what} is {size}", argument=argument, value=size
        )


def positive(shape: Shape, x: Shape, what: str = "output") -> Shape:
    """Raise if a spatial size of the output has come to nothing."""
    if any(size < 1 for size in shape):
        raise ShapeError(f"the input is too small: {show(x)} would give an {what} of {show(shape)}")
    return shape


def index(dim: int, rank: int, name: str = "dim") -> int:
    """A dimension counted from the front; negative ones count from the end."""
    if not -rank <= dim < rank:
        span = f"from {-rank} to {rank - 1}" if rank else "there is none in a scalar"
        raise ShapeError(f"{name} {dim} is out of range: {span}")
    return dim % rank


def indices(dims: Any, rank: int, name: str = "dim") -> tuple[int, ...]:
    """Several dimensions counted from the front, each once; None means all of them."""
    if dims is None or dims == ():
        return tuple(range(rank))
    out = tuple(index(dim, rank, name) for dim in each(dims, 1))
    if len(set(out)) < len(out):
        raise ShapeError(f"{name} names a dimension twice: {dims}")
    return out


def product(sizes: Sequence[int]) -> int:
    """The product, written from left to right, so that a size keeps its expression."""
    out = None
    for size in sizes:
        out = size if out is None else out * size
    return 1 if out is None else out


def ceil_div(a: int, b: int) -> int:
    return (a + b - 1) // b if a % b else a // b


def shift(size: int, by: int) -> int:
    """The sum, written as a difference where that reads better."""
    return size + by if by >= 0 else size - -by


def windows(args: Args, sizes: Shape, padding: Any, *, ceil: bool = False) -> Shape:
    """How many windows of a kernel fit along each dimension.

    The last one may reach over the end with `ceil`, but must start before it.
    """
    dims = len(sizes)
    kernel, stride = each(args.kernel_size, dims), each(args.stride or args.kernel_size, dims)
    dilation, padding = each(getattr(args, "dilation", 1), dims), each(padding, dims)
    out: list[int] = []
    for h, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True):
        # (h + 2 * p - d * (k - 1) - 1) // s + 1, arranged so that most of it comes to one number
        more = 2 * p - d * (k - 1) - 1 + s
        count = shift(h, more + s - 1 if ceil else more) // s
        out.append(count - 1 if ceil and (count - 1) * s >= h + p else count)
    return tuple(out)


def broadcast(*shapes: Shape) -> Shape:
    """The shape of operands that are stretched to each other, aligned at the last dimension."""
    if all(shape == shapes[0] for shape in shapes):
        return shapes[0]
    rank = max(len(shape) for shape in shapes)
    out: list[int] = []
    for i in range(-rank, 0):
        sizes = [shape[i] for shape in shapes if len(shape) >= -i]
        size = next((s for s in sizes if s != 1), sizes[0])
        for other in sizes:
            if other != 1 and other != size:
                at = rank + i
                raise ShapeError(
                    f"sizes differ in dimension {at} ({size} and {other})", mismatch=at
                )
        out.append(size)
    return tuple(out)


def infer_channels(dims: int, batched: bool = False) -> Callable[[Args, Sequence[Shape]], int]:
    """How a layer's number of input channels follows from its input."""
    return lambda args, shapes: spatial(shapes[0], dims, batched)[1]


def infer_last(args: Args, shapes: Sequence[Shape]) -> int:
    """The last dimension of the input: its features."""
    need_at_least(shapes[0], 1)
    return shapes[0][-1]
